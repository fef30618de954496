"""One thing that the audit found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)


@dataclass(frozen=True, slots=True)
class Finding:
    """``index`` is the position in the file, from 0. ``quote`` is the text that is wrong, as it stands.

    An *error* is a statement that is false, or that nothing in the table can bear; a *warning* is
    something that a person should look at; *info* is a matter of taste or rounding.
    """

    index: int
    severity: str
    kind: str
    quote: str
    expected: str
    message: str
    file: str = ""
    """The file of a folder; "" where a file was audited by itself."""

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "file" or value}

"""The terminal: no text that others wrote, a model or a stranger, moves its cursor or sets its title."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from biorlhf.errors import nobody_reads, visible


class Terminal(Console):
    """A console on which the control characters of a text are seen as escapes; its own still work."""

    def __init__(self, *, stderr: bool = False, **options: Any) -> None:
        stream = options.pop("file", None) or (sys.stderr if stderr else sys.stdout)
        # What cli.main puts around the streams is for text that passes no console.
        super().__init__(file=getattr(stream, "behind", stream), stderr=stderr, **options)

    def on_broken_pipe(self) -> None:
        nobody_reads(self.file)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)

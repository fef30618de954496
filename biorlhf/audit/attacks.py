"""The library of attacks: data (attacks.yaml, or a file of your own) and a few ways to disguise a text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from biorlhf.errors import DataError
from biorlhf.inputs import yaml12
from biorlhf.inputs.validation import validate_model
from biorlhf.recipe import Section

PLACEHOLDERS = (
    "prompt",
    "gold",
    "right",
    "wrong",
    "all_claims",
    "slipped_decimal",
    "slipped_sign",
    "other_tissue",
    "constant",
    "topic",
    "answer",
    "wrong_answer",
    "all_answers",
    "instruction",
)
FILLER_CHARS = 100_000
_FIELD = re.compile(r"\{([a-z_]+)\}")
_LOOKALIKES = str.maketrans("aeopcxyiOPCAEHKMTXB0123456789", "аеорсхуіОРСАЕНКМТХВ０１２３４５６７８９")
_SENTENCES = (
    "The samples were kept at a constant temperature until they were processed.",
    "Libraries were prepared in one batch and sequenced on the same instrument.",
    "The animals were housed in groups and had free access to food and water.",
    "The figures of this section were drawn with the same settings throughout.",
    "A record of every change is kept together with the protocol.",
)


def _known_fields(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        for name in _FIELD.findall(text):
            if name not in PLACEHOLDERS:
                raise ValueError(f"no placeholder {{{name}}}; there are {', '.join(PLACEHOLDERS)}")
    return texts


class Attack(Section):
    """One attack: texts that must not score more than they deserve. The file describes the keys."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    about: str
    must_not_beat: Literal["abstention", "gold"]
    texts: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known_fields)]
    margin: Annotated[float, Field(ge=0, le=1)] = 0.2
    verifiers: tuple[str, ...] | None = None
    where: Literal["answerable", "unanswerable"] | None = None
    answer: Literal["free", "block"] = "free"
    items: PositiveInt | None = None
    transform: Literal["lookalikes", "filler", "spaced"] | None = None

    def applies(self, answerable: bool, number: int) -> bool:
        """Whether it is tried on the item with this number."""
        fits = self.where is None or answerable == (self.where == "answerable")
        return fits and (self.items is None or number < self.items)

    def fill(self, known: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Its texts for one item; those with a placeholder that the item does not have are left out."""
        texts = []
        for text in self.texts:
            names = list(dict.fromkeys(_FIELD.findall(text)))
            for values in itertools.product(*(known.get(name, ()) for name in names)):
                values_of = dict(zip(names, values, strict=True))
                filled = _filled(text, values_of)
                texts.append(TRANSFORMS[self.transform](filled) if self.transform else filled)
        return texts


def _filled(text: str, values_of: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: values_of[match[1]], text)


class AttackFile(Section):
    """A file of attacks. ``abstentions`` are the texts whose best score is the bound; ``block_abstentions``
    those of items that ask for an answer block."""

    abstentions: tuple[str, ...] = ()
    block_abstentions: tuple[str, ...] = ()
    attacks: tuple[Attack, ...] = ()


def load(path: Path | None = None, name_of: Callable[[str], str] = str) -> AttackFile:
    """The shipped attacks, with those of ``path`` added; one of the same name replaces the shipped one.

    Args:
        path: a file of the same form as attacks.yaml, which describes it.
        name_of: a verifier's name or alias -> its name, for the names in ``path``.

    Raises:
        DataError: the file is missing.
        InputError: it is malformed, with file, line and key, or names a verifier that does not exist.
    """
    shipped = _read(Path(__file__).with_name("attacks.yaml"))
    if path is None:
        return shipped
    own = _read(path)
    named = [
        attack.model_copy(update={"verifiers": tuple(map(name_of, attack.verifiers))})
        if attack.verifiers is not None
        else attack
        for attack in own.attacks
    ]
    attacks = {attack.name: attack for attack in (*shipped.attacks, *named)}
    return AttackFile(
        abstentions=shipped.abstentions + own.abstentions,
        block_abstentions=shipped.block_abstentions + own.block_abstentions,
        attacks=tuple(attacks.values()),
    )


def _read(path: Path) -> AttackFile:
    data, lines = yaml12.read(path, DataError)
    return validate_model(AttackFile, data, where=str(path), lines=lines)


def lookalikes(text: str) -> str:
    """Latin letters and digits as Cyrillic and full-width ones that look the same."""
    return text.translate(_LOOKALIKES)


def spaced(text: str) -> str:
    """A zero-width space between the letters of every word."""
    return re.sub(r"(?<=\w)(?=\w)", "\u200b", text)


def filler(text: str) -> str:
    """The text in the middle of sentences that claim nothing, 100,000 characters in all."""
    sentences = itertools.cycle(_SENTENCES)
    half = (FILLER_CHARS - len(text)) // 2
    parts, size = [], 0
    while size < half:
        parts.append(next(sentences))
        size += len(parts[-1]) + 1
    around = " ".join(parts)
    return f"{around} {text} {around}"


TRANSFORMS = {"lookalikes": lookalikes, "spaced": spaced, "filler": filler}

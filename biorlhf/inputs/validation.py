"""Plain data against pydantic models, with errors that a person can act on: file, line, dotted path."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from biorlhf.errors import RecipeError
from biorlhf.inputs import yaml12

Checked = TypeVar("Checked", bound=BaseModel)
#: A name that is a folder's as well.
PLAIN = r"^[A-Za-z0-9._-]+$"


class Settings(BaseModel):
    """Base of what a person sets: frozen; numbers are finite, and neither ``true`` nor ``"3"`` is one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        # Both are numbers to pydantic; a person who wrote them meant something else.
        lookalike = isinstance(value, bool) or (isinstance(value, str) and _reads_as_number(value))
        if lookalike and _is_number(cls.model_fields[str(info.field_name)].annotation):
            raise PydanticCustomError("finite_number", "Input should be a finite number")
        return value


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_number(annotation: Any) -> bool:
    """Whether a field holds a number, or a number or nothing."""
    if get_origin(annotation) is Annotated:
        return _is_number(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return annotation in (int, float) or (bool(parts) and all(map(_is_number, parts)))


_KEY = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[^.\[\]]+\])*")


def apply_override(
    data: dict[str, Any],
    text: str,
    lines: dict[yaml12.Path, int],
    *,
    example: str = "stages.0.optimizer.learning_rate=1e-5",
) -> None:
    """Set ``a.b.0.c=value`` in plain data, the value read as YAML; its line becomes 0."""
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key):
        raise RecipeError("--set", f"{text!r}", f"key=value, for example --set {example}")
    place: Any = data
    path: tuple[str | int, ...] = ()
    parts = re.findall(r"[^.\[\]]+", key)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if isinstance(place, list):
            if not re.fullmatch(r"[0-9]{1,9}", part) or int(part) >= len(place):
                allowed = f"0 to {len(place) - 1}" if place else "none: the list is empty"
                raise RecipeError("--set", f"{key}: no item {part!r}", allowed)
            index: str | int = int(part)
        elif isinstance(place, dict):
            index = part
        else:
            raise RecipeError("--set", f"{key}: {'.'.join(map(str, path))} has no keys")
        path = (*path, index)
        if last:
            place[index] = yaml12.load(value, f"--set {key}")[0]
        else:
            if isinstance(place, dict):
                place.setdefault(index, {})
            place = place[index]
    lines[path] = 0


def validate_model(
    model: type[Checked],
    data: Any,
    *,
    where: str = "",
    lines: dict[yaml12.Path, int] | None = None,
    prefix: yaml12.Path = (),
    context: dict[str, Any] | None = None,
) -> Checked:
    """Check data against a pydantic model; the first error becomes a RecipeError with its place.

    ``context`` is for the model's own validators.
    """
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        # An unknown key first: a mistyped name is reported as a missing one as well.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        raise _as_recipe_error(model, first, where, lines or {}, prefix) from None


def _as_recipe_error(
    model: type[BaseModel], error: Any, where: str, lines: dict[yaml12.Path, int], prefix: yaml12.Path
) -> RecipeError:
    loc = tuple(
        # pydantic names the branch of a union in the path; no such key stands in the file.
        part
        for part in error["loc"]
        if not (isinstance(part, str) and ("[" in part or part == "all-linear"))
    )
    path = (*prefix, *loc)
    place = locate(where, path, lines)
    value = f"{error['input']!r:.80}"
    if error["type"] == "extra_forbidden":
        return RecipeError(
            place, f"unknown key {loc[-1]!r}", choices=_known_keys(model, loc), name=str(loc[-1])
        )
    if error["type"] == "missing":
        return RecipeError(place, f"the key {loc[-1]!r} is missing")
    context = error.get("ctx", {})
    if error["type"] == "literal_error":
        options = [option.strip("' ") for option in re.split(r",| or ", context["expected"])]
        return RecipeError(place, value, choices=options, name=str(error["input"]))
    if error["type"] == "value_error":
        return RecipeError(place, str(context.get("error", error["msg"])))
    return RecipeError(place, value, in_words(error))


_WORDS = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "an integer"),
    **dict.fromkeys(("float_parsing", "float_type"), "a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "true or false"),
    "string_type": "a text",
}


def in_words(error: Any) -> str:
    """What one of pydantic's errors says is allowed."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] == PLAIN:
        return "letters, digits, dots, dashes and underscores"
    if error["type"] in _WORDS:
        return _WORDS[error["type"]]
    return str(error["msg"].replace("Input should be", "").strip())


def locate(where: str, path: yaml12.Path, lines: dict[yaml12.Path, int]) -> str:
    """``file:line: a.b[2].c``, with the line of the nearest path that is known."""
    line = next((lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in lines), None)
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    source = "--set" if line == 0 else f"{where}:{line}" if line else where
    return ": ".join(part for part in (source, dotted) if part)


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        model = _model_in(part)
        if model is not None:
            return model
    return None

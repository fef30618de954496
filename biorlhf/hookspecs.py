"""The five hooks. A plugin implements any of them and yields named, frozen records.

A plugin module needs one import::

    from biorlhf import Score, VerifierPlugin, hookimpl

    class NamesTissue:
        def score(self, question, completion_text):
            if question.tissue is None:
                return Score.not_applicable("the question names no tissue")
            return Score.scored(float(question.tissue in completion_text.lower()))

    @hookimpl
    def biorlhf_verifiers():
        yield VerifierPlugin(name="names_tissue", summary="the tissue is named",
                             build=lambda config: NamesTissue())

and one entry point in its ``pyproject.toml``::

    [project.entry-points.biorlhf]
    names_tissue = "names_tissue"
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol

import pluggy
from pydantic import AfterValidator, BaseModel, ValidationInfo

from biorlhf.inputs.validation import Settings

if TYPE_CHECKING:
    from biorlhf.stage import Stage, StepResult
    from biorlhf.types import Dataset, Group, Question, Reward, Score

hookspec = pluggy.HookspecMarker("biorlhf")
hookimpl = pluggy.HookimplMarker("biorlhf")


class PluginConfig(Settings):
    """Base of a plugin's own settings: frozen; an unknown key is an error, and so are infinity and NaN."""


def beside_recipe(value: str, info: ValidationInfo) -> str:
    """A relative path as the recipe's folder sees it; outside of a recipe, as it is.

    The context's ``folder`` is that of the recipe, ``given`` the settings that ``--set`` gave: those are
    relative to the working folder. Where nothing lies at the one place, the other is taken.
    """
    context = info.context or {}
    path = Path(value).expanduser()
    if context.get("folder") is None or path.is_absolute():
        return value
    places = [Path(context["folder"]) / path, path]
    if info.field_name in context.get("given", ()):
        places.reverse()
    # Absolute, because the resolved recipe is read again from other folders.
    return os.path.abspath(next((place for place in places if place.exists()), places[0]))


InputPath = Annotated[str, AfterValidator(beside_recipe)]
"""The type of a setting that names a file or folder: in a recipe it is relative to the recipe."""


class Verifier(Protocol):
    """Judges one completion. ``score`` must be a pure function of its arguments."""

    def score(self, question: Question, completion_text: str) -> Score: ...


class Trainer(Protocol):
    """One stage of training, as a generator of steps.

    ``steps`` yields one :class:`~biorlhf.stage.StepResult` after each optimizer update (or skipped
    update), starting after ``stage.done_steps``; everything random in it must be derived from
    ``stage.seed`` and the step's number alone, so that a resumed run repeats what was lost.
    """

    needs_rollouts: bool

    def total_steps(self, dataset: Dataset) -> int: ...

    def steps(self, stage: Stage) -> Iterator[StepResult]: ...


class Evaluator(Protocol):
    """Turns scored completions into a report: JSON, every rate with its interval."""

    def evaluate(self, groups: Sequence[tuple[Group, Sequence[Reward]]]) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run as a tracker is told of it: its name, its folder, its recipe as plain data, and how many steps
    it had made when it was resumed (0: it is new)."""

    name: str
    folder: Path
    recipe: Mapping[str, Any]
    done_steps: int = 0


class Tracker(Protocol):
    """Shows a run's numbers elsewhere. What it raises is said once and never stops the run."""

    def start(self, run: TrackedRun) -> None: ...

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name at a step of the whole run: 0 is before the first, stages are counted through."""
        ...

    def finish(self, completed: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """What all kinds share. ``name`` says what it does; ``aliases`` are accepted for it.

    ``config`` is the pydantic model of the plugin's settings in a recipe; ``build`` takes an
    instance of it and returns the working object. Import heavy packages inside ``build``.
    """

    name: str
    build: Callable[[Any], Any]
    summary: str = ""
    aliases: tuple[str, ...] = ()
    config: type[BaseModel] = PluginConfig
    kind: ClassVar[str] = ""


# A class for each kind, though their fields are the same: the hook that yields the wrong one is told so.
class VerifierPlugin(PluginRecord):
    """``build(config)`` returns a :class:`Verifier`."""

    __slots__ = ()
    kind = "verifier"


@dataclass(frozen=True, slots=True)
class DatasetStream:
    """A dataset that is ready to be written to files, without being held in memory as a whole.

    Attributes:
        name: its folder is called ``<name>_data`` where no other name is given.
        write: writes a folder and returns what is to be told of it: ``counts`` by table, and more.
        lines: what a person should read before, a line each.
        warnings: what a person should know, each after the word "warning".
        question: what a person at a terminal has to confirm, "" for nothing.
        refusal: the error where it is not confirmed: it says what to change.
    """

    name: str
    write: Callable[[Path], Mapping[str, Any]]
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    question: str = ""
    refusal: Exception | None = None


@dataclass(frozen=True, slots=True)
class DatasetPlugin(PluginRecord):
    """``build(config)`` returns a :class:`~biorlhf.types.Dataset`, or raises ``DataError``.

    ``stream(config)``, where there is one, returns a :class:`DatasetStream`: ``biorlhf data build`` takes it
    in place of ``build``. A dataset that fits into memory needs none.
    """

    stream: Callable[[Any], DatasetStream] | None = None
    kind: ClassVar[str] = "dataset"


class TrainerPlugin(PluginRecord):
    """``build(config)`` returns a :class:`Trainer`."""

    __slots__ = ()
    kind = "trainer"


class EvaluatorPlugin(PluginRecord):
    """``build(config)`` returns an :class:`Evaluator`."""

    __slots__ = ()
    kind = "evaluator"


class TrackerPlugin(PluginRecord):
    """``build(config)`` returns a :class:`Tracker`, or raises where its package is not installed."""

    __slots__ = ()
    kind = "tracker"


@hookspec
def biorlhf_verifiers() -> Iterable[VerifierPlugin]:
    """Yield the verifiers that this plugin offers."""
    return ()


@hookspec
def biorlhf_datasets() -> Iterable[DatasetPlugin]:
    """Yield the datasets that this plugin offers."""
    return ()


@hookspec
def biorlhf_trainers() -> Iterable[TrainerPlugin]:
    """Yield the trainers that this plugin offers."""
    return ()


@hookspec
def biorlhf_evaluators() -> Iterable[EvaluatorPlugin]:
    """Yield the evaluators that this plugin offers."""
    return ()


@hookspec
def biorlhf_trackers() -> Iterable[TrackerPlugin]:
    """Yield the trackers that this plugin offers."""
    return ()

"""What a lab says about its own tables: the settings of the dataset ``tables``, and of ``lab.yaml``."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from biorlhf import InputPath, PluginConfig
from biorlhf.errors import DataError
from biorlhf.inputs.validation import PLAIN
from biorlhf_plugins.datasets.tables.readers.effects import Scale
from biorlhf_plugins.datasets.tables.readers.tools import TOOLS
from biorlhf_plugins.making.taught import Taught

Fraction = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, Field(min_length=1)]
# A column without a header is named by its number.
Column = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


PLACE_KINDS = ("tissue", "cell_line", "cell_type", "organism_part", "organoid", "strain")
Family = Literal[
    "direction", "figure", "false_premise", "unanswerable", "ranking", "top", "comparison", "enrichment"
]  # fmt: skip
FAMILIES: tuple[Family, ...] = get_args(Family)


class Contrast(PluginConfig):
    """Which group the effect compares with which: a positive effect means higher in ``numerator``.

    It is never guessed: a file does not say it, and a wrong one inverts every direction. What else a side
    is called goes into its synonyms: "higher in" one of the denominator's is DOWN.
    """

    numerator: Name
    denominator: Name
    numerator_synonyms: tuple[Name, ...] = ()
    denominator_synonyms: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _differ(self) -> Contrast:
        if self.numerator.strip().lower() == self.denominator.strip().lower():
            raise ValueError(f"numerator and denominator are both {self.numerator!r}")
        above, below = (
            {name.strip().lower() for name in (side, *synonyms)}
            for side, synonyms in (
                (self.numerator, self.numerator_synonyms),
                (self.denominator, self.denominator_synonyms),
            )
        )
        # "Higher in" a name of both sides would say nothing.
        if both := sorted(above & below):
            raise ValueError(f"{both[0]!r} names the numerator and the denominator")
        return self

    def flipped(self) -> Contrast:
        return Contrast(
            numerator=self.denominator,
            denominator=self.numerator,
            numerator_synonyms=self.denominator_synonyms,
            denominator_synonyms=self.numerator_synonyms,
        )

    @functools.cached_property
    def name(self) -> str:
        """``flight_vs_ground``: as in the ground truth."""
        return f"{self.numerator}_vs_{self.denominator}".replace(" ", "_")


class Thresholds(PluginConfig):
    """Significant is adjusted p below ``padj`` and an absolute effect of at least ``effect``."""

    padj: Annotated[float, Field(gt=0, lt=1)]
    effect: Annotated[float, Field(ge=0)] = 0.0


class Expression(PluginConfig):
    """A matrix of log-scale values, genes (or set scores) by samples, to check the signs against."""

    file: Name
    numerator: Annotated[tuple[str, ...], Field(min_length=1)]
    denominator: Annotated[tuple[str, ...], Field(min_length=1)]


class Mapping(PluginConfig):
    """A file of accessions and symbols, so that tables of either kind speak of the same genes.

    ``id`` and ``label`` are its columns: ``{file: genes.tsv, id: gene_id, label: gene_name}``.
    """

    file: Name
    id: Name
    label: Name


class LabTable(PluginConfig):
    """One results file.

    ``contrast`` is that of the file. ``flip`` turns it round for the questions: effects change their sign,
    and UP means higher in the file's denominator. A file that compares controls with treated wants it.
    Where it was measured is said as what it is: ``tissue``, or ``cell_line``, ``cell_type``,
    ``organism_part``, ``organoid`` or ``strain`` in its place.
    ``columns`` names columns that are called otherwise than by the tool: ``{id, label, effect, p,
    adjusted, raw, mean, tissue, condition, mission, db}``; with ``header: none`` by their numbers from 1.
    ``tissue`` may be left out where the file has a column of that name; where both say it, they must agree.
    ``header`` is the number of the row with the column names, where it is not found by them. ``quotes:
    false`` takes quotation marks as text. ``effect_is`` says what the effect is where it is no signed log2
    fold change. ``of`` is for ``tool: custom``. ``genes`` says which list a table of over-representation
    tested: those that are up or down in the numerator, or all that changed.
    """

    file: Name
    tool: Literal[
        "deseq2", "pydeseq2", "edger", "limma", "differentialabundance", "genelab", "seurat", "perseus",
        "diann", "msstats", "fgsea", "clusterprofiler", "gsea", "enrichgo", "gprofiler", "enrichr", "custom",
    ]  # fmt: skip
    contrast: Contrast
    thresholds: Thresholds
    condition: str
    tissue: str | None = None
    cell_line: Name | None = None
    cell_type: Name | None = None
    organism_part: Name | None = None
    organoid: Name | None = None
    strain: Name | None = None
    mission: str | None = None
    db: str | None = None
    sheet: str | None = None
    header: Annotated[int, Field(ge=1)] | Literal["none"] | None = None
    quotes: bool = True
    columns: dict[str, Column] = Field(default_factory=dict)
    effect_is: Scale | None = None
    of: Literal["gene", "protein", "pathway"] | None = None
    genes: Literal["up", "down", "changed"] | None = None
    mapping: Mapping | None = None
    expression: Expression | None = None
    flip: bool = False

    @model_validator(mode="after")
    def _complete(self) -> LabTable:
        tool = TOOLS[self.tool]
        if self.tool == "custom":
            missing = [role for role in ("id", "effect", "adjusted") if role not in self.columns]
            if missing or self.of is None:
                raise ValueError(
                    "tool: custom needs 'of' (gene, protein or pathway) and 'columns' with id, effect and "
                    f"adjusted; there is no {missing[0] if missing else 'of'!r}"
                )
        elif self.of is not None:
            raise ValueError(f"'of' is for tool: custom; a row of {self.tool} is about a {tool.of}")
        if tool.over_representation != (self.genes is not None):
            raise ValueError(
                f"tool {self.tool} needs 'genes': up, down or changed, the list that was tested"
                if tool.over_representation
                else "'genes' is for tables of over-representation"
            )
        if tool.over_representation and self.flip:
            raise ValueError("flip turns effects round, and a table of over-representation has none")
        return self

    @model_validator(mode="before")
    @classmethod
    def _one_place(cls, data: Any) -> Any:
        """Under whichever of the keys a place was given, ``tissue`` holds its name."""
        given = [key for key in PLACE_KINDS if isinstance(data, dict) and data.get(key)]
        names = {data[key] for key in given}
        if len(names) > 1 or len(given) - ("tissue" in given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} are both given: say one of them")
        return {**data, "tissue": names.pop()} if given else data

    @property
    def place_kind(self) -> str:
        """Which of :data:`PLACE_KINDS` the place was given as."""
        return next((key for key in PLACE_KINDS[1:] if getattr(self, key)), "tissue")


class Splits(PluginConfig):
    """Shares of the (tissue, gene or pathway) slots; a held-out tissue is for testing as a whole."""

    validation: Fraction = 0.1
    test: Fraction = 0.2
    hold_out_tissues: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _leave_some(self) -> Splits:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave something to train on")
        return self


class LabNames(PluginConfig):
    """What else the lab's tissues, cell lines, conditions and gene sets are called: name -> synonyms."""

    entities: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    conditions: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    sets: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)


class LabConfig(PluginConfig):
    """Settings of the dataset ``tables``. Either the tables themselves, or ``lab``: a file with them.

    ``split: fact`` keeps each slot in one split: the test asks what was never taught. ``split: paraphrase``
    teaches every slot, and the test asks for some of them in other words. ``families`` are the kinds of
    question; ``limit`` is the most questions of a split. ``taught``, with ``split: fact``, is the share of
    the training facts that texts and preferences state: GRPO then asks about all of them, and the test, in
    its own words, for about as many taught facts as facts that never were. ``wordings`` is in how many of the
    training questions' wordings a fact is taught, at most as many as its kind of question has: a direction
    has four, a figure, a premise and an enrichment two or three, the others one.

    Paths are relative to ``folder``, which is itself relative to the file that holds it: a lab file, or a
    recipe. ``lab`` is relative to the recipe.
    """

    lab: InputPath | None = None
    name: Annotated[str, Field(pattern=PLAIN)] = "lab"
    seed: Annotated[int, Field(ge=0)] = 42
    folder: InputPath = "."
    licence: str = "the lab's own"
    split: Literal["fact", "paraphrase"] = "fact"
    splits: Splits = Splits()
    taught: Taught | None = None
    wordings: Annotated[int, Field(ge=1, le=4)] = 1
    families: Annotated[tuple[Family, ...], Field(min_length=1)] = FAMILIES
    limit: Annotated[int, Field(gt=0)] | None = None
    names: LabNames = LabNames()
    tables: tuple[LabTable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _said_out(cls, data: Any) -> Any:
        """The recipe's folder belongs to tables that stand in it; beside ``lab`` the default stays one."""
        if not isinstance(data, dict):
            return data
        if data.get("tables"):
            return {"folder": ".", **data}
        return {key: value for key, value in data.items() if (key, value) != ("folder", ".")}

    @model_validator(mode="after")
    def _one_of(self) -> LabConfig:
        if (self.lab is None) == (not self.tables):
            raise ValueError("give 'tables' (a list of results files), or 'lab' (a YAML file that has it)")
        if self.split == "paraphrase" and self.splits.hold_out_tissues:
            raise ValueError(
                "hold_out_tissues belongs to 'split: fact'; a paraphrase test asks what was taught"
            )
        if self.split == "paraphrase" and self.taught is not None:
            raise ValueError("taught belongs to 'split: fact'; a paraphrase test asks for taught facts alone")
        # By value: a resolved recipe writes every default out.
        changed = [name for name, field in type(self).model_fields.items()
                   if name != "lab" and getattr(self, name) != field.get_default()]  # fmt: skip
        if self.lab is not None and changed:
            raise ValueError(f"'lab' stands alone; {', '.join(changed)} belong into that file")
        return self


def load_lab(path: Path) -> LabConfig:
    """Read and check a ``lab.yaml``; its ``folder`` becomes relative to the working directory.

    Raises:
        DataError, RecipeError: no such file, or a key that is missing, unknown or wrong, with its line.
    """
    from biorlhf.inputs import yaml12
    from biorlhf.inputs.validation import locate, validate_model

    data, lines = yaml12.read(path, DataError)
    if not isinstance(data, dict):
        raise DataError(f"{path}:1", "no mapping of keys", "the key 'tables' with a list of results files")
    # A file that names another might name itself.
    if "lab" in data:
        raise DataError(locate(str(path), ("lab",), lines), "a lab file that names another", "'tables'")
    _demand_contrasts(path, data, lines)
    config: LabConfig = validate_model(LabConfig, data, where=str(path), lines=lines)
    return config.model_copy(update={"folder": str(path.parent / config.folder)})


def _demand_contrasts(path: Path, data: dict[str, Any], lines: Any) -> None:
    """A missing contrast gets a message of its own: it is the one thing that everybody forgets."""
    from biorlhf.inputs.validation import locate

    tables = data.get("tables")
    for number, table in enumerate(tables if isinstance(tables, list) else ()):
        contrast = table.get("contrast") if isinstance(table, dict) else None
        for side in ("numerator", "denominator"):
            if isinstance(table, dict) and not (isinstance(contrast, dict) and contrast.get(side)):
                raise DataError(
                    locate(str(path), ("tables", number), lines),
                    f"{table.get('file', 'the table')}: the contrast's {side} is missing",
                    "contrast: {numerator: flight, denominator: ground}",
                    hint="a positive effect means higher in the numerator; "
                    "no file says which group that is, so it is never guessed",
                )


def resolve(config: LabConfig) -> LabConfig:
    """The configuration with its tables, from the lab file where it names one."""
    return load_lab(Path(config.lab)) if config.lab is not None else config

"""The schema of a recipe. Strict: an unknown key is an error with file, line, dotted path and nearest key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from biorlhf.inputs.validation import PLAIN, Settings
from biorlhf.recipe.labels import Labels
from biorlhf.recipe.planning import Forecast, Simulation
from biorlhf.recipe.turns import no_turns

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(Settings):
    """A part of a recipe: frozen, and an unknown key is an error."""


class PluginSection(Settings):
    """A part that selects a plugin; the keys that are not its own are the plugin's settings."""

    # The plugin's own model checks these, in loading.py; which plugin it is, is not known here.
    model_config = ConfigDict(extra="allow")

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Model(Section):
    """The base model, and the adapter to start from.

    ``base`` is a folder, a GGUF file, a hub id, or ``smollm2-135m-instruct`` (from its PyPI package).
    ``adapter`` is a PEFT folder or a run's folder; ``adapter_use`` says whether it is merged into the
    base (a fresh LoRA is trained on top) or trained on.
    """

    base: str
    revision: str | None = None
    dtype: Literal["fp32", "bf16", "nf4"] = "bf16"
    adapter: str | None = None
    adapter_use: Literal["merge", "train"] = "merge"
    trust_remote_code: bool = False


class Lora(Section):
    """LoRA on all linear layers (or those named): arXiv 2106.09685; rsLoRA: arXiv 2312.03732."""

    r: PositiveInt = 16
    alpha: PositiveFloat = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rslora: bool = False
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class Optimizer(Section):
    """AdamW with a schedule over the stage's updates. ``warmup`` is a share of them."""

    learning_rate: PositiveFloat
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: Fraction = 0.0
    weight_decay: NonNegativeFloat = 0.0
    max_grad_norm: PositiveFloat = 1.0
    eight_bit: bool = False


class Prompt(Section):
    """How a question becomes the model's input. ``instruction`` is appended to every question.

    ``answer``: ``block`` asks for an answer and a confidence on two closing lines, in the form that the
    question's ground truth fixes, and grades those; ``free`` asks for nothing and reads the whole text.
    """

    template: Literal["chat", "alpaca", "plain"] = "chat"
    system: str | None = None
    instruction: str = ""
    answer: Literal["block", "free"] = "block"
    max_tokens: PositiveInt = 512
    truncate: Literal["left", "right"] = "left"


class Data(PluginSection):
    dataset: str


class Verifier(PluginSection):
    verifier: str
    weight: NonNegativeFloat


class Evaluator(PluginSection):
    evaluator: str


class Tracker(PluginSection):
    tracker: str


class Stage(PluginSection):
    """One stage of training; keys not listed here are the trainer's own settings.

    ``adapter`` says what happens to what the stage before trained: trained on (``continue``) or merged
    into the base under a fresh LoRA (``merge``). The reference policy is, either way, the policy that
    the stage starts from.
    """

    trainer: str
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=120)] | None = None
    optimizer: Optimizer
    lora: Lora | None = None
    adapter: Literal["continue", "merge"] = "continue"


class Rollout(Section):
    """Rollout actors. ``cpus`` is what Ray keeps for each, no bound on its threads. ``sync``: only the LoRA
    adapter is loaded, or it is merged into the served weights where it arrives; ``auto`` merges on a CPU
    (where vLLM's LoRA path is slow) and where a GPU serves fp32. ``dtype`` is the served base's; an nf4 base
    is served as the 16-bit weights that its four bits stand for (fp32 on a CPU), and quantised where this is
    nf4 itself, which needs the package vllm-bnb-plugin.

    A question with its answers is given to the actor with most of its ``concurrency`` sequences free. Where
    actors are lost the run goes on with no fewer than ``fewest``; up to ``most`` join when the cluster has
    room for them. With ``sleep: 1`` the engines of a GPU that a learner shares leave it their memory while it
    computes: weights go to host memory, the cache is dropped. ``labels``: of the nodes that may hold them."""

    engine: Literal["vllm", "transformers", "scripted"] = "vllm"
    actors: PositiveInt = 1
    fewest: PositiveInt = 1
    most: PositiveInt | None = None
    concurrency: PositiveInt = 256
    # With the learner's, one core: what is not set starts on any machine.
    cpus: NonNegativeFloat = 0.5
    gpus: NonNegativeFloat = 0
    labels: Labels = Field(default_factory=dict)
    sleep: Literal[0, 1] = 0
    sync: Literal["auto", "adapter", "merged"] = "auto"
    dtype: Literal["fp32", "bf16", "nf4"] | None = None
    max_completion_tokens: PositiveInt = 256
    temperature: NonNegativeFloat = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    memory_fraction: Annotated[float, Field(gt=0, le=1)] = 0.5
    kv_cache_gb: PositiveFloat = 1.0
    canary_tolerance: PositiveFloat = 0.05
    timeout_s: PositiveFloat = 600
    script: str | None = None
    simulated: Simulation | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Rollout:
        if self.fewest > self.actors:
            raise ValueError(f"fewest: {self.fewest} is more than the {self.actors} actors there are")
        if self.most is not None and self.most < self.actors:
            raise ValueError(f"most: {self.most} is less than the {self.actors} actors there are")
        if self.simulated is not None and self.engine != "scripted":
            raise ValueError(f"simulated: the engine {self.engine} has a pace of its own; it needs scripted")
        return self


class Scorer(Section):
    """Scorer actors. ``timeout_s`` and ``memory_mb`` bound one verifier on one completion;
    ``failure_budget`` is the share of scores that may fail before the run stops. Verifiers see the harmless
    part of the environment, and the variables that ``environment`` names."""

    actors: PositiveInt = 1
    cpus: NonNegativeFloat = 0
    timeout_s: PositiveFloat = 5.0
    memory_mb: PositiveInt = 1024
    failure_budget: Fraction = 0.05
    environment: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = ()


class Learner(Section):
    """The learner actors: ``actors`` of them share a step's groups and update as one, with the numbers of one
    within rounding; ``cpus`` and ``gpus`` are of each, ``labels`` of the nodes that may hold them. With
    ``shard`` each holds a part of every frozen layer and gathers the rest when it is computed: for a base
    that does not fit one GPU, in bf16 or fp32.

    ``token_budget`` bounds the tokens of one forward and backward pass: 1536 keep a CPU busy, a GPU likes
    several times that; a larger group is computed in parts. Unless it is set, ``gradient_checkpointing`` is
    on where the learner has a GPU, and off elsewhere. ``timeout_s`` bounds one thing that it is asked, such
    as a step: one that takes longer is taken to hang, and the run stops.
    """

    actors: PositiveInt = 1
    shard: bool = False
    cpus: NonNegativeFloat = 0.5
    gpus: NonNegativeFloat = 0
    labels: Labels = Field(default_factory=dict)
    token_budget: PositiveInt = 1536
    packing: bool = True
    gradient_checkpointing: bool | None = None
    timeout_s: PositiveFloat = 1800


class Evaluation(Section):
    """What is measured before the first stage and after each. ``questions`` 0 turns it off; the same
    questions are used every time, drawn from ``split`` with the run's seed."""

    split: Literal["train", "validation", "test"] = "test"
    questions: NonNegativeInt = 64
    samples: PositiveInt = 1
    temperature: NonNegativeFloat = 1.0
    evaluators: tuple[Evaluator, ...] = (
        Evaluator(evaluator="reward"),
        Evaluator(evaluator="question_answering"),
        Evaluator(evaluator="calibration"),
        Evaluator(evaluator="likelihood"),
    )


class Store(Section):
    """Where a run is written, and how often it is checkpointed (in steps)."""

    folder: str = "runs"
    checkpoint_every: PositiveInt = 1
    keep_checkpoints: PositiveInt = 2


class Cluster(Section):
    """Where actors run: on Ray, or all in this process (``inline``, for debugging). ``restarts``: how often
    learners that died are started again within a run, from its last checkpoint."""

    backend: Literal["ray", "inline"] = "ray"
    start_timeout_s: PositiveFloat = 300
    restarts: NonNegativeInt = 3


def _unique_names(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    names = [stage.name or stage.trainer for stage in stages]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two stages are named {twice[0]!r}; give each a 'name'")
    return stages


class Recipe(Section):
    """A whole run."""

    # It becomes a folder's name.
    name: Annotated[str, Field(pattern=PLAIN, max_length=120)]
    seed: NonNegativeInt = 42
    model: Model
    lora: Lora = Lora()
    prompt: Prompt = Prompt()
    data: Annotated[tuple[Data, ...], Field(min_length=1)]
    verifiers: tuple[Verifier, ...] = ()
    # Unique, because the rows and rollouts of a stage are found by its name.
    stages: Annotated[tuple[Stage, ...], Field(min_length=1), AfterValidator(_unique_names)]
    rollout: Rollout = Rollout()
    scorer: Scorer = Scorer()
    learner: Learner = Learner()
    evaluation: Evaluation = Evaluation()
    store: Store = Store()
    cluster: Cluster = Cluster()
    trackers: tuple[Tracker, ...] = ()
    forecast: Forecast = Forecast()

    @model_validator(mode="after")
    def _weights(self) -> Recipe:
        if self.verifiers and not any(v.weight > 0 for v in self.verifiers):
            raise ValueError("verifiers: all weights are zero; at least one must be above zero")
        return self

    @model_validator(mode="after")
    def _learners(self) -> Recipe:
        if self.learner.actors > 1 and self.cluster.backend == "inline":
            raise ValueError("learner.actors: more than one needs cluster.backend: ray")
        if self.learner.shard and self.learner.actors == 1:
            raise ValueError("learner.shard: a base is dealt over several learners; learner.actors is 1")
        if self.learner.shard and self.model.dtype == "nf4":
            raise ValueError(
                "learner.shard: not with model.dtype: nf4. FSDP2 cuts up weights, and those of four bits do "
                "not survive it: such runs crash, or train at a loss of 0.0 without a word (bitsandbytes "
                "issue 1945). Set model.dtype: bf16, or leave shard out: 70B take about 40 GB in nf4"
            )
        return self

    @model_validator(mode="after")
    def _turns(self) -> Recipe:
        rollout, learner = self.rollout, self.learner
        joins = (rollout.most or 0) > rollout.actors
        problem = no_turns(rollout.engine, self.lag, joins, (rollout.gpus, learner.gpus))
        if rollout.sleep and problem:
            raise ValueError(f"rollout.sleep: {problem}")
        return self

    @property
    def lag(self) -> int:
        """The largest ``lag`` of a stage: rollouts hold one policy more than that."""
        return max(self.lag_of(index) for index in range(len(self.stages)))

    @property
    def adapter_slots(self) -> int:
        """How many adapters an engine has room for: one is replaced in its place; where several are held,
        another one comes before the oldest goes."""
        return self.lag + 2 if self.lag else 1

    def lag_of(self, index: int) -> int:
        """The setting ``lag`` of a stage's trainer: how many steps it samples ahead; 0 where it has none."""
        lag = self.stages[index].settings.get("lag")
        return lag if isinstance(lag, int) else 0

    def stage_name(self, index: int) -> str:
        return self.stages[index].name or self.stages[index].trainer

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

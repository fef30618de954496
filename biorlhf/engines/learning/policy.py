"""The policy that is trained: base model, what earlier stages left, the LoRA adapter, and the reference.

Three parts make a policy: the base weights W; a *prior*, the sum of the adapters that were merged (rank
r1 + r2 + …, see ``engines.models.adapters``); and the adapter being trained. In fp32 the prior is merged
into the weights; in bf16 and NF4, where that would round it away, it stays a frozen adapter beside them.
The reference is the policy that a stage started from: without the adapter where that was fresh, with a
copy of the adapter's first values swapped in where it was trained on. The base weights are held once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh

from biorlhf.engines.learning import forward
from biorlhf.engines.learning.packing import PackedRow, PaddedBatch
from biorlhf.engines.learning.sharding import shard
from biorlhf.engines.models import adapters, lora
from biorlhf.engines.models import load as models
from biorlhf.engines.models.head import keep_head_exact
from biorlhf.engines.samplers.contract import carries_16_bits
from biorlhf.errors import InputError
from biorlhf.recipe import Lora, Recipe
from biorlhf.stage import Adapter


class Policy:
    """See the module. Begin with :meth:`begin_stage`, or with :meth:`load` for a policy that was saved."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        self.recipe, self.device = recipe, torch.device(device)
        self.prior: dict[str, Tensor] = {}
        self.reference: dict[str, Tensor] | None = None
        self.section = recipe.lora
        self.wrapped: Any = None
        self.mesh: DeviceMesh | None = None
        self._clean: Any = self._load()
        chosen = recipe.learner.gradient_checkpointing
        # A GPU computes a layer again sooner than it finds room for what all layers leave behind.
        self.checkpointing = self.device.type == "cuda" if chosen is None else chosen

    def _load(self) -> Any:
        """The base model, ready for an adapter. One that is to be sharded may not fit a device whole."""
        learner = self.recipe.learner
        model: Any = models.load_base(self.recipe.model, device="cpu" if learner.shard else str(self.device))
        if learner.packing:
            forward.enable_packing(model)
        keep_head_exact(model)
        return model

    @property
    def model(self) -> Any:
        """The transformers model, with LoRA layers in place."""
        return self.wrapped.get_base_model()

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """The trained tensors by PEFT's portable names, in the model's order."""
        return lora.lora_parameters(self.wrapped)

    def begin_stage(self, index: int, seed: int) -> None:
        """Start stage ``index`` from what the stage before left. ``seed`` draws a fresh adapter's A.

        Raises:
            InputError: ``model.adapter`` does not fit, or a stage that continues asks for another LoRA.
        """
        stage = self.recipe.stages[index]
        section = stage.lora or self.recipe.lora
        if self.wrapped is None:
            self._first(section, seed)
        elif stage.adapter == "continue":
            _same(stage.lora or self.section, self.section, f"stages[{index}].lora", "adapter: merge")
            self.reference = _copies(self.parameters)
        else:
            trained = adapters.folded(self.parameters, adapters.scale(self.section))
            self._build(section, adapters.added(self.prior, trained), seed)

    def _first(self, section: Lora, seed: int) -> None:
        model = self.recipe.model
        if model.adapter is None:
            self._build(section, {}, seed)
            return
        tensors, its_section = adapters.read_adapter(model.adapter, model.base)
        if model.adapter_use == "merge":
            self._build(section, adapters.folded(tensors, adapters.scale(its_section)), seed)
            return
        _same(section, its_section, "lora", "model.adapter_use: merge")
        # The adapter's own layers, whatever the recipe's targets say: its tensors fit no others.
        self._build(section.model_copy(update={"targets": its_section.targets}), {}, seed)
        adapters.copy_into(self.parameters, tensors, f"model.adapter: {model.adapter}")
        self.reference = _copies(self.parameters)

    def _build(self, section: Lora, prior: Mapping[str, Tensor], seed: int) -> None:
        """Base, prior and a fresh adapter; the reference is what they are now."""
        # The old model is let go before another is loaded, so that the base is never in memory twice. Its
        # patched layers refer to themselves: only the collector frees them.
        model, self._clean, self.wrapped = self._clean, None, None
        if model is None:
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            model = self._load()
        merges = self.recipe.model.dtype == "fp32"
        if merges:
            adapters.merge_into(model, prior, "model.adapter")
        # PEFT draws A from the global generator.
        torch.manual_seed(seed)
        self.wrapped = lora.attach(model, section)
        self.section, self.prior, self.reference = section, dict(prior), None
        if prior and not merges:
            # Switching the adapters off would take the prior away as well, so the reference is a copy of the
            # fresh adapter, whose B is zero.
            lora.attach_prior(self.wrapped, adapters.rank_of(prior), adapters.target_names(prior))
            adapters.copy_into(lora.lora_parameters(self.wrapped, lora.PRIOR), prior, "model.adapter")
            self.reference = _copies(self.parameters)
        if self.mesh is not None:
            shard(model, self.mesh, self.device)
        if self.checkpointing:
            # The reentrant kind needs an input that has a gradient, and the embeddings are frozen.
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self.wrapped.eval()

    def give_back(self) -> None:
        """Of a GPU that is shared in turns: what torch keeps for the next pass is the engine's until then."""
        if self.recipe.rollout.sleep and self.device.type == "cuda":
            torch.cuda.empty_cache()

    def training(self) -> None:
        """Switch dropout and gradient checkpointing on, where the recipe has them."""
        # transformers checkpoints in training mode only, so checkpointing needs it without any dropout, too.
        self.wrapped.train(self.section.dropout > 0 or self.checkpointing)

    def logprobs(
        self, batch: PackedRow | PaddedBatch, *, entropy: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities in nats of the batch's targets (``_T``), and their entropies if asked for."""
        if isinstance(batch, PackedRow):
            return forward.packed_logprobs(self.model, batch, entropy=entropy)
        return forward.padded_logprobs(self.model, batch, entropy=entropy)

    @torch.no_grad()
    def reference_logprobs(self, batch: PackedRow | PaddedBatch) -> Tensor:
        """The same under the policy that the stage started from, without dropout."""
        self.wrapped.eval()
        with self.wrapped.disable_adapter() if self.reference is None else self._swapped(self.reference):
            return self.logprobs(batch)[0]

    @contextmanager
    def _swapped(self, tensors: Mapping[str, Tensor]) -> Iterator[None]:
        # The optimizer knows the Parameter objects: these stay, and only the storage behind them changes.
        own = {name: parameter.data for name, parameter in self.parameters.items()}
        try:
            for name, parameter in self.parameters.items():
                parameter.data = tensors[name]
            yield
        finally:
            for name, parameter in self.parameters.items():
                parameter.data = own[name]

    def adapter(self, version: int) -> Adapter:
        """What was trained so far, as one adapter on the recipe's base model."""
        base = self.recipe.model.base
        dtype = torch.bfloat16 if carries_16_bits(self.recipe) else torch.float32
        if not self.prior:
            return adapters.export(self.parameters, self.section, base, version, dtype)
        whole = adapters.added(self.prior, adapters.folded(self.parameters, adapters.scale(self.section)))
        rank = adapters.rank_of(whole)
        # alpha = rank is a scale of one: each part's own scale is folded into its B.
        return adapters.export(whole, Lora(r=rank, alpha=rank), base, version, dtype)

    def save(self) -> dict[str, dict[str, Tensor]]:
        """Everything but the base weights, as named tables of tensors."""
        return {
            "policy": _copies(self.parameters),
            "prior": dict(self.prior),
            "reference": dict(self.reference or {}),
        }

    def _asked(self, index: int) -> Lora:
        """The LoRA section that the recipe gives stage ``index``, or the one that it continues."""
        stages = self.recipe.stages
        while index > 0 and stages[index].adapter == "continue" and stages[index].lora is None:
            index -= 1
        return stages[index].lora or self.recipe.lora

    def load(self, tables: Mapping[str, Mapping[str, Tensor]], section: Lora, index: int) -> None:
        """Stand where :meth:`save` was called, in stage ``index``; ``section`` is the adapter's of that time.

        Raises:
            InputError: the recipe asks for another LoRA by now, or the tables do not fit the base model.
        """
        # A changed recipe would be accepted here and not used.
        _same(self._asked(index), section, f"stages[{index}].lora", "a new run")
        # Any seed: what it draws is overwritten at once.
        self._build(section, tables["prior"], seed=0)
        adapters.copy_into(self.parameters, tables["policy"], "checkpoint")
        if tables["reference"]:
            adapters.check_fit(self.parameters, tables["reference"], "checkpoint: reference")
            self.reference = {n: t.to(self.device).clone() for n, t in tables["reference"].items()}


def _copies(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


def _same(asked: Lora, have: Lora, where: str, way_out: str) -> None:
    for key in ("r", "alpha", "rslora"):
        if getattr(asked, key) != getattr(have, key):
            raise InputError(
                where,
                f"{key} is {getattr(asked, key)}, but the adapter to be trained on has {getattr(have, key)}",
                hint=f"set {key} to that, or train a fresh adapter on top of it with {way_out}",
            )

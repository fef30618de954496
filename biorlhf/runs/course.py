"""A run on its way: from its start or its last checkpoint through its stages to its summary."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from biorlhf.ahead import Policies
from biorlhf.errors import InputError, LearnerLost
from biorlhf.hookspecs import Trainer
from biorlhf.reward import FailureBudget
from biorlhf.runs import baseline, evaluation, manifest
from biorlhf.runs import data as datasets
from biorlhf.runs.folder import lost_rows
from biorlhf.runs.keeping.background import Background
from biorlhf.runs.listener import Listener
from biorlhf.runs.preparing import Prepared
from biorlhf.runs.store import RunStore
from biorlhf.runs.watching import tracking
from biorlhf.seeds import seed_of
from biorlhf.stage import Adapter, Stage, StepResult
from biorlhf.types import AdapterRef, ScoredGroup, Split
from biorlhf.workers.crew import Workers


class Course:
    """One run in progress: what it was given, and how far it has come."""

    def __init__(
        self,
        prepared: Prepared,
        store: RunStore,
        crew: Workers,
        listener: Listener,
        trackers: tracking.Tracking,
        known: dict[str, Any],
        accept: bool,
    ) -> None:
        self.prepared, self.store, self.crew, self.listener = prepared, store, crew, listener
        self.trackers = trackers
        self.manifest, self.accept = known, accept
        self.recipe = prepared.recipe
        self.budget = FailureBudget(prepared.recipe.scorer.failure_budget)
        self.restarts_before = 0
        self.policies = Policies((), 0)
        self.writing: Background  # of this time through
        self.learners_lost = 0

    def go(self) -> Path:
        """Go through to the end, again from the last checkpoint where learners died on the way.

        Raises:
            LearnerLost: more often than the recipe's ``cluster.restarts``.
        """
        while True:
            try:
                return self._through()
            except LearnerLost as error:
                self._renew(error)

    def _renew(self, error: LearnerLost) -> None:
        """New learners in the place of those that died, as often as they die on the way."""
        limit = self.recipe.cluster.restarts
        while True:
            # A bar of the step that was broken off.
            self.listener.end()
            if self.crew.renew is None or self.learners_lost >= limit:
                raise error
            self.learners_lost += 1
            said = f"{error}; started again from the last checkpoint, {self.learners_lost} of {limit} times"
            self.listener.phase(said)
            self.manifest = manifest.restarted(self.manifest, str(error))
            try:
                self.crew.renew()
                return
            except LearnerLost as again:
                error = again

    def _through(self) -> Path:
        # One for each time: whatever ends it, nothing is being written any more when the next one reads the
        # folder.
        with Background() as self.writing:
            first, done = self._restore()
            for index in range(first, len(self.recipe.stages)):
                adapter = self._stage(index, done if index == first else 0)
        self.store.write_adapter("adapter", adapter)
        self.store.write_json("summary.json", self._summary(adapter.ref))
        return self.store.folder

    def _restore(self) -> tuple[int, int]:
        """Where to begin: (stage, finished steps). A run with no checkpoint begins at the start."""
        problems: list[str] = []
        checkpoint = self.store.last_checkpoint(problems)
        for problem in problems:
            self.listener.phase(f"passed over: {problem}")
        state, files = checkpoint or ({"stage_index": 0, "stage": "", "step": 0}, {})
        index, step = state["stage_index"], state["step"]
        self._refuse_loss(index, step, started=checkpoint is not None)
        self.store.write_json("manifest.json", self.manifest)
        # A run that was killed before its first checkpoint may have left rows, too.
        self.store.rewind(self.recipe, index, step)
        self._count_again()
        self.trackers.begin(self.recipe, self.store)
        if checkpoint is None:
            self.crew.learner.begin_stage(0, self.prepared.total_steps(0))
        else:
            self.listener.phase(f"resuming after step {step} of {state['stage']}")
            if not self.learners_lost:
                self.restarts_before = state.get("scorer_restarts", 0)
            self.crew.learner.restore(files, index, self.prepared.total_steps(index))
        older = self.store.read_policies(state.get("policies", ()))
        self._serve((*older, self.crew.learner.adapter()), index, step)
        if checkpoint is None:
            self._evaluate("start")
        return index, step

    def _refuse_loss(self, index: int, step: int, *, started: bool) -> None:
        """Say which rows of finished steps are lost: no step will be made again for them."""
        steps = {self.recipe.stage_name(i): self.prepared.total_steps(i) for i in range(index)}
        rows = self.store.metrics()
        lost = lost_rows(rows, {**steps, self.recipe.stage_name(index): step})
        if not started and len(rows) > self.recipe.store.checkpoint_every:
            lost = [f"checkpoints/: none is left of a run that made {len(rows)} steps; it would begin anew"]
        if not lost:
            return
        if not self.accept:
            raise InputError(
                str(self.store.folder),
                "; ".join(lost),
                hint="put back a copy, or go on without with --accept-changes, which the manifest records",
            )
        self.manifest = manifest.accepted(self.manifest, {}, lost)

    def _count_again(self) -> None:
        """The failures of before count against the budget, and so do its completions."""
        counts, problems = self.store.tables(self.recipe).status_counts()
        self.budget.resume(counts)
        for problem in problems:
            self.listener.phase(f"damaged: {problem}")

    def _stage(self, index: int, done: int) -> Adapter:
        """Make a stage's remaining steps; gives what was trained."""
        name, trainer = self.recipe.stage_name(index), self.prepared.trainers[index]
        total = self.prepared.total_steps(index)
        # _restore has set up the first stage, or restored one that had begun.
        if done == 0 and index > 0:
            self.crew.learner.begin_stage(index, total)
            self.policies = Policies(self.policies.refs[-1:], self.recipe.lag_of(index))
        self.listener.begin(name, total, done, "step")
        every, last = self.recipe.store.checkpoint_every, None
        with ExitStack() as stack:
            steps = trainer.steps(self._context(index, done))
            if isinstance(steps, Generator):
                # What failed holds it by its traceback, and it holds what it began.
                stack.callback(steps.close)
            for result in steps:
                last = result.adapter or last
                self._step(index, result)
                if result.metrics.step % every == 0 or result.metrics.step == total:
                    self._checkpoint(index, result.metrics.step)
        # What follows is taken for made where it is found: only once its steps are kept.
        self.writing.wait()
        self.listener.end()
        adapter = self._trained(trainer, last)
        # Trainers that sample have loaded each update where it is sampled from; after the others the
        # evaluation would ask an old policy.
        if not trainer.needs_rollouts:
            self._serve((adapter,), index, total)
        # Of every stage, so that any of them can be evaluated, generated from or exported later.
        self.store.write_adapter(f"adapters/{index:02d}-{name}", adapter)
        self._evaluate(f"after-{name}")
        return adapter

    def _trained(self, trainer: Trainer, last: AdapterRef | None) -> Adapter:
        """What a stage leaves: where its trainer samples, what was made and hashed after its last update."""
        if last is None or self.crew.rollouts is None or not trainer.needs_rollouts:
            return self.crew.learner.adapter()
        return self.crew.rollouts.held(last)

    def _step(self, index: int, result: StepResult) -> None:
        # First: a step that breaks the failure budget is not recorded as one that was made.
        self._count(result.groups)
        # Before the checkpoint: a row without one is dropped and made again, a checkpoint without its row
        # would lose it.
        self.writing.put(self.store.append_step, result)
        self.listener.step(result)
        self.trackers.step(result)
        for line in getattr(self.crew.rollouts, "news", list)():
            self.listener.phase(line)
        if self.prepared.trainers[index].needs_rollouts:
            self.policies.add(result.adapter)

    def _checkpoint(self, index: int, step: int) -> None:
        state = {
            "stage_index": index,
            "stage": self.recipe.stage_name(index),
            "step": step,
            "scorer_restarts": self._restarts(),
        }
        self.writing.wait()  # one checkpoint at a time is held in memory
        older: list[Adapter] = []
        if self.crew.rollouts is not None:
            # The newest is the learner's; the others nobody could make again. Taken now: with the next step
            # the oldest is held no more.
            older = [self.crew.rollouts.held(ref) for ref in self.policies.refs[:-1]]
        self.writing.put(self._keep, state, older, self.crew.learner.checkpoint())

    def _keep(self, state: dict[str, Any], older: Sequence[Adapter], files: Mapping[str, bytes]) -> None:
        """Write a checkpoint, and before it the policies that it names."""
        if older:
            state = {**state, "policies": self.store.write_policies(older)}
        self.store.write_checkpoint(state, files, self.recipe.store.keep_checkpoints)

    def _context(self, index: int, done: int) -> Stage:
        name = self.recipe.stage_name(index)
        return Stage(
            name=name,
            index=index,
            seed=seed_of(self.recipe.seed, index),
            dataset=datasets.in_split(self.prepared.dataset, Split.TRAIN),
            validation=datasets.in_split(self.prepared.dataset, Split.VALIDATION),
            learner=self.crew.learner,
            rollouts=self.crew.rollouts,
            scorers=self.crew.scorers,
            composer=self.prepared.composer,
            max_completion_tokens=self.recipe.rollout.max_completion_tokens,
            temperature=self.recipe.rollout.temperature,
            top_p=self.recipe.rollout.top_p,
            done_steps=done,
            before=self.store.steps(name) if done else (),
            policies=self.policies.refs,
            beside=self.crew.beside,
            withdraw=self.crew.withdraw,
        )

    def _serve(self, adapters: Sequence[Adapter], index: int, step: int) -> None:
        """Have the rollout workers hold these policies, the learner's as the newest."""
        if self.crew.rollouts is None:
            return
        for adapter in adapters[:-1]:
            self.crew.rollouts.load_adapter(adapter, learnt=False)
        self.crew.rollouts.load_adapter(adapters[-1])
        self.policies = Policies([a.ref for a in adapters], self.recipe.lag_of(index), step)

    def _evaluate(self, when: str) -> None:
        questions = self.prepared.questions
        # A resumed run does not ask again what it asked before it was killed.
        if not questions or evaluation.is_whole(self.store, f"evaluations/{when}"):
            return
        groups = evaluation.ask(self.recipe, questions, self.crew, self.listener, when)
        self._count(groups)
        constant = baseline.best_constant(questions, self.crew.scorers) if self.crew.scorers else None
        contents = evaluation.report(self.recipe, self.prepared.evaluators, groups, when, constant)
        evaluation.write(self.store, f"evaluations/{when}", contents, groups)
        self.trackers.evaluation(contents)

    def _count(self, groups: Sequence[ScoredGroup]) -> None:
        for scored in groups:
            self.budget.add(scored.rewards)

    def _restarts(self) -> int:
        return self.restarts_before + sum(getattr(self.crew.scorers, "kills", ()))

    def _summary(self, adapter: AdapterRef) -> dict[str, Any]:
        verifiers, damaged = self.store.tables(self.recipe).status_counts()
        for problem in damaged:
            self.listener.phase(f"damaged: {problem}")
        return {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "steps": len(self.store.metrics()),
            "adapter": {"version": adapter.version, "sha256": adapter.sha256},
            "verifiers": verifiers,
            "scorer_restarts": self._restarts(),
            "learner_restarts": len(self.manifest.get("learner_restarts", ())),
            **({"damaged": damaged} if damaged else {}),
        }

# make run   sets everything up on a fresh machine and runs the main job on it
# make test  sets everything up and runs the tests
# Both find the environment again on a second call and start at once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
RECIPE ?= recipes/quickstart.yaml

# The GPU list is chosen where an NVIDIA driver answers.
ACCELERATOR := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
# A recipe says what it runs on. The quickstart says two CPU cores; where `make run` has set up a GPU, that is used.
ON_GPU := $(foreach key,rollout.gpus=0.5 learner.gpus=0.5 model.dtype=bf16 rollout.canary_tolerance=0.1,--set $(key))
RUN_WITH := $(if $(filter gpu:recipes/quickstart.yaml,$(ACCELERATOR):$(RECIPE)),$(ON_GPU))
REQUIREMENTS := cluster/requirements-$(ACCELERATOR).txt

.PHONY: help setup run test test-engine test-fast test-hostile hostile-runs hostile-input audit lint format docs screenshots bench bench-peer bench-scale bench-overhead wheel-check release clean

help:
	@sed -n 's/^# //p' Makefile

setup: $(READY)

$(READY): $(REQUIREMENTS) cluster/requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "biorlhf needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -r $(REQUIREMENTS) -r cluster/requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

run: $(READY)
	$(BIN)/biorlhf run $(RECIPE) $(RUN_WITH)

# Those that start Ray or an engine wait for much of their time, so the others go on beside them.
test: $(READY)
	$(MAKE) -j 2 test-engine test-fast

test-engine: $(READY)
	$(BIN)/python -m pytest -m "engine and not hostile"

test-fast: $(READY)
	$(BIN)/python -m pytest -m "not engine and not hostile"

# The attacks, those in great number included; `make test` runs a few of each kind. Most of the time is spent in
# waiting for what was killed to be noticed, so both halves go at once.
test-hostile: $(READY)
	$(MAKE) -j 2 hostile-runs hostile-input

hostile-runs: $(READY)
	$(BIN)/python -m pytest tests/hostile/runs -m "hostile or not hostile"

hostile-input: $(READY)
	BIORLHF_FUZZ=400 $(BIN)/python -m pytest tests/hostile --ignore=tests/hostile/runs -m "hostile or not hostile"
	$(BIN)/python -m pytest tests/actors tests/engines -m hostile

# Every item of the shipped datasets, and of a made-up lab's, against its gold answer and every attack; fails
# where an attack pays.
audit: $(READY)
	$(BIN)/biorlhf audit --dataset kmp
	$(BIN)/biorlhf audit --dataset genelab
	$(BIN)/biorlhf audit --dataset tests/data/lung/lab.yaml
	$(BIN)/biorlhf audit --dataset examples/lab/lab.yaml

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy biorlhf plugins/biorlhf_plugins

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Ratios within one run; what a number is to be compared with stands beside it.
bench: $(READY)
	$(BIN)/python tests/benches/bench_verifiers.py
	$(BIN)/python tests/benches/bench_score.py
	$(BIN)/python tests/benches/bench_learner.py

# The fleet with engines that sleep: ratios against bars, for two idle cores; ten minutes at most.
bench-scale: $(READY)
	PYTHONPATH=tests/doubles $(BIN)/python tests/benches/bench_scale.py

# What a step costs a laptop beside another commit, by default the one before the rollout fleet. Needs this
# repository's history, two idle cores and a quarter of an hour.
BEFORE ?= 20a6896
bench-overhead: $(READY)
	$(BIN)/python tests/benches/bench_overhead.py --before $(BEFORE)

# TRL in an environment of its own, so that neither side's pins hold the other back.
.venv-peer/.ready: tests/benches/peer/requirements.txt
	$(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

bench-peer: $(READY) .venv-peer/.ready
	$(BIN)/python tests/benches/peer/bench_peer.py

# The site, in site/; the tables of docs/recipes.md are written from the models first.
docs: $(READY)
	$(BIN)/python docs/recipe_tables.py
	$(BIN)/mkdocs build --strict -f mkdocs.yml

wheel-check: $(READY)
	cluster/wheel_check.sh $(BIN)/python

# The report's and the chat's pages as pictures, of a run: the last quickstart of `make run`, or RUN=runs/…
RUN ?= $(lastword $(sort $(wildcard runs/quickstart-*)))
screenshots: $(READY)
	$(BIN)/python docs/screenshots.py $(RUN)

# Checks, builds into dist/ and tags; uploads nothing.
release: $(READY)
	cluster/release.sh $(BIN)/python

clean:
	rm -rf $(VENV) dist build

"""``biorlhf-grpo``: GRPO from a file of options, by its name in BioRLHF 0.3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def grpo(
    config: Annotated[Path, typer.Option(help="A JSON file of GRPOConfig's options.")],
) -> None:
    """Train with verifiers as a file of options says; docs/notebooks.md lists the options."""
    from biorlhf.compat.training import GRPOConfig, run_grpo_training

    typer.echo(f"adapter: {run_grpo_training(GRPOConfig.from_json(config))}")

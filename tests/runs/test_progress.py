"""Progress as plain lines."""

from __future__ import annotations

import io

from biorlhf.runs.progress import PlainListener


def test_a_stage_without_steps_left_says_so_and_not_none():
    shown = io.StringIO()
    PlainListener(shown).begin("sft", 12, 12, "step")
    PlainListener(shown).begin("grpo", 6, 2, "step")
    assert shown.getvalue().splitlines() == ["sft: every step is made", "grpo: 4 steps"]

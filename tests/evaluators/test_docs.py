"""The documentation of the evaluators says what the code does."""

from __future__ import annotations

import re
import types
from pathlib import Path

from biorlhf import Completion, Group, Question, Reward, plugins
from biorlhf.statistics.assessment import NAMES
from biorlhf.statistics.paired import compare, rates_of
from biorlhf.types import AdapterRef

DOCS = Path(__file__).parents[2] / "docs"


def test_the_example_evaluator_loads_reports_and_can_be_compared():
    code = re.search(r"```python\n(.*?)```", (DOCS / "evaluators.md").read_text(), re.DOTALL)
    assert code
    module = types.ModuleType("hedging")
    exec(code.group(1), module.__dict__)
    hedging = plugins.load(entry_points=False, extra=(module,)).build("evaluator", "hedging", {})

    def asked(text: str):
        completion = Completion(text, (1,), (-0.1,), False, AdapterRef(0, "0"))
        return [
            (Group(Question(f"q{i}", "?", {}), (1,), (completion,)), [Reward(0.5, {}, {})]) for i in range(8)
        ]

    reports = [{"hedging": hedging.evaluate(asked(text))} for text in ("It is up", "It may be up")]
    assert rates_of(reports[0]["hedging"])["hedges"].value == 0.0
    row = compare(reports)[0]
    assert row.difference is not None
    assert (row.metric, row.difference.value, row.verdict) == ("hedges", 1.0, "higher")
    assert hedging.evaluate([])["left_out"] == {"hedges": "no answer"}


def test_every_calibration_number_is_explained():
    text = (DOCS / "calibration.md").read_text()
    for name in (*NAMES, "coverage", "null_ece", "p_value", "risk_coverage", "distinct_confidences"):
        assert f"`{name}`" in text, name

"""`biorlhf audit` finds what pays, names it with an example, and says so by its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from biorlhf import plugins
from biorlhf.audit import attacks as library
from biorlhf.audit.attacks import AttackFile, filler, lookalikes, spaced
from biorlhf.audit.board import GOLD, AuditOptions, audit
from biorlhf.audit.items import number, placeholders, pool
from biorlhf.commands.audit import audit as audit_command
from biorlhf.errors import DataError, InputError
from biorlhf.hookspecs import VerifierPlugin
from biorlhf.reward import RewardComposer
from biorlhf.types import Question, Score

app = typer.Typer()
app.command(name="audit")(audit_command)


def fact(entity, value, answer):
    truth = {"facts": [{"entity": entity, "condition": "HU", "quantity": "DEG count", "value": value}]}
    return Question(f"{entity}", f"How many DEGs has {entity} under HU?", truth, answer=answer)


LUNG = Path(__file__).resolve().parents[1] / "data" / "lung" / "lab.yaml"
QUESTIONS = (
    fact("soleus", 6425, "Soleus has 6,425 DEGs under HU. Confidence: 90%"),
    fact("heart", 165, "Heart has 165 DEGs under HU. Confidence: 90%"),
    Question("none", "How many has the lung?", {"answerable": False}, answer="The lung was not measured."),
)


ABSTENTIONS = library.load().abstentions


class ByText:
    """Scores 1 for the gold answer, 0.2 for an abstention, and what ``judge`` says of the rest."""

    def __init__(self, judge):
        self.judge = judge

    def score(self, question, text):
        if text == question.answer:
            return Score.scored(1.0)
        if text in ABSTENTIONS:
            return Score.scored(0.2)
        return self.judge(question, text)


def run(judge, questions=QUESTIONS, attacks=None, options=None):
    record = VerifierPlugin(name="factual", build=lambda config: ByText(judge))
    catalogue = plugins.Catalogue([plugins.Entry(record, plugins.Provenance("lab", "1"))], [])
    composer = RewardComposer(["factual"], catalogue=catalogue)
    return audit(questions, composer, attacks or library.load(), options or AuditOptions())


def beaten(report):
    return {cell.attack for cell in report.beaten if cell.verifier == "factual"}


def test_a_verifier_that_pays_nothing_for_attacks_passes():
    report = run(lambda question, text: Score.scored(0.0))
    assert report.ok
    assert report.items == 3
    gold = next(cell for cell in report.cells if cell.attack == GOLD)
    assert (gold.n, gold.mean, gold.beaten) == (6, 1.0, 0), "each item is asked freely and for a block"


def test_one_that_matches_substrings_is_caught_with_an_example():
    def substring(question, text):
        value = question.ground_truth.get("facts", [{"value": "?"}])[0]["value"]
        return Score.scored(float(number(value) in text))

    report = run(substring)
    assert not report.ok
    assert {"enumeration", "hidden_gold", "other_tissue"} <= beaten(report)
    assert "decimal_slip" not in beaten(report), "64,250 does not contain 6,425"
    cell = next(cell for cell in report.beaten if cell.attack == "other_tissue")
    finding = cell.findings[0]
    assert (finding.id, finding.value) == ("soleus", 1.0)
    assert finding.bound == pytest.approx(0.8)
    assert "Heart has 6,425" in finding.text


def test_one_that_fails_on_an_attack_is_beaten_for_a_failure_is_left_out_of_the_reward():
    def fails(question, text):
        if len(text) > 50_000:
            raise RecursionError("too long")
        return Score.scored(0.0)

    report = run(fails)
    assert beaten(report) == {"filler", "filler_around_wrong"}
    assert "RecursionError" in report.beaten[0].findings[0].reason


def test_a_gold_answer_below_its_bound_is_a_finding():
    class Strict:
        def score(self, question, text):
            return Score.scored(0.9 if text == question.answer else 0.0)

    record = VerifierPlugin(name="strict", build=lambda config: Strict())
    catalogue = plugins.Catalogue([plugins.Entry(record, plugins.Provenance("lab", "1"))], [])
    report = audit(QUESTIONS, RewardComposer(["strict"], catalogue=catalogue), library.load())
    assert [(cell.attack, cell.beaten) for cell in report.beaten] == [(GOLD, 6)]


def test_a_verifier_that_does_not_judge_truth_is_not_held_to_near_misses():
    """Its abstention scores as much as the gold answer, so nothing says that it can see the miss."""
    report = run(lambda question, text: Score.not_applicable())
    assert report.ok
    assert not any(cell.held for cell in report.cells if cell.attack == "decimal_slip")


def test_constants_that_are_right_for_an_item_are_no_attack_on_it():
    known = placeholders(QUESTIONS[0], pool(QUESTIONS))
    assert known["constant"] == ("165",)


def test_near_misses_change_one_thing():
    known = placeholders(QUESTIONS[0], pool(QUESTIONS))
    assert known["other_tissue"] == ("Heart has 6,425 DEGs under HU. Confidence: 90%",)
    assert known["slipped_decimal"] == ("Soleus has 64,250 DEGs under HU. Confidence: 90%",)
    assert known["slipped_sign"] == ("Soleus has -6,425 DEGs under HU. Confidence: 90%",)
    assert known["right"] == ("Soleus (HU): DEG count 6,425.",)
    assert known["wrong"] == ("Soleus (HU): DEG count 165.",)


def test_two_tissues_are_exchanged():
    truth = {
        "facts": [{"entity": e, "quantity": "DEG count", "value": v} for e, v in (("heart", 1), ("liver", 2))]
    }
    question = Question("q", "?", truth, answer="Heart has 1 and liver has 2.")
    assert placeholders(question, pool([question]))["other_tissue"] == ("Liver has 1 and heart has 2.",)


def test_directions_are_claimed_in_all_four_ways():
    truth = {"pathway": "HALLMARK_E2F_TARGETS", "direction": "DOWN", "tissue": "liver"}
    truth["contrast"] = "flight_vs_ground"
    known = placeholders(Question("q", "?", truth), pool([]))
    assert known["right"] == ("E2F Targets is down in liver, flight versus ground.",)
    assert known["wrong"] == ("E2F Targets is up in liver, flight versus ground.",)
    assert known["all_claims"][0].count("E2F Targets is") == 4
    gene = {"feature": "EPCAM", "kind": "gene", "direction": "UP", "contrast": "tumour_vs_normal"}
    known = placeholders(Question("q", "?", gene), pool([]))
    assert known["wrong"] == ("EPCAM is down, tumour versus normal.",)
    assert known["topic"] == ("EPCAM",)


def test_disguises_keep_what_a_reader_sees():
    assert lookalikes("a6") == "\u0430\uff16"
    assert spaced("two words") == "t\u200bw\u200bo w\u200bo\u200br\u200bd\u200bs"
    long = filler("the point")
    assert 100_000 <= len(long) < 100_300
    assert "the point" in long


def test_the_limit_draws_the_same_items_every_time():
    many = [fact("soleus", n, f"Soleus has {n} DEGs under HU.") for n in range(1, 40)]
    ids = []

    def remember(question, text):
        ids.append(question.ground_truth["facts"][0]["value"])
        return Score.scored(0.0)

    for _ in range(2):
        run(remember, many, options=AuditOptions(limit=3, seed=7))
    half = len(ids) // 2
    assert ids[:half] == ids[half:]
    assert len(set(ids)) == 3


def test_the_report_is_json():
    report = run(lambda question, text: Score.scored(float("6,425" in text)))
    row = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert row["ok"] is False
    assert {"attack", "verifier", "mean", "max", "held", "beaten", "examples"} <= set(row["cells"][0])


def test_nothing_to_audit_is_an_error():
    with pytest.raises(InputError, match="nothing to audit"):
        run(lambda question, text: Score.scored(0.0), questions=())
    with pytest.raises(InputError, match="nothing to audit"):
        run(lambda question, text: Score.scored(0.0), attacks=AttackFile(abstentions=("no",)))


OWN = """\
abstentions: [Pass.]
attacks:
  - name: shouting
    about: the question in capitals
    must_not_beat: abstention
    verifiers: [LEN]
    texts: ["WHAT {prompt}"]
"""


@pytest.fixture
def own_files(tmp_path, rogue):
    plugins.catalogue.cache_clear()
    (tmp_path / "own.yaml").write_text(OWN)
    rows = [
        {"id": q.id, "prompt": q.prompt, "ground_truth": dict(q.ground_truth), "answer": q.answer}
        for q in QUESTIONS
    ]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    yield tmp_path
    plugins.catalogue.cache_clear()


def test_the_command_audits_a_third_party_verifier_on_a_labs_own_questions(own_files):
    arguments = ["--questions", own_files / "questions.jsonl", "--verifier", "LEN", "--limit", 2, "--jobs", 1]
    arguments += ["--attacks", own_files / "own.yaml"]
    shown = CliRunner().invoke(app, [str(a) for a in arguments])
    assert shown.exit_code == 1, shown.output
    assert "length: filler" in shown.output, "a verifier of mere length pays for length"
    found = CliRunner().invoke(app, [str(a) for a in (*arguments, "--json")])
    assert found.exit_code == 1
    report = json.loads(found.stdout.splitlines()[-1])["datasets"]["questions.jsonl"]
    cells = {(cell["attack"], cell["verifier"]): cell for cell in report["cells"]}
    assert cells["shouting", "length"]["held"] == 2


def test_the_command_audits_a_lab_with_its_names():
    arguments = ["--dataset", str(LUNG), "--verifier", "V2", "--limit", "2", "--jobs", "1", "--json"]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout.splitlines()[-1])["datasets"][str(LUNG)]
    assert report["items"] == 2
    assert report["ok"] is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{prompt}", "{promt}"), r"own.yaml:7: attacks\[0\].texts: no placeholder \{promt\}"),
        (("must_not_beat: abstention", "must_not_beat: all"), r"own.yaml:5(.|\n)*abstention, gold"),
        (("[LEN]", "[LENN]"), "no verifier named 'LENN'"),
        (("about:", "abot:"), r"own.yaml:4: attacks\[0\].abot: unknown key"),
    ],
)
def test_a_malformed_attack_is_named_with_its_line(own_files, change, message):
    path = own_files / "own.yaml"
    path.write_text(OWN.replace(*change))
    with pytest.raises(InputError, match=message):
        library.load(path, lambda name: plugins.catalogue().get("verifier", name).record.name)
    with pytest.raises(DataError, match="cannot be read"):
        library.load(own_files / "none.yaml")

"""The audit of training text. The sentences here are written for the tests, over the shipped figures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biorlhf import DataError
from biorlhf.commands.data.app import app
from biorlhf.plugins import catalogue
from biorlhf_plugins.check import audit, load_facts
from biorlhf_plugins.check.engine import text_of
from biorlhf_plugins.check.reading import Text

KMP = load_facts("kmp")
HERE = Path(__file__).parent
SEED = HERE.parents[2] / "shared" / "data" / "seed"


def kinds(prompt: str, answer: str, severity: str = "error") -> list[str]:
    return [f.kind for f in audit([Text(0, prompt, answer)], KMP) if f.severity == severity]


WRONG = {
    "wrong_number": [
        ("How many genes respond to HU in soleus?", "In soleus, HU changes 6,245 DEGs."),
        ("What is the OXPHOS NES in liver under HU+IR?", "Liver has an OXPHOS NES of -3.60 under HU+IR."),
        ("How much does Alb change?", "Alb has a mean absolute log2 fold change of 1.32 in heart."),
        (
            "And both?",
            "In the liver, the combination of hindlimb unloading and irradiation changes 6,312 genes.",
        ),
    ],
    "wrong_tissue": [
        ("How many genes respond to HU in heart?", "HU changes 6,425 DEGs in heart."),
    ],
    "wrong_condition": [
        ("How many genes respond to HU in heart?", "It is 33 DEGs."),
        ("And under IR?", "Under IR, the liver has 6,213 DEGs."),
    ],
    "wrong_class": [
        ("Which type is the liver?", "Liver is Type A."),
        ("Pattern of OXPHOS in liver?", "Liver shows an OXPHOS RESCUE pattern."),
    ],
    "wrong_ranking": [
        (
            "Rank by HU.",
            "Ranked by HU:\n1. Soleus: 6,425\n2. Hippocampus: 1,555\n3. Liver: 4,110\n4. Heart: 165",
        ),
        ("Order the tissues under IR.", "Under IR: liver > hippocampus > soleus > heart."),
        ("Rank them.", "From the most to the least responsive to IR: hippocampus, soleus, liver, heart."),
        ("Which respond to HU, from strongest to weakest?", "Soleus, heart, liver and hippocampus."),
    ],
    "wrong_comparison": [
        ("Heart or liver under HU?", "Heart has more DEGs under HU than liver."),
        ("Is it large?", "No: it has 1,221 DEGs, below 1,000."),
        (
            "Is it additive in soleus?",
            "HU gives 6,425 DEGs and IR 67, together 6,492. The 6,830 under HU+IR are fewer than this sum.",
        ),
    ],
    "wrong_ratio": [
        ("How strong?", "Under IR, hippocampus responds 166× more than soleus."),
        ("KMP gives 309 DEGs at baseline in liver. Under stress?", "It gives 3 DEGs.\nRatio: 0.0× decrease"),
        ("KMP gives 0 DEGs at baseline in soleus. Later?", "It gives 491 DEGs.\nRatio: 491× increase"),
    ],
    "wrong_percentage": [
        ("Shares?", "1. Soleus: 300 (90% of total)\n2. Liver: 100\n3. Heart: 100"),
    ],
    "universal_with_exception": [
        ("Is the rest alike?", "Liver shows SUPPRESSION of OXPHOS; all other tissues show RESCUE."),
    ],
    "wrong_arithmetic": [
        ("Sum?", "In all that is 112 + 309 = 431 DEGs."),
        ("Design?", "We take n=6 per group, 60 mice total:\n1. control\n2. drug\n3. stress\n4. both"),
    ],
    "answers_another_question": [
        (
            "Is the KMP×HU interaction in soleus larger than all other interactions combined?",
            "Yes, with 8,484 DEGs it is.",
        ),
    ],
    "interaction_as_set": [
        (
            "What is special in soleus?",
            "Its KMP×HU interaction has 8,484 DEGs, which are neither KMP genes nor HU genes.",
        ),
    ],
    "interaction_arithmetic": [
        ("Extra in soleus?", "The KMP×HU interaction adds 8,484 - 6,425 = 2,059 DEGs."),
    ],
    "unsupported_direction": [
        ("Clock genes?", "Per2 is upregulated in the stressed heart."),
    ],
    "missing_value": [
        ("Compare.", "Heart: NES = -2.37\nLiver: NES = N/A\n\nThese opposite patterns are striking."),
    ],
}


@pytest.mark.parametrize(
    ("kind", "prompt", "answer"), [(kind, *pair) for kind, pairs in WRONG.items() for pair in pairs]
)
def test_each_kind_of_error_is_found(kind, prompt, answer):
    assert kind in kinds(prompt, answer)


RIGHT = [
    ("And both?", "In the liver, the combination of hindlimb unloading and irradiation changes 6,213 genes."),
    ("Rank them.", "From the most to the least responsive to IR: hippocampus, liver, soleus, heart."),
    ("Rank by HU.", "Four tissues were compared under HU: heart, hippocampus, liver and soleus."),
    (
        "Is it additive in soleus?",
        "HU gives 6,425 DEGs and IR 67, together 6,492. Under HU+IR it is 6,830, 338 more than this sum.",
    ),
    ("How many genes respond to HU in soleus?", "In soleus, HU changes 6,425 DEGs: 3,251 up and 3,174 down."),
    ("How many genes respond to HU in heart?", "It is 165 DEGs."),
    ("Compare heart and soleus.", "Soleus reacts more to HU than heart does (6,425 vs 165 DEGs)."),
    ("How many genes respond to KMP at baseline?", "Soleus 0, heart 112, liver 309, hippocampus 4,110 DEGs."),
    (
        "What is the OXPHOS NES in heart?",
        "Stress brings heart's OXPHOS to NES -2.3, KMP to 3.7: a RESCUE pattern.",
    ),
    ("A reader says that liver is Type A. Right?", 'No. "Liver is Type A" is wrong: liver is Type C.'),
    ("Rank by HU.", "Ranked by HU:\n1. Soleus: 6,425\n2. Liver: 4,110\n3. Hippocampus: 1,555\n4. Heart: 165"),
    ("Order the tissues under IR.", "Under IR: hippocampus > liver > soleus > heart."),
    ("How strong?", "Under IR, hippocampus responds about 82× more than soleus."),
    (
        "Which type is the hippocampus?",
        "Hippocampus is Type B: stress blocks the effect (4,110 to 140 DEGs).",
    ),
    ("Threshold?", "A heart with <500 DEGs under HU would count as mild."),
    ("Total of KMP×HU?", "8,484 + 3,369 + 479 + 36 = 12,368 DEGs."),
    ("Is the rest alike?", "Not all other tissues show RESCUE of OXPHOS."),
    (
        "Is the KMP×HU interaction in soleus larger than all other interactions combined?",
        "No: the others add up to 9,623 DEGs.",
    ),
]


@pytest.mark.parametrize(("prompt", "answer"), RIGHT)
def test_what_is_true_or_only_mentioned_is_left_alone(prompt, answer):
    assert kinds(prompt, answer) == []


def shipped(name: str, **settings):
    return catalogue().build("dataset", name, settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("kmp", {}),
        ("kmp", {"mode": "open_book"}),
        ("kmp", {"split": "paraphrase"}),
        ("genelab", {}),
    ],
)
def test_the_projects_own_data_have_no_findings(name, settings):
    dataset = shipped(name, **settings)
    for items in (dataset.examples, dataset.preferences, dataset.questions):
        for split in {item.split for item in items}:
            texts = [text_of(n, item) for n, item in enumerate(i for i in items if i.split == split)]
            assert audit(texts, KMP) == []


def test_nearly_every_perturbed_answer_is_caught():
    pairs = shipped("kmp", split="paraphrase").preferences
    texts = [dataclasses.replace(text_of(n, pair), answer=pair.rejected) for n, pair in enumerate(pairs)]
    caught = {finding.index for finding in audit(texts, KMP) if finding.severity == "error"}
    assert len(caught) >= 0.95 * len(pairs)


def test_two_answers_to_one_question_that_differ_are_contradictory():
    texts = [
        Text(0, "How many DEGs has lung under HU?", "Lung has 120 DEGs under HU."),
        Text(1, "How many DEGs has lung under HU?", "Lung has 320 DEGs under HU."),
    ]
    [found] = audit(texts)
    assert (found.index, found.kind, found.severity) == (1, "contradicts_example", "error")
    assert found.expected == "Lung has 120 DEGs under HU"


def test_what_one_text_lists_as_given_and_another_as_missing_is_contradictory():
    texts = [
        Text(
            0, "What do the data provide?", "The data provide:\n- A time course of four weeks\n- Gene counts"
        ),
        Text(1, "What is not there?", "What is missing:\n1. Time course\n2. Protein levels"),
        Text(2, "And else?", "Needed next:\n- Protein levels in blood"),
    ]
    assert [(f.index, f.kind) for f in audit(texts)] == []
    texts[0] = dataclasses.replace(texts[0], answer="The data provide:\n- Time course of four weeks")
    assert [(f.index, f.kind) for f in audit(texts)] == [(0, "contradicts_example")]


def test_duplicates_and_unbalanced_labels_are_warnings():
    texts = [
        Text(n, f"Is set {n} changed in heart?", "Yes, it is." if n else "No, it is not.") for n in range(24)
    ]
    texts.append(Text(24, "Is set 5 changed in heart?", "Yes, it is!"))
    found = {(f.kind, f.severity) for f in audit(texts)}
    assert found == {("duplicate", "warning"), ("unbalanced_labels", "warning"), ("constant_answer", "info")}


def test_pairs_whose_length_tells_the_chosen_side_are_warned_about():
    long = "Because the figures of the table say so, and for no other reason at all."
    pairs = [Text(n, f"Question {n}?", f"{long} {n}", f"No {n}.") for n in range(20)]
    assert [(f.kind, f.severity) for f in audit(pairs)] == [("length_tells", "warning")]
    even = [dataclasses.replace(pair, rejected=f"{long} {-pair.index}") for pair in pairs]
    assert audit(even) == []


def test_overlap_with_a_test_set_exact_near_gold_and_fact():
    question = "Which of the four tissues has the most DEGs under the combination of HU and IR in this study?"
    test = [
        Text(0, "How many DEGs has heart under HU?", "Heart has 165 DEGs under HU."),
        Text(1, question, "Soleus is the one."),
        Text(2, "Say one thing of the heart.", "?", fact_ids=("kmp:heart:IR",)),
    ]
    train = [
        Text(0, "how many DEGs has heart under HU", "165."),
        Text(1, question.replace("this study", "this table"), "The soleus."),
        Text(2, "Tell me of the heart.", "Heart has 165 DEGs under HU."),
        Text(3, "More of the heart?", "33.", fact_ids=("kmp:heart:IR",)),
        Text(4, "And the liver?", "Liver has 4,110 DEGs under HU."),
    ]
    found = [(f.index, f.kind) for f in audit(train, None, test)]
    assert found == [(0, "overlap_exact"), (1, "overlap_near"), (2, "overlap_gold"), (3, "overlap_fact")]


def test_a_question_that_names_its_direction_is_found():
    truth = {"pathway": "HALLMARK_UV_RESPONSE_UP", "direction": "DOWN"}
    giveaway = Text(0, "Explain the suppression of HALLMARK_UV_RESPONSE_UP.", "", ground_truth=truth)
    fair = Text(1, "Is HALLMARK_UV_RESPONSE_UP increased or decreased?", "", ground_truth=truth)
    assert [(f.index, f.kind) for f in audit([giveaway, fair])] == [(0, "answer_in_prompt")]


def test_a_fact_table_of_ones_own(tmp_path):
    table = tmp_path / "facts.csv"
    table.write_text(
        "entity,condition,quantity,value\n"
        "retina,HU,DEG count,120\nretina,IR,DEG count,80\nlens,HU,DEG count,7\n"
    )
    own = load_facts(str(table))
    found = audit([Text(0, "How many under HU?", "Under HU, the lens has 120 DEGs.")], own)
    assert [f.kind for f in found] == ["wrong_tissue"]
    assert "lens HU DEG count: 7" in found[0].expected
    assert audit([Text(0, "How many under HU?", "Under HU, the retina has 120 DEGs.")], own) == []


def test_fact_tables_that_contradict_themselves_are_refused(tmp_path):
    table = tmp_path / "facts.csv"
    table.write_text("entity,condition,quantity,value\nlens,HU,DEG count,7\nlens,HU,DEG count,8\n")
    with pytest.raises(DataError, match=r"facts\.csv:3"):
        load_facts(str(table))
    table.write_text("tissue,value\nlens,7\n")
    with pytest.raises(DataError, match="no column 'entity'"):
        load_facts(str(table))
    with pytest.raises(DataError, match="available: kmp"):
        load_facts("kpm")


def test_the_command_writes_json_and_exits_with_1_on_errors(tmp_path):
    path, out = tmp_path / "sft.jsonl", tmp_path / "out.json"
    rows = [
        {"prompt": "How many genes respond to HU in heart?", "completion": "HU changes 165 DEGs in heart."},
        {"prompt": "How many genes respond to HU in liver?", "completion": "HU changes 165 DEGs in liver."},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = CliRunner().invoke(app, ["check", str(path), "--facts", "kmp", "--json", str(out)])
    assert result.exit_code == 1, result.output
    [found] = json.loads(out.read_text())["findings"]
    assert set(found) == {"index", "severity", "kind", "quote", "expected", "message"}
    assert (found["index"], found["severity"], found["kind"]) == (1, "error", "wrong_tissue")
    assert found["quote"] == "HU changes 165 DEGs in liver"
    path.write_text(json.dumps(rows[0]) + "\n")
    assert CliRunner().invoke(app, ["check", str(path), "--facts", "kmp"]).exit_code == 0


@pytest.mark.skipif(not (SEED / "kmp_sft_final.json").is_file(), reason="the texts to audit are not here")
def test_the_published_training_texts_as_judged_by_reading():
    """Each error-level finding was read and judged; the fixture names it by position and kind."""
    from biorlhf_plugins.check import read_texts

    found = [f for f in audit(read_texts(SEED / "kmp_sft_final.json"), KMP) if f.severity == "error"]
    judged = {
        (row["index"], row["kind"]): row["true"]
        for row in json.loads((HERE / "judged_findings.json").read_text())
    }
    # A finding that nobody has judged counts as a false alarm until somebody reads it.
    false = [f for f in found if not judged.get((f.index, f.kind), False)]
    assert len(false) <= 0.1 * len(found), false
    known = [json.loads(line) for line in (SEED / "kmp_sft_errors.jsonl").read_text().splitlines()]
    errors = [row for row in known if row["severity"] == "error"]
    hit = [row["id"] for row in errors if {f.index for f in found} & set(row["example_indices"])]
    assert len(hit) >= 16, (len(hit), len(errors))


@pytest.mark.parametrize(("one", "other"), [("5 µM", "50 µM"), ("day 1", "day 8"), ("donor A", "donor B")])
def test_conditions_that_differ_in_a_number_alone_are_facts_of_their_own(tmp_path, one, other):
    path = tmp_path / "facts.csv"
    rows = "".join(f"K562,{c},DEG count,{v}\n" for c, v in ((one, 910), (other, 344)))
    path.write_text(f"entity,condition,quantity,value\n{rows}", "utf-8")
    table = load_facts(str(path))
    asked = "How many DEGs are there?"
    right, wrong = f"K562 has 910 DEGs at {one} and 344 DEGs at {other}.", f"K562 has 344 DEGs at {one}."
    assert [f for f in audit([Text(0, asked, right)], table) if f.severity == "error"] == []
    assert [f.kind for f in audit([Text(0, asked, wrong)], table)] == ["wrong_condition"]

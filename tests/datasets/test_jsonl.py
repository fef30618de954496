"""The shapes of training data that jsonl reads, what it refuses, and the two benchmark readers."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from biorlhf import DataError
from biorlhf.ground_truth import instruction
from biorlhf_plugins.datasets import bioeval, jsonl, spaceomics

USER, ASSISTANT = {"role": "user", "content": "Ask"}, {"role": "assistant", "content": "Say"}


def written(folder: Path, rows, name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def build(path: Path, **settings):
    return jsonl.build(jsonl.JsonlConfig(file=str(path), **settings))


def refused(folder: Path, row) -> str:
    path = written(folder, [{"prompt": "fine", "completion": "fine"}, row])
    with pytest.raises(DataError) as error:
        build(path)
    return str(error.value).replace(str(folder) + "/", "")


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Ask", "completion": "Say"},
        {"prompt": "Ask", "response": "Say"},
        {"prompt": [USER], "completion": [ASSISTANT]},
        {"messages": [USER, ASSISTANT]},
        {"instruction": "Ask", "output": "Say", "input": ""},
        {"question": "Ask", "answer": "Say"},
        {"text": "Below is a task.\n\n### Instruction:\nAsk\n\n### Response:\nSay"},
        {"prompt": "### Instruction:\nAsk\n\n### Response:\n", "completion": "Say"},
    ],
)
def test_every_usual_sft_shape_gives_the_same_example(tmp_path, row):
    [example] = build(written(tmp_path, [row])).examples
    assert (example.prompt, example.response, example.id) == ("Ask", "Say", "mine:0")
    assert example.asked == "Ask"


def test_an_instruction_that_asks_for_a_block_is_kept_beside_the_prompt(tmp_path):
    asks = instruction({"answer": "yes"})
    rows = [
        {"prompt": "Is it?", "ground_truth": {"answer": "yes"}, "instruction": asks},
        {"prompt": "Is it?", "response": "Answer: yes", "instruction": asks},
        {"prompt": "Is it?", "chosen": "Answer: yes", "rejected": "Answer: no", "instruction": asks},
    ]
    built = build(written(tmp_path, rows))
    for [item] in (built.questions, built.examples, built.preferences):
        assert item.asked == f"Is it?\n\n{asks}"


def test_input_and_system_stand_with_the_prompt(tmp_path):
    rows = [
        {"instruction": "Ask", "input": "Given", "output": "Say"},
        {"text": "### Instruction:\nAsk\n\n### Input:\nGiven\n\n### Response:\nSay"},
        {"messages": [{"role": "system", "content": "Be brief"}, USER, ASSISTANT]},
    ]
    prompts = [example.prompt for example in build(written(tmp_path, rows)).examples]
    assert prompts == ["Ask\n\nGiven", "Ask\n\nGiven", "Be brief\n\nAsk"]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Ask", "chosen": "Good", "rejected": "Bad"},
        {
            "prompt": [USER],
            "chosen": [{**ASSISTANT, "content": "Good"}],
            "rejected": [{**ASSISTANT, "content": "Bad"}],
        },
        {
            "chosen": [USER, {**ASSISTANT, "content": "Good"}],
            "rejected": [USER, {**ASSISTANT, "content": "Bad"}],
        },
    ],
)
def test_preference_pairs_as_text_and_as_messages(tmp_path, row):
    [pair] = build(written(tmp_path, [row])).preferences
    assert (pair.prompt, pair.chosen, pair.rejected) == ("Ask", "Good", "Bad")


def test_question_rows_keep_their_fields(tmp_path):
    row = {
        "id": "q1", "prompt": "How many?", "ground_truth": {"answer": "yes"}, "verifiers": ["factual"],
        "tissue": "soleus", "split": "test", "difficulty": "hard", "answer": "Yes.", "fact_ids": ["a"],
    }  # fmt: skip
    [question] = build(written(tmp_path, [row])).questions
    assert question.ground_truth == {"answer": "yes"}
    assert (question.id, question.split, question.tissue) == ("q1", "test", "soleus")
    assert (question.verifiers, question.fact_ids) == (("factual",), ("a",))


def test_json_array_and_parquet_and_several_files(tmp_path):
    rows = [{"prompt": "A", "completion": "B"}, {"prompt": "C", "completion": "D"}]
    array = tmp_path / "array.json"
    array.write_text(json.dumps(rows, indent=2))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "table.parquet")
    dataset = jsonl.build(jsonl.JsonlConfig(file=(str(array), str(tmp_path / "table.parquet"))))
    assert [e.prompt for e in dataset.examples] == ["A", "C", "A", "C"]
    assert [e.id for e in dataset.examples] == ["array:0", "array:1", "table:0", "table:1"]
    assert len(dataset.provenance["files"][0]["sha256"]) == 64


def test_default_split(tmp_path):
    path = written(tmp_path, [{"prompt": "A", "completion": "B"}])
    assert build(path, split="validation").examples[0].split == "validation"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "A"}, "mine.jsonl:2: the keys prompt"),
        ({"prompt": "A", "completion": " "}, "mine.jsonl:2: completion"),
        ({"prompt": 3, "completion": "B"}, "mine.jsonl:2: prompt: 3"),
        ({"prompt": "A", "chosen": "B"}, "mine.jsonl:2: rejected: the key is missing"),
        ({"prompt": "A", "chosen": "B", "rejected": "B"}, "mine.jsonl:2: rejected: the same text as chosen"),
        ({"text": "no headings"}, "mine.jsonl:2: text"),
        ({"messages": [USER, ASSISTANT, USER, ASSISTANT]}, "one row per answer"),
        ({"messages": "Ask"}, "mine.jsonl:2: messages"),
        ({"prompt": "A", "ground_truth": {"pathwy": "X"}}, "did you mean: pathway"),
        ({"prompt": "A", "ground_truth": {"gene": "TP53"}}, "did you mean: feature"),
        ({"prompt": "A", "ground_truth": "{"}, "mine.jsonl:2: ground_truth: not JSON"),
        ({"prompt": "A", "completion": "B", "split": "tset"}, "did you mean: test"),
        (["A", "B"], "mine.jsonl:2: a list"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path, row, message):
    assert message in refused(tmp_path, row)


@pytest.mark.parametrize(
    "verdict",
    [
        {"label": False},
        {"label": 0},
        {"label": "undesirable"},
        {"desirable": "False"},
        {"is_correct": False},
        {"accepted": -1},
    ],
)
def test_an_answer_that_the_file_calls_unwanted_is_not_learnt(tmp_path, verdict):
    [key] = verdict
    message = refused(tmp_path, {"prompt": "Is OXPHOS up?", "completion": "It is down.", **verdict})
    assert message.startswith(f"mine.jsonl:2: {key}")
    assert "preference pair" in message


@pytest.mark.parametrize("verdict", [{"label": True}, {"label": 1}, {"label": "liver"}, {"correct": "yes"}])
def test_a_verdict_that_is_true_and_a_label_of_another_kind_are_no_obstacle(tmp_path, verdict):
    [example] = build(written(tmp_path, [{"prompt": "Ask", "completion": "Say", **verdict}])).examples
    assert example.response == "Say"


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Ask", "response": "Good", "rejected_response": "Bad"},
        {"instruction": "Ask", "output": "Good", "rejected_output": "Bad"},
        {"prompt": "Ask", "chosen_response": "Good", "rejected_response": "Bad"},
        {"messages": [USER, {**ASSISTANT, "content": "Good"}], "rejected_response": "Bad"},
        {
            "messages": [USER, {**ASSISTANT, "content": "Good"}],
            "rejected_messages": [USER, {**ASSISTANT, "content": "Bad"}],
        },
    ],
)
def test_a_rejected_answer_beside_another_makes_a_pair(tmp_path, row):
    built = build(written(tmp_path, [row]))
    assert [(p.prompt, p.chosen, p.rejected) for p in built.preferences] == [("Ask", "Good", "Bad")]
    assert built.examples == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "A", "completion": "B", "history": [["C", "D"]]}, "mine.jsonl:2: history"),
        ({"messages": [USER, ASSISTANT], "tools": [{"type": "function"}]}, "mine.jsonl:2: tools"),
        (
            {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
            "mine.jsonl:2: messages: a call of a tool",
        ),
        ({"conversations": [{"from": "human", "value": "A"}]}, "make them messages of {role, content}"),
        ({"prompt": "A", "completion": None}, "mine.jsonl:2: completion: null"),
        ({"prompt": "A", "completion": "\u200b"}, "mine.jsonl:2: completion: empty text"),
        ({"prompt": "A", "completion": "B", "is_good": False}, "mine.jsonl:2: is_good"),
        ({"prompt": "A", "completion": "B", "kto_tag": False}, "mine.jsonl:2: kto_tag"),
        ({"prompt": "A", "ground_truth": {"answerable": 0}}, "mine.jsonl:2: ground_truth.answerable"),
        (
            {"prompt": "A", "ground_truth": {"pathway": "X", "direction": "UP", "figures": {"padj": True}}},
            "mine.jsonl:2: ground_truth.figures.padj",
        ),
        (
            {"prompt": "A", "ground_truth": {"pathway": "X", "direction": "UP", "figures": {"nes": "1.5"}}},
            "mine.jsonl:2: ground_truth.figures.nes",
        ),
    ],
)
def test_rows_of_others_are_refused_where_they_mean_something_else(tmp_path, row, message):
    assert message in refused(tmp_path, row)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt":"A \\ud83d","completion":"B"}', r"x\.jsonl:1: '\\ud83d', one half of a surrogate"),
        ('[{"prompt":"A","completion":"\\udc00"}]', r"x\.jsonl:1: '\\udc00', one half of a surrogate"),
        ('{"prompt":"A","completion":"B","weight":1e999}', r"x\.jsonl:1: not JSON: 1e999 is too large"),
        ('{"prompt":"A","completion":"B","weight":-Infinity}', r"x\.jsonl:1: not JSON"),
    ],
)
def test_what_no_file_and_no_tokenizer_takes_is_refused(tmp_path, line, message):
    (tmp_path / "x.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=message):
        build(tmp_path / "x.jsonl")


def test_a_whole_pair_of_surrogates_and_a_separator_are_text(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"prompt":"A \\ud83e\\uddec","completion":"B\u2028C"}\n', "utf-8")
    [example] = build(tmp_path / "x.jsonl").examples
    assert (example.prompt, example.response) == ("A \U0001f9ec", "B\u2028C")


@pytest.mark.parametrize("name", ["a", 0])
def test_an_id_that_stands_twice_is_refused_with_both_places(tmp_path, name):
    path = written(tmp_path, [{"prompt": p, "completion": "B", "id": name} for p in ("A", "C")])
    with pytest.raises(
        DataError, match=rf"mine\.jsonl:2: id: '{name}', which is that of .*mine\.jsonl:1 too"
    ):
        build(path)


def test_a_built_folder_of_test_questions_alone_is_read(tmp_path):
    for table in ("questions", "examples"):
        rows = [{"prompt": "A", "ground_truth": '{"answer": "yes"}', "split": "test"}]
        made = pa.Table.from_pylist(
            rows if table == "questions" else [], pa.schema([(k, pa.string()) for k in rows[0]])
        )
        pq.write_table(made, tmp_path / f"{table}.parquet")
    built = build(tmp_path)
    assert (len(built.questions), built.examples) == (1, ())


def test_broken_json_names_its_line(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"prompt": "A", "completion": "B"}\n{"prompt": "A", \n')
    with pytest.raises(DataError, match=r"x\.jsonl:2: not JSON"):
        build(path)
    path = tmp_path / "y.json"
    path.write_text('[\n {"prompt": "A", "completion": "B"},\n {"prompt": ')
    with pytest.raises(DataError, match=r"y\.json:3: the array is cut off"):
        build(path)
    (tmp_path / "z.jsonl").write_bytes(b'{"prompt": "\xff"}')
    with pytest.raises(DataError, match="not UTF-8"):
        build(tmp_path / "z.jsonl")


def test_an_empty_file_and_a_missing_one(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="no rows"):
        build(tmp_path / "empty.jsonl")
    with pytest.raises(DataError, match=r"did you mean: empty\.jsonl"):
        build(tmp_path / "emty.jsonl")


BANK = {
    "version": "2.0",
    "questions": [
        {
            "id": "Q1", "modality": "clinical", "category": "factual", "difficulty": "easy",
            "question": "Which way did the invented marker go?", "data_context_files": ["made_up.md"],
            "expected_reasoning": ["It rose."], "ground_truth_key_facts": ["The marker rose.", "By half."],
            "rubric": {"factual_accuracy": "Must say that it rose"},
        },
        {"id": "Q2", "modality": "methods", "category": "reasoning", "question": "Why?"},
    ],
}  # fmt: skip


def test_spaceomics_reads_a_question_bank_in_its_format(tmp_path):
    path = tmp_path / "question_bank.json"
    path.write_text(json.dumps(BANK, indent=1))
    dataset = spaceomics.build(spaceomics.SpaceOmicsConfig(path=str(path)))
    assert [q.id for q in dataset.questions] == ["spaceomics:Q1", "spaceomics:Q2"]
    first = dataset.questions[0]
    assert (first.split, first.kind, first.family, first.difficulty) == (
        "test",
        "clinical",
        "factual",
        "easy",
    )
    assert first.answer == "The marker rose.\nBy half."
    only = spaceomics.build(spaceomics.SpaceOmicsConfig(path=str(path), modality=("methods",)))
    assert [q.id for q in only.questions] == ["spaceomics:Q2"]
    with pytest.raises(DataError, match="did you mean: clinical"):
        spaceomics.build(spaceomics.SpaceOmicsConfig(path=str(path), modality=("clinicl",)))


def test_spaceomics_refuses_another_format(tmp_path):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps({"questions": [{"id": "Q1", "prompt": "Which?"}]}))
    with pytest.raises(DataError, match=r"bank\.json:1: unknown key 'prompt'"):
        spaceomics.build(spaceomics.SpaceOmicsConfig(path=str(path)))


def test_bioeval_reads_tasks_and_adapter_rows(tmp_path):
    tasks = [
        {
            "id": "t1", "component": "calibration", "task_type": "unanswerable", "prompt": "How tall is it?",
            "ground_truth": {"is_answerable": False}, "system_prompt": "You are careful.", "metadata": None,
        },
        {
            "id": "t2", "component": "causal", "task_type": "effect", "prompt": "Does it matter?",
            "ground_truth": {"answer": True, "explanation": "It does."},
        },
        {"id": "t3", "component": "design", "task_type": "flaws", "prompt": "Find.", "ground_truth": {}},
        {"id": "t4", "task_type": "ordering", "domain": "protocols", "question": "First?", "label": "Lysis"},
    ]  # fmt: skip
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    questions = bioeval.build(bioeval.BioEvalConfig(path=str(path))).questions
    assert [dict(q.ground_truth) for q in questions] == [
        {"answerable": False},
        {"answer": "yes"},
        {"check": "internal_consistency"},
        {"answer": "Lysis"},
    ]
    assert questions[0].prompt == "You are careful.\n\nHow tall is it?"
    assert {q.split for q in questions} == {"test"}
    only = bioeval.build(bioeval.BioEvalConfig(path=str(path), component=("protocols",)))
    assert [q.id for q in only.questions] == ["bioeval:t4"]


def test_bioeval_refuses_results(tmp_path):
    path = written(
        tmp_path, [{"id": "a", "task_type": "x", "question": "Q", "label": "L", "prediction": "P"}]
    )
    with pytest.raises(DataError, match="unknown key 'prediction'"):
        bioeval.build(bioeval.BioEvalConfig(path=str(path)))

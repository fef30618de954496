"""``biorlhf generate``: a prompt, a file, a pipe, a chat."""

from __future__ import annotations

import json
import os

import pytest

from biorlhf.commands import generate as command
from biorlhf.errors import DataError, InputError
from biorlhf.serving.answering import Prompt, read_prompts
from biorlhf.types import AdapterRef, Completion, Group, Question


def test_a_greedy_answer_is_the_same_twice_and_another_without_the_adapter(biorlhf, done):
    args = [
        "generate",
        str(done.folder),
        "How many genes change?",
        "--temperature",
        "0",
        "--max-tokens",
        "12",
        "--json",
    ]
    first, second = (json.loads(biorlhf(*args).stdout) for _ in range(2))
    assert first == second
    assert first["response_tokens"] <= 12
    assert json.loads(biorlhf(*args, "--base-only").stdout)["response"] != first["response"]


def test_a_file_keeps_its_order_and_its_other_keys_and_can_be_scored(biorlhf, done, tmp_path):
    source, out = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    rows = [{"id": f"q{k}", "prompt": f"Question {k}?", "ground_truth": {"answer": "yes"}} for k in (3, 1, 2)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    biorlhf(
        "generate",
        str(done.folder),
        "--file",
        str(source),
        "--out",
        str(out),
        "--n",
        "2",
        "--max-tokens",
        "4",
    )
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in written] == ["q3#1", "q3#2", "q1#1", "q1#2", "q2#1", "q2#2"]
    assert all(row["ground_truth"] == {"answer": "yes"} for row in written)
    scored = tmp_path / "scored.jsonl"
    biorlhf("score", str(out), "--out", str(scored), "--verifiers", "V1", "--jobs", "1")
    assert len(scored.read_text().splitlines()) == 6
    with pytest.raises(InputError, match="exists"):
        biorlhf("generate", str(done.folder), "--file", str(source), "--out", str(out))


@pytest.mark.parametrize(
    ("row", "answer", "asked"),
    [
        (
            {"instruction": "End with two lines:\nAnswer: <UP or DOWN>\nConfidence: <0 to 100%>"},
            "block",
            "UP or DOWN",
        ),
        ({"ground_truth": {"answer": "yes"}}, "block", "Answer: <"),
        ({"ground_truth": {"answer": "yes"}}, "free", ""),
        ({"ground_truth": '{"answer": "yes"}'}, "block", "Answer: <"),
        ({"ground_truth": "[1"}, "block", ""),
        ({"ground_truth": {"target": 4}}, "block", ""),
        ({"instruction": "End with two lines:\nAnswer: <UP>\nConfidence: <0 to 100%>"}, "free", ""),
        ({"ground_truth": None, "instruction": None}, "block", ""),
        ({}, "block", ""),
    ],
)
def test_a_row_is_asked_in_the_form_that_training_asks_for(row, answer, asked):
    question = Prompt("1", "Is it up?", row).question(answer)
    assert asked in question.instruction
    assert bool(question.instruction) == bool(asked)


def test_what_generate_writes_is_scored_as_the_question_was_asked(biorlhf, done, tmp_path):
    source, out, scored = (tmp_path / name for name in ("q.jsonl", "a.jsonl", "s.jsonl"))
    source.write_text(json.dumps({"prompt": "Is it up?", "ground_truth": {"answer": "yes"}}))
    biorlhf("generate", str(done.folder), "--file", str(source), "--out", str(out), "--max-tokens", "4")
    row = json.loads(out.read_text())
    assert row["instruction"].startswith("End with two lines")
    for response, value in [("Yes, it is.", 0.0), ("Yes.\nAnswer: yes\nConfidence: 90%", 1.0)]:
        out.write_text(json.dumps(row | {"response": response}))
        biorlhf("score", str(out), "--out", str(scored), "--verifiers", "V1", "--jobs", "1")
        assert json.loads(scored.read_text())["scores"]["factual"]["value"] == value


def test_input_of_a_pipe_is_one_prompt(biorlhf, done):
    said = biorlhf("generate", str(done.folder), "--max-tokens", "3", "--json", stdin="One\nprompt?\n")
    assert json.loads(said.stdout)["prompt"] == "One\nprompt?"


class Echo:
    """Answers a prompt with its own text."""

    def answer(self, prompts, sampling):
        for prompt in reversed(prompts):
            said = Completion(f"you said {prompt.text}", (1,), (0.0,), False, AdapterRef(0, ""))
            yield Group(Question(prompt.id, prompt.text, {}), (), (said,))


def test_a_chat_answers_each_line_until_an_empty_one(monkeypatch, capsys):
    lines = iter(["first", "first", "", "never read"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    command._chat(Echo(), None)
    assert capsys.readouterr().out == "you said first\nyou said first\n"


def test_answers_come_in_the_order_of_the_prompts_however_they_finish():
    prompts = [Prompt(str(k), f"p{k}", {}) for k in range(4)]
    rows = [row["prompt"] for rows in command._answers(Echo(), prompts, None) for row in rows]
    assert rows == ["p0", "p1", "p2", "p3"]


def test_answers_are_their_owners_alone_until_they_are_whole(tmp_path):
    out, rest = tmp_path / "a.jsonl", tmp_path / "a.jsonl.partial"
    rest.write_text("of a command that was killed")
    rest.chmod(0o644)
    modes = []

    class Watched(Echo):
        def answer(self, prompts, sampling):
            for group in super().answer(prompts, sampling):
                modes.append(rest.stat().st_mode & 0o777)
                yield group

    before = os.umask(0o022)
    try:
        command._write(Watched(), [Prompt("1", "p", {})], None, out)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    assert out.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a question", "--file", "x.txt"], "one or the other"),
        (["a question", "--out", "x.jsonl"], "without --file"),
        (["a question", "--engine", "vlm"], "did you mean: vllm"),
        (["a question", "--temperature", "0", "--n", "2"], "temperature 0"),
        (["a question", "--top-p", "0"], "--top-p"),
        (["  "], "empty"),
    ],
)
def test_options_that_contradict_each_other_are_refused(biorlhf, done, args, message):
    with pytest.raises(InputError, match=message):
        biorlhf("generate", str(done.folder), *args)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"prompt": "x"}\nnope\n', "a.jsonl:2: not JSON"),
        ("a.jsonl", '{"promt": "x"}\n', "a.jsonl:1: no prompt"),
        ("a.jsonl", '{"id": 1, "prompt": "x"}\n{"id": 1, "prompt": "y"}\n', "id '1'"),
        ("a.jsonl", '{"prompt": "x", "instruction": 3}', "a.jsonl:1: instruction: 3"),
        ("a.txt", "\n\n", "no prompt"),
        ("a.csv", "x\n", "file of type"),
    ],
)
def test_a_file_of_prompts_that_is_wrong_is_refused_with_its_line(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_prompts(path)

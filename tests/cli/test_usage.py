"""A command line whose words do not fit: told as every other wrong input, with the nearest name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from biorlhf import cli
from biorlhf.errors import InputError
from made_run import write_run


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder; gives its code and its message."""
    monkeypatch.chdir(tmp_path)

    def ran(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["biorlhf", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return ran


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("reprot x", ["there is no command 'reprot'", "did you mean: report"]),
        ("plugins nwe", ["biorlhf plugins", "did you mean: new"]),
        ("runs clean --foldr x", ["no option --foldr", "did you mean: --folder"]),
        ("audit --limit 0", ["--limit: 0", "greater than or equal to 1"]),
        ("data show kmp -n three", ["--limit: three", "an integer"]),
        ("init . --padj small", ["--padj: small", "a number"]),
        ("audit --answer blok", ["--answer: 'blok'", "did you mean: block"]),
        ("data export kmp", ["the option --out is missing", "The JSONL file to write", "data export --help"]),
        ("compare a", ["the argument run_b is missing", "Another run's folder"]),
        ("data show kmp genelab", ["biorlhf data show", "genelab"]),
        ("score --out", ["option '--out' requires an argument"]),
    ],
)
def test_words_that_do_not_fit_are_told_as_any_wrong_input(told, words, said):
    code, message = told(*words.split())
    assert code == 2
    assert message.count("error: ") == 1
    assert "Usage:" not in message
    for part in said:
        assert part in message


@pytest.mark.parametrize("words", ["runs", "runs clean --yes", "runs watch"])
def test_a_folder_of_runs_that_is_not_there_is_told_with_the_nearest(told, tmp_path, words):
    write_run(tmp_path / "results" / "a")
    code, message = told(*words.split(), "--folder", "reslts")
    assert (code, "did you mean: results" in message) == (2, True)
    code, message = told(*words.split(), "--folder", "results/a")
    assert (code, "a run itself" in message) == (2, True)


def test_without_runs_in_the_usual_place_there_are_none(told):
    assert told("runs")[0] == 0


@pytest.mark.parametrize(
    ("name", "choices", "nearest"),
    [
        ("hindlimb.jsonl", ["rows.jsonl", "soleus.jsonl"], ""),
        ("solues.jsonl", ["rows.jsonl", "soleus.jsonl"], "soleus.jsonl"),
        ("quickstart.yml", ["quickstart.yaml", "other.yaml"], "quickstart.yaml"),
        ("LORA", ["lora", "model"], "lora"),
    ],
)
def test_an_ending_that_all_files_have_makes_none_of_them_near(name, choices, nearest):
    assert InputError("x", "y", choices=choices, name=name).nearest == nearest


@pytest.mark.parametrize("words", ["recipes", "runs", "--help", "data list", "validate no.yaml no.yaml"])
def test_a_pipe_that_nobody_reads_ends_quietly(words, tmp_path):
    write_run(tmp_path / "runs" / "a")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "biorlhf", *words.split()],
        stdout=writing,
        stderr=writing if "no.yaml" in words else subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr or "") == (141, "")

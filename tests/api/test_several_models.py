"""`biorlhf evaluate` with several models: runs, folders, the base model, and addresses, side by side."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from biorlhf.errors import InputError, RunFailure
from biorlhf.reports.models import comparison
from biorlhf.serving.address import Address
from biorlhf.serving.several import model_of

ANSWER = "Answer: 6,425\nConfidence: 80%"


class StandIn(BaseHTTPRequestHandler):
    """Speaks as much of the protocol as is used; ``asked`` keeps what came in."""

    asked: list[dict] = []  # noqa: RUF012
    status = 200

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send(
            200, {"object": "list", "data": [{"id": name, "object": "model"} for name in ("small", "large")]}
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append(body)
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [choice],
        }
        self._send(self.status, whole if self.status == 200 else {"error": {"message": "no such setting"}})

    def _send(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def server() -> Iterator[str]:
    StandIn.asked, StandIn.status = [], 200
    running = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/v1"
    running.shutdown()
    running.server_close()


def test_a_run_its_base_a_folder_and_an_address_stand_side_by_side(biorlhf, done, base, server, tmp_path):
    models = [str(done.folder), "base", str(base), f"{server}#small"]
    page, out = tmp_path / "models.html", tmp_path / "out"
    printed = biorlhf("evaluate", *models, "--questions", "3", "--html", str(page), "--out", str(out)).stdout
    for label in ("overall", "factual", "reasoning", "calibration"):
        assert label in printed
    compared = json.loads((out / "models.json").read_text())
    assert compared["models"] == models
    assert set(compared["accuracy"]["overall"]) == set(models)
    assert len(compared["pairs"]) == 6
    alike = next(
        pair for pair in compared["pairs"] if pair["first"] == "base" and pair["second"] == str(base)
    )
    # The same model by two names: no question is answered otherwise, if the same seed draws its answers.
    assert alike["differences"]["overall"]["value"] == 0
    assert alike["differences"]["overall"]["p"] == 1.0
    html = page.read_text()
    assert all(name in html for name in ("Models compared", "small", "McNemar"))
    assert (out / "model-4.parquet").is_file()
    assert len(StandIn.asked) == 3
    assert StandIn.asked[0]["model"] == "small"
    # As the run's own model is asked: with the instruction for the block, and the same sampling.
    assert "Answer: <" in StandIn.asked[0]["messages"][-1]["content"]
    assert StandIn.asked[0]["max_tokens"] == 6
    with pytest.raises(InputError, match="exists"):
        biorlhf("evaluate", *models, "--out", str(out))


def test_one_address_is_asked_a_recipe_s_questions(biorlhf, tiny_recipe, base, server, tmp_path):
    (tmp_path / "recipe.yaml").write_text(json.dumps(tiny_recipe(base, tmp_path)))
    told = [
        "evaluate",
        f"{server}#large",
        "--recipe",
        str(tmp_path / "recipe.yaml"),
        "--questions",
        "2",
        "--json",
    ]
    compared = json.loads(biorlhf(*told).stdout)
    assert compared["accuracy"]["overall"][f"{server}#large"]["n"] == 2
    assert compared["pairs"] == []


def test_an_address_that_cannot_be_asked_says_why(server):
    with pytest.raises(InputError, match="did you mean: small"):
        Address(f"{server}#smal", 5)
    with pytest.raises(InputError, match="which of its models is not said"):
        Address(server, 5)
    with pytest.raises(InputError, match="nobody answers"):
        Address("http://127.0.0.1:9/v1#small", 1)


def test_a_refused_question_is_an_error_and_not_an_empty_answer(biorlhf, done, server):
    StandIn.status = 400
    with pytest.raises(InputError, match="refused a question"):
        biorlhf("evaluate", str(done.folder), f"{server}#small", "--questions", "1")


def test_a_server_that_fails_is_no_answer(server, monkeypatch):
    from biorlhf.recipe import Recipe
    from biorlhf.serving import address
    from biorlhf.types import Question

    monkeypatch.setattr(address, "RETRIES", 0)
    StandIn.status = 500
    recipe = Recipe.model_validate({
        "name": "a", "model": {"base": "b"}, "data": [{"dataset": "kmp"}],
        "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1}}],
    })  # fmt: skip
    with pytest.raises(RunFailure, match="no answer after"):
        list(Address(f"{server}#small", 5).sample(recipe, [Question("a", "Is it up?", {})]))


def test_what_is_no_model_is_refused_with_the_nearest(done, tmp_path):
    from biorlhf.recipe import load

    common = load(done.folder / "recipe.yaml", resolved=True)
    (tmp_path / "runs").mkdir()
    with pytest.raises(InputError, match="did you mean: runs"):
        model_of(str(tmp_path / "rums"), common)


def test_models_without_a_run_need_a_recipe(biorlhf):
    with pytest.raises(InputError, match="whose questions"):
        biorlhf("evaluate", "owner/one", "owner/two")


def report(right: list[int]) -> dict:
    from biorlhf_plugins.evaluators.question_answering import _judgement

    rows = [_judgement.Judged(question(n), f"c{n}", value, False, None) for n, value in enumerate(right)]
    column = {"overall.accuracy": right}
    share = {"value": sum(right) / len(right), "low": 0.0, "high": 1.0, "n": len(right)}
    return {"evaluators": {"question_answering": {
        "overall": {"accuracy": share}, "answers": _judgement.answers(rows, column),
    }}}  # fmt: skip


def question(number: int):
    from biorlhf.types import Question

    return Question(f"q{number}", "?", {})


def test_the_paired_test_counts_questions_that_one_model_alone_gets_right():
    # 8 questions turned right and 1 turned wrong: two-sided p = 2 (1 + 9) / 2^9.
    before, after = [0] * 8 + [1] + [1] * 11, [1] * 8 + [0] + [1] * 11
    compared = comparison({"before": report(before), "after": report(after)})
    found = compared["pairs"][0]["differences"]["overall"]
    assert found["value"] == pytest.approx(7 / 20)
    assert found["p"] == pytest.approx(20 / 512)
    assert found["verdict"] == "better"
    assert compared["accuracy"]["factual"] == {"before": None, "after": None}

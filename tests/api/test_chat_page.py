"""``biorlhf generate --serve``: answers with block and verdicts, on this machine alone, in Chromium."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from biorlhf.serving.web import Desk
from browser import chromium
from chat_double import ANSWER, QUESTION, Scorer, Scripted, served


@pytest.fixture
def desk() -> Desk:
    return Desk(Scripted(), Scorer(), {"q": QUESTION}, "the final adapter on tiny")


@pytest.fixture
def address(desk) -> Iterator[str]:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    pytest.importorskip("starlette", reason="starlette is not installed")
    with served(desk) as place:
        yield place


def post(address: str, body: Any, **headers: str) -> tuple[int, dict]:
    request = urllib.request.Request(
        f"{address}/ask",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else {}


def test_an_answer_comes_with_its_block_and_a_verdict_of_each_verifier(desk):
    found = desk.ask(QUESTION.prompt, 0.0)
    assert desk.answerer.asked == [QUESTION.asked]  # with the instruction, as in training
    assert found["block"] == {
        "value": "6,425",
        "span": [found["answer"].index("6,425"), ANSWER.index("\nConf")],
        "confidence": 0.8,
    }
    assert [row["verifier"] for row in found["verdicts"]] == ["factual", "uncertainty"]
    assert found["verdicts"][0]["value"] == 1.0
    assert any(ANSWER[a:b] == "6,425" for _, a, b in found["verdicts"][0]["spans"])
    assert found["reward"] > 0.8


def test_a_question_of_which_nothing_is_known_is_answered_and_not_judged(desk):
    found = desk.ask("What of mice?", None)
    assert (found["known"], found["reward"], found["verdicts"]) == (False, None, [])
    desk.answerer.answer_text = "They are small."
    assert desk.ask("What of mice?", None)["block"] is None


def test_wrong_input_is_answered_with_its_message_and_the_server_goes_on(address):
    assert post(address, {"prompt": "  "})[0] == 422
    assert post(address, {"prompt": "x" * 30_000})[1]["error"].startswith("prompt: 30000 characters")
    assert post(address, {"prompt": "a", "temperature": -1})[0] == 422
    assert post(address, [1, 2])[0] == 422
    assert post(address, {"prompt": "a"}, **{"Content-Type": "text/plain"})[0] == 415
    assert post(address, {"prompt": "a"}, Host="evil.example")[0] == 400
    assert post(address, {"prompt": QUESTION.prompt})[0] == 200


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_shows_answer_block_confidence_and_marked_verdicts(address, width):
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": width, "height": 900})
        problems: list[str] = []
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.goto(address)
        tab.wait_for_function("document.querySelectorAll('#questions option').length === 1")
        assert "the final adapter on tiny" in tab.locator("#about").inner_text()
        tab.fill("#known", QUESTION.prompt)
        tab.keyboard.press("Tab")
        assert tab.input_value("#prompt") == QUESTION.prompt
        tab.focus("#prompt")
        tab.keyboard.press("Enter")
        card = tab.locator("article")
        card.wait_for()
        text = card.inner_text()
        assert "Block: 6,425; confidence 80 %" in text
        assert "Reward 0." in text or "Reward 1.000" in text
        assert "factual" in text
        # An emoji before them takes two units in the browser and one in Python.
        assert "6,425" in [mark.inner_text() for mark in card.locator("mark").all()]
        tab.fill("#prompt", "What of mice?")
        tab.click("#ask")
        tab.wait_for_function("document.querySelectorAll('article').length === 2")
        assert "no verifier judges it" in card.first.inner_text()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert problems == []

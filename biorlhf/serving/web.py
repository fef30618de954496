"""A page on loopback that asks a trained policy, and shows what each verifier reads in the answer."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from biorlhf.errors import BiorlhfError, InputError
from biorlhf.inputs.extras import need
from biorlhf.plugins import builtin_part
from biorlhf.recipe.policy import Trained
from biorlhf.reward.explanation import explain, spans
from biorlhf.scoring.isolated import IsolatedScorer
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.serving.answering import Answerer, one
from biorlhf.types import Question

if TYPE_CHECKING:
    from biorlhf.reward.explanation import Part

LOOPBACK = "127.0.0.1"
LONGEST_PROMPT = 20_000  # characters
SHOWN = 200  # questions that the page offers


class Desk:
    """One policy, its verifiers, and the questions whose answers are known."""

    def __init__(self, answerer: Any, scorer: Any, questions: Mapping[str, Question], about: str) -> None:
        self.answerer, self.scorer, self.about = answerer, scorer, about
        self.questions = {question.prompt.strip(): question for question in questions.values()}
        self._asked = 0

    def ask(self, text: str, temperature: float | None) -> dict[str, Any]:
        """An answer with its block, and a verdict of each verifier where the right answer is known.

        Raises:
            InputError: an empty or overlong question, or a temperature out of range.
        """
        if len(text) > LONGEST_PROMPT:
            raise InputError("prompt", f"{len(text)} characters", f"at most {LONGEST_PROMPT}")
        known = self.questions.get(text.strip())
        self._asked += 1
        prompt = one(known.asked if known else text, self._asked)
        sampling = self.answerer.sampling(temperature=temperature, seed=self._asked)
        [group] = self.answerer.answer([prompt], sampling)
        answer, completion = group.completions[0].text.strip(), group.completions[0]
        return {
            "answer": answer,
            "truncated": completion.truncated,
            "tokens": len(completion.token_ids),
            "block": read_block(answer),
            **(self._judged(known, answer) if known else {"known": False, "reward": None, "verdicts": []}),
        }

    def _judged(self, question: Question, answer: str) -> dict[str, Any]:
        [reward] = self.scorer.score([(question, answer)])
        parts = explain(reward, self.scorer.weights).parts
        return {"known": True, "reward": reward.total, "verdicts": [_verdict(part) for part in parts]}


def read_block(text: str) -> dict[str, Any] | None:
    """The answer block as the verifiers read it: its value, where it stands, the stated confidence."""
    language = builtin_part("language.block")
    block = language.find_block(text)
    if block is None:
        return None
    stated = block.confidences[-1][0] if block.confidences else None
    value = language.read_confidence(stated)[0] if stated is not None else None
    return {"value": block.value, "span": list(block.span), "confidence": value}


def _verdict(part: Part) -> dict[str, Any]:
    found = dict.fromkeys(
        (label.replace("_", " "), start, end) for label, start, end in spans(part.score.details)
    )
    return {
        "verifier": part.verifier,
        "status": part.score.status.value,
        "value": part.score.value,
        "weight": part.share,
        "reason": str(part.score.details.get("reason", "")),
        "spans": [list(span) for span in found],
    }


def app(desk: Desk) -> Any:
    """The page and its two calls, as a Starlette application that answers to names of this machine alone."""
    need("starlette.applications", "--serve")
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    page = (files("biorlhf.serving") / "templates" / "chat.html").read_text("utf-8")

    async def index(request: Request) -> Response:
        return HTMLResponse(page)

    async def about(request: Request) -> Response:
        return JSONResponse({"about": desk.about, "questions": list(desk.questions)[:SHOWN]})

    async def ask(request: Request) -> Response:
        # A form of another site could send a text, but not this type, without being asked first.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "not JSON"}, 415)
        try:
            asked = await request.json()
            temperature = asked.get("temperature")
            text = str(asked.get("prompt", ""))
            return JSONResponse(await run_in_threadpool(desk.ask, text, temperature))
        except (BiorlhfError, ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, 422)

    # Another name that leads to this address may be a page elsewhere that wants to read along.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    routes = [Route("/", index), Route("/about", about), Route("/ask", ask, methods=["POST"])]
    return Starlette(routes=routes, middleware=[hosts])


def serve(chosen: Trained, answerer: Answerer, port: int) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        InputError: the port is taken.
    """
    from biorlhf.runs import pipeline

    uvicorn = need("uvicorn", "--serve")
    prepared = pipeline.prepare(chosen.recipe, trains=False)
    questions = {question.id: question for question in (*prepared.questions, *prepared.dataset.questions)}
    with socket.socket() as place, IsolatedScorer(ScorerSpec.from_recipe(prepared.recipe)) as scorer:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((LOOPBACK, port))
        except OSError as error:
            raise InputError("--port", f"{port}: {error.strerror}", "another port, or 0") from None
        about = f"{chosen.origin} on {chosen.recipe.model.base}"
        print(f"http://{LOOPBACK}:{place.getsockname()[1]}  (Ctrl-C ends)", file=sys.stderr, flush=True)
        config = uvicorn.Config(app(Desk(answerer, scorer, questions, about)), log_level="warning")
        uvicorn.Server(config).run(sockets=[place])

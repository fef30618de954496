"""What stands behind the chat page in tests and pictures: one question, one answer, the real verifiers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from biorlhf import Completion, Group, Question, RewardComposer
from biorlhf.errors import InputError
from biorlhf.serving.web import Desk, app
from biorlhf.stage import Sampling
from biorlhf.types import AdapterRef

QUESTION = Question(
    "q",
    "How many DEGs has soleus under HU?",
    {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]},
    instruction="End with two lines:\nAnswer: <a figure>\nConfidence: <0 to 100%>",
)
ANSWER = "🧬 It is large.\nAnswer: 6,425\nConfidence: 80%"


class Scripted:
    """Gives ``answer`` to whatever it is asked; ``asked`` is what it was asked."""

    def __init__(self) -> None:
        self.answer_text, self.asked = ANSWER, []

    def sampling(self, *, temperature: float | None, seed: int) -> Sampling:
        if temperature is not None and temperature < 0:
            raise InputError("--temperature", str(temperature), "above 0")
        return Sampling(1, 50, temperature or 0.0, 1.0, seed)

    def answer(self, prompts, sampling) -> Iterator[Group]:
        self.asked += [prompt.text for prompt in prompts]
        completion = Completion(self.answer_text, (1, 2), (-0.1, -0.1), False, AdapterRef(0, "0"))
        yield Group(Question(prompts[0].id, prompts[0].text, {}), (1,), (completion,))


class Scorer:
    """The real verifiers, in this process."""

    def __init__(self) -> None:
        self.composer = RewardComposer(["factual", "uncertainty"], {"factual": 0.7, "uncertainty": 0.3})
        self.weights = self.composer.weights

    def score(self, pairs):
        return [self.composer.score(question, text) for question, text in pairs]


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The page on loopback; gives its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app(desk), port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)

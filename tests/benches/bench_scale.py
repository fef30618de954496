"""How the rollout fleet scales, with engines that sleep: ``make bench-scale``, minutes on two idle cores.

Answers have the lengths, and engines the pace, of a cluster's: 16 answers a question, 350 tokens on
average, at most 1,024. Time is shortened by SPEED. What it shows is the fleet, the driver and the schedule
of lags; what a GPU decodes, and what a network carries, it does not. Each line has its ratio and the bar
that it is held to; a machine that is busy with something else misses them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from bench_ranks import two_for_one

from biorlhf.ahead import Ahead, Policies
from biorlhf.testing import Decoder, Pace
from biorlhf.types import AdapterRef
from simulated_fleet import SleepingEngine, a_fleet, lengths_of, serve, works_of

PACE = Pace(((1, 0.01), (64, 0.015), (256, 0.035)))
GROUP, ROOM, SPEED = 16, 64, 4.0
RAMP_S, WINDOW_S = 5.0, 15.0
missed: list[str] = []


def bar(what: str, value: float, limit: float, *, at_most: bool = False) -> None:
    kept = value <= limit if at_most else value >= limit
    sign = "at most" if at_most else "at least"
    print(f"{what}: {value:.2f} ({sign} {limit:g}){'' if kept else '  MISSED'}", flush=True)
    if not kept:
        missed.append(what)


def rate_alone(groups: int = 600) -> float:
    """Groups a second of one engine that always has as much to do as it has room for: in virtual time."""
    decoder, numbers, passed, done = Decoder(PACE), count(), 0.0, 0
    for number in islice(numbers, ROOM // GROUP):
        decoder.add(number, lengths_of(1, str(number), GROUP))
    while done < groups:
        wait_s = decoder.next_s()
        passed += wait_s
        for _ in decoder.advance(wait_s):
            done += 1
            number = next(numbers)
            decoder.add(number, lengths_of(1, str(number), GROUP))
    return groups / passed * SPEED


def engines(number: int, speeds: Callable[[int], float] = lambda n: SPEED, **limits: Any) -> Any:
    start = [partial(SleepingEngine, f"engine {n}", PACE, [], speed=speeds(n)) for n in range(number)]
    return a_fleet(start, room=ROOM, **limits)


def questions(number: int) -> list[str]:
    return [f"question {n}" for n in range(number)]


def scaling(number: int, alone: float) -> float:
    """Of linear; prints the driver's time as well, the engines' own included."""
    fleet = engines(number)
    works = works_of(questions(int(number * alone * (RAMP_S + WINDOW_S) * 1.5) + 8 * number), sequences=GROUP)
    answers = fleet.answers(works, "first")
    began, done = time.monotonic(), 0
    first = spent = 0.0
    for _ in answers:
        now = time.monotonic() - began
        if now > RAMP_S + WINDOW_S:
            break
        if now > RAMP_S:
            first, spent = (first, spent) if done else (now, time.process_time())
            done += 1
    took_s = time.monotonic() - began - first
    cpu_ms = 1000 * (time.process_time() - spent) / done
    fleet.close()
    print(f"{number} engines: {done / took_s:.1f} groups/s, {cpu_ms:.2f} ms of CPU a group", flush=True)
    return done / took_s / (number * alone)


def one_slow(alone: float) -> float:
    fleet = engines(4, lambda n: SPEED / 4 if n == 3 else SPEED)
    began = time.monotonic()
    number = sum(1 for _ in fleet.answers(works_of(questions(200), sequences=GROUP), "first"))
    took_s = time.monotonic() - began
    fleet.close()
    return number / took_s / (3.25 * alone)


def run_of(lag: int, alone: float, steps: int = 20, prompts: int = 16, actors: int = 4) -> float:
    """Seconds of a run whose learner takes as long for a batch as these engines do."""
    fleet = engines(actors, policies=lag + 1)
    refs = [AdapterRef(version, f"policy {version}") for version in range(steps + 1)]
    serve(fleet, refs[0].sha256)
    policies = Policies(refs[:1], lag)

    def prepare(step: int, policy: AdapterRef | None) -> list[Any]:
        assert policy is not None
        asked = [f"{step}, question {n}" for n in range(prompts)]
        works = works_of(asked, sequences=GROUP, policy=policy.sha256)
        return list(fleet.answers(works, policy.sha256))

    ahead = Ahead(prepare, policies, steps, beside=True)
    began = time.monotonic()
    for step in range(1, steps + 1):
        ahead.take(step)
        time.sleep(prompts / (actors * alone))
        serve(fleet, refs[step].sha256)
        policies.add(refs[step])
    took_s = time.monotonic() - began
    fleet.close()
    return took_s


def driver_on_ray(engines: int, groups: int, actors: int = 4) -> float:
    """Milliseconds of the driver's process for a group. A few actors of Ray give as many a second as these
    engines: what Ray spends in an idle driver, about 4 ms a second, is shared by all that come in it."""
    import ray

    from biorlhf.actors.rollout import RayRollouts
    from biorlhf.recipe import from_data
    from biorlhf.stage import Sampling
    from biorlhf.testing import an_adapter
    from biorlhf.types import Question
    from tiny_model import write_tiny_model

    with tempfile.TemporaryDirectory() as place:
        script = Path(place, "script.json")
        script.write_text(json.dumps({"default": ["67 genes. Confidence: 90%"], "logprob": -1.0}))
        rollout = {
            "engine": "scripted",
            "script": str(script),
            "actors": actors,
            "cpus": 0,
            "concurrency": ROOM,
            "max_completion_tokens": 1024,
            "simulated": {"token_s": [[n, s * actors / engines] for n, s in PACE.points]},
        }
        recipe = from_data(
            {
                "name": "bench",
                "model": {"base": str(write_tiny_model(Path(place))), "dtype": "fp32"},
                "data": [{"dataset": "kmp"}],
                "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
                "rollout": rollout,
            }
        )
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        rollouts = RayRollouts(recipe, ["DEFAULT"] * actors)
        rollouts.wait()
        rollouts.load_adapter(an_adapter(1))
        asked = [Question(name, "How many?", {}) for name in questions(groups)]
        answers: Iterator[Any] = rollouts.sample(asked, Sampling(n=GROUP, max_tokens=1024))
        next(answers)
        spent = time.process_time()
        done = sum(1 for _ in answers)
        cpu_ms = 1000 * (time.process_time() - spent) / done
        rollouts.close()
        ray.shutdown()
    return cpu_ms


def main() -> None:
    alone = rate_alone()
    print(f"one engine, in virtual time: {alone:.2f} groups/s of {GROUP} answers (times are 1/{SPEED:g})")
    bar("32 engines, of linear", scaling(32, alone), 0.90)
    bar("64 engines, of linear", scaling(64, alone), 0.85)
    bar("one of four at a quarter speed, of the summed speed", one_slow(alone), 0.85)
    times = [run_of(lag, alone) for lag in (0, 1, 2)]
    print("runs of twenty steps with lag 0, 1, 2: " + ", ".join(f"{seconds:.1f} s" for seconds in times))
    bar("lag 1, of lag 0 in speed", times[0] / times[1], 1.5)
    bar("lag 2, of lag 0 in speed", times[0] / times[2], 2.0)
    bar(
        "driver's CPU in ms a group over Ray, as many as 64 engines give",
        driver_on_ray(64, 600),
        3.0,
        at_most=True,
    )
    print(f"the same, as many as 16 engines give: {driver_on_ray(16, 100):.2f}", flush=True)
    bar("two learners of a thread, of one of two", two_for_one(), 0.85)
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()

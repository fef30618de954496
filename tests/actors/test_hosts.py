"""Two hosts, the second in a network namespace of its own: it joins, it answers, and its link goes down."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from biorlhf.actors.cluster import place
from biorlhf.actors.learner import RayLearners
from biorlhf.actors.rollout import RayRollouts
from biorlhf.errors import LearnerLost, RunFailure
from biorlhf.recipe.schema import Learner
from biorlhf.stage import Sampling
from biorlhf.testing import an_adapter
from biorlhf.types import Question
from biorlhf.workers.plan import requests
from raylets import NODE, place_of, recipe_of, until
from tiny_learner import GRPO, groups

pytestmark = [pytest.mark.engine, pytest.mark.hostile]

HERE, THERE = "10.213.77.1", "10.213.77.2"
SPACE = f"biorlhf{os.getpid()}"  # the namespace's name, and that of this end of its wire
CLUSTER = Path(__file__).resolve().parents[2] / "cluster"


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def second_host():
    """A namespace with a wire to this one. It goes away with the test, and all that runs in it; what a test
    left that was killed goes away with the next."""
    for name in re.findall(r"^biorlhf\d+", ip("netns", "list"), re.MULTILINE):
        if not Path("/proc", name.removeprefix("biorlhf")).exists():
            remove(name)
    with ExitStack() as ends:
        ip("netns", "add", SPACE)
        ends.callback(remove, SPACE)
        ip("link", "add", SPACE, "type", "veth", "peer", "name", "wire", "netns", SPACE)
        ip("addr", "add", f"{HERE}/24", "dev", SPACE)
        ip("link", "set", SPACE, "up")
        ip("-n", SPACE, "addr", "add", f"{THERE}/24", "dev", "wire")
        for device in ("wire", "lo"):
            ip("-n", SPACE, "link", "set", device, "up")
        yield


def remove(space):
    """End what runs in a namespace, and take away its wire and the namespace itself."""
    end_all(space)
    if f"{space}@" in ip("-brief", "link"):
        ip("link", "del", space)
    ip("netns", "del", space)


def end_all(space):
    for pid in map(int, ip("netns", "pids", space).split()):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture
def far(monkeypatch):
    """The id of the second host's node, of a cluster whose head gives nodes up as ``cluster/`` says."""
    if shutil.which("ip") is None:
        pytest.skip("there is no `ip` (iproute2) here")
    settings = re.findall(r"(RAY_health_check_\w+)=(\d+)", (CLUSTER / "ray-cluster.yaml").read_text())
    for name, value in settings:
        monkeypatch.setenv(name, value)
    with ExitStack() as ends:
        try:
            ends.enter_context(second_host())
        except OSError as error:
            pytest.skip(f"no second host can be made here: {error}")
        head = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": HERE, **NODE}
        made = Cluster(initialize_head=True, head_node_args=head)
        ends.callback(made.shutdown)
        ends.callback(ray.shutdown)
        ray.init(address=made.address, _node_ip_address=HERE, log_to_driver=False, logging_level="ERROR")
        started = subprocess.Popen(
            [
                *("ip", "netns", "exec", SPACE, str(Path(sys.executable).with_name("ray")), "start"),
                *(f"--address={made.address}", f"--node-ip-address={THERE}", "--num-cpus=4", "--block"),
                *(f"--object-store-memory={NODE['object_store_memory']}", "--labels=lab/host=far"),
                "--disable-usage-stats",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends.callback(started.wait)
        ends.callback(end_all, SPACE)
        until(there, 60)
        yield there()[0]


def there():
    return [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeManagerAddress"] == THERE]


@pytest.mark.timeout(300)
def test_a_host_whose_link_goes_down_takes_no_question_with_it_and_a_learner_on_it_is_said_to_be_lost(
    far, tmp_path
):
    recipe = recipe_of(tmp_path)
    recipe = recipe.model_copy(update={"learner": Learner(cpus=2, labels={"lab/host": "far"})})
    asked = requests(recipe, samples=True)
    places = place(asked, 60)
    learners = RayLearners(recipe, [places["learner"]])
    rollouts = RayRollouts(recipe, [each for name, each in places.items() if name.startswith("rollout")])
    learners.wait()
    learners.begin_stage(0, 10)
    learners.step(groups(seed=1), GRPO, seed=1)
    rollouts.wait()
    rollouts.load_adapter(an_adapter(1))
    slots = rollouts.fleet.slots
    lost = [slot for slot in slots if place_of(slot.engine.actor) == far]
    assert len(lost) == 2
    assert place_of(learners.actors[0]) == far

    names = [f"question {n}" for n in range(60)]
    seen, orphans, gone, took_s, later = [], set(), None, None, ThreadPoolExecutor(1)
    questions = [Question(name, "How many?", {}) for name in names]
    for answer in rollouts.sample(questions, Sampling(n=4, max_tokens=64)):
        seen.append(answer.question.id)
        orphans.discard(answer.question.id)
        if gone is None and len(seen) >= 6 and all(slot.asked for slot in lost):
            ip("link", "set", SPACE, "down")
            gone = time.monotonic()
            orphans = {ticket.work[0].id for slot in lost for ticket, *_ in list(slot.asked.values())}
            orphans -= set(seen)
            learning = later.submit(ended, learners)
        if gone is not None and not orphans and took_s is None:
            took_s = time.monotonic() - gone
    assert Counter(seen) == Counter(names)
    assert [slot.deaths for slot in slots] == [int(slot in lost) for slot in slots]
    reason, ended_s = learning.result(timeout=60)
    later.shutdown()
    print(f"the host's questions are answered after {took_s:.1f} s; after {ended_s - gone:.1f} s: {reason}")
    assert "no other with lab/host: far has room for 2 CPU" in reason
    assert took_s < 30
    assert ended_s - gone < 60
    rollouts.close()
    learners.close()


def ended(learners):
    """Why learners cannot go on that were lost in a step, and when that was said."""
    with pytest.raises(LearnerLost):
        learners.step(groups(seed=2), GRPO, seed=2)
    with pytest.raises(RunFailure) as failure:
        learners.renew()
    return str(failure.value), time.monotonic()

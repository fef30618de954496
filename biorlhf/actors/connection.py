"""Connecting to Ray within a time, and noticing where the part of it that runs here dies."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psutil
import ray

from biorlhf.actors.loopback import close_token, on_loopback
from biorlhf.errors import ResourceError, RunFailure
from biorlhf.workers.plan import Node

# What every gRPC server answers at once, whatever it serves: HTTP/2's greeting with empty settings.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)


def connect(address: str | None, timeout_s: float, store_bytes: int | None = None) -> None:
    """Connect to a cluster, or start a Ray of this machine's own with an object store of ``store_bytes``.

    Raises:
        ResourceError: nobody answers at ``address`` within ``timeout_s``.
        RunFailure: a Ray of this machine's own does not start.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray lowers its workers' priority; a run would then crawl beside anything else on the machine.
    os.environ.setdefault("RAY_worker_niceness", "0")
    address = address or os.environ.get("RAY_ADDRESS")
    local: dict[str, Any] = (
        {} if address else {"object_store_memory": store_bytes, "include_dashboard": False}
    )
    if address:
        _refuse_silence(address, timeout_s)
    try:
        with _own_signals(), nullcontext() if address else on_loopback():
            ray.init(
                address=address or "local",
                log_to_driver=bool(os.environ.get("BIORLHF_VERBOSE")),
                logging_level=logging.WARNING,
                **local,
            )
        close_token()
    except ConnectionError as error:
        raise ResourceError(f"Ray at {address}", f"cannot be reached: {error}") from None
    except Exception as error:
        # Ray has no class of its own for a part of it that did not come up.
        if address:
            raise
        hint = "it gives itself 30 s, which a busy machine may exceed"
        raise RunFailure(f"Ray does not start on this machine: {error}\n  {hint}") from None


def _refuse_silence(address: str, timeout_s: float) -> None:
    """Ray itself goes on trying for a quarter of an hour."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():  # "auto", "local": Ray looks on this machine
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s) as talk:
            # Behind TLS nobody answers an open greeting.
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("0", "", "false"):
                talk.sendall(_HELLO)
                silent = not talk.recv(1)
            else:
                silent = False
    except OSError as error:
        reason = f"no answer in {timeout_s:g} s" if isinstance(error, TimeoutError) else str(error)
        raise _unreachable(address, reason) from None
    if silent:
        raise _unreachable(address, "what listens there is no Ray")


def _unreachable(address: str, reason: str) -> ResourceError:
    return ResourceError(
        f"Ray at {address}",
        f"cannot be reached: {reason}",
        hint="see that the head node runs (ray status) and that this machine may reach its port; "
        "cluster.start_timeout_s bounds the wait",
    )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray replaces the handlers with its own, which end in a dump of its stack."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit as error:
        # Ray's first handler, of before it is connected, ends with the bare number.
        raise SystemExit(128 + signal.SIGTERM) if error.code == signal.SIGTERM else error from None
    finally:
        for number, handler in kept.items():
            if handler is not None:  # one that was not set from Python cannot be set again from here
                signal.signal(number, handler)


def alive() -> dict[str, Node]:
    """What each node has of the cluster that this process is connected to, by its id."""
    nodes = [node for node in ray.nodes() if node["Alive"]]
    return {node["NodeID"]: {**node["Resources"], "labels": node["Labels"]} for node in nodes}


@contextmanager
def watched(lost: Callable[[str], object] | None) -> Iterator[None]:
    """Call ``lost``, from a thread of its own, with the part that died of a Ray that was started here.

    Ray's client ends this process without a word when that happens, so there is no time to lose.
    """
    processes = _processes() if lost is not None else {}
    if lost is None or not processes:
        yield
        return
    stop, wake = os.pipe()
    thread = threading.Thread(target=_wait, args=(processes, stop, lost), daemon=True, name="ray-watch")
    thread.start()
    try:
        yield
    finally:
        os.close(wake)
        thread.join()
        os.close(stop)


def parts() -> dict[int, str]:
    """The processes of a Ray that this one started, with their names; none where it was there before."""
    node = getattr(ray._private.worker, "_global_node", None)
    started = getattr(node, "all_processes", {}).items()
    return {info.process.pid: name for name, infos in started for info in infos}


def agents() -> list[int]:
    """The processes that the raylet of such a Ray has started: its agents, and workers."""
    return [
        child.pid
        for pid, name in parts().items()
        if name == "raylet"
        for child in psutil.Process(pid).children()
    ]


def _processes() -> dict[int, str]:
    """A descriptor for each of those without which nothing goes on, with its name."""
    return {
        os.pidfd_open(pid): f"Ray's {name} (process {pid})"
        for pid, name in parts().items()
        if name in ("raylet", "gcs_server")
    }


def _wait(processes: dict[int, str], stop: int, lost: Callable[[str], object]) -> None:
    poll = select.poll()
    for descriptor in (stop, *processes):
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
    ready = [descriptor for descriptor, _ in poll.poll()]
    for descriptor in processes:
        os.close(descriptor)
    if stop not in ready:
        lost(f"{processes[ready[0]]} died, and with it all workers of this run")

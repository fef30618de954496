"""A Ray of this machine's own listens on this machine alone, and its token is its owner's alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ray._private import ray_constants

# Ray asks for this on systems whose firewalls ask their user about every listening program, and binds each of
# its servers to the loopback then. `_node_ip_address="127.0.0.1"` is not enough: Ray replaces it.
_SWITCH = ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR


@contextmanager
def on_loopback() -> Iterator[None]:
    """What Ray starts in here listens on 127.0.0.1; what it starts later, for another cluster, does not."""
    before = os.environ.get(_SWITCH), ray_constants.ENABLE_RAY_CLUSTER
    # The variable is for Ray's processes; this one has read it already.
    os.environ[_SWITCH], ray_constants.ENABLE_RAY_CLUSTER = "0", False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before[1]
        if before[0] is None:
            del os.environ[_SWITCH]
        else:
            os.environ[_SWITCH] = before[0]


def close_token() -> None:
    """Take everybody else's rights to the token file away: Ray writes it for all to read."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    if path.is_file() and path.stat().st_uid == os.getuid() and path.stat().st_mode & 0o077:
        path.chmod(0o600)

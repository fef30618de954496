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
# Where a Ray of this machine's own has lost its head, that does not come back: what is left of it, its agents
# most of all, would try for a minute to tell the head of its end.
_PATIENCE = "RAY_gcs_rpc_server_reconnect_timeout_s"
PATIENCE_S = 10


@contextmanager
def on_loopback() -> Iterator[None]:
    """What Ray starts in here listens on 127.0.0.1; what it starts later, for another cluster, does not."""
    before, switch = dict(os.environ), ray_constants.ENABLE_RAY_CLUSTER
    # The variables are for Ray's processes; this one has read the first already.
    os.environ[_SWITCH], ray_constants.ENABLE_RAY_CLUSTER = "0", False
    os.environ.setdefault(_PATIENCE, str(PATIENCE_S))
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = switch
        for name in (_SWITCH, _PATIENCE):
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]


def close_token() -> None:
    """Take everybody else's rights to the token file away: Ray writes it for all to read."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    if path.is_file() and path.stat().st_uid == os.getuid() and path.stat().st_mode & 0o077:
        path.chmod(0o600)

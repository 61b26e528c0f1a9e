"""Where things are: the repository, the machine's cache, the state of local clusters.

The cache holds what can be made again (built tools, images); deleting it costs time, never data. State belongs to
running clusters and goes with `chatctl down`.
"""

import os
from pathlib import Path

from chatctl.errors import UserError


def repository() -> Path:
    """Return the checkout this package runs from: the folder that holds `chart/` and `ci/toolchain/`.

    Raises:
        UserError: the package was installed without its repository.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "ci" / "toolchain").is_dir():
        raise UserError(f"{root} is not a chatapp checkout; install chatctl with `make env` inside one.")
    return root


def cache_dir() -> Path:
    """Return the per-user cache, `$XDG_CACHE_HOME/chatapp` or `~/.cache/chatapp` (XDG Base Directory)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "chatapp"


def state_dir() -> Path:
    """Return the folder of all local clusters' state; a cluster's own is `state_dir() / NAME`."""
    return Path("/var/lib/chatapp")

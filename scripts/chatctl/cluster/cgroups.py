"""The node's own folder in the cgroup hierarchies: below it the kubelet accounts for pods."""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from chatctl.process import wait_for


def make(name: str) -> None:
    """Make the folder `name` in every hierarchy."""
    for root in _hierarchies():
        (root / name).mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # cgroup v1: empty until filled, and then nothing may enter
            if (root / setting).exists() and (root / "tasks").exists():
                (root / name / setting).write_text((root / setting).read_text())


def remove(name: str) -> None:
    """Remove the folder `name` and what is below it, once the last process in it has ended.

    Raises:
        ToolError: a process does not end.
    """
    for root in _hierarchies():
        for folder, _, _ in os.walk(root / name, topdown=False):
            wait_for(partial(_removed, Path(folder)), f"the cgroup {folder} still holds a process")


def _hierarchies() -> list[Path]:
    """Return the roots below which the node gets a folder: one with cgroup v2, one a controller with v1."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _removed(folder: Path) -> bool:
    with suppress(OSError):  # its last process is still ending
        folder.rmdir()
    return not folder.exists()

"""The machine below the clusters: what one could leave behind on it."""

from pathlib import Path

from chatctl import process
from chatctl.cluster.model import Cluster
from chatctl.paths import state_dir

SPARE = Cluster("spare", 8091, 8454)
SPARE_OPTIONS = ("--name", SPARE.name, "--http-port", SPARE.http_port, "--https-port", SPARE.https_port)
"""A second cluster's name and ports, beside the test cluster."""
NOBODY = ("unshare", "--user", "--")
"""Runs a program as a user who is not root, and may still read what root may."""
KERNEL = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"]
"""Settings of the whole machine that a kubelet changes."""


def host_state() -> dict[str, set[str]]:
    """Return what a cluster could leave on the host: mounts, links, cgroups, iptables rules, kernel settings, state."""
    rules = process.output(["iptables-save"]).splitlines()
    return {
        "mounts": set(Path("/proc/mounts").read_text().splitlines()),
        "links": {line.split(":")[1] for line in process.output(["ip", "-oneline", "link"]).splitlines()},
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").rglob("chatapp-*")},
        "rules": {rule for rule in rules if not rule.startswith(("#", ":"))},
        "kernel": {f"{name}={Path('/proc/sys', name).read_text().strip()}" for name in KERNEL},
        "state": {str(path) for path in state_dir().glob("*")},
    }


def namespaces(pid: int) -> set[str]:
    """Return the identities of a process's namespaces that differ from this process's."""
    mine = {path.name: path.readlink() for path in Path("/proc/self/ns").iterdir()}
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/ns").iterdir() if path.readlink() != mine[path.name]}


def processes_in(spaces: set[str]) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            links = {str(path.readlink()) for path in (folder / "ns").iterdir()}
        except OSError:
            continue  # it ended meanwhile
        if links & spaces:
            found.append(int(folder.name))
    return found

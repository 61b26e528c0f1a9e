"""What a local cluster and its node are known by."""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from chatctl import process
from chatctl.errors import UserError
from chatctl.paths import cache_dir, state_dir


@dataclass(frozen=True)
class Cluster:
    """A local cluster's name, and its ports on 127.0.0.1.

    Raises:
        UserError: the name can't name a folder, or the ports are one.
    """

    name: str = "chatapp"
    http_port: int = 8080
    https_port: int = 8443

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", self.name):
            raise UserError(
                f"{self.name!r} can't name a local cluster; take up to 32 lower-case letters, digits and dashes."
            )
        if self.http_port == self.https_port:
            raise UserError(f"port {self.http_port} can't serve both http and https; give --https-port another number.")

    @property
    def folder(self) -> Path:
        """The folder with all of its state; gone when the cluster is down."""
        return state_dir() / self.name

    @property
    def logs(self) -> Path:
        """The folder with the logs of its last start; it stays when the cluster is down."""
        return cache_dir() / "logs" / f"cluster-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        """Its own kubeconfig; the user's is never read or written."""
        return self.folder / "kubeconfig"

    @property
    def cgroup(self) -> str:
        """The node's folder in each cgroup hierarchy."""
        return f"chatapp-{self.name}"


@dataclass(frozen=True)
class Node:
    """A node: its first process, and the number of its subnet.

    The start time (clock ticks after boot) tells the process from a later one of the same number.
    """

    cluster: Cluster
    subnet: int
    pid: int = 0
    started: int = 0

    @property
    def address(self) -> str:
        """The node's end of the cable."""
        return f"10.213.{self.subnet}.2"

    @property
    def host_address(self) -> str:
        """The host's end of the cable."""
        return f"10.213.{self.subnet}.1"

    @property
    def link(self) -> str:
        """The name of the cable's end on the host."""
        return f"chatapp{self.subnet}"

    @property
    def alive(self) -> bool:
        """Whether its first process still runs."""
        return start_time(self.pid) == self.started

    @property
    def ready(self) -> bool:
        """Whether it was brought up to the end; an interrupted start leaves one that was not."""
        return self._ready_mark.exists()

    def mark_ready(self) -> None:
        """Remember that it was brought up to the end."""
        self._ready_mark.touch()

    def save(self) -> None:
        """Remember the node for later commands."""
        part = self.cluster.folder / "node.part"
        part.write_text(json.dumps(asdict(self)))
        part.rename(self.cluster.folder / "node.json")

    def path(self, inside: str) -> Path:
        """Return where the host finds a file of the node."""
        return Path(f"/proc/{self.pid}/root") / inside.lstrip("/")

    def run(self, argv: Sequence[object], tools: Sequence[Path], note: Callable[[str], None] = lambda _: None) -> None:
        """Run a program inside the node, with `tools` first on its PATH; its output goes to the cluster's logs.

        Raises:
            ToolError: it failed.
        """
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--pid", "--"]
        log = self.cluster.logs / f"{Path(str(argv[0])).name}.log"
        process.logged([*enter, *argv], log, env=environment(tools), note=note)

    def reach_directly(self) -> None:
        """Keep this process, and what it starts, off a proxy that the user has for the internet."""
        for variable in ("NO_PROXY", "no_proxy"):
            os.environ[variable] = ",".join(filter(None, [os.environ.get(variable), self.address]))

    @property
    def _ready_mark(self) -> Path:
        return self.cluster.folder / "ready"


def find(name: str) -> Node | None:
    """Return the running node of the cluster called `name`, or None."""
    record = Cluster(name).folder / "node.json"
    if not record.exists():
        return None
    fields = json.loads(record.read_text())
    node = Node(Cluster(**fields.pop("cluster")), **fields)
    return node if node.alive else None


def environment(tools: Sequence[Path]) -> dict[str, str]:
    """Return a node's environment: the pinned tools first on PATH, and nothing of the user's."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": ":".join([*map(str, tools), system]), "HOME": "/root", "LANG": "C.UTF-8"}


def start_time(pid: int) -> int:
    """Return a process's start time in clock ticks after boot (proc(5), stat, field 22), 0 if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])

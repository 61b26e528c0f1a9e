"""Start and stop the node, leaving nothing behind on the host.

Everything of a node hangs on one process, the first of its PID namespace: killing it ends all processes, and with
them the mounts, the network and the iptables rules, which live in its namespaces. Only folders remain (state and
cgroups), and are removed here.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from chatctl import process
from chatctl.errors import ToolError, UserError
from chatctl.paths import state_dir

T = TypeVar("T")

SUBNETS = 64
NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


@dataclass(frozen=True)
class Cluster:
    """What a local cluster is known by; ports are on 127.0.0.1."""

    name: str = "chatapp"
    http_port: int = 8080
    https_port: int = 8443

    @property
    def folder(self) -> Path:
        """The folder with all of its state; gone when the cluster is down."""
        return state_dir() / self.name

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
    """A node that was started: its first process, and the number of its subnet.

    The start time tells the process from a later one of the same number.
    """

    cluster: Cluster
    pid: int
    started: int
    subnet: int

    @property
    def address(self) -> str:
        """The node's end of the cable."""
        return f"10.213.{self.subnet}.2"

    @property
    def host_address(self) -> str:
        """The host's end of the cable."""
        return f"10.213.{self.subnet}.1"

    @property
    def alive(self) -> bool:
        """Whether its first process still runs."""
        return _start_time(self.pid) == self.started

    def path(self, inside: str) -> Path:
        """Return where the host finds a file of the node."""
        return Path(f"/proc/{self.pid}/root") / inside.lstrip("/")

    def run(self, argv: Sequence[object], tools: Sequence[Path], note: Callable[[str], None] = lambda _: None) -> None:
        """Run a program inside the node, with `tools` first on its PATH; its output goes to the node's log.

        Raises:
            ToolError: it failed.
        """
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--pid", "--"]
        log = self.cluster.folder / "log" / f"{Path(str(argv[0])).name}.log"
        process.logged([*enter, *argv], log, env=_environment(tools), note=note)


def find(name: str) -> Node | None:
    """Return the running node of the cluster called `name`, or None."""
    record = state_dir() / name / "node.json"
    if not record.exists():
        return None
    fields = json.loads(record.read_text())
    node = Node(Cluster(**fields.pop("cluster")), **fields)
    return node if node.alive else None


def refuse_taken_ports(cluster: Cluster) -> None:
    """Check that the cluster's two ports are free.

    Raises:
        UserError: one is taken; the message names it and the option that changes it.
    """
    for port, option in ((cluster.http_port, "--http-port"), (cluster.https_port, "--https-port")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise UserError(
                    f"port {port} on 127.0.0.1 can't be used ({error.strerror}); "
                    f"stop what uses it, or choose another with {option}."
                ) from error


def start(cluster: Cluster, tools: Sequence[Path], configure: Callable[[Node], None]) -> Node:
    """Start the node's first process, plug in its network, and wait for its container runtime.

    Args:
        cluster: What to start; it must not be running.
        tools: Folders with the pinned tools.
        configure: Writes the configuration files into the cluster's folder, before anything in the node reads them.

    Raises:
        ToolError: it did not come up.
    """
    subnet = _free_subnet()
    for folder in ("log", "images", "var/lib/containerd", "var/lib/kubelet"):
        (cluster.folder / folder).mkdir(parents=True, exist_ok=True)
    configure(Node(cluster, 0, 0, subnet))
    _make_cgroups(cluster.cgroup)
    log = cluster.folder / "log" / "node.log"
    address = Node(cluster, 0, 0, subnet)
    environment = _environment(tools) | {
        "STATE": str(cluster.folder),
        "TOOLS": ":".join(map(str, tools)),
        "NODE_ADDRESS": address.address,
        "HOST_ADDRESS": address.host_address,
        "HTTP_PORT": str(cluster.http_port),
        "HTTPS_PORT": str(cluster.https_port),
    }
    with log.open("w") as output:
        unshare = subprocess.Popen(
            [*NAMESPACES, "bash", str(Path(__file__).parent / "node.sh"), "outer"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    pid = _wait_for(lambda: _only_child(unshare.pid), log)
    node = Node(cluster, pid, _start_time(pid), subnet)
    record = asdict(node)
    (cluster.folder / "node.json").write_text(json.dumps(record))
    _wait_for(lambda: _own_network(pid), log)
    _plug_in(node)
    _wait_for(lambda: node.path("/run/containerd/containerd.sock").exists(), log)
    return node


def stop(name: str) -> bool:
    """End the cluster called `name` and remove its state; return whether there was anything to end."""
    folder = state_dir() / name
    existed = folder.exists()
    node = find(name)
    if node is not None:
        os.kill(node.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while node.alive and time.monotonic() < deadline:
            time.sleep(0.05)
    _remove_cgroups(f"chatapp-{name}")
    if existed:
        shutil.rmtree(folder)
    return existed


def _environment(tools: Sequence[Path]) -> dict[str, str]:
    """Return a small environment: nothing of the user's reaches the node."""
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": ":".join([*map(str, tools), system]), "HOME": "/root", "LANG": "C.UTF-8"}


def _wait_for(condition: Callable[[], T], log: Path, seconds: float = 30) -> T:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise ToolError(f"the node did not get ready within {seconds:.0f} s; its log: {log}.")
        time.sleep(0.05)
    return found


def _only_child(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def _own_network(pid: int) -> bool:
    return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def _start_time(pid: int) -> int:
    """Return a process's start time in clock ticks after boot (proc(5), stat, field 22), 0 if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])


def _free_subnet() -> int:
    """Return a number n for which no address of this host is in 10.213.n.0/30."""
    listed = json.loads(process.output(["ip", "-json", "address"]))
    taken = {entry["local"].rpartition(".")[0] for link in listed for entry in link["addr_info"] if "local" in entry}
    return next(number for number in range(SUBNETS) if f"10.213.{number}" not in taken)


def _plug_in(node: Node) -> None:
    link = f"chatapp{node.subnet}"
    process.output(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(node.pid)])
    process.output(["ip", "address", "add", f"{node.host_address}/30", "dev", link])
    process.output(["ip", "link", "set", link, "up"])


def _hierarchies() -> list[Path]:
    """Return the roots below which the node gets a folder: one with cgroup v2, one a controller with v1."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _make_cgroups(name: str) -> None:
    for root in _hierarchies():
        (root / name).mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # cgroup v1: empty until filled, and then nothing may enter
            if (root / setting).exists() and (root / "tasks").exists():
                (root / name / setting).write_text((root / setting).read_text())


def _remove_cgroups(name: str) -> None:
    for root in _hierarchies():
        for folder, _, _ in os.walk(root / name, topdown=False):
            _wait_for(partial(_removed, Path(folder)), Path(folder))


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # its last process is still ending
    return True

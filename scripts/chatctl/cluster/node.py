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
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from chatctl import process
from chatctl.cluster import cgroups
from chatctl.cluster.model import Cluster, Node, environment, find, start_time
from chatctl.errors import ToolError, UserError
from chatctl.process import wait_for

SUBNETS = 64
NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


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
    shutil.rmtree(cluster.logs, ignore_errors=True)
    for folder in (
        cluster.logs,
        *(cluster.folder / name for name in ("images", "var/lib/containerd", "var/lib/kubelet")),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    log = cluster.logs / "node.log"
    cgroups.make(cluster.cgroup)
    with process.locked("subnet"):
        node = Node(cluster, _free_subnet())
        configure(node)
        with log.open("w") as output:
            unshare = subprocess.Popen(
                [*NAMESPACES, "bash", str(Path(__file__).parent / "node.sh"), "outer"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_settings(node, tools),
                cwd="/",
                start_new_session=True,
            )
        try:
            alive = lambda: unshare.poll() is None  # noqa: E731 - a name for what is asked in three places
            pid = wait_for(lambda: _only_child(unshare.pid), f"the node did not start; its log: {log}", alive)
            node = replace(node, pid=pid, started=start_time(pid))
            node.save()
            wait_for(lambda: _own_network(pid), f"the node did not enter its network; its log: {log}", alive)
            _plug_in(node)
        except BaseException:
            unshare.kill()
            unshare.wait()
            raise
    runtime = node.path("/run/containerd/containerd.sock")
    wait_for(runtime.exists, f"the node's container runtime did not start; its logs: {cluster.logs}", alive)
    return node


def stop(name: str) -> bool:
    """End the cluster called `name` and remove its state; return whether there was anything to end.

    Raises:
        ToolError: a process of it does not end.
    """
    cluster = Cluster(name)
    existed = cluster.folder.exists()
    node = find(name)
    if node is not None:
        os.kill(node.pid, signal.SIGKILL)
        wait_for(lambda: not node.alive, f"the first process of the node, {node.pid}, does not end")
        wait_for(lambda: not Path("/sys/class/net", node.link).exists(), f"the link {node.link} does not go")
    cgroups.remove(cluster.cgroup)
    if existed:
        shutil.rmtree(cluster.folder)
    return existed


def _settings(node: Node, tools: Sequence[Path]) -> dict[str, str]:
    """Return the environment that node.sh reads."""
    return environment(tools) | {
        "STATE": str(node.cluster.folder),
        "LOGS": str(node.cluster.logs),
        "NODE_ADDRESS": node.address,
        "HOST_ADDRESS": node.host_address,
        "HTTP_PORT": str(node.cluster.http_port),
        "HTTPS_PORT": str(node.cluster.https_port),
    }


def _only_child(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    except (OSError, IndexError):
        return 0


def _own_network(pid: int) -> bool:
    return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def _free_subnet() -> int:
    """Return a number n for which no address of this host is in 10.213.n.0/30, and no link is called `chatapp`n."""
    listed = json.loads(process.output(["ip", "-json", "address"]))
    taken = {entry["local"].rpartition(".")[0] for link in listed for entry in link["addr_info"] if "local" in entry}
    taken |= {link["ifname"] for link in listed}
    free = [number for number in range(SUBNETS) if not taken & {f"10.213.{number}", f"chatapp{number}"}]
    if not free:
        raise ToolError(
            f"all {SUBNETS} subnets for local clusters are in use; end one with `chatctl down --name NAME`."
        )
    return free[0]


def _plug_in(node: Node) -> None:
    process.output(["ip", "link", "add", node.link, "type", "veth", "peer", "name", "eth0", "netns", str(node.pid)])
    process.output(["ip", "address", "add", f"{node.host_address}/30", "dev", node.link])
    process.output(["ip", "link", "set", node.link, "up"])

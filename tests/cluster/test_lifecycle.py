"""`chatctl up` and `down`: from nothing to a chat, safe to repeat, refused in one sentence, nothing left behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatctl import process
from chatctl.cluster import bootstrap, node
from chatctl.cluster.node import Cluster
from chatctl.console import Steps
from chatctl.paths import state_dir
from chatctl.release import Release

from ..conftest import CHATCTL, Install, chatctl

SPARE = Cluster("spare", 8091, 8454)
SPARE_OPTIONS = ("--name", SPARE.name, "--http-port", SPARE.http_port, "--https-port", SPARE.https_port)
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def host_state() -> dict[str, set[str]]:
    """Return what a cluster could leave on the host: mounts, links, cgroups, iptables rules, state."""
    rules = process.output(["iptables-save"]).splitlines()
    return {
        "mounts": set(Path("/proc/mounts").read_text().splitlines()),
        "links": {line.split(":")[1] for line in process.output(["ip", "-oneline", "link"]).splitlines()},
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").rglob("chatapp-*")},
        "rules": {rule for rule in rules if not rule.startswith(("#", ":"))},
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


@pytest.fixture
def spare() -> Iterator[Cluster]:
    """A second cluster's name and ports, beside the test cluster; ended in any case."""
    yield SPARE
    node.stop(SPARE.name)


@pytest.mark.usefixtures("cluster")
def test_up_is_safe_to_repeat_and_down_leaves_nothing(helm: Path, spare: Cluster) -> None:
    before = host_state()

    up = chatctl("up", *SPARE_OPTIONS, show=True)
    assert up.returncode == 0, up.stderr
    assert "Where the time went" in up.stderr
    assert up.stdout.splitlines() == [
        f"export KUBECONFIG={spare.kubeconfig}",
        f"http://chatapp.localhost:{spare.http_port}/",
    ]
    release = Release(helm, spare.kubeconfig, "chatapp", "chatapp")
    pods = pod_identities(spare)

    again = chatctl("up", *SPARE_OPTIONS)
    assert again.returncode == 0, again.stderr
    assert "still revision 1, no pod restarted" in again.stderr
    assert release.status()["version"] == 1
    assert pod_identities(spare) == pods

    running = node.find(spare.name)
    assert running is not None
    spaces = namespaces(running.pid)
    assert processes_in(spaces)

    down = chatctl("down", "--name", spare.name)
    assert (down.returncode, down.stdout) == (0, f"The local cluster {spare.name} is down.\n")
    assert processes_in(spaces) == []
    assert host_state() == before

    down_again = chatctl("down", "--name", spare.name)
    assert (down_again.returncode, down_again.stdout) == (
        0,
        f"There is no local cluster {spare.name}: nothing to do.\n",
    )


def pod_identities(cluster: Cluster) -> str:
    """Return name, uid and restarts of every pod that is not a test's."""
    columns = "custom-columns=:metadata.uid,:metadata.name,:status.containerStatuses[*].restartCount"
    kubectl = [bootstrap.prepare(Steps())["kubectl"], f"--kubeconfig={cluster.kubeconfig}"]
    return process.output(
        [*kubectl, "get", "pods", "-n", "chatapp", "-l", "app.kubernetes.io/component=app", "-o", columns]
    )


def test_node_that_died_is_no_cluster_and_is_cleared(spare: Cluster) -> None:
    before = host_state()
    tools = bootstrap.prepare(Steps())
    folders = sorted({path.parent for path in tools.values()})
    started = node.start(spare, folders, lambda new: bootstrap.configure(new, tools))
    spaces = namespaces(started.pid)
    os.kill(started.pid, signal.SIGKILL)

    status = chatctl("status", "--name", spare.name)
    assert status.returncode == 1
    assert status.stderr == f"chatctl: there is no local cluster {spare.name}; start it with `chatctl up`.\n"

    assert chatctl("down", "--name", spare.name).returncode == 0
    assert processes_in(spaces) == []
    assert host_state() == before


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("ingress: {paths: {api: api}}", "ingress.paths.api: 'api' does not fit"),
        ("replicas: 3", "replicas: not allowed"),
        ("ingress: {routes: {auth: {port: nothing}}}", "ingress.routes.auth"),
        ("image: [", "not a values file in YAML"),
    ],
)
def test_wrong_value_is_refused_by_name(tmp_path: Path, values: str, sentence: str) -> None:
    before = host_state()
    file = tmp_path / "mine.yaml"
    file.write_text(values)
    refused(chatctl("up", *SPARE_OPTIONS, "-f", file), sentence)
    assert host_state() == before


def test_missing_values_file_is_refused_by_name(tmp_path: Path) -> None:
    refused(chatctl("up", *SPARE_OPTIONS, "-f", tmp_path / "none.yaml"), f"{tmp_path}/none.yaml: there is no such")


def test_root_is_asked_for() -> None:
    done = subprocess.run([*NOBODY, CHATCTL, "up"], capture_output=True, text=True, check=False)
    refused(done, "the local cluster needs root")
    done = subprocess.run([*NOBODY, CHATCTL, "down"], capture_output=True, text=True, check=False)
    refused(done, "ending the local cluster needs root")


@pytest.mark.parametrize(("option", "port"), [("--http-port", SPARE.http_port), ("--https-port", SPARE.https_port)])
def test_taken_port_is_named_with_the_way_out(option: str, port: int) -> None:
    before = host_state()
    with socket.create_server(("127.0.0.1", port)):
        refused(chatctl("up", *SPARE_OPTIONS), f"port {port} on 127.0.0.1 can't be used", option)
    assert host_state() == before


def test_image_that_does_not_exist_is_named_before_anything_starts() -> None:
    before = host_state()
    refused(chatctl("up", *SPARE_OPTIONS, "--image", "localhost/none:1"), "the image localhost/none:1 is neither")
    assert host_state() == before


def test_text_that_is_no_image_reference_is_refused() -> None:
    refused(chatctl("up", *SPARE_OPTIONS, "--image", "No Image"), "'No Image' is not an image reference")


def test_image_that_an_existing_cluster_cannot_have_is_taken_back(cluster: Cluster, helm: Path) -> None:
    to = ("--kubeconfig", cluster.kubeconfig, "--release", "broken", "-n", "cluster-broken")
    refused(
        chatctl("up", *to, "--image", "localhost/none:1"), "the image localhost/none:1 can't be had", "ErrImagePull"
    )
    assert Release(helm, cluster.kubeconfig, "broken", "cluster-broken").status() == {}


def test_upgrade_to_an_image_that_cannot_be_had_is_rolled_back(cluster: Cluster, helm: Path, install: Install) -> None:
    good = install("upgraded", "cluster-upgraded", {})
    to = ("--kubeconfig", cluster.kubeconfig, "--release", good.name, "-n", good.namespace)
    refused(chatctl("up", *to, "--image", "localhost/none:1"), "the image localhost/none:1 can't be had")
    release = Release(helm, cluster.kubeconfig, good.name, good.namespace)
    assert release.status()["info"]["description"] == "Rollback to 1"
    assert release.values()["image"]["repository"] == "chatapp"


def test_existing_cluster_gets_the_release_and_nothing_else(cluster: Cluster, helm: Path) -> None:
    to = ("--kubeconfig", cluster.kubeconfig, "--release", "only", "-n", "cluster-only")
    done = chatctl("up", *to, "--image", "chatapp:0.1.0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "http://only-chatapp.localhost/"
    found = Release(helm, cluster.kubeconfig, "only", "cluster-only").helm_run("list", "--short")
    assert found.stdout.split() == ["only"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--kubeconfig", "/none"), "there is no kubeconfig at /none"),
        (("--kubeconfig", "/etc/hostname"), "there is no public image"),
    ],
)
def test_existing_cluster_needs_a_kubeconfig_and_an_image(arguments: tuple[str, ...], sentence: str) -> None:
    refused(chatctl("up", *arguments), sentence)


def test_tool_that_is_not_pinned_is_refused_with_those_that_are() -> None:
    refused(chatctl("tools", "tiller"), "there is no tool 'tiller'", "helm", "kubectl")


def refused(done: "subprocess.CompletedProcess[str]", *parts: str) -> None:
    """It was a user's mistake, said without a trace, each of the parts in it."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr.partition("chatctl: ")[2]
    for part in parts:
        assert part in said

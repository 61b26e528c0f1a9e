"""`chatctl up` and `down`: from nothing to a chat, safe to repeat, refused in one sentence, nothing left behind."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatctl import images, process
from chatctl.cluster import bootstrap, node
from chatctl.cluster.model import Cluster, Node, find
from chatctl.console import Steps
from chatctl.release import Release

from ..conftest import CHATCTL, chatctl
from .host import SPARE, SPARE_OPTIONS, host_state, namespaces, processes_in


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
    assert spare.kubeconfig.stat().st_mode & 0o777 == 0o600
    release = Release(helm, spare.kubeconfig, "chatapp", "chatapp")
    pods = pod_identities(spare)

    again = chatctl("up", *SPARE_OPTIONS)
    assert again.returncode == 0, again.stderr
    assert "still revision 1, no pod restarted" in again.stderr
    assert release.status()["version"] == 1
    assert pod_identities(spare) == pods

    running = find(spare.name)
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


def start_node(spare: Cluster) -> Node:
    """Start the node alone, without Kubernetes, as an interrupted `chatctl up` leaves it."""
    tools = bootstrap.prepare(Steps())
    folders = sorted({path.parent for path in tools.values()})
    return node.start(spare, folders, lambda new: bootstrap.configure(new, tools))


def test_node_that_died_is_no_cluster_and_is_cleared(spare: Cluster) -> None:
    before = host_state()
    started = start_node(spare)
    spaces = namespaces(started.pid)
    os.kill(started.pid, signal.SIGKILL)

    status = chatctl("status", "--name", spare.name)
    assert status.returncode == 1
    assert status.stderr == f"chatctl: there is no local cluster {spare.name}; start it with `chatctl up`.\n"

    assert chatctl("down", "--name", spare.name).returncode == 0
    assert processes_in(spaces) == []
    assert host_state() == before


def test_start_that_was_interrupted_is_cleared_by_the_next(spare: Cluster) -> None:
    before = host_state()
    started = start_node(spare)
    assert not started.ready
    done = chatctl("up", *SPARE_OPTIONS, "--image", "No Image")
    assert "is not an image reference" in done.stderr
    assert find(spare.name) is None
    assert host_state() == before


def test_second_command_waits_for_the_first_and_can_be_interrupted(spare: Cluster) -> None:
    with process.locked(f"cluster-{spare.name}"):
        # Who starts the tests in the background may have had interrupts ignored.
        argv = ["env", "--default-signal=INT", str(CHATCTL), "down", "--name", spare.name]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as second:
            assert second.stderr is not None
            said = second.stderr.readline()
            second.send_signal(signal.SIGINT)
            assert second.communicate() == ("", "")
    assert said == f"Waiting for another chatctl to finish with cluster-{spare.name} …\n"
    assert second.returncode == 130


def test_existing_cluster_gets_the_release_and_nothing_else(cluster: Cluster, helm: Path) -> None:
    to = ("--kubeconfig", cluster.kubeconfig, "--release", "only", "-n", "cluster-only")
    done = chatctl("up", *to, "--image", "chatapp:0.2.0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "http://only-chatapp.localhost/"
    found = Release(helm, cluster.kubeconfig, "only", "cluster-only").helm_run("list", "--short")
    assert found.stdout.split() == ["only"]


def test_own_image_runs_on_the_local_cluster_under_a_name_made_of_its_content(cluster: Cluster, helm: Path) -> None:
    """The image of `buildah build -t team/chat:1.0`, as the README has it: here the reference app, under that name."""
    archive = images.app_image(images.base_image(Steps()).archive, Steps()).archive
    identity = process.output(["buildah", "pull", "--quiet", f"oci-archive:{archive}"]).strip()
    process.output(["buildah", "tag", identity, "localhost/team/chat:1.0"])
    try:
        to = ("--name", cluster.name, "--release", "own", "-n", "cluster-own")
        done = chatctl("up", *to, "--image", "team/chat:1.0")
    finally:
        process.output(["buildah", "rmi", "--force", identity])
    assert done.returncode == 0, done.stderr
    image = Release(helm, cluster.kubeconfig, "own", "cluster-own").values()["image"]
    assert (image["registry"], image["repository"], image["tag"]) == ("localhost", "chat", identity[:12])
    assert images.app_image(images.base_image(Steps()).archive, Steps()).archive == archive


def test_interrupted_up_is_cleared_by_the_next_command(spare: Cluster) -> None:
    before = host_state()
    argv = [str(CHATCTL), "up", *map(str, SPARE_OPTIONS)]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as up:
        process.wait_for(lambda: find(spare.name), "the node did not start", lambda: up.poll() is None)
        up.terminate()
    assert up.returncode == 128 + signal.SIGTERM
    assert host_state() == before

    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as up:
        started = process.wait_for(lambda: find(spare.name), "the node did not start", lambda: up.poll() is None)
        up.kill()
    assert started is not None
    assert not started.ready
    spaces = namespaces(started.pid)
    assert "there is no local cluster" in chatctl("status", "--name", spare.name).stderr
    assert chatctl("down", "--name", spare.name).returncode == 0
    assert processes_in(spaces) == []
    assert host_state() == before


def test_kubeconfig_and_helm_settings_of_the_user_do_not_matter(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / ".kube" / "config"
    trap.parent.mkdir()
    trap.write_text("not: [a kubeconfig")
    before = trap.stat()
    monkeypatch.setenv("KUBECONFIG", str(trap))
    monkeypatch.setenv("HELM_KUBECONTEXT", "production")
    monkeypatch.setenv("HELM_NAMESPACE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    done = chatctl("up", "--name", cluster.name)
    assert done.returncode == 0, done.stderr
    assert trap.stat() == before

"""`chatctl up` and `down`: from a bare machine, or an existing cluster, to a release that answers."""

import os
import platform
import socket
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from chatctl import certificates, images, process, release, toolchain
from chatctl.cluster import bootstrap
from chatctl.cluster import node as nodes
from chatctl.cluster.model import Cluster, Node, find
from chatctl.console import Steps
from chatctl.errors import ToolError, UserError
from chatctl.paths import repository
from chatctl.release import Release

HANDSHAKE_SECONDS = 30
DEFAULT_IMAGE = "docker.io/library/chatapp:{version}"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""The label that makes the local namespace refuse pods which the restricted Pod Security Standard does not allow."""


@dataclass(frozen=True)
class Outcome:
    """What `up` ended with: the release, and where its page is."""

    release: Release
    urls: Sequence[str]


def up_local(cluster: Cluster, name: str, namespace: str, image: str, values: Sequence[Path], steps: Steps) -> Outcome:
    """Start the local cluster if need be and install the release in it.

    Args:
        cluster: Name and ports; a running cluster is used with the ports it has, if none other are asked for.
        name: The release.
        namespace: Where it goes; made if it is not there.
        image: The user's image, or "" for the reference app.
        values: Values files, later ones win.
        steps: Where progress is shown.

    Raises:
        UserError: not root, a port is taken, the image or a value is wrong: nothing was changed. Or the release's pods
            can't run: the release was taken back, the cluster stays.
        ToolError: a build, the cluster or the installation failed.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise UserError("the local cluster runs on Linux on x86-64 only; name an existing one with --kubeconfig.")
    if os.geteuid() != 0:
        raise UserError(
            "the local cluster needs root, for its namespaces and mounts; "
            "run this as root, or name an existing cluster with --kubeconfig and --image."
        )
    os.umask(0o022)  # what is made here is read by other users inside the containers
    with process.locked(f"cluster-{cluster.name}"):
        return _up_local(cluster, name, namespace, image, values, steps)


def up_existing(
    kubeconfig: Path, name: str, namespace: str, image: str, values: Sequence[Path], steps: Steps
) -> Outcome:
    """Install the release, and nothing else, in the cluster that `kubeconfig` names.

    Raises:
        UserError: the file is missing, no image is named, a value is wrong: nothing was changed. Or the release's pods
            can't run: it was taken back.
        ToolError: Helm or the cluster failed.
    """
    if not kubeconfig.is_file():
        raise UserError(f"there is no kubeconfig at {kubeconfig}; name the file your cluster's tool wrote.")
    if not image and not values:
        raise UserError("there is no public image of the app; name yours with --image, or in a values file with -f.")
    overrides = release.image_values(image) if image else {}
    target = Release(toolchain.ensure(["helm"], steps)["helm"], kubeconfig.resolve(), name, namespace)
    outcome = _install(target, values, overrides, (None, None), {}, steps)
    release.test(target, steps)
    return outcome


def down(name: str) -> bool:
    """End the local cluster; return whether there was one."""
    if os.geteuid() != 0:
        raise UserError("ending the local cluster needs root, as starting it did; run this as root.")
    with process.locked(f"cluster-{Cluster(name).name}"):
        return nodes.stop(name)


def handshake(url: str, path: str, note: Callable[[str], None] = lambda _: None) -> None:
    """Open a WebSocket at a local cluster's page address, and close it again.

    The connection goes to loopback whatever the host name is, as the ingress controller is there. A controller needs a
    moment to learn of a new route, so a refusal is final only after `HANDSHAKE_SECONDS`. A certificate is not verified:
    local ones are self-signed.

    Raises:
        ToolError: there was no 101.
    """
    page = urllib.parse.urlsplit(url)
    secure = page.scheme == "https"
    deadline = time.monotonic() + HANDSHAKE_SECONDS
    while True:
        try:
            with connect(
                f"{'wss' if secure else 'ws'}://{page.netloc}{path}",
                sock=socket.create_connection(("127.0.0.1", page.port or (443 if secure else 80)), timeout=10),
                ssl=certificates.unverified() if secure else None,
                origin=Origin(f"{page.scheme}://{page.netloc}"),
                proxy=None,
            ):
                return
        except InvalidStatus as error:
            reason = f"it answered {error.response.status_code}, not 101"
        except (OSError, WebSocketException) as error:
            reason = str(error) or type(error).__name__
        if time.monotonic() > deadline:
            raise ToolError(f"no WebSocket at {url}, path {path}: {reason}.")
        note(reason)
        time.sleep(0.2)


def _up_local(cluster: Cluster, name: str, namespace: str, image: str, values: Sequence[Path], steps: Steps) -> Outcome:
    running = _running(cluster)
    if running is None:
        nodes.refuse_taken_ports(cluster)
    overrides = release.image_values(image) if image else {}
    with tempfile.TemporaryDirectory() as scratch:
        # A wrong image or value is refused before the long work.
        own = images.user_image(image, Path(scratch), steps) if image else None
        target = Release(toolchain.ensure(["helm"], steps)["helm"], cluster.kubeconfig, name, namespace)
        planned = release.plan(target, values, overrides)
        tools = bootstrap.prepare(steps)
        base = images.base_image(steps)
        found = own or images.app_image(base.archive, steps)
        archives = [base.archive, found.archive]
        if running is None:
            node = bootstrap.start(cluster, tools, archives, steps)
        else:
            node = running
            node.reach_directly()
            bootstrap.import_images(node, tools, archives)
    bootstrap.tag_image(node, tools, base.reference, bootstrap.default_image("tests"))
    if bootstrap.default_image("valkey") in planned.text:
        bootstrap.bring_store(node, tools, steps)
    if not image:
        # The name that the chart has by default, so that `helm install` by hand finds the reference app.
        bootstrap.tag_image(node, tools, found.reference, DEFAULT_IMAGE.format(version=_chart_app_version()))
        if "image" in release.keys(values):
            steps.say("The image that the values name is not used here; --image REF runs one of your own.")
    ports = (node.cluster.http_port, node.cluster.https_port)
    outcome = _install(target, values, release.image_values(found.reference), ports, RESTRICTED, steps)
    bootstrap.wait_until_ready(node.cluster, tools["kubectl"], steps)
    release.test(target, steps)
    path = target.values()["ingress"]["paths"].get("ws")
    if path and outcome.urls:
        with steps.step("A WebSocket handshake through the ingress") as note:
            handshake(outcome.urls[0], path, note)
    return outcome


def _running(cluster: Cluster) -> Node | None:
    """Return the cluster's node if it runs; what an interrupted start left is cleared.

    Raises:
        UserError: it runs on other ports than those asked for.
    """
    running = find(cluster.name)
    if running is not None and not running.ready:
        nodes.stop(cluster.name)
        return None
    if running is not None and running.cluster != cluster and cluster != Cluster(cluster.name):
        raise UserError(
            f"the local cluster {cluster.name} runs on ports {running.cluster.http_port} and "
            f"{running.cluster.https_port}; to change them, end it first with `chatctl down --name {cluster.name}`."
        )
    return running


def _install(
    target: Release,
    values: Sequence[Path],
    overrides: Mapping[str, Any],
    ports: tuple[int | None, int | None],
    labels: Mapping[str, str],
    steps: Steps,
) -> Outcome:
    rendered, changed = release.install(target, values, overrides, labels, steps)
    if not changed:
        revision = target.status()["version"]
        steps.say(f"Release {target.name} is as it should be: still revision {revision}, no pod restarted.")
    return Outcome(target, release.addresses(rendered.objects, *ports))


def _chart_app_version() -> str:
    """Return the chart's appVersion, which is its image's default tag."""
    return str(yaml.safe_load((repository() / "chart" / "Chart.yaml").read_text())["appVersion"])

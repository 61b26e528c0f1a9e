"""What is refused: in one sentence, with exit code 1 for a user's mistake and 2 for trouble, and nothing half-done."""

import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatctl.cluster.model import Cluster
from chatctl.release import Release
from chatctl.workload import connect

from ..conftest import CHATCTL, Install, chatctl
from .host import NOBODY, SPARE, SPARE_OPTIONS, host_state


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ("ingress: {paths: {api: api}}", "ingress.paths.api: 'api' does not fit"),
        ("replicas: 3", "replicas: not allowed"),
        ("ingress: {routes: {auth: {port: nothing}}}", "ingress.routes.auth"),
        ("image: [", "mine.yaml:1: not YAML"),
    ],
)
def test_wrong_value_is_refused_by_name(tmp_path: Path, values: str, sentence: str) -> None:
    before = host_state()
    file = tmp_path / "mine.yaml"
    file.write_text(values)
    refused(chatctl("up", *SPARE_OPTIONS, "-f", file), sentence)
    assert host_state() == before


@pytest.mark.parametrize("name", ["", ".", "..", "../victim", "/etc", "Chat", "-x", "x" * 33])
@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_name_that_could_lead_elsewhere_is_refused(command: str, name: str) -> None:
    refused(chatctl(command, f"--name={name}"), f"{name!r} can't name a local cluster")


def test_one_port_cannot_serve_both_schemes() -> None:
    refused(chatctl("up", "--http-port", "8091", "--https-port", "8091"), "port 8091 can't serve both")


def test_ports_of_a_running_cluster_are_not_changed_silently(cluster: Cluster) -> None:
    done = chatctl("up", "--name", cluster.name, "--http-port", "8092", "--https-port", "8455")
    refused(done, f"runs on ports {cluster.http_port} and {cluster.https_port}", "chatctl down")


@pytest.mark.parametrize(
    ("option", "sentence"), [("--nope", "No such option: --nope"), ("--http-port=x", "--http-port")]
)
def test_option_that_is_not_as_it_should_be_is_named(option: str, sentence: str) -> None:
    refused(chatctl("up", option), sentence, "see `chatctl -h`")


def test_missing_values_file_is_refused_by_name(tmp_path: Path) -> None:
    refused(chatctl("up", *SPARE_OPTIONS, "-f", tmp_path / "none.yaml"), f"{tmp_path}/none.yaml: there is no such")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("up", "the local cluster needs root"),
        ("down", "ending the local cluster needs root"),
        ("status", "the local cluster answers to root alone"),
    ],
)
def test_root_is_asked_for(command: str, sentence: str) -> None:
    done = subprocess.run([*NOBODY, CHATCTL, command], capture_output=True, text=True, check=False)
    refused(done, sentence)


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
    namespaces: list[Any] = list(connect(cluster.kubeconfig).get("namespaces"))
    assert "cluster-broken" not in [each.name for each in namespaces]


def test_upgrade_to_an_image_that_cannot_be_had_is_rolled_back(cluster: Cluster, helm: Path, install: Install) -> None:
    good = install("upgraded", "cluster-upgraded", {})
    to = ("--kubeconfig", cluster.kubeconfig, "--release", good.name, "-n", good.namespace)
    refused(chatctl("up", *to, "--image", "localhost/none:1"), "the image localhost/none:1 can't be had")
    release = Release(helm, cluster.kubeconfig, good.name, good.namespace)
    assert release.status()["info"]["description"] == "Rollback to 1"
    assert release.values()["image"]["repository"] == "chatapp"


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


@pytest.mark.parametrize("content", ["", "not: [yaml", "apiVersion: v1\nkind: Config\n"])
def test_file_that_is_no_kubeconfig_is_the_tool_s_trouble_in_one_sentence(tmp_path: Path, content: str) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(content)
    done = chatctl("up", "--kubeconfig", kubeconfig, "--image", "chatapp:0.2.0")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "chatctl: Helm can't ask the cluster" in done.stderr


def test_cluster_that_does_not_answer_is_the_tool_s_trouble(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(re.sub(r"server: .*", "server: https://127.0.0.1:9", cluster.kubeconfig.read_text()))
    done = chatctl("up", "--kubeconfig", kubeconfig, "--image", "chatapp:0.2.0")
    assert done.returncode == 2, done.stderr
    assert "connection refused" in done.stderr


def refused(done: "subprocess.CompletedProcess[str]", *parts: str) -> None:
    """It was a user's mistake, said without a trace, each of the parts in it."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr.partition("chatctl: ")[2]
    for part in parts:
        assert part in said

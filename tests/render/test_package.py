"""What `helm package` takes along, and what a person reads after the installation."""

import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatctl.package import keep, package
from chatctl.render import Request, client_env, render

from .view import CHART


def test_package_has_the_schema_and_not_the_value_sets(tmp_path: Path) -> None:
    with tarfile.open(package(CHART, tmp_path)) as archive:
        names = {name.removeprefix("chatapp/") for name in archive.getnames()}
    assert {
        "values.schema.json",
        "README.md",
        "files/runtime-config.js",
        "files/handshake.sh",
        "files/valkey.sh",
    } <= names
    assert not {name for name in names if name.startswith("ci/")}


def test_two_checkouts_make_the_same_package(tmp_path: Path, chart_copy: Path) -> None:
    """Whenever, and with whatever umask, their files were written."""
    for file in (path for path in chart_copy.rglob("*") if path.is_file()):
        file.chmod(0o600)
        os.utime(file, (1, 1))
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = package(CHART, tmp_path / "here"), package(chart_copy, tmp_path / "there")
    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()


def test_kept_release_renders_as_it_did_when_it_was_kept(helm: Path, tmp_path: Path) -> None:
    folder = keep(CHART, tmp_path)
    values = folder / "everything-values.yaml"
    again = render(Request(helm, folder / f"chatapp-{folder.name}.tgz", (values,), release="chatapp", namespace="chat"))
    assert again.text == (folder / "everything.yaml").read_text()


def test_artifact_hub_is_told_what_it_understands() -> None:
    """artifacthub.io/docs/topics/annotations/helm."""
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    assert {name.removeprefix("artifacthub.io/") for name in annotations} == {
        "category",
        "license",
        "images",
        "changes",
    }
    changes = yaml.safe_load(annotations["artifacthub.io/changes"])
    assert all(each.keys() == {"kind", "description"} for each in changes)
    assert {each["kind"] for each in changes} <= {"added", "changed", "deprecated", "removed", "fixed", "security"}
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    defaults = [values["valkey"]["image"], values["tests"]["image"]]
    images = yaml.safe_load(annotations["artifacthub.io/images"])
    assert [each["image"] for each in images] == [
        f"{image['registry']}/{image['repository']}:{image['tag']}" for image in defaults
    ]


def notes(helm: Path, folder: Path, release: str = "chatapp", **values: Any) -> str:
    """What `helm install` would print, asked without a cluster."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    argv: list[str | Path] = [helm, "install", release, CHART, "--namespace=talk", "--dry-run=client", "--values", file]
    # A kubeconfig that does not exist: nothing may ask a cluster.
    env = client_env() | {"KUBECONFIG": str(folder / "none")}
    output = subprocess.run(argv, check=True, capture_output=True, text=True, env=env).stdout
    return output.partition("\nNOTES:\n")[2]


def test_notes_give_the_address_and_the_next_command(helm: Path, tmp_path: Path) -> None:
    text = notes(helm, tmp_path)
    assert "  http://chatapp.localhost/\n" in text
    assert "  helm test chatapp -n talk --logs\n" in text
    assert "TLS" not in text


@pytest.mark.parametrize(
    ("ingress", "address"),
    [
        ({"tls": [{"secretName": "x"}]}, "https://chat.example.com/\n"),
        ({}, "http://chat.example.com/\n"),
        ({"paths": {"web": "/chat", "api": "/chat/api", "ws": "/chat/wss"}}, "http://chat.example.com/chat\n"),
        ({"hosts": ["a.b.com"], "tls": [{"hosts": ["*.b.com"]}]}, "https://a.b.com/\n"),
        ({"hosts": ["*.b.com"], "tls": [{}]}, "https://<name>.b.com/  for any name under b.com\n"),
    ],
)
def test_notes_know_scheme_and_path(helm: Path, tmp_path: Path, ingress: dict[str, Any], address: str) -> None:
    text = notes(helm, tmp_path, ingress={"hosts": ["chat.example.com"]} | ingress)
    assert f"  {address}" in text
    assert ("set ingress.tls for chat.example.com" in text) is address.startswith("http:")


@pytest.mark.parametrize(
    ("parent", "scheme"), [({}, "http"), ({"sectionName": "https"}, "https"), ({"port": 443}, "https")]
)
def test_notes_know_the_gateways_hosts(helm: Path, tmp_path: Path, parent: dict[str, Any], scheme: str) -> None:
    route = {"enabled": True, "parentRefs": [{"name": "web", **parent}], "hostnames": ["chat.example.com"]}
    text = notes(helm, tmp_path, ingress={"enabled": False, "hosts": ["other.example.com"]}, httpRoute=route)
    assert f"Open the chat:\n  {scheme}://chat.example.com/\n" in text
    assert "other.example.com" not in text
    assert ("name an https listener in httpRoute.parentRefs" in text) is (scheme == "http")


def test_notes_without_page_list_the_routes(helm: Path, tmp_path: Path) -> None:
    text = notes(helm, tmp_path, ingress={"paths": {"web": "", "api": "/api"}})
    assert "The routes answer at:\n  http://chatapp.localhost/api\n  http://chatapp.localhost/wss\n" in text
    assert "Open the chat" not in text


def test_notes_name_helm_test_where_there_is_one(helm: Path, tmp_path: Path) -> None:
    assert "helm test" not in notes(helm, tmp_path, ingress={"paths": {"ws": ""}})


def test_notes_say_how_an_image_gets_there_until_one_is_named(helm: Path, tmp_path: Path) -> None:
    assert 'The image "chatapp:0.2.0"' in notes(helm, tmp_path)
    assert "image" not in notes(helm, tmp_path, image={"registry": "registry.example.com"})
    assert "image" not in notes(helm, tmp_path, image={"repository": "registry.example.com/chatapp"})


def test_notes_without_ingress_forward_the_ports(helm: Path, tmp_path: Path) -> None:
    text = notes(helm, tmp_path, "other", ingress={"enabled": False}, service={"ports": {"web": 80}})
    assert "  kubectl port-forward -n talk service/other-chatapp 3000:80  # web\n" in text
    assert "http://" not in text


def test_notes_warn_of_names_that_lead_nowhere(helm: Path, tmp_path: Path) -> None:
    hosts = ["chat.example.com", "chat.example.org.uk", "myexample.com"]
    text = notes(helm, tmp_path, ingress={"hosts": hosts, "tls": [{"secretName": "x"}]})
    assert "chat.example.com is a name for examples" in text
    assert text.count("is a name for examples") == 1


@pytest.mark.parametrize(
    ("valkey", "said"),
    [
        ({}, "There is no store (valkey): one pod"),
        ({"enabled": True, "auth": {"existingSecret": "x"}}, ""),
        (
            {"enabled": True, "auth": {"existingSecret": "x"}, "persistence": {"enabled": False}},
            "The store has no volume",
        ),
        ({"external": {"host": "x"}, "auth": {"password": "x"}}, "The store's password stands in the release's values"),
    ],
)
def test_notes_say_what_becomes_of_messages(helm: Path, tmp_path: Path, valkey: dict[str, Any], said: str) -> None:
    text = notes(helm, tmp_path, valkey=valkey)
    assert said in text
    assert len([line for line in text.splitlines() if "store" in line]) == int(said != "")

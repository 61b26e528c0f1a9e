"""Images without a registry, and the references that name them."""

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from chatctl.errors import UserError
from chatctl.images import Image, write_archive
from chatctl.release import image_values


@pytest.mark.parametrize(
    ("reference", "registry", "repository", "tag", "digest"),
    [
        ("chat", "", "chat", "latest", ""),
        ("team/chat:1.0", "", "team/chat", "1.0", ""),
        ("localhost/chat:1", "localhost", "chat", "1", ""),
        ("registry.example.com:5000/team/chat", "registry.example.com:5000", "team/chat", "latest", ""),
        (f"ghcr.io/team/chat@sha256:{'a' * 64}", "ghcr.io", "team/chat", "", f"sha256:{'a' * 64}"),
        (f"ghcr.io/chat:1@sha256:{'a' * 64}", "ghcr.io", "chat", "1", f"sha256:{'a' * 64}"),
    ],
)
def test_reference_becomes_the_chart_s_values(
    reference: str, registry: str, repository: str, tag: str, digest: str
) -> None:
    assert image_values(reference) == {
        "image": {"registry": registry, "repository": repository, "tag": tag, "digest": digest}
    }


@pytest.mark.parametrize("reference", ["", "Chat", "chat:", "chat@sha256:12", "a b", "https://example.com/chat"])
def test_text_that_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(UserError, match="is not an image reference"):
        image_values(reference)


def test_archive_holds_each_image_under_its_name_and_each_layer_once(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    target = tmp_path / "archive.tar"
    files = {"/usr/local/bin/program": program}
    run = Image("localhost/a:1", files, entrypoint=["program"])
    write_archive(target, [run, Image("localhost/b:1", files), replace(run, name="localhost/c:1")])

    with tarfile.open(target) as archive:
        names = archive.getnames()
        contents = {name: read(archive, name) for name in names}
    assert len(contents) == len(names)
    index = json.loads(contents["index.json"])
    names = [entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]]
    assert names == ["localhost/a:1", "localhost/b:1", "localhost/c:1"]
    for name, content in contents.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.removeprefix("blobs/sha256/")
    manifests = [json.loads(contents[blob(entry["digest"])]) for entry in index["manifests"]]
    assert manifests[0]["layers"] == manifests[1]["layers"]
    assert manifests[0] == manifests[2]
    config = json.loads(contents[blob(manifests[0]["config"]["digest"])])
    assert config["config"]["Entrypoint"] == ["program"]


def blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def read(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()

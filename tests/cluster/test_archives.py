"""What an empty cache makes the local cluster's images of, in small: made once, named by what went into them."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chatctl import images, packages, toolchain
from chatctl.cluster import bootstrap
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.paths import cache_dir

CONTAINERFILE = "ARG BASE\nFROM ${BASE}\nCOPY chatapp /app/\n"
MMDEBSTRAP = """#!/bin/sh
# A Debian of one file; the real one takes half a minute and a mirror.
for target; do :; done
exec tar --create --file "$target" --directory "$(dirname "$0")" mmdebstrap
"""


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Steps that begin with an empty cache, on a machine that has the packages."""
    packages.ensure({**packages.IMAGES, **packages.NODE}, Steps())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Steps(Console(file=io.StringIO()))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app of one file."""
    folder = tmp_path / "repository/app"
    (folder / "chatapp").mkdir(parents=True)
    (folder / "Containerfile").write_text(CONTAINERFILE)
    (folder / "chatapp/main.py").write_text("print('hello')\n")
    monkeypatch.setattr(images, "repository", lambda: tmp_path / "repository")
    return folder


def names(archive: Path) -> list[str]:
    """Return the references of the images in an OCI archive."""
    with tarfile.open(archive) as opened:
        stream = opened.extractfile("index.json")
        assert stream is not None
        index: dict[str, Any] = json.load(stream)
    return [name for each in index["manifests"] for name in each["annotations"].values()]


def test_images_are_made_once_and_anew_when_their_content_changes(
    steps: Steps, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text(MMDEBSTRAP)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    base = images.base_image(steps)
    found = images.app_image(base.archive, steps)
    assert names(base.archive) == [base.reference] == ["localhost/base:1"]
    assert names(found.archive) == [found.reference]

    assert (images.base_image(steps), images.app_image(base.archive, steps)) == (base, found)
    assert [title for title, _ in steps.taken] == ["Building the base image", "Building image chatapp"]

    (app / "chatapp/main.py").write_text("print('good-bye')\n")
    changed = images.app_image(base.archive, steps)
    assert changed.reference != found.reference
    assert names(changed.archive) == [changed.reference]
    assert sorted(file.suffix for file in (cache_dir() / "images").iterdir()) == [".tar"] * 3


def test_base_image_that_cannot_be_built_leaves_nothing(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "BASE_SUITE", "nonesuch")
    with pytest.raises(ToolError, match=r"mmdebstrap failed: .*logs/mmdebstrap\.log\)"):
        images.base_image(steps)
    assert list((cache_dir() / "images").iterdir()) == []


def test_every_program_of_the_cluster_becomes_an_image_of_its_version(steps: Steps, tmp_path: Path) -> None:
    programs = [*bootstrap.CONTROL_PLANE, *bootstrap.ADDON_TOOLS]
    tools = {name: tmp_path / f"{name}-c0ffee" / name for name in programs}
    for file in tools.values():
        file.parent.mkdir()
        file.write_text("#!/bin/sh\n")
    archive = bootstrap._system_archive(tools, steps)
    assert archive == cache_dir() / "images/system-c0ffee.tar"
    made = [f"localhost/{name}:{toolchain.TOOLS[name].version}" for name in programs]
    assert names(archive) == [*made, "localhost/pause:1"]

    assert bootstrap._system_archive(tools, steps) == archive
    assert len(steps.taken) == 1

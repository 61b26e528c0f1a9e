"""`ct lint` in changed mode, in a clone: a chart that changed needs a new version."""

import os
import subprocess
from pathlib import Path

import pytest

from chatctl.paths import repository

from ..conftest import CHATCTL
from ..render.view import edit


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the repository on a branch of its own; its main is today's."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", repository(), folder], check=True)
    for words in (["checkout", "--quiet", "-B", "main"], ["checkout", "--quiet", "-b", "change"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def commit(clone: Path) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *author, "commit", "--quiet", "--all", "--message", "change"], cwd=clone, check=True)


def lint_changed(clone: Path) -> "subprocess.CompletedProcess[str]":
    """Run `make lint-changed` with the tools that are there."""
    argv = ["make", "--old-file=env", f"BIN={CHATCTL.parent}", "lint-changed", "REMOTE=heads"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(argv, cwd=clone, env=env, capture_output=True, text=True, check=False)


def test_changed_template_without_a_new_version_fails(clone: Path) -> None:
    edit(clone / "chart/templates/service.yaml", "apiVersion: v1\n", "# Another comment.\napiVersion: v1\n")
    commit(clone)
    done = lint_changed(clone)
    assert done.returncode != 0
    assert "chart version not ok. Needs a version bump!" in done.stdout + done.stderr


def test_changed_template_with_a_new_version_passes(clone: Path) -> None:
    edit(clone / "chart/templates/service.yaml", "apiVersion: v1\n", "# Another comment.\napiVersion: v1\n")
    edit(clone / "chart/Chart.yaml", "version: 0.2.0", "version: 0.2.1")
    commit(clone)
    done = lint_changed(clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Linting chart" in done.stdout
    assert "All charts linted successfully" in done.stdout


def test_change_elsewhere_asks_for_no_version(clone: Path) -> None:
    edit(clone / "README.md", "# chatapp\n", "# Chatapp\n")
    commit(clone)
    done = lint_changed(clone)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No chart changes detected" in done.stdout + done.stderr

"""The pinned tools: what their pins say is what runs, and nothing else."""

import re
import subprocess
from pathlib import Path

import pytest

from chatctl import gobuild, packages, toolchain, wheels
from chatctl.console import Steps
from chatctl.errors import ToolError, UserError
from chatctl.paths import cache_dir, repository
from chatctl.toolchain import TOOLS

from ..conftest import CHATCTL, chatctl


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("helm", ["version", "--short"]),
        ("helm3", ["version", "--short"]),
        ("ct", ["version"]),
        ("actionlint", ["-version"]),
        ("kube-score", ["version"]),
        ("metrics-server", ["--version"]),
        ("kubectl", ["version", "--client"]),
        ("traefik", ["version"]),
        ("valkey-server", ["--version"]),
    ],
)
def test_built_tool_tells_its_pinned_version(tool: str, arguments: list[str]) -> None:
    said = subprocess.run([toolchain.tool_path(tool), *arguments], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"\b{re.escape(TOOLS[tool].version)}\b", said)


def test_helm_on_path_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "helm"
    other.write_text("#!/bin/sh\necho v2.0.0\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    done = chatctl("tools", "helm")
    assert done.stdout.strip() == str(TOOLS["helm"].path)
    assert Path(done.stdout.strip()).is_relative_to(cache_dir())


def test_built_tools_need_no_network() -> None:
    argv = ["unshare", "--user", "--map-root-user", "--net", "--", str(CHATCTL), "tools"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(TOOLS["kubelet"].path) in done.stdout


def test_every_tool_is_listed_with_version_and_path() -> None:
    done = chatctl("tools")
    assert done.returncode == 0
    for name, tool in TOOLS.items():
        assert re.search(rf"{name}\s+{re.escape(tool.version)}\s+{re.escape(str(tool.path))}", done.stdout)


@pytest.mark.parametrize("group", toolchain.GROUPS, ids=lambda group: group.folder)
def test_changed_pin_never_finds_what_was_built_before(
    group: toolchain.Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = repository() / "ci/toolchain" / group.folder
    copy = tmp_path / "ci/toolchain" / group.folder
    for file in pins.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(pins)).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.relative_to(pins)).write_bytes(file.read_bytes())
    before = group.bin_dir()
    monkeypatch.setattr(toolchain, "repository", lambda: tmp_path)
    assert group.bin_dir() == before
    changed = next(copy.rglob("*.mod"), None) or next(copy.rglob("*.txt"))
    changed.write_text(changed.read_text() + "\n")
    assert group.bin_dir() != before


def test_go_from_path_is_used_only_if_the_pins_accept_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.19.8\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = gobuild.find_go(Steps(), tmp_path / "log")
    assert found.is_relative_to(cache_dir())
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=True).stdout
    assert f"go{wheels.version(repository() / 'ci/toolchain/go/requirements.txt')} " in said


def test_wheel_with_another_hash_is_refused(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"yamllint==1.37.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ToolError, match="python"):
        wheels.extract(requirements, "yamllint/cli.py", tmp_path / "cli.py", tmp_path / "log")
    assert "DO NOT MATCH THE HASHES" in (tmp_path / "log").read_text()
    assert not (tmp_path / "cli.py").exists()


def test_program_of_another_version_than_pinned_is_deleted(tmp_path: Path) -> None:
    program = tmp_path / "traefik"
    program.write_text("#!/bin/sh\necho Version: 3.7.1\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match=r"pinned as 3\.7\.15 says 'Version: 3\.7\.1'"):
        wheels.check_version(program, "3.7.15")
    assert not program.exists()


def test_module_with_another_checksum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="pinned is h1:other; it is not used"):
        gobuild.fetch_files("sigs.k8s.io/gateway-api", "v1.7.0", "h1:other", "config", tmp_path / "crds", Steps())
    assert not (tmp_path / "crds").exists()


def test_module_that_is_not_required_is_named(tmp_path: Path) -> None:
    go_mod = tmp_path / "go.mod"
    go_mod.write_text("module x\n")
    with pytest.raises(ToolError, match=r"requires no helm\.sh/helm/v4"):
        gobuild.version(go_mod, "helm.sh/helm/v4")


def test_build_that_fails_names_its_log(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module x\n\ngo 1.26\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    log = tmp_path / "log"
    go = gobuild.find_go(Steps(), log)
    with pytest.raises(ToolError, match=rf"undefined: undefined.*{log}"):
        gobuild.build(go, tmp_path, {"x": "."}, tmp_path, [], cgo=False, log=log, note=lambda _: None)


def test_missing_packages_are_named_where_there_is_no_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"lacks buildah mmdebstrap .* no apt-get; install them"):
        packages.ensure(packages.IMAGES, Steps())

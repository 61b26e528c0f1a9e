"""The chart as a package, and the releases that were made of it.

A package is the same for everybody who makes it from the same files: Helm writes the files' times into it, so they are
all set to one. What was released stays under `tests/release/`, with what it renders to, so that a test can say what an
upgrade changes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chatctl import valuesfile
from chatctl.check.cases import value_sets
from chatctl.console import Steps
from chatctl.errors import ToolError
from chatctl.paths import repository
from chatctl.render import Request, client_env, render
from chatctl.toolchain import tool_path

EPOCH = 315532800
"""1980-01-01, the first moment that every archive format knows."""


def package(chart: Path, destination: Path) -> Path:
    """Write the chart's package into a folder, and return its path.

    Raises:
        ToolError: Helm refuses the chart.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(chart, Path(scratch) / "chatapp")
        for path in (copy, *copy.rglob("*")):
            os.utime(path, (EPOCH, EPOCH))
        argv = [str(tool_path("helm")), "package", str(copy), f"--destination={destination}"]
        done = subprocess.run(argv, capture_output=True, text=True, env=client_env(), check=False)
    if done.returncode != 0:
        raise ToolError(f"helm package failed: {done.stderr.strip()}")
    return destination / done.stdout.strip().rpartition("/")[2]


def keep(chart: Path, shelf: Path) -> Path:
    """Keep a release: its package, and for each value set the values and what they render to. Return its folder."""
    version = str(valuesfile.read(chart / "Chart.yaml").values["version"])
    folder = shelf / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package(chart, folder)
    for each in value_sets(chart):
        (file,) = each.files
        name = file.stem.removesuffix("-values")
        shutil.copy(file, folder / f"{name}-values.yaml")
        rendered = render(Request(tool_path("helm"), chart, each.files, release="chatapp", namespace="chat"))
        (folder / f"{name}.yaml").write_text(rendered.text)
    return folder


if __name__ == "__main__":
    here = repository()
    with Steps().step("Packing the chart"):
        made = (
            keep(here / "chart", here / "tests/release")
            if sys.argv[1:] == ["keep"]
            else package(here / "chart", here / "dist")
        )
    print(made)

import shutil
from pathlib import Path
from typing import Any

import pytest

from chatctl.render import Request, as_yaml, render
from chatctl.toolchain import tool_path

from .view import CHART, RenderChart, View


@pytest.fixture(scope="session")
def helm() -> Path:
    return tool_path("helm")


@pytest.fixture(scope="session")
def chart(helm: Path) -> RenderChart:
    """Renders the chart with values files and values."""

    def rendered(
        *files: Path, folder: Path = CHART, release: str = "chatapp", namespace: str = "default", **values: Any
    ) -> View:
        request = Request(helm, folder, files, as_yaml(values), release=release, namespace=namespace)
        done = render(request)
        return View(done.text, done.objects)

    return rendered


@pytest.fixture
def chart_copy(tmp_path: Path) -> Path:
    """A copy of the chart to edit."""
    return shutil.copytree(CHART, tmp_path / "chatapp")

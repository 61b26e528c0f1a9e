"""A rendered release, asked as a test asks: for the Service, the container, a variable."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from chatctl.paths import repository

CHART = repository() / "chart"
VALUE_SETS = sorted([*CHART.glob("ci/*-values.yaml"), *repository().glob("environments/*.yaml")])


class View:
    """The objects of one release of the chart."""

    def __init__(self, text: str, objects: Sequence[Any]) -> None:
        self.text = text
        self.objects = objects

    def of_kind(self, kind: str) -> list[Any]:
        return [each for each in self.objects if each["kind"] == kind]

    def the(self, kind: str) -> Any:
        """The one object of a kind."""
        (found,) = self.of_kind(kind)
        return found

    @property
    def pod(self) -> Any:
        """The Deployment's pod template."""
        return self.the("Deployment")["spec"]["template"]

    @property
    def container(self) -> Any:
        (found,) = self.pod["spec"]["containers"]
        return found

    @property
    def env(self) -> dict[str, Any]:
        """The container's plain variables."""
        return {each["name"]: each["value"] for each in self.container["env"] if "value" in each}

    @property
    def ports(self) -> dict[str, int]:
        """The container's ports by name."""
        return {each["name"]: each["containerPort"] for each in self.container["ports"]}

    @property
    def service_ports(self) -> dict[str, Any]:
        return {each["name"]: each for each in self.the("Service")["spec"]["ports"]}

    @property
    def rules(self) -> dict[str, list[tuple[str, str]]]:
        """Host -> (path, name of the Service's port) in the Ingress's order."""
        return {
            rule["host"]: [(path["path"], path["backend"]["service"]["port"]["name"]) for path in rule["http"]["paths"]]
            for rule in self.the("Ingress")["spec"]["rules"]
        }

    @property
    def runtime_files(self) -> dict[str, str]:
        """What the ConfigMap holds; empty if there is none."""
        return {name: text for each in self.of_kind("ConfigMap") for name, text in each["data"].items()}

    @property
    def runtime(self) -> dict[str, Any]:
        """The runtime configuration, as the front end gets it from runtime.json."""
        data: dict[str, Any] = json.loads(self.runtime_files["runtime.json"])
        return data

    @property
    def script_settings(self) -> dict[str, Any]:
        """What the script is called with: all in which it differs from the chart's file."""
        before, after = (CHART / "files/runtime-config.js").read_text().split("__CONFIG__")
        text = self.runtime_files["runtime.js"]
        assert text.startswith(before)
        assert text.endswith(after)
        settings: dict[str, Any] = json.loads(text.removeprefix(before).removesuffix(after))
        return settings

    @property
    def hash(self) -> str | None:
        """The hash of the runtime files on the pod template."""
        annotation: str | None = self.pod["metadata"].get("annotations", {}).get("checksum/runtime-config")
        return annotation


RenderChart = Callable[..., View]
"""Renders the chart, or the one in `folder`: values files as positional arguments, values as keyword arguments."""


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def umbrella(folder: Path, chart: Path, *aliases: str, **values: Any) -> Path:
    """Make a parent chart in `folder` that depends on `chart`, moved into it, once per alias."""
    for name in ("charts", "templates"):
        (folder / name).mkdir(parents=True)
    chart.rename(folder / "charts" / "chatapp")
    dependencies = [
        {"name": "chatapp", "version": "0.2.0", "alias": alias, "condition": f"{alias}.enabled"} for alias in aliases
    ]
    about = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": dependencies}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    return folder

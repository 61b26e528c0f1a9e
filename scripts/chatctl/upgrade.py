"""What an upgrade from the last release to the chart as it is would change, for each value set of that release."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatctl import kubeyaml
from chatctl.paths import repository
from chatctl.render import Request, render
from chatctl.toolchain import tool_path

FIXED = re.compile(
    r"~ (Deployment|StatefulSet)/\S+ spec\.(selector|serviceName|volumeClaimTemplates)"
    r"|~ PersistentVolumeClaim/\S+ spec\.(accessModes|storageClassName|volumeName)"
    r"|- (PersistentVolumeClaim|StatefulSet)/"
)
"""What the API server refuses to change, so that the upgrade would fail, and what takes data away."""
POD = re.compile(r"~ (Deployment|StatefulSet)/\S+ spec\.template")
"""What restarts pods."""
LABELS = re.compile(r"^metadata\.labels\.(helm\.sh/chart|app\.kubernetes\.io/version)$")
"""What every new version changes, and nobody needs to read."""


@dataclass(frozen=True)
class Baseline:
    """One value set of a release: its values, and what they rendered to."""

    name: str
    values: Path
    objects: Sequence[Any]


def baselines() -> list[Baseline]:
    """Return the value sets of the newest release that is kept."""
    folders = [path for path in (repository() / "tests/release").iterdir() if path.is_dir()]
    newest = max(folders, key=lambda folder: [int(part) for part in folder.name.split(".")])
    return [
        Baseline(name, file, [each for each in kubeyaml.load_all((newest / f"{name}.yaml").read_text()) if each])
        for file in sorted(newest.glob("*-values.yaml"))
        if (name := file.stem.removesuffix("-values"))
    ]


def changes(baseline: Baseline, chart: Path) -> list[str]:
    """Return what a chart changes for somebody who keeps their values, one line a field or object."""
    now = render(Request(tool_path("helm"), chart, (baseline.values,), release="chatapp", namespace="chat")).objects
    before, after = _named(baseline.objects), _named(now)
    lines = [f"- {name}" for name in before.keys() - after.keys()]
    lines += [f"+ {name}" for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        fields = dict(_leaves(before[name])), dict(_leaves(after[name]))
        for field in sorted(fields[0].keys() | fields[1].keys()):
            old, new = (each.get(field, "nothing") for each in fields)
            if old != new and not LABELS.search(field):
                lines.append(f"~ {name} {field}: {_short(old)} -> {_short(new)}")
    return sorted(lines)


def listing(chart: Path) -> str:
    """Return a chart's changes of all value sets, each once, with the sets where not all of them have it."""
    found: dict[str, list[str]] = {}
    every = baselines()
    for baseline in every:
        for line in changes(baseline, chart):
            found.setdefault(line, []).append(baseline.name)

    def only(names: Sequence[str]) -> str:
        return "" if len(names) == len(every) else f"  ({', '.join(names)})"

    return "".join(f"{line}{only(names)}\n" for line, names in sorted(found.items()))


def _named(objects: Sequence[Any]) -> Mapping[str, Any]:
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in objects}


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value with its path; an entry of a list goes by its name where it has one."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _leaves(child, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            name = child.get("name", index) if isinstance(child, Mapping) else index
            yield from _leaves(child, f"{path}[{name}]")
    else:
        yield path, value


def _short(value: object) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."

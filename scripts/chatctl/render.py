"""Render a chart with `helm template`: one request in, the objects out, or a sentence why not."""

import functools
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatctl import kubeyaml, refusals, valuesfile
from chatctl.errors import ChartError

_SOURCE = re.compile(r"^---\n# Source: (.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """One run of `helm template`, by all that decides its output.

    `values` are files, a later one wins; `overrides` is YAML that wins over them all (`as_yaml`), null removes a key;
    `sets` are `--set` words as Helm takes them; `kube_version` and `api_versions` are what a cluster would offer.
    """

    helm: Path
    chart: Path
    values: tuple[Path, ...] = ()
    overrides: str = ""
    sets: tuple[str, ...] = ()
    release: str = "chatapp"
    namespace: str = "default"
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        """Return the command line; it reads `overrides` from standard input."""
        words = [str(self.helm), "template", self.release, str(self.chart), f"--namespace={self.namespace}"]
        words += [f"--values={file}" for file in self.values]
        words += ["--values=-"] if self.overrides else []
        words += [f"--set={word}" for word in self.sets]
        words += [f"--kube-version={self.kube_version}"] if self.kube_version else []
        return words + [f"--api-versions={version}" for version in self.api_versions]


@dataclass(frozen=True)
class Document:
    """One YAML document of the output, and the template it came from (`chatapp/templates/service.yaml`)."""

    template: str
    text: str

    def load(self) -> Any:
        """Return what it holds, None for nothing; not to be changed, since equal documents share it.

        Raises:
            ChartError: Kubernetes could not read it.
        """
        return _load(self)


@functools.cache  # most documents are the same in many renders
def _load(document: Document) -> Any:
    try:
        return next(iter(kubeyaml.load_all(document.text)), None)
    except yaml.MarkedYAMLError as error:
        line = document.text.splitlines()[error.problem_mark.line].strip() if error.problem_mark else ""
        _, _, template = document.template.partition("/")
        raise ChartError(
            f"{template}: renders to YAML that Kubernetes does not take, {error.problem} at {line!r}; "
            "correct the template."
        ) from None


@dataclass(frozen=True)
class Rendered:
    """What a chart becomes: the text as Helm prints it, in documents, hooks included."""

    text: str

    @functools.cached_property
    def documents(self) -> Sequence[Document]:
        """The documents, in Helm's order."""
        parts = _SOURCE.split(self.text)[1:]
        return [Document(template, text) for template, text in zip(parts[::2], parts[1::2], strict=True)]

    @functools.cached_property
    def objects(self) -> Sequence[Any]:
        """The objects, without empty documents, in the same order.

        Raises:
            ChartError: a document is not YAML, or has a key twice.
        """
        return [each for each in (document.load() for document in self.documents) if each is not None]


def render(request: Request) -> Rendered:
    """Render offline, as `helm template` does.

    Raises:
        UserError: the values are refused, one line per mistake with its place, or a values file cannot be read.
        ChartError: a template fails.
        ToolError: Helm fails otherwise.
    """
    files = [valuesfile.read(path) for path in request.values]
    done = subprocess.run(
        request.argv(), input=request.overrides, capture_output=True, text=True, env=client_env(), check=False
    )
    if done.returncode != 0:
        raise refusals.explain(done.stderr, request.chart, files)
    return Rendered(done.stdout)


def client_env() -> dict[str, str]:
    """Return the environment for Helm and kubectl: without the user's kube context, preferences or Helm settings."""
    users = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    return {**users, "KUBERC": "off"}


def as_yaml(values: Mapping[str, Any]) -> str:
    """Write values as JSON that Helm's YAML reader takes: no escaped surrogate pairs, no raw controls or line ends."""
    text = json.dumps(dict(values), ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text)

"""Where a reader of the documents types."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from chatctl.cluster.model import Cluster
from chatctl.paths import repository
from chatctl.render import client_env
from chatctl.toolchain import tool_path


@dataclass
class Shell:
    """Where a reader of the guide types: the repository's root, with the pinned helm and kubectl and a namespace."""

    kubeconfig: Path

    def run(self, commands: str) -> None:
        path = [str(tool_path(name).parent) for name in ("helm", "kubectl")]
        env = client_env() | {"KUBECONFIG": str(self.kubeconfig), "PATH": ":".join([*path, os.environ["PATH"]])}
        argv = ["bash", "-euxo", "pipefail", "-c", commands]
        done = subprocess.run(argv, cwd=repository(), env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def open_shell(cluster: Cluster, namespace: str, folder: Path) -> Shell:
    """Return a shell whose kubectl context has a namespace."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = namespace
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    return Shell(kubeconfig)


def commands(page: Path, section: str = "") -> list[str]:
    """Return the blocks of a page, or of one section of it, that are meant to be run, in order."""
    text = page.read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    # Indented where they belong to the item of a list.
    return [block for _, block in re.findall(r"^( *)```sh\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)]

import subprocess
from collections.abc import Callable

import pytest

from chatctl.cluster import bootstrap
from chatctl.cluster.model import Cluster, find
from chatctl.console import Steps
from chatctl.toolchain import tool_path


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Callable[..., str]:
    """Runs kubectl on the test cluster and returns what it prints."""
    program = tool_path("kubectl")

    def run(*arguments: str, stdin: str = "") -> str:
        argv = [str(program), f"--kubeconfig={cluster.kubeconfig}", *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def store_image(cluster: Cluster) -> None:
    """The node has the image of the release's own store."""
    node = find(cluster.name)
    assert node is not None
    bootstrap.bring_store(node, bootstrap.prepare(Steps()), Steps())

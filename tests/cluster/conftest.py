import subprocess
from collections.abc import Callable

import pytest

from chatctl.cluster.model import Cluster
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

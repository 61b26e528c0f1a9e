"""What `chatctl check` costs beside the bare `helm template` runs that it starts; `make bench` runs it.

Both are whole: the command as a user calls it, and the same renders two at a time with nothing done to their output.
They take turns, so that a machine that is busy is busy for both.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chatctl import toolchain
from chatctl.check import cases, chartcase, kubernetes, run, schemas
from chatctl.check.renderer import AT_ONCE, Renderer
from chatctl.console import Steps
from chatctl.paths import repository
from chatctl.render import Request, client_env

ROUNDS = 7
TARGET = 1.3


def main() -> None:
    """Print both times and their ratio, round by round."""
    steps = Steps()
    tools = toolchain.ensure(["helm", "helm3"], steps)
    chart = repository() / "chart"
    versions = kubernetes.versions(kubernetes.ALL)
    with tempfile.TemporaryDirectory() as scratch, closing(Renderer()) as renderer:
        bench = cases.Bench(chart, tools["helm"], tools["helm3"], Path(scratch), renderer)
        check = run.Run(bench, schemas.Schemas(versions, lambda group: toolchain.crds(group, steps)), run.every_rule())
        sets = cases.value_sets(chart)
        check.report([cases.Case(bench, each) for each in sets], chartcase.ChartCase(bench), versions)
        requests = renderer.requests
        rounds = []
        for number in range(ROUNDS):
            with steps.step(f"Round {number + 1} of {ROUNDS}"):
                rounds.append((_seconds(_check), _seconds(lambda: _bare(requests))))
    _print(rounds, requests, len(sets))


def _check() -> None:
    command = [str(Path(sys.executable).parent / "chatctl"), "check"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _bare(requests: Sequence[Request]) -> None:
    env = client_env()

    def template(request: Request) -> None:
        # Exit code 1 where the values are refused, which the check expects of some probes.
        subprocess.run(
            request.argv(),
            input=request.overrides,
            text=True,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(template, requests))


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _print(rounds: Sequence[tuple[float, float]], requests: Sequence[Request], sets: int) -> None:
    ratios = [check / bare for check, bare in rounds]
    table = Table("", "chatctl check", "bare helm template", "ratio")
    for number, ((check, bare), ratio) in enumerate(zip(rounds, ratios, strict=True), 1):
        table.add_row(f"round {number}", f"{check:.2f} s", f"{bare:.2f} s", f"{ratio:.2f}")
    checks, bares = zip(*rounds, strict=True)
    for name, of in (("minimum", min), ("median", statistics.median)):
        table.add_row(name, f"{of(checks):.2f} s", f"{of(bares):.2f} s", f"{of(checks) / of(bares):.2f}")
    console = Console()
    console.print(table)
    console.print(
        f"{sets} value sets, {len(requests)} renders, two Helms, Kubernetes {kubernetes.ALL}; "
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}. "
        f"Median ratio {statistics.median(ratios):.2f}; the target is {TARGET} at most."
    )


if __name__ == "__main__":
    main()

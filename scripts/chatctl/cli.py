"""The command `chatctl`: arguments in, exit code out.

Exit codes: 0 fine, 1 a finding or a user's mistake, 2 the tool's own trouble. What takes long to load (the Kubernetes
client, JSON Schema) is imported by the commands that need it.
"""

import enum
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from chatctl import toolchain
from chatctl.check import cases, kubernetes
from chatctl.cluster.model import Cluster
from chatctl.console import Steps
from chatctl.errors import ChatctlError, UserError
from chatctl.paths import cache_dir
from chatctl.render import Request
from chatctl.render import render as helm_template

app = typer.Typer(
    name="chatctl",
    help="Run, render and check the chatapp Helm chart.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Values = Annotated[
    list[Path] | None,
    typer.Option("--values", "-f", metavar="FILE", help="A values file; may be repeated, the last one wins."),
]
Image = Annotated[str, typer.Option(metavar="REF", help="Your own image instead of the reference app.")]
Kubeconfig = Annotated[
    Path | None, typer.Option(metavar="FILE", help="An existing cluster, to install the release in and nothing else.")
]
Release = Annotated[str, typer.Option(metavar="NAME", help="The release's name.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", metavar="NAME", help="Its namespace; made if missing.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="The local cluster's name; several may run side by side.")]
HttpPort = Annotated[int, typer.Option(metavar="PORT", help="Its http port on 127.0.0.1.", min=1, max=65535)]
HttpsPort = Annotated[int, typer.Option(metavar="PORT", help="Its https port on 127.0.0.1.", min=1, max=65535)]
ToolName = Annotated[str, typer.Argument(metavar="[NAME]", help="Print just this tool's path.", show_default=False)]


class Helm(enum.StrEnum):
    """A Helm by its major version."""

    HELM3 = "3"
    HELM4 = "4"


class Format(enum.StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"


Chart = Annotated[Path | None, typer.Option("--chart", metavar="DIR", help="Another copy of the chart.")]


@app.command()
def up(
    values: Values = None,
    image: Image = "",
    kubeconfig: Kubeconfig = None,
    release: Release = "chatapp",
    namespace: Namespace = "chatapp",
    name: Name = Cluster.name,
    http_port: HttpPort = Cluster.http_port,
    https_port: HttpsPort = Cluster.https_port,
) -> None:
    """Bring up the chat: tools, local cluster, image, release, handshake.

    Prints where the time went, and the URL. Safe to repeat.
    """
    from chatctl import up as ups

    steps = Steps()
    if kubeconfig is None:
        cluster = Cluster(name, http_port, https_port)
        outcome = ups.up_local(cluster, release, namespace, image, values or [], steps)
    else:
        outcome = ups.up_existing(kubeconfig, release, namespace, image, values or [], steps)
    steps.console.print(steps.where_the_time_went())
    print(f"export KUBECONFIG={outcome.release.kubeconfig}")
    for url in outcome.urls:
        print(url)


@app.command()
def down(name: Name = Cluster.name) -> None:
    """Take the local cluster down, with everything in it. Safe to repeat."""
    from chatctl import up as ups

    print(
        f"The local cluster {name} is down." if ups.down(name) else f"There is no local cluster {name}: nothing to do."
    )


@app.command()
def status(name: Name = Cluster.name) -> None:
    """Show the local cluster, its pods and releases, and whether each URL answers.

    Exit code 1 if anything is not as it should be.
    """
    from chatctl import status as statuses

    found = statuses.status(name)
    Console(highlight=False, soft_wrap=True).print(found.table())
    raise typer.Exit(0 if found.healthy else 1)


@app.command()
def tools(name: ToolName = "") -> None:
    """List the pinned tools with version and path, building what is missing."""
    paths = toolchain.ensure([name] if name else toolchain.TOOLS, Steps())
    for tool, path in paths.items():
        print(path if name else f"{tool:<24} {toolchain.TOOLS[tool].version:<8} {path}")


@app.command()
def render(
    values: Values = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="One value, as Helm takes it; wins over files.")
    ] = None,
    helm: Annotated[Helm, typer.Option(help="Which Helm.")] = Helm.HELM4,
    chart: Chart = None,
    release: Release = "chatapp",
    namespace: Annotated[str, typer.Option("--namespace", "-n", metavar="NAME", help="Its namespace.")] = "default",
) -> None:
    """Print the manifests that the chart renders to, offline."""
    program = toolchain.tool_path("helm" if helm is Helm.HELM4 else "helm3")
    folder = cases.chart_folder(chart)
    request = Request(program, folder, tuple(values or ()), "", tuple(sets or ()), release, namespace)
    print(helm_template(request).text, end="")


@app.command()
def check(
    values: Values = None,
    chart: Chart = None,
    kube: Annotated[
        str, typer.Option(metavar="VERSIONS", help="Kubernetes versions whose schemas must fit.")
    ] = kubernetes.ALL,
    output: Annotated[Format, typer.Option("--format", help="A table for people, JSON for machines.")] = Format.TABLE,
) -> None:
    """Render the chart with many values, and check the output against schemas and invariants.

    Without --values it takes every value set of the repository (chart/ci, environments) and the rules on the chart
    itself too. With --values it takes those files together, as Helm merges them, and the chart's own rules only if
    --chart is given. Exit code 1 if there is a finding.
    """
    from chatctl.check import report, run

    folder = cases.chart_folder(chart)
    sets = [cases.value_set(values)] if values else cases.value_sets(folder)
    rules = run.rules_on_values() if values and chart is None else run.every_rule()
    found = run.check(folder, sets, kubernetes.versions(kube), Steps(), rules)
    if output is Format.JSON:
        print(report.as_json(found))
    elif values and [each.rule for each in found.findings] == [run.RENDERS.id]:
        raise UserError(found.findings[0].wrong)  # nothing else to say of values that are refused
    else:
        report.print_table(found, Console(highlight=False, width=None if sys.stdout.isatty() else 200))
    sys.exit(1 if found.findings else 0)


def _keep_trace() -> str:
    """Write the trace of the exception at hand to a file; return where, in words."""
    trace = traceback.format_exc()
    try:
        file = cache_dir() / "logs" / "unforeseen.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(trace)
    except OSError:
        return f"its trace: {trace}"
    return f"its trace is in {file}"


def _complain(sentence: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]chatctl:[/] {escape(sentence)}")


def main() -> None:
    """Run the command line; a failure is one sentence on standard error, its trace at most in a file."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))  # so that what was begun is cleared away
    try:
        sys.exit(app(standalone_mode=False))
    except ChatctlError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except TyperException as error:  # a command, option or argument that is not as it should be
        sentence = error.format_message() if hasattr(error, "format_message") else str(error)
        if not sentence:  # no command at all: the help was shown
            sys.exit(0)
        _complain(f"{sentence.rstrip('.')}; see `chatctl -h`.")
        sys.exit(1)
    except Exception as error:  # nobody foresaw it: the tool's own trouble
        _complain(f"{type(error).__name__}: {error} (unforeseen; {_keep_trace()})")
        sys.exit(2)

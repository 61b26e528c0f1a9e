"""The command `chatctl`: arguments in, exit code out.

Exit codes: 0 fine, 1 a finding or a user's mistake, 2 the tool's own trouble.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chatctl import status as statuses
from chatctl import toolchain
from chatctl import up as ups
from chatctl.cluster.node import Cluster
from chatctl.console import Steps
from chatctl.errors import ChatctlError

app = typer.Typer(
    name="chatctl",
    help="Run, render and check the chatapp Helm chart.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ClusterName = Annotated[str, typer.Option("--name", help="The local cluster, where there are several.")]
ReleaseName = Annotated[str, typer.Option("--release", help="The release's name.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="The namespace it goes into; made if missing.")]
Kubeconfig = Annotated[
    Path | None, typer.Option(help="Use this existing cluster instead of the local one, and only install the release.")
]


@app.command()
def up(
    values: Annotated[
        list[Path] | None, typer.Option("--values", "-f", help="A values file; may be given several times.")
    ] = None,
    image: Annotated[str, typer.Option(help="Your own image instead of the reference app.")] = "",
    kubeconfig: Kubeconfig = None,
    release: ReleaseName = "chatapp",
    namespace: Namespace = "chatapp",
    name: ClusterName = "chatapp",
    http_port: Annotated[int, typer.Option(help="Port for http on 127.0.0.1.", min=1, max=65535)] = 8080,
    https_port: Annotated[int, typer.Option(help="Port for https on 127.0.0.1.", min=1, max=65535)] = 8443,
) -> None:
    """Bring up the chat: tools, local cluster, image, release, handshake; prints its URL. Safe to repeat."""
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
def down(name: ClusterName = "chatapp") -> None:
    """Take the local cluster down, with everything in it. Safe to repeat."""
    print(
        f"The local cluster {name} is down." if ups.down(name) else f"There is no local cluster {name}: nothing to do."
    )


@app.command()
def status(name: ClusterName = "chatapp") -> None:
    """Show what runs: the local cluster, its pods and releases, and whether each URL answers. Exit code 1 if not."""
    found = statuses.status(name)
    Console(highlight=False).print(found.table())
    raise typer.Exit(0 if found.healthy else 1)


@app.command()
def tools(
    name: Annotated[str, typer.Argument(help="Print just this tool's path, building it if missing.")] = "",
) -> None:
    """List the pinned tools with version and path, building what is missing."""
    steps = Steps()
    if name:
        print(toolchain.ensure([name], steps)[name])
        return
    paths = toolchain.ensure(toolchain.TOOLS, steps)
    table = Table("tool", "version", "path", box=None)
    for tool, path in paths.items():
        table.add_row(tool, toolchain.TOOLS[tool].version, str(path), style=None)
    Console(highlight=False, soft_wrap=True).print(table)


def main() -> None:
    """Run the command line; a failure that was foreseen is one sentence on standard error."""
    try:
        app()
    except ChatctlError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]chatctl:[/] {escape(str(error))}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)

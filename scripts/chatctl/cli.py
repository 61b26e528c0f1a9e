"""The command `chatctl`: arguments in, exit code out.

Exit codes: 0 fine, 1 a finding or a user's mistake, 2 the tool's own trouble.
"""

import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from chatctl import status as statuses
from chatctl import toolchain
from chatctl import up as ups
from chatctl.cluster.model import Cluster
from chatctl.console import Steps
from chatctl.errors import ChatctlError
from chatctl.paths import cache_dir

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
    print(
        f"The local cluster {name} is down." if ups.down(name) else f"There is no local cluster {name}: nothing to do."
    )


@app.command()
def status(name: Name = Cluster.name) -> None:
    """Show the local cluster, its pods and releases, and whether each URL answers.

    Exit code 1 if anything is not as it should be.
    """
    found = statuses.status(name)
    Console(highlight=False, soft_wrap=True).print(found.table())
    raise typer.Exit(0 if found.healthy else 1)


@app.command()
def tools(name: ToolName = "") -> None:
    """List the pinned tools with version and path, building what is missing."""
    paths = toolchain.ensure([name] if name else toolchain.TOOLS, Steps())
    for tool, path in paths.items():
        print(path if name else f"{tool:<24} {toolchain.TOOLS[tool].version:<8} {path}")


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
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # nobody foresaw it: the tool's own trouble
        _complain(f"{type(error).__name__}: {error} (unforeseen; {_keep_trace()})")
        sys.exit(2)

"""Run a program: captured, or logged to a file while a person watches a step."""

import collections
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from chatctl.errors import ToolError
from chatctl.paths import cache_dir

T = TypeVar("T")

WAIT_SECONDS = 30.0


def output(argv: Sequence[object], *, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """Run `argv` to its end and return its standard output.

    Raises:
        ToolError: it exited non-zero; the message carries its last line of standard error.
    """
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, env=env, input=stdin, check=False
    )
    if done.returncode != 0:
        raise ToolError(f"{_name(argv)} failed: {_last_line(done.stderr or done.stdout)}")
    return done.stdout


def logged(
    argv: Sequence[object],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Run `argv`, append both its outputs to `log`, and pass each line to `note` as it comes.

    Raises:
        ToolError: it exited non-zero; the message carries its last line and names the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    last: collections.deque[str] = collections.deque(maxlen=1)
    with log.open("a") as file:
        file.write(f"$ {' '.join(map(str, argv))}\n")
        file.flush()
        with subprocess.Popen(
            [str(word) for word in argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env=env,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            for line in process.stdout:
                file.write(line)
                file.flush()
                if line.strip():
                    last.append(line.strip())
                    note(line.strip())
    if process.returncode != 0:
        said = last[0] if last else f"exit code {process.returncode}"
        raise ToolError(f"{_name(argv)} failed: {said} (all of it: {log})")


def wait_for(condition: Callable[[], T], failure: str, alive: Callable[[], bool] = lambda: True) -> T:
    """Wait until `condition` returns something true, and return that.

    Args:
        condition: Asked several times a second.
        failure: What to say when it never is.
        alive: Whether waiting still makes sense.

    Raises:
        ToolError: it was not true within `WAIT_SECONDS`, or what it depends on is gone.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline or not alive():
            raise ToolError(f"{failure}.")
        time.sleep(0.05)
    return found


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock over processes: two commands never build the same thing or change the same cluster at once.

    It is the machine's (/run/lock) for root, whose clusters are the machine's too, and else the user's cache's.
    """
    folder = Path("/run/lock/chatapp") if os.geteuid() == 0 else cache_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another chatctl to finish with {name} …", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _name(argv: Sequence[object]) -> str:
    return Path(str(argv[0])).name


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"

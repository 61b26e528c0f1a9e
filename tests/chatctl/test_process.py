"""Programs that are run, waited for, and kept from doing the same thing twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from chatctl import paths, process
from chatctl.errors import ToolError, UserError

HOLD = "from chatctl import process\nwith process.locked('probe'): print('mine')"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo first >&2; echo the reason >&2; echo >&2; exit 3", "the reason"),
        ("echo on standard output; exit 1", "on standard output"),
        ("exit 1", "it said nothing"),
    ],
)
def test_program_that_fails_is_quoted_with_its_last_line(script: str, said: str) -> None:
    with pytest.raises(ToolError, match=f"^sh failed: {said}$"):
        process.output(["sh", "-c", script])


@pytest.mark.parametrize(
    ("script", "said"), [("echo one; echo two >&2; echo; exit 3", "two"), ("exit 3", "exit code 3")]
)
def test_logged_program_that_fails_names_its_log(tmp_path: Path, script: str, said: str) -> None:
    log = tmp_path / "logs" / "sh.log"
    with pytest.raises(ToolError) as failure:
        process.logged(["sh", "-c", script], log)
    assert str(failure.value) == f"sh failed: {said} (all of it: {log})"
    assert log.read_text().startswith(f"$ sh -c {script}\n")


@pytest.mark.parametrize(("seconds", "alive"), [(0.0, True), (30.0, False)])
def test_waiting_ends_when_time_is_up_or_hope_is_lost(
    monkeypatch: pytest.MonkeyPatch, seconds: float, alive: bool
) -> None:
    monkeypatch.setattr(process, "WAIT_SECONDS", seconds)
    with pytest.raises(ToolError, match=r"^the moon did not rise\.$"):
        process.wait_for(lambda: False, "the moon did not rise", lambda: alive)


def test_waiting_returns_what_came() -> None:
    answers = iter(["", "", "risen"])
    assert process.wait_for(lambda: next(answers), "the moon did not rise") == "risen"


def test_second_process_waits_for_the_lock_and_says_so() -> None:
    with process.locked("probe"):
        argv = [sys.executable, "-c", HOLD]
        second = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert second.stderr is not None
        assert second.stderr.readline() == "Waiting for another chatctl to finish with probe …\n"
        assert second.poll() is None
    assert second.communicate() == ("mine\n", "")


def test_package_without_its_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "lib" / "chatctl" / "paths.py"))
    with pytest.raises(UserError, match=f"{tmp_path} is not a chatapp checkout; install chatctl with `make env`"):
        paths.repository()

"""What a person sees: progress, and what went wrong."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from chatctl import cli, console, toolchain
from chatctl.console import Steps
from chatctl.paths import cache_dir


@pytest.mark.parametrize("terminal", [False, True])
def test_output_of_a_program_is_shown_as_it_is(terminal: bool) -> None:
    shown = io.StringIO()
    steps = Steps(Console(file=shown, force_terminal=terminal, width=100))
    with steps.step("Reading [all] of it") as note:
        note("reading [/etc/pip.conf] done")
        note("[certs] Generating")
    assert "Reading [all] of it" in shown.getvalue()


def test_long_step_says_that_it_is_alive_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "HEARTBEAT_SECONDS", -1.0)
    shown = io.StringIO()
    with Steps(Console(file=shown)).step("Reading") as note:
        note("page 1")
        note("page 2")
    assert re.findall(r"^  Reading: \d+ s, (.*)$", shown.getvalue(), re.MULTILINE) == ["page 1", "page 2"]


def test_step_that_fails_is_marked_and_not_counted() -> None:
    shown = io.StringIO()
    steps = Steps(Console(file=shown))
    with pytest.raises(OSError, match="full"), steps.step("Writing"):
        raise OSError("full")
    assert "✗ Writing" in shown.getvalue()
    assert steps.taken == []


def fail(*_: object) -> None:
    raise RuntimeError("the moon")


def test_failure_that_nobody_foresaw_is_exit_code_2_and_keeps_its_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "ensure", fail)
    monkeypatch.setattr("sys.argv", ["chatctl", "tools"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    log = cache_dir() / "logs" / "unforeseen.log"
    assert capsys.readouterr().err == f"chatctl: RuntimeError: the moon (unforeseen; its trace is in {log})\n"
    assert 'raise RuntimeError("the moon")' in log.read_text()


def test_trace_that_cannot_be_kept_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cache").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(toolchain, "ensure", fail)
    monkeypatch.setattr("sys.argv", ["chatctl", "tools"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("chatctl: RuntimeError: the moon (unforeseen; its trace: Traceback")
    assert 'raise RuntimeError("the moon")' in said


def test_without_a_command_the_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["chatctl"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "Bring up the chat" in capsys.readouterr().out

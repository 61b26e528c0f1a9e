"""What a person sees: progress, and what went wrong."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from chatctl import cli, toolchain
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


def test_step_that_fails_is_marked_and_not_counted() -> None:
    shown = io.StringIO()
    steps = Steps(Console(file=shown))
    with pytest.raises(OSError, match="full"), steps.step("Writing"):
        raise OSError("full")
    assert "✗ Writing" in shown.getvalue()
    assert steps.taken == []


def test_failure_that_nobody_foresaw_is_exit_code_2_and_keeps_its_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the moon")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "ensure", fail)
    monkeypatch.setattr("sys.argv", ["chatctl", "tools"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    log = cache_dir() / "logs" / "unforeseen.log"
    assert capsys.readouterr().err == f"chatctl: RuntimeError: the moon (unforeseen; its trace is in {log})\n"
    assert 'raise RuntimeError("the moon")' in log.read_text()


def test_without_a_command_the_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["chatctl"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "Bring up the chat" in capsys.readouterr().out

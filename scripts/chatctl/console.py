"""What a person sees while they wait: one line a step, live on a terminal, and where the time went."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

HEARTBEAT_SECONDS = 30.0
"""Without a terminal, a long step says that it is still alive this often."""


@dataclass
class Steps:
    """The steps of one command: shows each as it runs and remembers how long it took (seconds, wall clock)."""

    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    taken: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str, expect: str = "") -> Iterator[Callable[[str], None]]:
        """Run one step; yields a function that shows what is going on inside it.

        Args:
            title: What is being done, as a person would say it.
            expect: How long it usually takes, shown while it runs.
        """
        title = escape(title)
        begin = time.monotonic()
        hint = f" [dim](usually {expect})[/]" if expect else ""
        if not self.console.is_terminal and expect:
            self.console.print(f"… {title}{hint}")
        with self.console.status(f"{title}{hint}") as status:
            beat = begin

            def note(detail: str) -> None:
                nonlocal beat
                detail = escape(detail)
                now = time.monotonic()
                status.update(f"{title} [dim]{now - begin:.0f} s · {detail}[/]{hint}")
                if not self.console.is_terminal and now - beat > HEARTBEAT_SECONDS:
                    beat = now
                    self.console.print(f"  {title}: {now - begin:.0f} s, {detail}", style="dim")

            try:
                yield note
            except BaseException:
                self.console.print(f"[red]✗[/] {title}")
                raise
        seconds = time.monotonic() - begin
        self.taken.append((title, seconds))
        self.console.print(f"[green]✓[/] {title} [dim]{seconds:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print one line between the steps."""
        self.console.print(text)

    def where_the_time_went(self) -> Table:
        """Return the steps, longest first, with their share of the whole."""
        total = sum(seconds for _, seconds in self.taken)
        table = Table("step", "seconds", "share", title="Where the time went", title_justify="left")
        table.columns[1].justify = table.columns[2].justify = "right"
        for title, seconds in sorted(self.taken, key=lambda step: -step[1]):
            table.add_row(title, f"{seconds:.1f}", f"{seconds / total:.0%}" if total else "")
        table.add_section()
        table.add_row("total", f"{total:.1f}", "")
        return table

"""How a render looks while it goes: bars on a terminal, plain lines elsewhere. All on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rushes.cli.edge import say, shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from rushes.engine.outcome import Reporter
    from rushes.engine.taking import Made
    from rushes.engine.wishes import Refusal


@contextmanager
def reporter() -> Iterator[Reporter]:
    """Whoever tells a person at this terminal, or in this log, how a render goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
        yield Bars(progress)


def _made_line(name: str, made: Made) -> str:
    ran = [stage for stage, status in made.stages.items() if status == "ran"]
    how = "all found, nothing ran" if not ran else f"{', '.join(ran)} in {made.seconds:.1f} s"
    return f"{shown(name, 28):<28} {made.take}  {how}"


def _began(names: list[str], picked_up: int) -> str:
    again = f", {picked_up} of them left from a render that was interrupted" if picked_up else ""
    return f"{len(names)} to render{again}" if names else "nothing to render"


class Lines:
    """One line a take."""

    def begins(self, names: list[str], picked_up: int) -> None:
        say(_began(names, picked_up))

    def stage(self, name: str, stage: str, done: int, total: int) -> None:
        """A log wants results, not steps."""

    def made(self, name: str, made: Made) -> None:
        say(_made_line(name, made))

    def refused(self, refusal: Refusal) -> None:
        say(f"{shown(refusal.name, 28):<28} not made: {shown(refusal.text, 300)}")
        if refusal.remedy:
            say(f"{'':<28} do: {shown(refusal.remedy, 300)}")


class Bars(Lines):
    """A bar for the film and one for each stage that runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole: TaskID | None = None
        self._stages: dict[str, TaskID] = {}

    def begins(self, names: list[str], picked_up: int) -> None:
        self._progress.console.print(_began(names, picked_up), markup=False)
        self._whole = self._progress.add_task("film", total=len(names)) if names else None

    def stage(self, name: str, stage: str, done: int, total: int) -> None:
        if name not in self._stages:
            self._stages[name] = self._progress.add_task(name)
        text = f"  {shown(name, 28)} {stage}"
        self._progress.update(self._stages[name], description=text, completed=done, total=max(total, 1))

    def made(self, name: str, made: Made) -> None:
        self._progress.console.print(_made_line(name, made), markup=False)
        self._one_less(name)

    def refused(self, refusal: Refusal) -> None:
        self._progress.console.print(f"{refusal.name} not made: {shown(refusal.text, 300)}", markup=False)
        self._one_less(refusal.name)

    def _one_less(self, name: str) -> None:
        if name in self._stages:
            self._progress.remove_task(self._stages.pop(name))
        if self._whole is not None:
            self._progress.advance(self._whole)

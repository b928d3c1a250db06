"""How a render looks while it goes: bars on a terminal, plain lines elsewhere. All on stderr.

What is shown are the events of the film, whether they come from this process or from the daemon.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rushes.cli.edge import say, shown
from rushes.messages import events
from rushes.messages.events import FilmEvents

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Watching(Protocol):
    """Whoever shows events as they come."""

    def __call__(self, event: FilmEvents) -> None: ...


@contextmanager
def watching() -> Iterator[Watching]:
    """Whoever tells a person at this terminal, or in this log, how a render goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as progress:
        yield Bars(progress)


class Lines:
    """One line a take. A log wants results, not steps."""

    def __call__(self, event: FilmEvents) -> None:
        for line in lines(event):
            self.line(line)

    def line(self, text: str) -> None:
        say(text)


class Bars(Lines):
    """A bar for the film and one for each stage that runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole: TaskID | None = None
        self._stages: dict[int, TaskID] = {}

    def line(self, text: str) -> None:
        self._progress.console.print(text, markup=False)

    def __call__(self, event: FilmEvents) -> None:
        super().__call__(event)
        match event:
            case events.Queued():
                self._more(len(event.jobs))
            case events.Progress():
                self._stage(event)
            case events.Ready() | events.Failed() | events.Dropped():
                self._one_less(event.job)

    def _more(self, count: int) -> None:
        if self._whole is None:
            self._whole = self._progress.add_task("film", total=0)
        self._progress.update(self._whole, total=(self._progress.tasks[self._whole].total or 0) + count)

    def _stage(self, event: events.Progress) -> None:
        if event.job not in self._stages:
            self._stages[event.job] = self._progress.add_task(event.name)
        text = f"  {shown(event.name, 28)} {event.stage}"
        total = max(event.total, 1)
        self._progress.update(self._stages[event.job], description=text, completed=event.done, total=total)
        if self._whole is not None and event.seconds_left is not None:
            self._progress.update(self._whole, description=f"film, {spoken(event.seconds_left)} left")

    def _one_less(self, job: int) -> None:
        if job in self._stages:
            self._progress.remove_task(self._stages.pop(job))
        if self._whole is not None:
            self._progress.advance(self._whole)


def lines(event: FilmEvents) -> list[str]:
    """What a person should read of an event: nothing, mostly."""
    match event:
        case events.Queued():
            return [_queued(event)]
        case events.Ready():
            return [_ready(event)]
        case events.Failed():
            said = [f"{shown(event.name, 28):<28} not made: {shown(event.error.text, 300)}"]
            return [*said, f"{'':<28} do: {shown(event.error.remedy, 300)}"] if event.error.remedy else said
        case events.Dropped(how="skipped" | "cancelled"):
            return [f"{shown(event.name, 28):<28} {event.how}: {shown(event.because, 300)}"]
        case events.Warned():
            return [f"note: {shown(event.text, 300)}"]
        case _:
            return []


def _queued(event: events.Queued) -> str:
    if not event.jobs and not event.picked_up:
        return "nothing to render"
    again = f", and {event.picked_up} left from a render that was cut short" if event.picked_up else ""
    time = f", about {spoken(event.seconds_left)}" if event.seconds_left else ""
    return f"{len(event.jobs)} to render{again}{time}"


def _ready(event: events.Ready) -> str:
    ran = [stage for stage, status in event.stages.items() if status == "ran"]
    how = "all found, nothing ran" if not ran else f"{', '.join(ran)} in {event.seconds:.1f} s"
    waits = ", waits to be chosen" if event.waiting else ""
    return f"{shown(event.name, 28):<28} {event.take}  {how}{waits}"


def spoken(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"

"""How a render looks while it goes: bars on a terminal, plain lines elsewhere. All on stderr.

What is shown are the events of the film, whether they come from this process or from the daemon.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rushes.cli.edge import say, shown
from rushes.messages import events
from rushes.messages.events import FilmEvents

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


AT_WORK = 2
"""Shots that a worker is at: one is generated, one encoded. Others that were begun wait for their next stage."""

STEADY_S = 1.0
"""From then on, how long a stage took so far says how long it will take."""


class Watching(Protocol):
    """Whoever shows events as they come."""

    def __call__(self, event: FilmEvents) -> None: ...

    def line(self, text: str) -> None:
        """A line of its own."""


@contextmanager
def watching() -> Iterator[Watching]:
    """Whoever tells a person at this terminal, or in this log, how a render goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    texts = ("{task.description}", "{task.fields[count]}", "{task.fields[left]}")
    what, count, left = (TextColumn(text, markup=False) for text in texts)
    console = Console(stderr=True, highlight=False)
    with Progress(what, BarColumn(None), count, left, console=console, expand=True) as progress:
        yield Bars(progress)


class Lines:
    """One line a take. A log wants results, not steps."""

    def __call__(self, event: FilmEvents) -> None:
        for line in lines(event):
            self.line(line)

    def line(self, text: str) -> None:
        say(text)


@dataclass
class _Bar:
    """What a shot is at, since when and from which step on."""

    task: TaskID
    stage: str
    began: float
    first: int
    heard: float

    def left(self, done: int, total: int, now: float) -> str:
        """The time until this stage is done, if it goes on as it went; empty while that cannot be said."""
        if not self.first < done < total or now - self.began < STEADY_S:
            return ""
        return f"{spoken((now - self.began) / (done - self.first) * (total - done))} left"


class Bars(Lines):
    """A bar for the film, and one for each shot that is worked on: its stage, how far it is, how long still."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._whole: TaskID | None = None
        self._bars: dict[int, _Bar] = {}
        self._over: set[int] = (
            set()
        )  # progress has no number: it may be heard after the end that it was told before

    def line(self, text: str) -> None:
        self._progress.console.print(text, markup=False)

    def __call__(self, event: FilmEvents) -> None:
        super().__call__(event)
        match event:
            case events.Queued():
                self._over.difference_update(row.job for row in event.jobs)
                self._count(more=len(event.jobs))
            case events.Progress() if event.job not in self._over:
                self._stage(event, time.monotonic())
            case events.Ready() | events.Failed() | events.Dropped():
                self._over.add(event.job)
                self._close(event.job)
                self._count(done=1)

    def _count(self, more: int = 0, done: int = 0) -> None:
        """So many shots are to be made beside those that were known, and so many are."""
        if self._whole is None:
            self._whole = self._progress.add_task("film", total=0, count="", left="")
        whole = next(task for task in self._progress.tasks if task.id == self._whole)
        made, total = int(whole.completed) + done, int(whole.total or 0) + more
        self._progress.update(self._whole, completed=made, total=total, count=f"{made}/{total} shots")
        if made == total:
            self._progress.update(self._whole, left="")

    def _stage(self, event: events.Progress, now: float) -> None:
        bar = self._bars.get(event.job)
        if bar is None or bar.stage != event.stage:
            bar = self._begin(event, now)
        bar.heard = now
        self._progress.update(
            bar.task,
            completed=event.done,
            total=event.total or None,
            count=f"{event.done}/{event.total}" if event.total else "",
            left=bar.left(event.done, event.total, now),
        )
        if self._whole is not None and event.seconds_left is not None:
            self._progress.update(self._whole, left=f"{spoken(event.seconds_left)} left")

    def _begin(self, event: events.Progress, now: float) -> _Bar:
        if event.job not in self._bars and len(self._bars) == AT_WORK:
            self._close(min(self._bars, key=lambda job: self._bars[job].heard))
        before, text = self._bars.get(event.job), f"{shown(event.name, 28)}  {event.stage}"
        task = before.task if before else self._progress.add_task(text, count="", left="")
        self._progress.reset(task, description=text, total=None)
        self._bars[event.job] = _Bar(task, event.stage, now, event.done, now)
        return self._bars[event.job]

    def _close(self, job: int) -> None:
        if job in self._bars:
            self._progress.remove_task(self._bars.pop(job).task)


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

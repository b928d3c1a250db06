"""Commands of the queue, and those that the engine answers, as the daemon answers them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from rushes.engine import answering
from rushes.engine.opendesk import OpenDesk
from rushes.engine.rendering import wishes_for
from rushes.engine.shooting import Shooting
from rushes.hosts import pulling, showing
from rushes.messages import commands
from rushes.messages.answers import Answer, JobRow
from rushes.store.held import HeldTakes
from rushes.store.jobs import State

_AGAIN = (State.FAILED, State.PARKED)


class Asked(msgspec.Struct, frozen=True):
    """The answer to a render: the jobs, and what is not made and why. `rushes render --json` has the words."""

    film: str
    jobs: list[JobRow]
    failed: list[dict[str, str]]
    skipped: list[dict[str, str]]
    fresh: int


def result(shape: Any) -> Answer:  # noqa: ANN401 (whatever msgspec can write)
    return Answer(result=Raw(msgspec.json.encode(shape)))


def render(desk: OpenDesk, shooting: Shooting, command: commands.Render) -> Asked:
    """Queue what was asked for."""
    wishes = wishes_for(desk, command.shots, command.another, command.until, command.model)
    found, jobs = shooting.ask(wishes)
    failed = [{"shot": r.shot, "name": r.name, "error": r.text, "remedy": r.remedy} for r in found.failed]
    skipped = [{"shot": r.shot, "name": r.name, "because": r.text} for r in found.skipped]
    return Asked(command.film, jobs, failed, skipped, found.fresh)


def answer(desk: OpenDesk, shooting: Shooting, command: commands.FilmCommands) -> Answer:
    """The answer to any other command about a film."""
    match command:
        case commands.Retry():
            return result({"jobs": shooting.retry(command.jobs or _failed(desk))})
        case commands.Reorder():
            shooting.first(command.jobs)
            return result({"jobs": shooting.book.rows()})
        case commands.Focus():
            shooting.focus(command.playhead, command.selection)
            return result({})
        case commands.Pull():
            return result(answering.carried_out(pulling.pull, desk, command))
        case commands.Media():
            return result(showing.media(desk, command))
        case commands.Hold():
            HeldTakes(desk.studio.database).say(desk.places.key, command.host, command.takes)
            return result({})
        case _:
            return result(answering.answer(desk, command))


def _failed(desk: OpenDesk) -> list[int]:
    """The jobs to retry when none is named: of each shot the last, where it failed."""
    return [job.id for job in desk.studio.jobs.latest(desk.places.key).values() if job.state in _AGAIN]

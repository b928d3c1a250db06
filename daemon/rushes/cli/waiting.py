"""Waiting for the daemon: a render to its end, a watch until Ctrl-C. A daemon that dies meanwhile is started
again, once, and goes on with its queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from rushes.cli.edge import say
from rushes.cli.link import ANSWER_S, link
from rushes.connection import default_path
from rushes.engine.outcome import Outcome
from rushes.engine.wishes import Refusal
from rushes.messages import commands, events
from rushes.messages.answers import JobRow
from rushes.messages.base import Body
from rushes.messages.events import FilmEvents, JobEvent
from rushes.protocol import Told
from rushes_otio.errors import Unreachable

if TYPE_CHECKING:
    from rushes.client import Client

BETWEEN_RESTARTS_S = 30.0
"""A daemon that dies again within this time is not started a third time: something is wrong."""

_ENDED = (events.Ready, events.Failed, events.Dropped)

Tell = Callable[[FilmEvents], None]


class _Asked(msgspec.Struct):
    """The answer to `render`, as far as it is used here."""

    jobs: list[JobRow]
    failed: list[dict[str, str]]
    skipped: list[dict[str, str]]
    fresh: int


class _Jobs(msgspec.Struct):
    jobs: list[JobRow]


class Lasting:
    """A client whose daemon is started again when it dies; not a second time within half a minute."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._restarted = float("-inf")

    def ask(self, command: commands.Commands) -> dict[str, Any]:
        """The answer, of the next daemon if need be. Only for what may be asked twice."""
        try:
            return self._client.ask(command, ANSWER_S)
        except Unreachable as error:
            self._restart(error.text)
            return self._client.ask(command, ANSWER_S)

    def heard(self) -> Iterator[Told]:
        """What the client hears, for ever."""
        while True:
            for told in self._client.poll(0.5):
                if isinstance(told.body, events.Unlinked):
                    self._restart(told.body.why)
                yield told

    def _restart(self, why: str) -> None:
        from rushes.starting import is_running, linked

        if is_running(default_path()):
            return  # it was started again already
        if time.monotonic() - self._restarted < BETWEEN_RESTARTS_S:
            raise Unreachable(f"the daemon was lost again: {why}", remedy="rushes daemon log")
        self._restarted = time.monotonic()
        say(f"the daemon was lost ({why}); starting it again")
        linked(default_path(), "restart").close()


def render_by_daemon(asked: commands.Render, tell: Tell) -> Outcome:
    """Have the daemon render, and wait. Ctrl-C cancels what is not made yet."""
    with link() as client:
        client.follow(asked.film)
        found = msgspec.convert(client.ask(asked, ANSWER_S), _Asked)
        ids, lasting = [row.job for row in found.jobs], Lasting(client)
        try:
            _wait(lasting, set(ids), tell)
        except KeyboardInterrupt:
            client.ask(commands.Cancel(film=asked.film, jobs=ids)) if ids else None
            raise
        outcome = Outcome(fresh=found.fresh)
        outcome.failed += [Refusal(r["shot"], r["name"], r["error"], r["remedy"]) for r in found.failed]
        outcome.skipped += [Refusal(r["shot"], r["name"], r["because"]) for r in found.skipped]
        outcome.add(_rows(lasting, ids))
        return outcome


def _wait(lasting: Lasting, waiting: set[int], tell: Tell) -> None:
    """Until all these jobs have ended. Their events are told."""
    mine = set(waiting)
    for told in lasting.heard():
        body = told.body
        if _concerns(body, mine):
            tell(body)
        if isinstance(body, _ENDED):
            waiting.discard(body.job)
        elif not isinstance(body, events.Progress | events.Preview):
            # A job may have ended before we followed, or while the daemon was away.
            waiting &= {row.job for row in _rows(lasting, sorted(waiting)) if row.state in ("queued", "running")}
        if not waiting:
            return


def _concerns(body: Body, mine: set[int]) -> TypeGuard[FilmEvents]:
    match body:
        case events.Queued():
            return not mine.isdisjoint(row.job for row in body.jobs)
        case JobEvent():
            return body.job in mine
        case _:
            return isinstance(body, events.Warned)


def _rows(lasting: Lasting, ids: list[int]) -> list[JobRow]:
    return msgspec.convert(lasting.ask(commands.Jobs(jobs=ids)), _Jobs).jobs if ids else []


def watch_by_daemon(film: str) -> Iterator[Told]:
    """Have the film watched; what is heard of it, until the caller stops asking. Then the watch ends."""
    with link() as client:
        client.follow(film)
        try:
            for told in Lasting(client).heard():
                if isinstance(told.body, events.Linked):
                    client.send(commands.Watch(film=film, on=True))
                yield told
        finally:
            _switch_off(client, film)


def _switch_off(client: Client, film: str) -> None:
    try:
        client.ask(commands.Watch(film=film, on=False), timeout=5.0)
    except Unreachable:
        say("the daemon is gone, and the watch with it")

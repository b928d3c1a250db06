"""Rendering what becomes stale, as it does: for as long as somebody who asked for it is there."""

from __future__ import annotations

from rushes.engine.opendesk import OpenDesk
from rushes.engine.recipe import Recipe
from rushes.engine.shooting import Shooting
from rushes.engine.wishes import Wishes
from rushes.messages import events


class Watch:
    """The watch over one film. A shot that could not be made is not tried again before its recipe changes."""

    def __init__(self, desk: OpenDesk, shooting: Shooting) -> None:
        self._desk = desk
        self._shooting = shooting
        self._sessions: set[str] = set()
        self._gave_up: dict[str, Recipe | None] = {}
        self._version = -1

    @property
    def is_on(self) -> bool:
        return bool(self._sessions)

    def switch(self, session: str, *, on: bool) -> bool:
        """Switch it on or off for a session; whether that changed anything for the film."""
        was = self.is_on
        if on:
            self._sessions.add(session)
            self._gave_up.clear()
            self._version = -1
        else:
            self._sessions.discard(session)
        return self.is_on != was

    def off(self) -> None:
        self._sessions.clear()

    def ended(self, event: events.JobEvent) -> None:
        """A job came to its end."""
        if isinstance(event, events.Failed) or (isinstance(event, events.Dropped) and event.how != "fresh"):
            plan = self._desk.known(event.shot)
            self._gave_up[event.shot] = plan.recipe if plan else None

    def go_on(self) -> None:
        """Ask for what is stale or missing, if the film changed since it was looked at last."""
        if not self.is_on or self._desk.version == self._version:
            return
        plans = self._desk.plan(self._desk.read()).shots
        wanted = [
            shot
            for shot, plan in plans.items()
            if plan.renderable and (shot not in self._gave_up or self._gave_up[shot] != plan.recipe)
        ]
        waiting = self._shooting.shots()
        wanted = [shot for shot in wanted if shot not in waiting]
        if wanted:
            self._shooting.ask(Wishes(only=frozenset(wanted), watch=True))
        self._version = self._desk.version

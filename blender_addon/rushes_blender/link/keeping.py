"""What is followed, kept up to date: the daemon's events taken in, and asked what they do not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..texts import error_text, printable
from .asking import Ask, Done
from .films import Film, fault_of
from .shapes import wrong_event

Json = dict[str, Any]

AGAIN_S = 5.0
"""Seconds until a film that could not be opened is asked for again."""

_LEVELS = ("character", "style", "location", "scene", "whole_film", "source", "table")
_NEW_NAMES = ("add", "undo", "redo", "conform")
"""Levels whose `set`, and commands that, may change which names a film has."""


class Keeper:
    """The films that are followed. `ask` sends a command, or keeps it until there is a link."""

    def __init__(self, ask: Callable[[Json, Done | None], object]) -> None:
        self.films: dict[str, Film] = {}
        self.shown: dict[str, set[str]] = {}
        self.changed: set[str] = set()
        self._ask = ask
        self._is_linked = False
        self._told: set[str] = set()  # films that this child was told to follow
        self._again: dict[str, float] = {}  # film -> when its snapshot is asked for again
        self._asking: set[tuple[str, str]] = set()  # (type, film) of what is on its way
        self._unknown: set[str] = set()  # commands that this daemon does not know
        self._unsettled: set[str] = set()  # films of which it has to be seen what their shots show

    def follow(self, path: str) -> Film:
        film = self.films.get(path)
        if film is None:
            film = self.films[path] = Film(path)
            if self._is_linked:
                self._snapshot(path)
        return film

    def leave(self, path: str) -> None:
        self.films.pop(path, None)
        if path in self._told:
            self._told.discard(path)
            self._ask({"type": "leave", "film": path}, None)

    def look_up(self, path: str) -> None:
        """Ask which names can be used in a film."""

        def found(film: Film, result: Json) -> None:
            film.library = result

        self._ask_once("library", path, {}, found)

    # -- the link --------------------------------------------------------------------------------------------

    def linked(self) -> None:
        """Another daemon may be there: it is told of the films that its pipe was not told of."""
        self._is_linked = True
        self._unknown.clear()
        for path in self.films.keys() - self._told:
            self._snapshot(path)

    def lost(self) -> None:
        """The pipe goes on following by itself, when there is a daemon again."""
        self._is_linked = False

    def started_anew(self) -> None:
        """The child is another one, or none: nothing that was said counts any more."""
        self._is_linked = False
        self._told.clear()
        self._again.clear()
        self._asking.clear()

    def fault(self, text: str, remedy: str) -> None:
        """What is the matter with all films."""
        for film in self.films.values():
            film.fault = {"text": text, "remedy": remedy}
            self.changed.add(film.path)

    # -- what comes ------------------------------------------------------------------------------------------

    def hear(self, body: Json) -> None:
        """A state or an event. What makes no sense is noted, and nothing else comes of it."""
        wrong = wrong_event(body)
        if body.get("type") == "queue_state" and not wrong:
            for each in self.films.values():
                each.paused = body["paused"]
                self.changed.add(each.path)
        film = self.films.get(str(body.get("film")))
        if film is None:
            return
        if wrong:
            film.note(f"{printable(body['type'], 40)} of the daemon makes no sense here: {printable(wrong, 120)}")
            self.changed.add(film.path)
            return
        self._has_changed(film, film.hear(body))
        if body["type"] == "state":
            self._again.pop(film.path, None)
            self.look_up(film.path)

    def answered(self, ask: Ask, result: Json) -> None:
        """What an answer says of a film, whoever asked."""
        film = self.films.get(str(ask.body.get("film")))
        if film is None:
            return
        if "media" in result:
            self._has_changed(film, film.show(result["media"]))
        if ask.body["type"] == "pull":
            film.to_bring = result["lacking"]
        if ask.body["type"] in _NEW_NAMES or any(ask.body.get(level) for level in _LEVELS):
            self.look_up(film.path)

    def failed(self, ask: Ask, error: Json, now: float) -> None:
        """A command was answered with an error, or given up."""
        if error.get("kind") == "protocol":
            self._unknown.add(str(ask.body.get("type")))
        film = self.films.get(str(ask.body.get("film")))
        if film is None or ask.body["type"] != "snapshot":
            return
        if error.get("kind") == "lost":
            self._told.discard(film.path)
        else:
            film.fault = fault_of(error)
            self._again[film.path] = now + AGAIN_S
            self.changed.add(film.path)

    def tick(self, now: float) -> None:
        """Ask for what is due, and for what has to be known since the last time."""
        if not self._is_linked:
            return
        for path in [path for path, due in self._again.items() if due <= now]:
            del self._again[path]
            if path in self.films:
                self._snapshot(path)
        for path in list(self._unsettled):
            self._settle(path)

    def news(self) -> tuple[dict[str, set[str]], set[str]]:
        """What changed since the last time: shots that show something else, by film; and all films."""
        found = self.shown, self.changed
        self.shown, self.changed = {}, set()
        return found

    # -- within ----------------------------------------------------------------------------------------------

    def _snapshot(self, path: str) -> None:
        self._told.add(path)
        self._ask({"type": "snapshot", "film": path}, None)

    def _settle(self, path: str) -> None:
        """Ask what those shots of a film show whose chosen take is not the one that was last heard of."""
        if ("media", path) in self._asking:
            return
        self._unsettled.discard(path)
        film = self.films.get(path)
        shots = film.unsettled() if film is not None else []
        if shots:
            self._ask_once("media", path, {"shots": shots}, _nothing)

    def _ask_once(self, kind: str, path: str, more: Json, found: Callable[[Film, Json], None]) -> None:
        """Ask on behalf of nobody but ourselves: not what this daemon does not know, and one at a time."""

        def done(result: Json | None, error: Json | None) -> None:
            self._asking.discard((kind, path))
            film = self.films.get(path)
            if film is None:
                return
            if result is not None:
                found(film, result)
            elif error is not None and error.get("kind") != "lost":
                film.note(error_text(error))
            self.changed.add(path)

        if kind not in self._unknown and (kind, path) not in self._asking:
            self._asking.add((kind, path))
            self._ask({"type": kind, "film": path, **more}, done)

    def _has_changed(self, film: Film, shown: set[str]) -> None:
        self.changed.add(film.path)
        self._unsettled.add(film.path)
        if shown:
            self.shown.setdefault(film.path, set()).update(shown)


def _nothing(film: Film, result: Json) -> None:
    """What `media` says is taken in whoever asked for it."""

"""When a scene's sequence is taken into its film: by itself, a moment after the editor changed something, and when
somebody asks for it. What the daemon answers is written back to the strips that it is about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import bpy

from .. import running, scenes
from ..strips import compat, marks, pushing, snapshot
from ..texts import error_text, printable
from . import copies, moments
from .debounce import Debounce
from .given import Given
from .identity import find, key_of
from .telling import digest, is_same_strip

Json = dict[str, Any]
Done = Callable[[Json | None, Json | None], None]
"""Called with the answer of a `pull`, or with an error."""

AUTOMATIC = "rushes_auto_pull"

changes = Debounce(quiet_s=0.7)
"""A pull is of what an editor did, not of each step on the way."""


@dataclass
class _Request:
    scene: Hashable
    film: str
    make: list[Json]
    bring: bool
    done: Done | None
    known: list[str] = field(default_factory=list)
    sequence: Json = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, Json]:
        """What was sent, by key."""
        return {row["key"]: row for row in self.sequence["rows"]}


_to_look_at: deque[Hashable] = deque()
_given = Given()
_seen: dict[Hashable, str] | None = None
"""By scene, the digest of what its film was told last; None until the file has been looked at first."""
_waiting: dict[str, deque[_Request]] = {}
_under_way: dict[str, _Request] = {}


# -- asked for ------------------------------------------------------------------------------------------------


def request(
    scene: bpy.types.Scene, done: Done | None = None, make: Iterable[Json] = (), bring: bool = False
) -> None:
    """Have the scene's sequence taken into its film: now, or after what is under way. Rows named in `make` become
    shots. When `done` is called, strips have their ids; what the film has beside them, which the answer holds with
    `bring`, is not brought in yet."""
    path = scenes.film_of(scene)
    why = _why_not(scene, path)
    if why:
        _answer(done, None, _error("request", why))
        return
    _waiting.setdefault(path, deque()).append(_Request(key_of(scene), path, list(make), bring, done))
    _next(path)


def is_automatic(scene: bpy.types.Scene) -> bool:
    """Whether the scene is pulled by itself."""
    return bool(scene.get(AUTOMATIC, True))


def set_automatic(scene: bpy.types.Scene, is_on: bool) -> None:
    scene[AUTOMATIC] = is_on
    touch()


# -- by itself ------------------------------------------------------------------------------------------------


def touch() -> None:
    """Something changed somewhere. Called very often."""
    changes.touch()


def undone() -> None:
    """Blender has undone or redone."""
    for scene, _ in scenes.linked():
        pushing.set_ids(scene, _given.lost(key_of(scene), _marked(scene)))
    touch()


def agree(scene: bpy.types.Scene, use: str, shot: str) -> None:
    """A use of the scene has become the shot, as the editor wanted: so it is until undo makes it another one."""
    _given.agree(key_of(scene), [{"use": use, "shot": shot}])


def forget() -> None:
    """Another file was loaded. What it shows is taken as what its films have, until an editor changes it: an old
    file that somebody opens to look at must not bring back the cut of that day."""
    global _seen
    waiting = [request for queue in _waiting.values() for request in queue]
    unanswered = [*_under_way.values(), *waiting]
    _waiting.clear()
    _under_way.clear()
    _given.clear()
    _seen = None
    copies.forget()
    changes.clear()
    _to_look_at.clear()
    for each in unanswered:
        _answer(each.done, None, _error("lost", "another file was loaded"))


def register() -> None:
    running.chore(_chore)


def unregister() -> None:
    forget()


def _chore(_budget_s: float) -> bool:
    global _seen
    if moments.may_read():
        copies.look()
    if _seen is None:
        _seen = {
            key_of(scene): digest(_sequence(scene)) for scene, path in scenes.linked() if scenes.trusted(path)
        }
    if changes.is_due() and running.session().link_state == "linked" and moments.may_read():
        changes.clear()
        _to_look_at.extend(key_of(scene) for scene, _ in scenes.linked())
    if _to_look_at:
        _look_at(_to_look_at.popleft())
    return bool(_to_look_at)


def _look_at(key: Hashable) -> None:
    """Pull the scene where it is another sequence than its film has."""
    scene = find(key)
    path = scenes.film_of(scene) if scene is not None else ""
    if scene is None or _why_not(scene, path) or not is_automatic(scene):
        return
    if path in _under_way:
        touch()  # look again when that is done
    elif _seen is not None:
        sequence = _sequence(scene)
        if _seen.get(key) != digest(sequence):
            _send(scene, _Request(key, path, [], False, None), sequence)


# -- the talk -------------------------------------------------------------------------------------------------


def _next(path: str) -> None:
    """Send the film's next pull, if none is under way."""
    queue = _waiting.get(path)
    while queue and path not in _under_way:
        asked = queue.popleft()
        scene = find(asked.scene)
        why = _why_not(scene, path) if scene is not None else "The scene is gone"
        if scene is None or why:
            _answer(asked.done, None, _error("request", why))
        else:
            _send(scene, asked, _sequence(scene))


def _send(scene: bpy.types.Scene, asked: _Request, sequence: Json) -> None:
    asked.known, asked.sequence = scenes.known(scene), sequence
    _under_way[asked.film] = asked
    told = {**sequence, "rows": [_given.told(asked.scene, row) for row in sequence["rows"]]}
    body = {"type": "pull", "film": asked.film, "sequence": told, "make": asked.make, "bring": asked.bring}
    running.session().ask(body, lambda result, error: _answered(asked, result, error))


def _answered(asked: _Request, result: Json | None, error: Json | None) -> None:
    if _under_way.get(asked.film) is not asked:
        return  # another file was loaded since, and who asked was told
    del _under_way[asked.film]
    try:
        if result is not None:
            _take_in(asked, result)
        else:
            _failed(asked, error or {})
        _answer(asked.done, result, error)
    finally:
        _next(asked.film)


def _take_in(asked: _Request, result: Json) -> None:
    film = running.session().film(asked.film)
    if film is not None:
        for text in result.get("notes", ()):
            film.note(printable(text))
        running.redraw()
    scene = find(asked.scene)
    if scene is not None and not _why_not(scene, asked.film):
        _write_ids(scene, asked, result.get("ids", []))
        _write_known(scene, asked, result)


def _write_ids(scene: bpy.types.Scene, asked: _Request, ids: list[Json]) -> None:
    """The editor may have gone on: an id is written only where the strip is still the one that it is for."""
    sent = asked.rows
    now = {row["key"]: row for row in _sequence(scene)["rows"]} if ids else {}
    fitting = [each for each in ids if is_same_strip(sent.get(each["key"]), now.get(each["key"]))]
    pushing.set_ids(scene, fitting)
    _given.remember(asked.scene, sent, fitting, {making["key"] for making in asked.make})
    for each in fitting:
        sent[each["key"]].update(use=each.get("use", ""), shot=each.get("shot", ""))
    _given.agree(asked.scene, [*sent.values(), *ids])
    if _seen is not None:
        _seen[asked.scene] = digest(asked.sequence)
    if len(fitting) < len(ids):
        touch()


def _write_known(scene: bpy.types.Scene, asked: _Request, result: Json) -> None:
    """What was not brought in stays unknown. If the scene says something else by now, an undo came between, and
    what it says is right: uses that are known and not there would be taken for deleted ones."""
    if scenes.known(scene) == asked.known:
        added = {row.get("use") for row in result.get("add", ())}
        scenes.set_known(scene, [use for use in result.get("known", asked.known) if use not in added])


def _failed(asked: _Request, error: Json) -> None:
    film = running.session().film(asked.film)
    if error.get("kind") == "lost":
        touch()
    elif _seen is not None:
        _seen[asked.scene] = digest(asked.sequence)  # it would fail again: wait for another edit
    if asked.done is None and error.get("kind") != "lost" and film is not None:
        film.note(error_text(error))
        running.redraw()


def _answer(done: Done | None, result: Json | None, error: Json | None) -> None:
    if done is not None:
        done(result, error)


def _error(kind: str, text: str) -> Json:
    return {"kind": kind, "text": text, "where": "", "remedy": ""}


# -- what is there --------------------------------------------------------------------------------------------


def _why_not(scene: bpy.types.Scene, path: str) -> str:
    if not path or scenes.film_of(scene) != path:
        return "The scene is not linked to a film"
    if not scenes.trusted(path):
        return "The film that this file names was not linked by you"
    return "The scene is frozen" if scenes.is_frozen(scene) else ""


def _marked(scene: bpy.types.Scene) -> list[Json]:
    """Who each strip is, and no more: a tenth of what a snapshot takes."""
    found = compat.strips_all(scene)
    return [{"key": each.name, "use": marks.use_of(each), "shot": marks.shot_of(each)} for each in found]


def _sequence(scene: bpy.types.Scene) -> Json:
    sequence = snapshot.sequence(scene)
    known = dict.fromkeys([*sequence["known"], *_given.uses(key_of(scene))])
    return {**sequence, "known": list(known)}

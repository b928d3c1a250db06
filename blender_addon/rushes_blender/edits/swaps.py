"""When strips are made to show what their shots show now: in every linked scene that is not frozen, a little in
each tick, never in a moment in which it would disturb, and in no step of the editor's undo.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any

import bpy

from .. import running, scenes
from ..strips import compat, marks, swapping
from ..texts import printable
from . import moments
from .expecting import Expected
from .identity import key_of

Json = dict[str, Any]

TICK_S = 0.005
"""What swaps take of a tick. At least one strip is swapped in each."""

AT_ONCE_S = 0.050
"""What they may take of an undo, so that what it brought back is seldom seen."""

expected = Expected()
"""What films were just told to choose."""

seconds: deque[float] = deque(maxlen=1000)
"""From the moment that a film was known to show something else until a strip showed it, for each strip."""

_waiting: dict[tuple[str, str], float | None] = {}
"""By film and shot, since when; None for those that are only looked at again."""

_frozen: set[Hashable] = set()
"""The scenes that were frozen at the last look."""

_refused: set[tuple[str, str, str]] = set()
"""Scene, strip and medium that could not be shown: not tried again before there is news."""


def told(path: str, shots: set[str]) -> None:
    """Shots of a film show something else from now on."""
    film = running.session().film(path)
    for shot in shots:
        _waiting[path, shot] = time.perf_counter()
        if film is not None and shot in film.showings:
            expected.shown(path, film.showings[shot])
    _refused.clear()


def reconcile(scene: bpy.types.Scene) -> None:
    """Look at all strips of the scene again: Blender put back what they showed at some time before."""
    path = scenes.film_of(scene)
    for strip in compat.strips_all(scene):
        shot = marks.shot_of(strip)
        if shot:
            _waiting.setdefault((path, shot), None)
    _refused.clear()


def reconcile_all() -> None:
    """The same for all linked scenes; and as much of it as can be done at once is."""
    for scene, _ in scenes.linked():
        reconcile(scene)
    work(AT_ONCE_S)


def work(budget_s: float) -> bool:
    """Swap for about so many seconds, at least one strip. True: there is more to do, come again."""
    if not moments.may_read():
        return False  # what a file that is being saved says is not how it is
    began = time.perf_counter()
    settled = _settled()
    for scene, strip, showing in _tasks(settled):
        had_to_go = strip.type != "MOVIE"
        _swap(scene, strip, showing)
        if had_to_go or time.perf_counter() - began >= budget_s:
            return True  # where a strip was replaced, what was found before may be gone with it
    for key in settled:
        if expected.take(*key) is None:  # else its film may yet say something else
            _waiting.pop(key, None)
    return False


def forget() -> None:
    """Another file was loaded."""
    _waiting.clear()
    _frozen.clear()
    _refused.clear()
    expected.clear()


def register() -> None:
    running.session().on_media(told)
    running.chore(_chore)


def unregister() -> None:
    forget()


def _chore(budget_s: float) -> bool:
    _look_at_thawed()
    return bool(_waiting) and work(min(budget_s, TICK_S))


def _look_at_thawed() -> None:
    """A scene that is frozen no more has missed what was shown meanwhile."""
    global _frozen
    linked = [scene for scene, _ in scenes.linked()]
    frozen = {key_of(scene) for scene in linked if scenes.is_frozen(scene)}
    for scene in linked:
        if key_of(scene) in _frozen - frozen:
            reconcile(scene)
    _frozen = frozen


def _settled() -> dict[tuple[str, str], Json]:
    """What waits and can be dealt with, and what it is to show. What a film is not known to show is left out: it
    will be told. So is what it is about to choose, where that was never seen."""
    found: dict[tuple[str, str], Json] = {}
    for path, shot in list(_waiting):
        film = running.session().film(path)
        said = film.showings.get(shot) if film is not None else None
        if said is None:
            del _waiting[path, shot]
            continue
        showing = expected.instead(path, said)
        if showing is not None:
            found[path, shot] = showing
    return found


def _tasks(settled: dict[tuple[str, str], Json]) -> Iterator[tuple[bpy.types.Scene, bpy.types.Strip, Json]]:
    """The strips that show something else than they should. What is in a scene that must not be touched now is
    taken out of `settled`, and goes on waiting."""
    for scene, path in scenes.linked():
        shots = {shot for film, shot in settled if film == path}
        if not shots or scenes.is_frozen(scene) or not scenes.trusted(path):
            continue
        if not moments.may_change(scene):
            for shot in shots:
                del settled[path, shot]
            continue
        for strip in compat.strips_all(scene):
            showing = settled.get((path, marks.shot_of(strip)))
            if showing is not None and _is_wanted(scene, strip, showing):
                yield scene, strip, showing


def _is_wanted(scene: bpy.types.Scene, strip: bpy.types.Strip, showing: Json) -> bool:
    return (scene.name, strip.name, showing["path"]) not in _refused and swapping.needs(strip, showing)


def _swap(scene: bpy.types.Scene, strip: bpy.types.Strip, showing: Json) -> None:
    path, refusal = scenes.film_of(scene), (scene.name, strip.name, showing["path"])
    problem = swapping.show(scene, strip, showing)
    since = _waiting.get((path, showing["shot"]))
    running.redraw()
    if problem:
        _refused.add(refusal)
        film = running.session().film(path)
        if film is not None:
            film.note(printable(problem))
    elif since is not None:
        seconds.append(time.perf_counter() - since)

"""What runs while the add-on is on: the session with the daemon, and the one timer that drives it and the
chores."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import bpy

from . import folders, preferences, scenes
from .link import finding
from .link.pipe import Pipe
from .link.session import Session

BUSY_S = 0.02
TICK_S = 0.1
ASLEEP_S = 0.5
"""Seconds until the next tick: while there is more to do, usually, and while there is no link at all."""

MESSAGES_S = 0.010
CHORES_S = 0.010
"""What a tick may take: of Blender's main thread, so of the editor's time."""

_REGIONS = frozenset({"WINDOW", "UI"})
"""Of a sequencer, where something of ours is shown. What the preview shows Blender draws again by itself when a
strip is changed; many times a second while something renders, its large picture would cost more than all else."""

Chore = Callable[[float], bool]
"""Called in each tick with the seconds that it may take. True: there is more to do, come again soon."""


@dataclass
class Ticks:
    """What ticks cost, in milliseconds."""

    count: int = 0
    last_ms: float = 0.0
    worst_ms: float = 0.0
    mean_ms: float = 0.0

    def took(self, seconds: float) -> None:
        self.count += 1
        self.last_ms = seconds * 1000
        self.worst_ms = max(self.worst_ms, self.last_ms)
        self.mean_ms += (self.last_ms - self.mean_ms) / self.count


ticks = Ticks()
_session: Session | None = None
_chores: list[Chore] = []
_must_redraw = False
_said: set[str] = set()


def session() -> Session:
    """The one session of this Blender. Its child process is started by the first film that is followed."""
    global _session
    if _session is None:
        _session = Session(_pipe, time.monotonic)
        _session.on_change(lambda _: redraw())
    return _session


def chore(do: Chore) -> None:
    """Have it called in each tick, from now until the add-on is switched off."""
    if do not in _chores:
        _chores.append(do)


def redraw() -> None:
    """Have the strips and sidebars of all sequencers drawn again, once, at the end of this or the next tick."""
    global _must_redraw
    _must_redraw = True


def refollow() -> None:
    """Follow the films of all linked scenes that this user trusts, and no others: after a file was loaded, and
    after scenes were linked or unlinked."""
    wanted = {path for _, path in scenes.linked() if scenes.trusted(path)}
    for path in session().followed - wanted:
        session().leave(path)
    for path in sorted(wanted):
        session().follow(path)


def restart() -> None:
    """End the child process and start it anew, with the command that is found now."""
    followed = session().followed
    session().stop()
    for path in sorted(followed):
        session().follow(path)


def register() -> None:
    """The timer is persistent: another file leaves it."""
    global ticks
    ticks = Ticks()
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=TICK_S, persistent=True)


def unregister() -> None:
    global _session
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _chores.clear()
    _said.clear()
    if _session is not None:
        _session.stop()
        _session = None


def _pipe() -> Pipe:
    return Pipe(finding.command(preferences.program(), folders.user()))


def _tick() -> float:
    """One turn. Whatever happens in it, it comes again: an exception would end a timer of Blender's for good."""
    began = time.perf_counter()
    if not ticks.count:
        _guarded(refollow)  # while add-ons are registered, Blender shows no scenes
    more = _guarded(_hear)
    end = time.perf_counter() + CHORES_S
    for do in tuple(_chores):
        more |= _guarded(partial(_do, do, end))
    _chores[:] = _chores[1:] + _chores[:1]  # whoever came last comes first next time
    _guarded(_redraw)
    ticks.took(time.perf_counter() - began)
    if more:
        return BUSY_S
    return ASLEEP_S if session().link_state == "off" else TICK_S


def _hear() -> bool:
    session().poll(MESSAGES_S)
    return session().has_more


def _do(do: Chore, end: float) -> bool:
    return do(max(0.0, end - time.perf_counter()))


def _guarded(do: Callable[[], object]) -> bool:
    """What it says; False when it failed. A failure is printed with all that is known of it, but once."""
    try:
        return bool(do())
    except Exception:
        said = traceback.format_exc()
        if said not in _said:
            _said.add(said)
            sys.stderr.write(said)
        return False


def _redraw() -> None:
    global _must_redraw
    if not _must_redraw:
        return
    _must_redraw = False
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            for region in area.regions if area.type == "SEQUENCE_EDITOR" else ():
                if region.type in _REGIONS:
                    region.tag_redraw()

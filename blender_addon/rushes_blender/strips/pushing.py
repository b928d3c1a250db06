"""What the film has and the sequence lacks, brought in: rows to strips. Where they go, the daemon has said.

Strips lie first, then the speed effects over them, then the dissolves over both. An effect has to lie above what
it is made of, else Blender shows that too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy

from .. import scenes
from ..texts import printable
from .compat import LEFT, RIGHT, Strip, ensure_editor, get, new_effect, quiet_cache, readable, set_speed, strips
from .dressing import fit_scene, scene_markers, set_ids
from .framing import fit
from .making import make
from .marks import Window, mark, set_window
from .placing import Spots, head_for, is_too_far, lay
from .speeds import SPEED

__all__ = ["Brought", "bring_in", "bringing_in", "fit_scene", "scene_markers", "set_ids"]

Row = dict[str, Any]

_DISSOLVES = {"cross": "CROSS", "gamma_cross": "GAMMA_CROSS", "wipe": "WIPE"}


@dataclass
class Brought:
    """How many strips were to be made, the names of those that were, the uses of those that were not, and what a
    person should know."""

    total: int = 0
    added: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def known(self, answer: dict[str, Any]) -> list[str]:
        """The uses that the film has given the sequence now. Those left out are offered again: were they known and
        not there, the editor would have deleted them."""
        left_out = set(self.left_out)
        return [use for use in answer.get("known") or [] if use not in left_out]


def bring_in(scene: bpy.types.Scene, answer: dict[str, Any]) -> Brought:
    """Make the strips of a pull's `add` and `dissolves`."""
    brought = Brought()
    for brought in bringing_in(scene, answer):  # noqa: B007
        pass
    return brought


def bringing_in(scene: bpy.types.Scene, answer: dict[str, Any]) -> Iterator[Brought]:
    """The same, with the state after each one. One that is not made is a problem. Until the last was asked for,
    nothing else may change the scene."""
    bringing = _Bringing(scene, answer)
    with quiet_cache(scene):
        yield from bringing.run()


class _Bringing:
    def __init__(self, scene: bpy.types.Scene, answer: dict[str, Any]) -> None:
        self._scene = scene
        self._editor, self._zero = ensure_editor(scene), scenes.zero(scene)
        self._rows: list[Row] = answer.get("add") or []
        self._dissolves: list[Row] = answer.get("dissolves") or []
        self._spots = Spots(strips(self._editor))
        self._top: dict[str, Strip] = {}  # what is seen of each row, by its key
        self.brought = Brought(total=len(self._rows) + len(self._dissolves))
        _name_channels(self._editor, answer.get("tracks") or [])

    def run(self) -> Iterator[Brought]:
        for row in self._rows:
            self._safely(row, self._lie)
            if row["key"] not in self._top:
                self.brought.left_out.append(row.get("use", ""))
            yield self.brought
        for dissolve in self._dissolves:
            self._spots.take(dissolve["channel"], *self._span(dissolve))
        for row in self._rows:
            if row.get("speed", "1") not in ("1", "-1"):
                self._safely(row, self._retime)
        for dissolve in self._dissolves:
            self._safely(dissolve, self._dissolve)
            yield self.brought

    def _safely(self, row: Row, do: Callable[[Row], str]) -> None:
        """One that Blender refuses does not keep the others out."""
        try:
            problem = do(row)
        except Exception as error:
            problem = str(error).removeprefix("Error: ").strip() or type(error).__name__
        if problem:
            self.brought.problems.append(printable(f"{row.get('name') or row.get('key')}: {problem}"))

    def _span(self, row: Row) -> tuple[int, int]:
        return row["left"] + self._zero, row["right"] + self._zero

    def _lie(self, row: Row) -> str:
        channel, (left, right) = row["channel"], self._span(row)
        if is_too_far(left, right, row.get("first", 0)):
            return "is further away than Blender counts, so it was not brought in"
        if not self._spots.is_free(channel, left, right):
            return f"channel {channel} is not free there, so it was not brought in"
        away = self._spots.away(row.get("first", 0))
        strip, problem = make(self._editor, row, away, right - left)
        self._describe(strip, row)
        laid = lay(strip, left, right, head_for(strip, row.get("first", 0)), away)
        self._spots.take(channel, left, right)
        self._top[row["key"]] = strip
        self.brought.added.append(strip.name)
        return problem or ("" if laid else "lies elsewhere than it should")

    def _describe(self, strip: Strip, row: Row) -> None:
        strip.mute = not row.get("enabled", True)
        mark(strip, row.get("use", ""), row.get("shot", ""))
        speed, size = row.get("speed", "1"), row.get("size")
        if speed.startswith("-") and hasattr(strip, "use_reverse_frames"):
            strip.use_reverse_frames = True
        if size and strip.type == "MOVIE":
            window = Window(size[0], size[1], row.get("zero", 0), row.get("length", 0))
            set_window(strip, window)
            if not readable(strip):
                fit(self._scene, strip, window)

    def _retime(self, row: Row) -> str:
        strip, speed = self._top.get(row["key"]), row["speed"]
        if strip is None or strip.type != "MOVIE":
            return ""
        if not speed:
            return "its speed varies, which is not shown"
        left, right = self._span(row)
        channel = self._spots.above(row["channel"], left, right)
        if not channel:
            return "no channel above it is free for its speed, which is not shown"
        effect = new_effect(self._editor, f"{strip.name} speed", "SPEED", channel, left, right, strip)
        set_speed(effect, abs(float(speed)))
        effect[SPEED] = speed
        effect.mute = strip.mute
        self._spots.take(channel, left, right)
        self._top[row["key"]] = effect
        return ""

    def _dissolve(self, row: Row) -> str:
        out, into, (left, right) = self._side(row["out"]), self._side(row["into"]), self._span(row)
        if out is None or into is None:
            return "one of its sides is not there, so the dissolve was not brought in"
        channel, highest = row["channel"], max(out.channel, into.channel)
        if channel <= highest:
            channel = self._spots.above(highest, left, right)
        if not channel:
            return "no channel above it is free, so the dissolve was not brought in"
        kind = _DISSOLVES.get(row.get("kind", "cross"), "CROSS")
        effect = new_effect(self._editor, printable(row["key"], 60), kind, channel, left, right, out, into)
        effect.mute = out.mute or into.mute
        self._spots.take(channel, left, right)
        self.brought.added.append(effect.name)
        made = get(effect, LEFT), get(effect, RIGHT)
        return "" if made == (left, right) else "the dissolve has another length"

    def _side(self, key: str) -> Strip | None:
        """What was made of a row, or a strip that was there."""
        return self._top.get(key) or strips(self._editor).get(key)


def _name_channels(editor: bpy.types.SequenceEditor, tracks: list[Row]) -> None:
    """Channels on which nothing lies get the names and states of the film's tracks; the editor's stay."""
    used = {strip.channel for strip in strips(editor)}
    for track in tracks:
        number = track.get("channel", 0)
        if 0 < number < len(editor.channels) and number not in used:
            channel = editor.channels[number]
            channel.name = printable(track.get("name") or track.get("label") or channel.name, 60)
            channel.mute = not track.get("enabled", True)

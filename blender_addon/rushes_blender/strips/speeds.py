"""How fast a strip plays its medium, as far as Blender tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

import bpy

from .compat import HEAD, LEFT, LENGTH, LENGTH_IS_PLAYED, RIGHT, SPEED_STEP, Strip, curves, get, inputs, played
from .marks import window_of

SPEED = "rushes_speed"
"""On a speed effect of ours, the speed exactly as the film has it."""

Pace = Fraction | None
"""Media frames a frame of the scene; None where that changes or cannot be told."""

_ALONE = {"MOVIE", "IMAGE", "SOUND", "META", "SCENE", "COLOR", "TEXT", "MOVIECLIP", "MASK"}
"""What is made of nothing: a set, for to ask a strip for its inputs takes as long as all the rest of a row."""

_SPEED = re.compile("-?[0-9]{1,6}([.][0-9]{1,12})?")
_STEPS = 10**5


def pace_of(strip: Strip) -> Pace:
    """Of a strip without effects. What Blender was told to play at its own rate counts as played frame by frame:
    it does not say so, and all its numbers are in frames of the scene."""
    keys = getattr(strip, "retiming_keys", ())
    if not len(keys):
        return Fraction(1)
    window = window_of(strip)
    frames = window.frames if window else 0 if LENGTH_IS_PLAYED else get(strip, LENGTH)
    first, *others = (key.timeline_frame for key in keys)
    lasts = others[0] - first if len(others) == 1 else 0
    return Fraction(frames, lasts) if frames and lasts > 0 else None  # more keys have other speeds between them


def under(strip: Strip) -> Strip:
    """What an effect of one strip is made of in the end; any other strip itself."""
    while len(below := inputs(strip)) == 1:
        strip = below[0]
    return strip


class Effects:
    """The effects of one strip in a scene, by the name of the strip that they are made of in the end.

    Blender shows an effect though what it is made of is muted. So where both are muted, it belongs to a strip that
    is switched off; where it alone is, it is itself switched off.
    """

    def __init__(self, scene: bpy.types.Scene, strips: Iterable[Strip]) -> None:
        self._speeds: dict[str, list[Strip]] = {}
        self._seen: set[str] = set()
        for strip in strips:
            if strip.type not in _ALONE and len(inputs(strip)) == 1:
                self._add(strip)
        moving = curves(scene) if self._speeds else ()
        names = ("speed_factor", "speed_length", "speed_frame_number")
        self._moving = [curve.data_path for curve in moving if curve.data_path.endswith(names)]

    def _add(self, effect: Strip) -> None:
        name = under(effect).name
        if not effect.mute:
            self._seen.add(name)
        if effect.type == "SPEED":
            self._speeds.setdefault(name, []).append(effect)

    def is_seen(self, strip: Strip) -> bool:
        """Whether the strip is switched on, or something over it is."""
        return not strip.mute or strip.name in self._seen

    def text_of(self, strip: Strip) -> str:
        """The speed of a strip as a row says it: a decimal, "" where it changes or cannot be told."""
        effects = [each for each in self._speeds.get(strip.name, ()) if strip.mute or not each.mute]
        pace = pace_of(strip)
        text = _exact(effects[0]) if len(effects) == 1 and pace == 1 else ""
        if not text:
            for effect in effects:
                factor = self._factor(effect)
                pace = None if pace is None or factor is None else pace * factor
            text = "" if pace is None else _decimal(pace)
        return f"-{text}" if text not in ("", "0") and getattr(strip, "use_reverse_frames", False) else text

    def _factor(self, effect: Strip) -> Pace:
        name = bpy.utils.escape_identifier(effect.name)
        if any(f'["{name}"]' in path for path in self._moving):
            return None
        if effect.speed_control == "MULTIPLY":
            return max(Fraction(round(effect.speed_factor * _STEPS), _STEPS), Fraction(0))
        if effect.speed_control == "STRETCH":
            return _stretched(effect)
        return None


def _stretched(effect: Strip) -> Pace:
    below, lasts = inputs(effect)[0], get(effect, RIGHT) - get(effect, LEFT)
    left = played(below) - get(below, HEAD)
    return Fraction(left, lasts) if lasts > 0 and left > 0 else None


def _exact(effect: Strip) -> str:
    """The speed that was written down when the effect was made, without its sign, unless it was changed since."""
    text = effect.get(SPEED)
    if not isinstance(text, str) or not _SPEED.fullmatch(text) or effect.speed_control != "MULTIPLY":
        return ""
    text = text.removeprefix("-")
    return text if abs(effect.speed_factor - float(text)) <= 2 * SPEED_STEP else ""


def _decimal(pace: Fraction) -> str:
    return f"{float(pace):.6f}".rstrip("0").rstrip(".")

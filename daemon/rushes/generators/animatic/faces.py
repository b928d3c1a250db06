"""Heads. Units: a head is 2 high, its centre at (0, 0), turned a little right; a mirrored pen turns it left."""

from __future__ import annotations

import numpy as np

from rushes.generators.animatic.ink import Pen
from rushes.generators.animatic.palette import Colour, mix, times
from rushes.generators.animatic.person import Person
from rushes.generators.animatic.shapes import Points, curve, ellipse

_TURN = 0.16
_FACE = curve(
    [(0, -1), (0.52, -0.9), (0.79, -0.4), (0.77, 0.1), (0.68, 0.5), (0.42, 0.88), (0.14, 1.02), (-0.24, 0.9),
     (-0.6, 0.54), (-0.74, 0.1), (-0.77, -0.4), (-0.52, -0.88)]
)  # fmt: skip
_CAP = [(-0.8, 0.12), (-0.9, -0.45), (-0.66, -1.02), (-0.05, -1.24), (0.6, -1.06), (0.88, -0.5), (0.78, -0.08)]
_FRINGES: dict[str, list[tuple[float, float]]] = {
    "cropped": [(0.7, -0.36), (0.56, -0.62), (0.2, -0.72), (-0.22, -0.6), (-0.56, -0.5), (-0.66, 0.0)],
    "parted": [(0.76, -0.3), (0.66, -0.5), (0.36, -0.86), (-0.1, -0.5), (-0.5, -0.42), (-0.68, 0.0)],
    "curly": [(0.74, -0.3), (0.5, -0.42), (0.1, -0.52), (-0.3, -0.42), (-0.66, -0.15)],
    "bun": [(0.72, -0.36), (0.34, -0.72), (-0.1, -0.76), (-0.5, -0.5), (-0.7, -0.05)],
    "tail": [(0.72, -0.36), (0.34, -0.72), (-0.1, -0.76), (-0.5, -0.5), (-0.7, -0.05)],
    "bob": [(0.86, 0.42), (0.7, -0.2), (0.52, -0.5), (0.1, -0.46), (-0.4, -0.4), (-0.62, -0.1), (-0.76, 0.4)],
    "long": [(0.84, 0.3), (0.68, -0.3), (0.3, -0.84), (-0.2, -0.56), (-0.58, -0.1), (-0.72, 0.5)],
}
_BACKS: dict[str, list[tuple[float, float]]] = {
    "long": [(-0.72, -0.9), (0, -1.24), (0.74, -0.9), (1.0, 0.0), (0.98, 1.3), (0.7, 2.0), (0, 1.9), (-0.8, 2.1),
             (-1.08, 1.2), (-1.0, 0.0)],
    "bob": [(-0.72, -0.9), (0, -1.22), (0.74, -0.9), (1.02, 0.0), (0.96, 0.8), (0.5, 1.0), (-0.6, 1.0),
            (-1.04, 0.8), (-1.04, 0.0)],
    "tail": [(-0.6, -0.7), (-1.2, -0.9), (-1.6, -0.2), (-1.5, 1.2), (-1.25, 1.7), (-1.2, 0.6), (-1.0, -0.1)],
    "bun": [(-1.1, -1.1), (-0.7, -1.35), (-0.4, -1.1), (-0.5, -0.7), (-0.95, -0.6), (-1.2, -0.8)],
}  # fmt: skip


def back_of_head(pen: Pen, who: Person) -> None:
    """What lies behind the face and the shoulders: hair or a hood's inside."""
    tone = pen.sheet.look.tone
    if who.hat == "hood":
        pen.shape(ellipse(-0.08, -0.1, 1.08, 1.28), tone(times(who.hat_colour, 0.6)))
    elif who.style in _BACKS:
        pen.shape(curve(_BACKS[who.style]), tone(times(who.hair, 0.8)), 2.6)
    elif who.style == "curly":
        pen.shape(_bumpy(0, -0.28, 1.12, 1.1), tone(times(who.hair, 0.85)), 2.6)


def head(pen: Pen, who: Person, light: int) -> None:
    """The face and what is on it. `light` is the side (-1 left, 1 right, of the panel) that light comes from."""
    tone = pen.sheet.look.tone
    side = light * pen.mirror
    if who.style != "bald" or who.hat:
        pen.shape(ellipse(-0.76, 0.06, 0.15, 0.24), tone(times(who.skin, 0.86)), 2.2)
    pen.fill(_FACE, tone(who.skin))
    pen.shade(_FACE, light * 0.42 * pen.scale, 0.26)
    pen.tint(ellipse(_TURN + 0.4, 0.36, 0.2, 0.14), tone((214, 96, 84)), 0.22)
    _features(pen, who, side)
    if who.beard:
        _beard(pen, who)
    pen.outline(_FACE, 3.2)
    if who.style != "bald":
        _hair(pen, who, light)
    _hat(pen, who)


def _features(pen: Pen, who: Person, side: int) -> None:
    """Eyes, brows, nose and mouth: dots when the head is small, drawn when it is large."""
    ink, tone = pen.sheet.look.ink, pen.sheet.look.tone
    near = pen.scale > 0.7
    for x, width in ((_TURN - 0.36, 0.19), (_TURN + 0.32, 0.17)):
        _eye(pen, x, width, who, near)
        lift = 0.05 if who.old else 0.0
        brow = [(x - width * 1.2, -0.22 + lift), (x, -0.31), (x + width * 1.25, -0.23 + lift)]
        pen.line(curve(brow, closed=False), 3.2 if who.woman else 4.6, mix(ink, tone(who.hair), 0.35))
    nose = [(_TURN + 0.02, -0.02), (_TURN + 0.12, 0.24), (_TURN + 0.17, 0.36), (_TURN + 0.04, 0.42)]
    pen.line(curve(nose, closed=False), 2.6)
    if near:
        pen.tint(curve([*nose, (_TURN - 0.1 * side, 0.38)]), tone(times(who.skin, 0.6)), 0.35)
    _mouth(pen, who, near)
    if who.glasses:
        _glasses(pen)
    if who.old:
        for x in (_TURN - 0.3, _TURN + 0.42):
            pen.line(curve([(x, 0.3), (x - 0.05, 0.44), (x - 0.03, 0.6)], closed=False), 1.6)


def _eye(pen: Pen, x: float, width: float, who: Person, near: bool) -> None:
    ink, tone = pen.sheet.look.ink, pen.sheet.look.tone
    if not near:
        pen.fill(ellipse(x, -0.01, 0.075, 0.095), ink)
        return
    lid = [(x - width, 0.025), (x - 0.05, -0.065), (x + 0.07, -0.068), (x + width, 0.0)]
    pen.fill(curve([*lid, (x + 0.02, 0.07)]), tone((232, 226, 214)))
    pen.fill(ellipse(x + 0.045, -0.002, 0.074, 0.07), tone(_iris(who)))
    pen.fill(ellipse(x + 0.045, -0.002, 0.04, 0.045), ink)
    pen.fill(ellipse(x + 0.07, -0.03, 0.016, 0.016), tone((255, 255, 250)))
    pen.line(curve(lid, closed=False), 4.6 if who.woman else 3.6)
    pen.line(curve([(x - width * 0.7, 0.07), (x, 0.095), (x + width * 0.7, 0.06)], closed=False), 1.2)
    pen.line(curve([(x - width, -0.05), (x, -0.135), (x + width, -0.07)], closed=False), 1.4)


def _iris(who: Person) -> Colour:
    """Eyes go with the hair: light with light, so that they need no word."""
    return (96, 128, 140) if sum(who.hair) > 300 else (88, 62, 44)


def _mouth(pen: Pen, who: Person, near: bool) -> None:
    tone = pen.sheet.look.tone
    middle = [
        (_TURN - 0.24, 0.6),
        (_TURN - 0.06, 0.585),
        (_TURN + 0.04, 0.6),
        (_TURN + 0.14, 0.585),
        (_TURN + 0.26, 0.6),
    ]
    if near:
        lip = mix(times(who.skin, 0.8), (176, 62, 66), 0.6 if who.woman else 0.25)
        pen.fill(curve([*middle, (_TURN + 0.04, 0.72)]), tone(lip))
        pen.fill(curve([*middle, (_TURN + 0.08, 0.535), (_TURN - 0.04, 0.535)]), tone(times(lip, 0.86)))
    pen.line(curve(middle, closed=False), 2.6)


def _glasses(pen: Pen) -> None:
    for x in (_TURN - 0.37, _TURN + 0.34):
        pen.outline(ellipse(x, 0.0, 0.29, 0.25), 2.6)
    pen.line([(_TURN - 0.08, -0.02), (_TURN + 0.06, -0.02)], 2.6)
    pen.line([(_TURN - 0.66, -0.03), (-0.76, -0.05)], 2.6)


def _beard(pen: Pen, who: Person) -> None:
    edge = [(-0.72, 0.1), (-0.62, 0.66), (-0.3, 1.05), (0.14, 1.2), (0.5, 1.0), (0.72, 0.56), (0.76, 0.1),
            (0.56, 0.4), (0.3, 0.47), (0.05, 0.49), (-0.2, 0.46), (-0.5, 0.36)]  # fmt: skip
    pen.shape(curve(edge), pen.sheet.look.tone(who.hair), 2.4)
    pen.hatch(curve(edge), 0.8)
    pen.line([(_TURN - 0.2, 0.62), (_TURN + 0.24, 0.61)], 3.0)


def _hair(pen: Pen, who: Person, light: int) -> None:
    tone = pen.sheet.look.tone
    fringe = _FRINGES.get(who.style, _FRINGES["cropped"])
    mass = np.concatenate([curve([*_CAP, *fringe])])
    pen.fill(mass, tone(who.hair))
    pen.shade(mass, light * 0.3 * pen.scale, 0.3)
    if pen.scale > 0.3:
        for k in (0.25, 0.5, 0.75):
            strand = [_between(_CAP[n], fringe[min(len(fringe) - 1, 5 - n)], k) for n in (1, 2, 3, 4, 5)]
            pen.line(curve(strand, closed=False), 1.3, mix(tone(who.hair), tone((255, 250, 240)), 0.2))
    pen.outline(mass, 3.0)


def _between(a: tuple[float, float], b: tuple[float, float], k: float) -> tuple[float, float]:
    return (a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k)


def _hat(pen: Pen, who: Person) -> None:
    colour = pen.sheet.look.tone(who.hat_colour)
    if who.hat == "brim":
        pen.shape(
            curve([(-0.72, -0.6), (-0.66, -1.3), (-0.1, -1.5), (0.12, -1.42), (0.62, -1.34), (0.74, -0.6)]), colour
        )
        pen.hatch(curve([(-0.76, -0.62), (-0.74, -0.86), (0, -0.9), (0.76, -0.86), (0.76, -0.62)]), 2.0)
        pen.shape(ellipse(0.06, -0.58, 1.32, 0.17), colour)
    elif who.hat == "cap":
        pen.shape(
            curve([(-0.86, -0.42), (-0.8, -1.05), (-0.1, -1.36), (0.66, -1.1), (0.86, -0.46), (0.1, -0.6)]), colour
        )
        pen.line(curve([(-0.86, -0.44), (0.1, -0.64), (0.88, -0.46)], closed=False), 4.0)
    elif who.hat == "hood":
        ring = np.concatenate([ellipse(-0.08, -0.1, 1.1, 1.3), ellipse(0.1, 0.06, 0.8, 1.0)[::-1]])
        pen.fill(ring, colour)
        pen.outline(ellipse(-0.08, -0.1, 1.1, 1.3), 3.2)
        pen.outline(ellipse(0.1, 0.06, 0.8, 1.0), 2.4)


def _bumpy(x: float, y: float, rx: float, ry: float) -> Points:
    t = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    r = 1 + 0.06 * np.abs(np.sin(t * 7))
    return np.stack([x + rx * r * np.cos(t), y + ry * r * np.sin(t)], axis=1)

"""Bodies. Units: a grown-up is 1 high, feet at (0, 0). Light comes from the panel's left (-1) or right (1)."""

from __future__ import annotations

from rushes.generators.animatic.faces import back_of_head, head
from rushes.generators.animatic.ink import Pen
from rushes.generators.animatic.palette import Colour, times
from rushes.generators.animatic.person import Person
from rushes.generators.animatic.shapes import Points, curve, ellipse

HEAD = 0.079
"""Half of a grown-up's head."""

_HEMS = {"coat": (-0.24, 0.155), "dress": (-0.2, 0.17), "suit": (-0.44, 0.112), "shirt": (-0.45, 0.104)}
_ARMS: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    # shoulder, elbow, wrist of the far and of the near arm
    "stand": (
        [(-0.094, -0.782), (-0.128, -0.63), (-0.124, -0.47)],
        [(0.096, -0.782), (0.132, -0.63), (0.13, -0.47)],
    ),
    "pockets": (
        [(-0.094, -0.782), (-0.146, -0.62), (-0.1, -0.49)],
        [(0.096, -0.782), (0.148, -0.62), (0.104, -0.49)],
    ),
    "hold": ([(-0.094, -0.782), (-0.14, -0.64), (-0.01, -0.58)], [(0.096, -0.782), (0.15, -0.63), (0.05, -0.56)]),
    "reach": ([(-0.094, -0.782), (-0.14, -0.63), (-0.13, -0.48)], [(0.096, -0.782), (0.2, -0.69), (0.29, -0.72)]),
    "walk": ([(-0.094, -0.782), (-0.16, -0.64), (-0.1, -0.52)], [(0.096, -0.782), (0.12, -0.63), (0.19, -0.52)]),
}
POSES = tuple(_ARMS)


def figure(pen: Pen, who: Person, pose: str, light: int) -> None:
    """A whole person. What falls outside of the sheet is not seen, so every shot size is this one drawing."""
    grown = pen.at(0, 0, who.height)
    top = grown.at(0.012, -0.925 + 0.02 * (who.head - 1), HEAD * who.head)
    back_of_head(top, who)
    _legs(grown, who, pose, light)
    _arm(grown, who, _ARMS[pose][0], light, 0.86)
    _neck(grown, who)
    _torso(grown, who, light)
    _arm(grown, who, _ARMS[pose][1], light, 1.0)
    if who.scarf:
        _scarf(grown, who.scarf)
    head(top, who, light)


def shadow(pen: Pen, who: Person, light: int) -> None:
    """The figure's shadow on the ground."""
    dark = pen.sheet.look.ink
    pen.at(0, 0, who.height).tint(ellipse(-0.1 * light * pen.mirror, 0.004, 0.24, 0.03), dark, 0.42)


def _legs(pen: Pen, who: Person, pose: str, light: int) -> None:
    colour, w = pen.sheet.look.tone(who.legs), who.girth
    stride = 0.075 if pose == "walk" else 0.0
    bare = who.top == "dress"
    for x, step, shade in ((-0.048, -stride, 0.82), (0.05, stride, 1.0)):
        foot = x + step
        leg = curve(
            [(x - 0.05 * w, -0.5), (x - 0.036 * w + step * 0.3, -0.26), (foot - 0.022, -0.03),
             (foot + 0.022, -0.03), (x + 0.04 * w + step * 0.4, -0.26), (x + 0.05 * w, -0.5)]
        )  # fmt: skip
        pen.shape(leg, pen.sheet.look.tone(times(who.skin, shade)) if bare else times(colour, shade))
        pen.shade(leg, light * 0.02 * pen.scale, 0.35)
        shoe = curve([(foot - 0.028, -0.034), (foot + 0.02, -0.038), (foot + 0.056, -0.014), (foot + 0.056, 0.004),
                      (foot - 0.03, 0.004)])  # fmt: skip
        pen.shape(shoe, pen.sheet.look.tone((52, 44, 42)))


def _arm(pen: Pen, who: Person, joints: list[tuple[float, float]], light: int, shade: float) -> None:
    tone, w = pen.sheet.look.tone, who.girth
    (sx, sy), (ex, ey), (hx, hy) = joints
    pen.shape(ellipse(hx + 0.003, hy + 0.018, 0.02, 0.028), tone(times(who.skin, shade)), 2.4)
    sleeve = _limb([(sx * w, sy), (ex * w, ey), (hx, hy)], (0.033 * w, 0.031 * w, 0.022))
    pen.shape(sleeve, tone(times(who.cloth, shade)))
    pen.shade(sleeve, light * 0.022 * pen.scale, 0.3)
    pen.line([(ex * w - 0.02, ey + 0.01), (ex * w + 0.015, ey - 0.006)], 1.5)


def _limb(joints: list[tuple[float, float]], widths: tuple[float, float, float]) -> Points:
    """A bent tube through three joints."""
    (ax, ay), _, (cx, cy) = joints
    length = ((cx - ax) ** 2 + (cy - ay) ** 2) ** 0.5 + 1e-9
    nx, ny = -(cy - ay) / length, (cx - ax) / length
    out = [(x + nx * w, y + ny * w) for (x, y), w in zip(joints, widths, strict=True)]
    back = [(x - nx * w, y - ny * w) for (x, y), w in zip(joints, widths, strict=True)]
    return curve([(ax, ay - widths[0] * 0.7), *out, *back[::-1]])


def _torso(pen: Pen, who: Person, light: int) -> None:
    tone, w = pen.sheet.look.tone, who.girth
    hem, flare = _HEMS[who.top]
    sh, waist = (0.1 if who.woman else 0.116) * w, (0.074 if who.woman else 0.09) * w
    body = curve(
        [(-0.034, -0.852), (-sh * 0.8, -0.815), (-sh, -0.78), (-sh * 0.94, -0.7), (-waist, -0.6),
         (-flare * w * 0.86, -0.46),
         (-flare * w * 0.98, hem - 0.01), (-flare * w * 0.96, hem), (0, hem + 0.012), (flare * w * 0.96, hem),
         (flare * w * 0.98, hem - 0.01), (flare * w * 0.86, -0.46), (waist, -0.6),
         (sh * 0.94, -0.7), (sh, -0.78), (sh * 0.8, -0.815), (0.05, -0.852)]
    )  # fmt: skip
    pen.fill(body, tone(who.cloth))
    pen.shade(body, light * 0.075 * pen.scale, 0.3)
    _details(pen, who, hem)
    pen.outline(body, 3.4)
    for x in (-0.07, 0.03, 0.085):
        pen.line([(x, -0.5), (x * 1.35, hem + 0.05)], 1.4)


def _details(pen: Pen, who: Person, hem: float) -> None:
    """What makes a coat a coat: opening, lapels, buttons, belt; or a neckline."""
    tone = pen.sheet.look.tone
    if who.top in ("coat", "suit"):
        shirt: Colour = (228, 224, 214) if who.top == "suit" else times(who.cloth, 0.5)
        pen.fill([(-0.036, -0.83), (0.05, -0.83), (0.022, -0.69)], tone(shirt))
        for x in (-0.05, 0.064):
            lapel = [(x, -0.84), (x * 1.25, -0.745), (0.02, -0.66), (x * 0.7, -0.8)]
            pen.block(lapel, tone(times(who.cloth, 0.84)), 2.2)
        pen.line([(0.02, -0.67), (0.018, hem)], 2.6)
        for y in (-0.62, -0.55, -0.48):
            pen.fill(ellipse(0.034, y, 0.007, 0.007), pen.sheet.look.ink)
    if who.top == "coat":
        pen.line([(-0.1 * who.girth, -0.575), (0.1 * who.girth, -0.57)], 5.0)
    if who.top in ("dress", "shirt"):
        neckline = curve([(-0.04, -0.835), (0.01, -0.79), (0.058, -0.835), (0.01, -0.86)])
        pen.shape(neckline, tone(who.skin), 2.0)
        pen.line(curve([(-0.085, -0.585), (0, -0.572), (0.086, -0.585)], closed=False), 3.0)


def _neck(pen: Pen, who: Person) -> None:
    neck = curve(
        [(-0.03, -0.9), (-0.031, -0.85), (-0.046, -0.825), (0.056, -0.825), (0.042, -0.85), (0.044, -0.9)]
    )
    pen.shape(neck, pen.sheet.look.tone(times(who.skin, 0.8)), 2.4)
    pen.hatch(neck, 0.7)


def _scarf(pen: Pen, colour: Colour) -> None:
    tone = pen.sheet.look.tone
    wound = [(-0.064, -0.845), (0, -0.868), (0.074, -0.848), (0.08, -0.805), (0.01, -0.785), (-0.07, -0.8)]
    pen.shape(curve(wound), tone(colour))
    tail = curve([(0.02, -0.8), (0.065, -0.8), (0.07, -0.64), (0.03, -0.635)])
    pen.shape(tail, tone(times(colour, 0.9)))
    pen.hatch(tail, 0.6)

"""Places under the sky, grown: water, woods and open land. Depth by layers that fade into the haze."""

from __future__ import annotations

from rushes.generators.animatic.ink import WIDE
from rushes.generators.animatic.palette import Colour, mix, times
from rushes.generators.animatic.shapes import box, curve, ellipse
from rushes.generators.animatic.stage import Stage, ground, scribble, sky


def sea(stage: Stage) -> None:
    """Water to the horizon with the light on it, boats, a far shore or lighthouse, planks in front."""
    pen, luck, look = stage.pen, stage.luck, stage.look
    horizon = 4.1
    sky(stage, horizon)
    shore = [(-1.0, horizon), *((x, horizon - luck.uniform(0.1, 0.75)) for x in range(0, 8, 2)), (9.0, horizon)]
    pen.fill(curve(shore), stage.tone((92, 104, 104), 0.7))
    water = mix(look.sky[0], (44, 84, 100), 0.6)
    pen.wash(box(-1, horizon, 17, 10), look.graded(mix(water, look.sky[1], 0.6)), stage.tone(times(water, 0.8)))
    glint = 8 + stage.light * 4.4
    for n in range(26):
        y = horizon + 0.08 + 0.11 * n
        w = 0.25 + 0.06 * n * luck.uniform(0.5, 1.3)
        x = glint + luck.uniform(-0.5, 0.5)
        pen.line([(x - w, y), (x + w, y)], 2.2, look.graded(mix(look.light, look.sky[1], 0.25)))
    scribble(stage, horizon, stage.tone(times(water, 0.6)), 70, 1.4)
    _lighthouse(stage, 8 - stage.light * 5.6, horizon + 0.1)
    for x, y, size in ((5.2, 4.75, 0.55), (10.9, 5.3, 0.95)):
        _boat(stage, x + luck.uniform(-0.6, 0.6), y, size)
    _pier(stage)


def _lighthouse(stage: Stage, x: float, y: float) -> None:
    pen, look = stage.pen, stage.look
    pen.fill(curve([(x - 1.6, y + 0.1), (x - 0.6, y - 0.4), (x + 0.7, y - 0.35), (x + 1.5, y + 0.12)]),
             stage.tone((84, 88, 86), 0.35))  # fmt: skip
    pen.block([(x - 0.2, y - 0.3), (x - 0.13, y - 2.1), (x + 0.13, y - 2.1), (x + 0.2, y - 0.3)],
              stage.tone((224, 218, 206), 0.3), 2.0)  # fmt: skip
    pen.block(box(x - 0.14, y - 2.4, x + 0.14, y - 2.1), stage.tone((176, 58, 48), 0.2), 1.8)
    if stage.time != "day":
        pen.glow(x, y - 2.25, 2.2, look.light, 0.9)
        pen.beam(
            [(x, y - 2.25), (x + 20 * stage.light, y - 4.4), (x + 20 * stage.light, y - 1.2)], look.light, 0.22
        )


def _boat(stage: Stage, x: float, y: float, size: float) -> None:
    pen = stage.pen.at(x, y, size)
    hull = [(-1.3, -0.35), (1.5, -0.42), (1.0, 0.15), (-1.0, 0.15)]
    pen.block(hull, stage.tone(stage.local((134, 58, 50), (62, 84, 100), (92, 96, 90)), 0.22), 2.4)
    pen.block(box(-0.6, -0.95, 0.25, -0.4), stage.tone((206, 198, 180), 0.2), 2.0)
    pen.line([(0.5, -0.4), (0.5, -2.3)], 2.4)
    pen.line([(0.5, -2.2), (1.45, -0.45)], 1.2)
    pen.line([(0.5, -2.2), (-1.2, -0.4)], 1.2)
    for n in range(3):
        pen.line([(-1.1 + 0.2 * n, 0.28 + 0.14 * n), (1.0 - 0.15 * n, 0.28 + 0.14 * n)], 1.6)


def _pier(stage: Stage) -> None:
    """Planks in front, with posts."""
    pen, wood = stage.pen, stage.local((122, 98, 76), (108, 100, 92))
    pen.wash(box(-1, 6.9, 17, 10), stage.tone(times(wood, 1.1)), stage.tone(times(wood, 0.75)))
    pen.line([(-1, 6.9), (17, 6.9)], 4.0)
    for n in range(-14, 31, 2):
        a, b = 8 + (n - 8) * 0.8, 8 + (n - 8) * 1.15
        pen.line([(a, 6.95), (b, 9.4)], 1.6)
    for x in (1.6, 14.4):
        pen.block(box(x - 0.24, 5.9, x + 0.24, 7.5), stage.tone(times(wood, 0.7)))
        pen.hatch(box(x, 5.9, x + 0.24, 7.5), 1.0)
        pen.shape(ellipse(x, 5.9, 0.25, 0.09), stage.tone(times(wood, 1.1)), 2.2)


def forest(stage: Stage) -> None:
    """Trunks in four depths, light between them, ferns and a path."""
    pen, look, luck = stage.pen, stage.look, stage.luck
    leaf = stage.local((74, 100, 66), (92, 106, 58), (60, 90, 78))
    pen.wash(box(-1, -1, 17, 6.4), stage.tone(leaf, 0.35), look.graded(mix(look.haze, look.sky[1], 0.6)))
    ground(stage, 5.6, times(leaf, 0.85), 0.7)
    path = curve([(7.2, 5.7), (8.4, 5.7), (9.4, 6.8), (12.4, 9.6), (4.2, 9.6), (7.0, 6.9)])
    pen.tint(path, stage.tone((168, 148, 112), 0.1), 0.6)
    pen.glow(8 + stage.light * 2, 3.6, 5.0, look.light, 0.5)
    for depth, count, thick in ((0.82, 14, 0.13), (0.58, 9, 0.2), (0.3, 6, 0.34)):
        for n in range(count):
            _tree(stage, (n + luck.uniform(0.1, 0.9)) * WIDE / count, depth, thick, leaf)
    for x in (4.4, 8.0, 11.6):
        pen.beam([(x, -1), (x + 1, -1), (x + 1.4 - stage.light * 3, 8), (x - 1 - stage.light * 3, 8)],
                 look.light, 0.09)  # fmt: skip
    for x in (0.5, 15.5):
        _tree(stage, x, 0.0, 0.62, leaf)
    _ferns(stage, leaf)


def _tree(stage: Stage, x: float, depth: float, thick: float, leaf: Colour) -> None:
    pen, luck = stage.pen, stage.luck
    foot, bark = 8.4 - 3.0 * depth, stage.tone((92, 74, 62), depth)
    lean = luck.uniform(-0.3, 0.3)
    trunk = curve([(x - thick * 1.3, foot), (x - thick * 0.7, foot - 1.2), (x - thick * 0.6 + lean, -1.5),
                   (x + thick * 0.6 + lean, -1.5), (x + thick * 0.7, foot - 1.2),
                   (x + thick * 1.4, foot)])  # fmt: skip
    pen.fill(trunk, bark)
    if depth < 0.5:
        pen.shade(trunk, stage.light * thick * 0.7, 0.3)
    pen.outline(trunk, 2.8 * (1 - depth * 0.7), mix(stage.look.ink, bark, depth))
    for _ in range(3):
        y, w = luck.uniform(-0.4, 2.2 - depth), luck.uniform(0.9, 1.9) * (1.15 - depth)
        crown = [(x + lean + w * dx, y + w * dy) for dx, dy in _CROWN]
        pen.tint(curve(crown), stage.tone(times(leaf, luck.uniform(0.75, 1.15)), depth), 0.85)


_CROWN = (
    (-1, 0.05),
    (-0.75, -0.35),
    (-0.3, -0.42),
    (0.1, -0.6),
    (0.6, -0.4),
    (1, -0.02),
    (0.6, 0.24),
    (0, 0.3),
    (-0.6, 0.28),
)


def _ferns(stage: Stage, leaf: Colour) -> None:
    pen, luck = stage.pen, stage.luck
    for _ in range(70):
        x = luck.choice((luck.uniform(-0.5, 4.5), luck.uniform(11.5, 16.5), luck.uniform(0, 16)))
        y, h = luck.uniform(7.6, 9.4), luck.uniform(0.3, 0.9)
        bend = luck.uniform(-0.5, 0.5)
        colour = stage.tone(times(leaf, luck.uniform(0.5, 0.95)))
        pen.line(curve([(x, y), (x + bend * 0.3, y - h * 0.7), (x + bend, y - h)], closed=False), 5.0, colour)


def mountains(stage: Stage) -> None:
    """Peaks with snow in three depths, firs on the near slope."""
    pen, luck = stage.pen, stage.luck
    sky(stage, 6.2)
    rock = stage.local((112, 112, 120), (124, 112, 104))
    for base, depth, high in ((5.6, 0.74, 3.6), (6.1, 0.48, 2.7)):
        for x in sorted(luck.uniform(-1, 17) for _ in range(4)):
            _peak(stage, x, base, high * luck.uniform(0.7, 1.1), rock, depth)
    snowy = stage.weather == "snow"
    near: Colour = (218, 222, 226) if snowy else stage.local((104, 116, 80), (118, 112, 84))
    ridge = curve([(-2, 7.0), (2, 6.2), (6, 6.6), (10, 6.3), (14, 6.0), (18, 6.6), (18, 10), (-2, 10)])
    pen.wash(ridge, stage.tone(near, 0.3), stage.tone(times(near, 0.85)))
    pen.outline(ridge, 2.4)
    for _ in range(16):
        x = luck.choice((luck.uniform(-0.5, 4.8), luck.uniform(11.2, 16.5)))
        _fir(stage, x, 6.5 + luck.uniform(0, 0.8), luck.uniform(0.9, 1.9))
    scribble(stage, 7.0, stage.tone(times(near, 0.65)), 26)


def _peak(stage: Stage, x: float, base: float, high: float, rock: Colour, depth: float) -> None:
    pen, luck, top = stage.pen, stage.luck, base - high
    w = high * luck.uniform(0.9, 1.3)
    left = [(x - w, base), (x - w * 0.55, base - high * 0.5), (x - w * 0.3, base - high * 0.62)]
    right = [(x + w * 0.28, base - high * 0.66), (x + w * 0.5, base - high * 0.4), (x + w, base)]
    pen.fill([*left, (x, top), *right, (x + w, 7), (x - w, 7)], stage.tone(rock, depth))
    dark = [
        (x, top),
        (x + stage.light * -0.1 * w, base - high * 0.6),
        (x, base),
        *(right[::-1] if stage.light < 0 else left),
    ]
    pen.tint(dark, stage.tone(times(rock, 0.55), depth * 0.8), 0.45)
    cap = [(x, top), right[0], (x + w * 0.1, base - high * 0.72), (x - w * 0.04, base - high * 0.6),
           (x - w * 0.14, base - high * 0.76), left[2]]  # fmt: skip
    pen.fill(cap, stage.tone((240, 242, 244), depth * 0.7))
    pen.line([*left, (x, top), *right], 2.6 * (1.1 - depth), mix(stage.look.ink, stage.tone(rock, depth), depth))


def _fir(stage: Stage, x: float, y: float, h: float) -> None:
    pen = stage.pen.at(x, y, h)
    for n in range(4):
        t, w = -1 + 0.22 * n, 0.12 + 0.07 * n
        pen.block([(0, t), (w, t + 0.34), (-w, t + 0.34)], stage.tone((54, 78, 66), 0.12), 1.6)
    pen.line([(0, 0.2), (0, -0.05)], 4.0)


def desert(stage: Stage) -> None:
    """Dunes, lit on one side, in the haze of heat."""
    pen, luck = stage.pen, stage.luck
    sky(stage, 5.0)
    sand = stage.local((214, 172, 116), (200, 150, 110), (206, 184, 146))
    for y, depth in ((4.6, 0.7), (5.3, 0.45), (6.2, 0.2), (7.4, 0.0)):
        top_x = luck.uniform(3, 13)
        crest = [
            (-1, y + 0.5),
            (top_x - 3.5, y + 0.25),
            (top_x, y - 0.5 - luck.random() * 0.5),
            (top_x + 3.5, y + 0.35),
            (17, y + 0.2),
        ]
        pen.wash(
            [*curve(crest, closed=False), (17, 10), (-1, 10)],
            stage.tone(sand, depth),
            stage.tone(sand, depth + 0.1),
        )
        top = crest[2]
        shadow = curve([top, (top[0] - stage.light * 1.2, y + 0.5), (top[0] - stage.light * 3.4, y + 0.9),
                        (top[0] - stage.light * 3.4, y + 0.35)])  # fmt: skip
        pen.tint(shadow, stage.tone(times(sand, 0.5), depth), 0.45)
        pen.line(
            curve(crest, closed=False), 2.8 * (1.1 - depth), mix(stage.look.ink, stage.tone(sand, depth), depth)
        )
    scribble(stage, 7.4, stage.tone(times(sand, 0.72)), 30, 1.4)


def field(stage: Stage) -> None:
    """Rolling land, a line of trees, a fence, a house far off."""
    pen, luck = stage.pen, stage.luck
    sky(stage, 5.2)
    grass = stage.local((130, 138, 80), (108, 128, 76), (176, 158, 92))
    if stage.weather == "snow":
        grass = (220, 224, 228)
    for y, depth in ((4.7, 0.7), (5.2, 0.45), (5.9, 0.2)):
        hill = [
            (-1, y),
            (luck.uniform(2, 6), y - luck.uniform(0.1, 0.6)),
            (luck.uniform(9, 13), y + 0.1),
            (17, y - 0.2),
        ]
        pen.wash([*curve(hill, closed=False), (17, 10), (-1, 10)], stage.tone(grass, depth),
                 stage.tone(times(grass, 0.85), depth * 0.4))  # fmt: skip
        pen.line(curve(hill, closed=False), 2.4 * (1.1 - depth), mix(stage.look.ink, stage.tone(grass), depth))
    x = 8 - stage.light * luck.uniform(2.6, 4.6)
    for dx in (-1.5, -0.9, 1.3, 1.9, 2.4):
        pen.shape(ellipse(x + dx, 4.75, 0.42, 0.5), stage.tone((70, 90, 66), 0.45), 1.6)
    pen.block(box(x - 0.5, 4.5, x + 0.6, 5.2), stage.tone((206, 192, 170), 0.35), 1.8)
    pen.block([(x - 0.65, 4.55), (x + 0.05, 4.0), (x + 0.75, 4.55)], stage.tone((140, 76, 62), 0.35), 1.8)
    _fence(stage)
    for _ in range(110):
        gx, gy, h = luck.uniform(-0.5, 16.5), luck.uniform(7.4, 9.3), luck.uniform(0.15, 0.5)
        blade = stage.tone(times(grass, luck.uniform(0.55, 1.0)))
        pen.line([(gx, gy), (gx + luck.uniform(-0.15, 0.25), gy - h)], 3.0, blade)


def _fence(stage: Stage) -> None:
    wood = stage.tone((134, 112, 90), 0.1)
    for x in range(-1, 18, 2):
        stage.pen.block(box(x, 6.2, x + 0.14, 7.4), wood, 2.0)
    for y in (6.4, 6.85):
        stage.pen.line([(-1, y), (8, y + 0.05), (17, y - 0.03)], 5.0, wood)
        stage.pen.line([(-1, y + 0.06), (8, y + 0.11), (17, y + 0.03)], 1.6)

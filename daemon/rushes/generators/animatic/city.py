"""Places under the sky, built: a street, a roof. Depth by layers that fade into the haze."""

from __future__ import annotations

from rushes.generators.animatic.ink import WIDE
from rushes.generators.animatic.palette import Colour, mix, times
from rushes.generators.animatic.shapes import box, curve, ellipse
from rushes.generators.animatic.stage import Stage, deep, ground, scribble, sky

_BRICKS: tuple[Colour, ...] = ((138, 96, 78), (124, 118, 110), (152, 134, 108), (106, 110, 122), (162, 148, 130))


def street(stage: Stage) -> None:
    """A street to the vanishing point: houses on both sides, lamps, a skyline in the haze."""
    pen, look = stage.pen, stage.look
    sky(stage, 5.2)
    _skyline(stage, 4.6, 0.72, 1.0, 3.2)
    ground(stage, 4.3, (112, 110, 108), 0.5)
    for x in (-4.6, 20.6):
        for k in (0.22, 0.3, 0.42, 0.6, 0.9):
            _house(stage, x, k)
    for x in (0.6, 15.4):
        pen.line([*deep([(x, 9.6)], 1.5), *deep([(x, 9.6)], 0.12)], 3.0)
    for k in (0.9, 0.62, 0.44, 0.3, 0.2):
        pen.fill([*deep([(7.75, 9.6), (8.25, 9.6)], k), *deep([(8.25, 9.6), (7.75, 9.6)], k * 0.84)],
                 stage.tone((214, 208, 190), 0.2))  # fmt: skip
    for k in (0.26, 0.4, 0.62):
        for x in (1.2, 14.8):
            _street_lamp(stage, x, k)
    if stage.weather == "rain" or stage.lamps:
        for x in (5.2, 8.4, 11.0):
            pen.beam([(x, 5.4), (x + 0.5, 5.4), (x + 1.2, 9), (x - 0.6, 9)], look.light, 0.13)


def _house(stage: Stage, x: float, k: float) -> None:
    """One front along the street between the nearnesses `k` and about 1.4 times that."""
    pen, luck, look = stage.pen, stage.luck, stage.look
    colour, roof, depth = stage.local(*_BRICKS), luck.uniform(-6.5, -1.5), (1 - k) * 0.55
    k2 = k * 1.45
    wall = [*deep([(x, roof), (x, 9.6)], k), *deep([(x, 9.6), (x, roof)], k2)]
    lit = (x < 8) == (stage.light > 0)
    pen.fill(wall, stage.tone(times(colour, 1.0 if lit else 0.7), depth))
    if not lit:
        pen.hatch(wall, 0.5)
    pen.sides(wall, 2.6)
    for y in (-4.6, -2.6, -0.6, 1.4, 3.4):
        for a, b in ((0.12, 0.26), (0.42, 0.56), (0.72, 0.86)):
            if y - 1.2 < roof:
                continue
            ka, kb = k + (k2 - k) * a, k + (k2 - k) * b
            on = stage.lamps and luck.random() < 0.4
            glass = look.graded(mix(look.light, (255, 240, 200), 0.3)) if on else stage.tone((70, 82, 96), depth)
            pane = [*deep([(x, y), (x, y + 1.3)], ka), *deep([(x, y + 1.3), (x, y)], kb)]
            pen.fill(pane, glass)
            pen.sides(pane, 1.2)
            if on:
                pen.glow(float(pane[0][0]), float(pane[0][1]), 0.9 * k, look.light, 0.35)


def _street_lamp(stage: Stage, x: float, k: float) -> None:
    pen, look = stage.pen, stage.look
    foot, top = deep([(x, 9.6), (x, -1.2)], k)
    pen.line([foot, top], 6.0 * k + 1)
    arm = 1.0 if x < 8 else -1.0
    head = (float(top[0] + arm * k), float(top[1] - 0.2 * k))
    pen.line(curve([top, (top[0] + arm * 0.5 * k, top[1] - 0.4 * k), head], closed=False), 4.0 * k + 1)
    pen.fill(
        ellipse(*head, 0.3 * k, 0.14 * k), look.graded(look.light) if stage.lamps else stage.tone((90, 92, 96))
    )
    if stage.lamps:
        pen.glow(*head, 3.4 * k, look.light, 0.85)


def _skyline(stage: Stage, base: float, depth: float, low: float, high: float) -> None:
    pen, luck, look = stage.pen, stage.luck, stage.look
    x = -0.6
    while x < WIDE + 0.5:
        w, h = luck.uniform(0.6, 1.5), luck.uniform(low, high)
        tower = box(x, base - h, x + w, base + 0.6)
        pen.fill(tower, stage.tone((96, 104, 118), depth))
        pen.sides(tower, 1.6, mix(look.ink, stage.tone(look.haze), depth * 0.8))
        if luck.random() < 0.3:
            pen.line([(x + w / 2, base - h), (x + w / 2, base - h - 0.6)], 1.6)
        if stage.lamps:
            for _ in range(int(h * w * 5)):
                wx, wy = x + luck.uniform(0.1, w - 0.12), base - luck.uniform(0.1, h - 0.1)
                pen.fill(box(wx, wy, wx + 0.06, wy + 0.09), look.graded(look.light))
        x += w * luck.uniform(0.8, 1.15)


def rooftop(stage: Stage) -> None:
    """The city from above: three depths of towers, a parapet, chimneys or a tank in front."""
    pen, luck = stage.pen, stage.luck
    sky(stage, 6.5)
    for base, depth, low, high in ((5.4, 0.78, 1.2, 3.4), (6.0, 0.55, 0.8, 2.6), (6.8, 0.3, 0.5, 1.8)):
        _skyline(stage, base, depth, low, high)
    stone = stage.local((128, 120, 110), (112, 116, 124))
    pen.wash(box(-1, 6.9, 17, 10), stage.tone(stone), stage.tone(times(stone, 0.7)))
    pen.block(box(-1, 6.5, 17, 7.05), stage.tone(times(stone, 1.2)))
    pen.hatch(box(-1, 6.75, 17, 7.05), 0.8)
    x = 8 - stage.light * luck.uniform(4.2, 5.4)
    pen.block(box(x - 1.0, 4.3, x + 1.0, 7.6), stage.tone(times(stone, 0.75)))
    pen.hatch(box(x, 4.3, x + 1.0, 7.6), 0.9)
    pen.block(box(x - 1.15, 4.05, x + 1.15, 4.35), stage.tone(times(stone, 0.95)))
    scribble(stage, 7.2, stage.tone(times(stone, 0.55)), 24)

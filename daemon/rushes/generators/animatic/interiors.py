"""Places with walls: rooms and corridors."""

from __future__ import annotations

from rushes.generators.animatic.palette import Colour, mix, times
from rushes.generators.animatic.shapes import box, curve, ellipse
from rushes.generators.animatic.stage import Stage, deep

_WALLS: tuple[Colour, ...] = ((176, 162, 138), (148, 158, 150), (170, 140, 120), (140, 148, 164), (186, 172, 128))
_WOODS: tuple[Colour, ...] = ((116, 78, 52), (96, 66, 50), (136, 98, 64))
_BACK = 0.62
_FRAME = [(-1.2, -1.6), (17.2, -1.6), (17.2, 9.6), (-1.2, 9.6)]


def room(stage: Stage) -> None:
    """A room: window with its light, door, table and lamp, a picture on the wall."""
    wall = _shell(stage, stage.local(*_WALLS), stage.local(*_WOODS))
    _window(stage, 3.6, 1.6, 2.7, 2.7)
    _door(stage, 11.1)
    _pictures(stage, wall)
    _sideboard(stage)


def study(stage: Stage) -> None:
    """Shelves to the ceiling, a window, a desk with a lamp."""
    _shell(stage, stage.local((128, 104, 80), (104, 110, 104)), stage.local(*_WOODS))
    _shelves(stage, 2.6, 6.6)
    _shelves(stage, 10.4, 13.2)
    _window(stage, 7.2, 1.3, 2.6, 2.9)
    _table(stage, 11.6, 6.5, 3.6)
    _lamp(stage, 12.7, 6.5)


def bar(stage: Stage) -> None:
    """A counter, bottles behind it, lamps hanging over it, a window to the street."""
    wall = _shell(stage, stage.local((112, 76, 62), (72, 88, 84), (124, 96, 66)), stage.local(*_WOODS))
    _window(stage, 2.7, 1.5, 2.3, 2.8)
    _bottles(stage, 6.6, wall)
    wood = stage.local(*_WOODS)
    stage.pen.block(box(5.9, 5.1, 17, 6.9), stage.tone(times(wood, 0.8)))
    stage.pen.hatch(box(5.9, 5.5, 17, 6.9), 0.7)
    stage.pen.block(box(5.6, 4.9, 17, 5.15), stage.tone(times(wood, 1.3)))
    for x in (7.0, 9.6, 12.2, 14.8):
        _hanging_lamp(stage, x)


def corridor(stage: Stage) -> None:
    """One-point perspective: doors and lamps that go away to a lit end."""
    wall, look = stage.local(*_WALLS), stage.look
    near, far = deep(_FRAME, 1.0), deep(_FRAME, 0.16)
    for n, shade in enumerate((1.06, 0.82, 0.6, 0.92)):
        side = [near[n], near[(n + 1) % 4], far[(n + 1) % 4], far[n]]
        stage.pen.fill(side, stage.tone(times(wall, shade)))
        if n == 1 - stage.light:
            stage.pen.hatch(side, 0.5)
    stage.pen.block(far, stage.tone(mix(wall, look.light, 0.7)))
    stage.pen.glow(8, 3.5, 3.4, look.light, 0.6)
    for a, b in zip(near, far, strict=True):
        stage.pen.line([a, b], 3.0)
    for k in (0.92, 0.6, 0.4, 0.28, 0.2):
        _bay(stage, k, wall)


def _bay(stage: Stage, k: float, wall: Colour) -> None:
    """One length of a corridor: a door on each side, a lamp above, a joint across the floor."""
    pen, depth = stage.pen, 1 - k
    for x in (-1.2, 17.2):
        x0, x1 = x, x
        a, b = deep([(x0, 0.6), (x0, 9.6)], k), deep([(x1, 9.6), (x1, 0.6)], k * 0.8)
        pen.block([*a, *b], stage.tone(times(wall, 0.55), depth * 0.3), 2.6)
        (hx, hy) = deep([(x, 5.4)], k * 0.83)[0]
        pen.fill(ellipse(hx, hy, 0.09 * k, 0.09 * k), stage.tone((212, 190, 130)))
    left, right = deep([(5.6, -1.6), (10.4, -1.6)], k), deep([(10.4, -1.6), (5.6, -1.6)], k * 0.84)
    pen.block([*left, *right], stage.look.graded(mix(stage.look.light, (255, 255, 255), 0.3)), 2.0)
    mid = deep([(8, -1.2)], k * 0.92)[0]
    pen.glow(float(mid[0]), float(mid[1]), 2.6 * k, stage.look.light, 0.5)
    pen.line(deep([(-1.2, 9.6), (17.2, 9.6)], k), 1.8)


def table_edge(stage: Stage) -> None:
    """The table at which people sit, across the bottom of the frame, with what stands on it."""
    pen, wood = stage.pen, stage.local(*_WOODS)
    top = [(1.2, 6.55), (14.8, 6.55), (16.6, 7.5), (-0.6, 7.5)]
    pen.fill(top, stage.tone(times(wood, 1.25)))
    pen.block(box(-0.6, 7.5, 16.6, 9.6), stage.tone(times(wood, 0.7)))
    pen.sides(top, 3.0)
    pen.hatch(box(-0.6, 7.5, 16.6, 9.6), 0.6)
    for x in (5.6, 10.3):
        pen.shape(ellipse(x, 7.05, 0.55, 0.13), stage.tone((214, 206, 190)), 2.0)
        cup = curve([(x - 0.26, 6.55), (x - 0.22, 6.95), (x + 0.22, 6.95), (x + 0.26, 6.55)])
        pen.shape(cup, stage.tone((226, 220, 206)), 2.4)


def _shell(stage: Stage, wall: Colour, wood: Colour) -> Colour:
    """Walls, ceiling and floor of a room, with boards to the vanishing point. Returns the wall's colour."""
    pen = stage.pen
    near, far = deep(_FRAME, 1.0), deep(_FRAME, _BACK)
    pen.fill([near[0], near[1], far[1], far[0]], stage.tone(times(wall, 1.12)))
    pen.fill([near[3], near[2], far[2], far[3]], stage.tone(times(wood, 0.95)))
    for n, left in ((1, 1), (3, -1)):
        side = [near[n], near[(n + 1) % 4], far[(n + 1) % 4], far[n]]
        lit = left == -stage.light
        pen.fill(side, stage.tone(times(wall, 0.96 if lit else 0.72)))
        if not lit:
            pen.hatch(side, 0.45)
    pen.wash(far, stage.tone(times(wall, 0.9)), stage.tone(wall))
    for x in range(-8, 25, 2):
        pen.line([*deep([(x, 9.6)], 1.3), *deep([(x, 9.6)], _BACK)], 1.4)
    for a, b in zip(near, far, strict=True):
        pen.line([a, b], 2.4)
    pen.sides(far, 2.8)
    skirting = [(far[3][0], far[3][1] - 0.22), (far[2][0], far[2][1] - 0.22)]
    pen.line(skirting, 1.6)
    return wall


def _window(stage: Stage, x: float, y: float, w: float, h: float) -> None:
    """A window with what the sky is like outside, and its light falling into the room."""
    pen, look = stage.pen, stage.look
    pane = box(x, y, x + w, y + h)
    outside = mix(look.sky[0], look.light, 0.35 if stage.time != "night" else 0.08)
    pen.wash(pane, look.graded(outside), look.graded(mix(look.sky[1], look.light, 0.3)))
    for k in (0.33, 0.66):
        pen.line([(x + w * k, y), (x + w * k, y + h)], 4.5, stage.tone((206, 196, 176)))
    pen.line([(x, y + h * 0.4), (x + w, y + h * 0.4)], 4.5, stage.tone((206, 196, 176)))
    pen.sides(pane, 5.0)
    pen.block(box(x - 0.25, y + h, x + w + 0.25, y + h + 0.16), stage.tone((206, 196, 176)), 2.4)
    for edge in (x - 0.1, x + w + 0.1):
        curtain = [
            (edge - 0.34, y - 0.3),
            (edge + 0.34, y - 0.3),
            (edge + 0.26, y + h + 0.7),
            (edge - 0.4, y + h + 0.7),
        ]
        pen.block(curtain, stage.tone((150, 104, 86)), 2.6)
        for fold in (-0.16, 0.02, 0.18):
            pen.line([(edge + fold, y - 0.2), (edge + fold * 1.2, y + h + 0.6)], 1.6)
    pen.block(box(x - 0.7, y - 0.42, x + w + 0.7, y - 0.3), stage.tone((92, 70, 54)), 2.0)
    reach, strong = (1.2 + w) * -stage.light, 0.16 if stage.time == "night" else 0.3
    pen.beam([(x, y), (x + w, y), (x + w + reach + 1.8, 9.4), (x + reach - 0.6, 9.4)], look.light, strong)
    pen.glow(x + w / 2, y + h / 2, w * 1.3, look.light, strong + 0.1)


def _door(stage: Stage, x: float) -> None:
    wood = stage.local(*_WOODS)
    stage.pen.block(box(x, 2.0, x + 1.9, 7.36), stage.tone(times(wood, 1.1)))
    for y0, y1 in ((2.4, 4.3), (4.8, 6.9)):
        stage.pen.sides(box(x + 0.35, y0, x + 1.55, y1), 1.8)
    stage.pen.hatch(box(x + 1.2, 2.0, x + 1.9, 7.36), 0.6)
    stage.pen.shape(ellipse(x + 0.22, 4.75, 0.09, 0.09), stage.tone((208, 180, 110)), 2.0)


def _pictures(stage: Stage, wall: Colour) -> None:
    for x in (7.3, 9.2)[: stage.luck.randint(1, 2)]:
        w, h, y = stage.luck.uniform(0.9, 1.4), stage.luck.uniform(0.8, 1.3), stage.luck.uniform(1.7, 2.2)
        stage.pen.block(box(x, y, x + w, y + h), stage.tone(times(wall, 0.62)))
        stage.pen.wash(box(x + 0.14, y + 0.14, x + w - 0.14, y + h - 0.14), stage.tone((196, 204, 200)),
                       stage.tone((128, 138, 116)))  # fmt: skip


def _sideboard(stage: Stage) -> None:
    wood = stage.local(*_WOODS)
    stage.pen.block(box(7.0, 5.6, 10.2, 7.3), stage.tone(times(wood, 0.86)))
    stage.pen.hatch(box(7.0, 6.3, 10.2, 7.3), 0.6)
    for x in (8.06, 9.13):
        stage.pen.line([(x, 5.7), (x, 7.25)], 1.8)
    stage.pen.block(box(6.85, 5.45, 10.35, 5.65), stage.tone(times(wood, 1.25)))
    _lamp(stage, 9.4, 5.45)


def _table(stage: Stage, x: float, y: float, w: float) -> None:
    wood = stage.local(*_WOODS)
    for leg in (x - w / 2 + 0.2, x + w / 2 - 0.45):
        stage.pen.block(box(leg, y, leg + 0.25, y + 1.9), stage.tone(times(wood, 0.7)), 2.4)
    stage.pen.block(box(x - w / 2, y, x + w / 2, y + 0.24), stage.tone(times(wood, 1.2)))


def _lamp(stage: Stage, x: float, y: float) -> None:
    """A small lamp, lit when it is dark."""
    pen, look = stage.pen, stage.look
    pen.line([(x, y), (x, y - 0.75)], 5.0)
    shade = [(x - 0.28, y - 1.25), (x + 0.28, y - 1.25), (x + 0.5, y - 0.65), (x - 0.5, y - 0.65)]
    lit = stage.time != "day"
    pen.block(shade, look.graded(mix(look.light, (255, 250, 230), 0.4)) if lit else stage.tone((214, 196, 160)))
    if lit:
        pen.glow(x, y - 0.8, 3.6, look.light, 0.7)


def _hanging_lamp(stage: Stage, x: float) -> None:
    pen, look = stage.pen, stage.look
    pen.line([(x, -0.5), (x, 1.3)], 2.2)
    pen.block([(x - 0.16, 1.25), (x + 0.16, 1.25), (x + 0.52, 1.75), (x - 0.52, 1.75)], stage.tone((66, 84, 80)))
    pen.fill(ellipse(x, 1.77, 0.34, 0.1), look.graded(mix(look.light, (255, 255, 255), 0.4)))
    pen.glow(x, 1.9, 2.2, look.light, 0.6)
    pen.beam([(x - 0.3, 1.8), (x + 0.3, 1.8), (x + 1.5, 5), (x - 1.5, 5)], look.light, 0.16)


def _shelves(stage: Stage, x0: float, x1: float) -> None:
    pen, luck, wood = stage.pen, stage.luck, stage.local(*_WOODS)
    pen.block(box(x0, 0.8, x1, 7.3), stage.tone(times(wood, 0.5)))
    for y in (1.9, 3.1, 4.3, 5.5, 6.7):
        x = x0 + 0.12
        while x < x1 - 0.3:
            w, h = luck.uniform(0.12, 0.3), luck.uniform(0.6, 0.9)
            book = luck.choice(((132, 62, 52), (66, 84, 100), (150, 128, 84), (74, 92, 72), (92, 74, 66)))
            pen.block(box(x, y - h, x + w, y), stage.tone(book, 0.12), 1.1)
            x += w + (0.3 if luck.random() < 0.08 else 0.01)
        pen.block(box(x0, y, x1, y + 0.12), stage.tone(wood), 1.8)


def _bottles(stage: Stage, x0: float, wall: Colour) -> None:
    pen, luck = stage.pen, stage.luck
    for y in (2.9, 4.1):
        pen.block(box(x0, y, 13.4, y + 0.12), stage.tone(times(wall, 0.6)), 1.8)
        x = x0 + 0.3
        while x < 13.2:
            h = luck.uniform(0.5, 0.85)
            glass = luck.choice(((82, 116, 84), (146, 96, 52), (170, 178, 172), (92, 58, 50)))
            bottle = [(x - 0.1, y), (x - 0.1, y - h * 0.6), (x - 0.035, y - h * 0.75), (x - 0.035, y - h),
                      (x + 0.035, y - h), (x + 0.035, y - h * 0.75), (x + 0.1, y - h * 0.6),
                      (x + 0.1, y)]  # fmt: skip
            pen.fill(bottle, stage.tone(glass))
            pen.sides(bottle[:4], 1.0)
            x += luck.uniform(0.26, 0.5)

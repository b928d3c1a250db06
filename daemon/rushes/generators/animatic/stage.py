"""What every place is drawn with: the pen, the look, its own luck, and the perspective of a box of a room."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from rushes.generators.animatic.ink import HIGH, WIDE, Pen
from rushes.generators.animatic.palette import Colour, Look, mix, times
from rushes.generators.animatic.shapes import Points, box, curve, ellipse

VANISH = (8.0, 3.7)


@dataclass(frozen=True)
class Stage:
    """A place to be drawn. `luck` comes from the place's own words: it looks the same in each shot."""

    pen: Pen
    luck: random.Random
    time: str
    weather: str
    light: int

    @property
    def look(self) -> Look:
        return self.pen.sheet.look

    @property
    def lamps(self) -> bool:
        """Whether lamps and windows are lit."""
        return self.time in ("night", "dusk")

    def tone(self, colour: Colour, depth: float = 0.0) -> Colour:
        return self.look.tone(colour, depth)

    def local(self, *choices: Colour) -> Colour:
        """One of the colours, a little changed, by the place's luck."""
        chosen = self.luck.choice(choices)
        return times(chosen, self.luck.uniform(0.9, 1.08))


def deep(points: list[tuple[float, float]], nearness: float) -> Points:
    """Points of the picture plane moved toward the vanishing point: 1 is the plane, 0 infinitely far."""
    v = np.array(VANISH)
    return np.asarray(v + (np.array(points) - v) * nearness)


def sky(stage: Stage, horizon: float) -> None:
    """Sky down to `horizon`, with what the time and the weather put into it."""
    look, pen, luck = stage.look, stage.pen, stage.luck
    above, below = look.graded(look.sky[0]), look.graded(look.sky[1])
    pen.wash(box(-1, -1, WIDE + 1, horizon), above, below)
    if stage.weather == "clear":
        _lights_of_the_sky(stage, horizon)
    for _ in range(luck.randint(2, 4) if stage.weather != "rain" else 6):
        x, y = luck.uniform(0, WIDE), luck.uniform(0.4, horizon * 0.75)
        cloud(stage, x, y, luck.uniform(1.2, 2.8), mix(above, mix(below, look.graded((255, 250, 244)), 0.4), 0.55))


def _lights_of_the_sky(stage: Stage, horizon: float) -> None:
    pen, luck = stage.pen, stage.luck
    x = 8 + stage.light * luck.uniform(3.4, 5.6)
    if stage.time == "night":
        for _ in range(70):
            r = luck.uniform(0.008, 0.024)
            sx, sy = luck.uniform(0, WIDE), luck.uniform(0, horizon * 0.9)
            pen.fill(box(sx - r, sy - r, sx + r, sy + r), stage.look.graded((214, 220, 236)))
        pen.fill(_disc(x, 1.6, 0.46), stage.look.graded((238, 234, 214)))
        pen.glow(x, 1.6, 3.2, (150, 170, 214), 0.55)
    elif stage.time in ("dawn", "dusk"):
        pen.fill(_disc(x, horizon - 0.75, 0.62), stage.look.graded((255, 226, 170)))
        pen.glow(x, horizon - 0.75, 6.0, stage.look.light, 0.75)
    else:
        pen.glow(x, 0.2, 6.5, stage.look.light, 0.3)


def cloud(stage: Stage, x: float, y: float, size: float, colour: Colour) -> None:
    """A long flat cloud of thin colour."""
    luck = stage.luck
    for _ in range(5):
        dx, dy = luck.uniform(-1, 1) * size, luck.uniform(-0.2, 0.2) * size
        stage.pen.tint(ellipse(x + dx, y + dy * 0.6, size * luck.uniform(0.5, 1.1), size * 0.16), colour, 0.35)


def ground(stage: Stage, horizon: float, near: Colour, far: float = 0.55) -> None:
    """Land from `horizon` down: far in the haze, near in its own colour."""
    stage.pen.wash(box(-1, horizon, WIDE + 1, HIGH + 1), stage.tone(near, far), stage.tone(times(near, 0.82)))


def scribble(stage: Stage, top: float, colour: Colour, count: int, width: float = 1.6) -> None:
    """Short level strokes that make a ground lie down: denser and shorter toward the horizon."""
    luck = stage.luck
    for _ in range(count):
        k = luck.random() ** 1.7
        x, y = luck.uniform(0, WIDE), top + 0.05 + (HIGH - top) * k
        length = 0.2 + 1.5 * k
        stage.pen.line([(x - length, y), (x, y + 0.02 * length), (x + length, y)], width * (0.5 + k), colour)


def bare(stage: Stage) -> None:
    """No place was named: a painted backdrop and a floor with a pool of light, as in a photographer's studio."""
    pen, look = stage.pen, stage.look
    base = stage.local((168, 160, 146), (142, 152, 158), (160, 146, 140))
    pen.wash(box(-1, -1, 17, 6.6), stage.tone(times(base, 0.72)), stage.tone(times(base, 1.1)))
    for n in range(9):
        x = 2 * n + stage.luck.uniform(-0.7, 0.3)
        fold = [(x - 0.3, -1), (x + 0.25, -1), (x + 0.5, 6.5), (x - 0.4, 6.5)]
        pen.tint(fold, stage.tone(times(base, 0.55)), 0.22)
    pen.wash(box(-1, 6.4, 17, 10), stage.tone(times(base, 0.95)), stage.tone(times(base, 0.6)))
    pen.line(curve([(-1, 6.45), (8, 6.38), (17, 6.45)], closed=False), 2.0)
    pen.glow(8 + 1.5 * stage.light, 3.2, 6.5, look.light, 0.35)
    pen.hatch(box(-1, -1, 3.0, 6.4) if stage.light > 0 else box(13.0, -1, 17, 6.4), 0.4)


def _disc(x: float, y: float, r: float) -> Points:
    return ellipse(x, y, r, r)

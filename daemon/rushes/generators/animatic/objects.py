"""Things that fill a shot: the insert of a letter, a key, a cup. Units: about 4 wide, centre at (0, 0)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rushes.generators.animatic.palette import Colour, mix, times
from rushes.generators.animatic.shapes import box, curve, ellipse
from rushes.generators.animatic.stage import Stage

_BRASS: Colour = (186, 148, 84)
_STEEL: Colour = (168, 174, 182)


def thing(stage: Stage, kind: str) -> None:
    """Draw the thing `kind` (a meaning of the words' lexicon) at the stage's pen, with its shadow."""
    stage.pen.tint(ellipse(-0.25 * stage.light, 1.15, 2.7, 0.55), stage.look.ink, 0.4)
    _DRAWN[kind](stage)


def _letter(stage: Stage) -> None:
    pen, tone, turn = stage.pen, stage.look.tone, stage.luck.uniform(-0.25, 0.25)
    page = [(-1.9, -1.3 + turn), (1.8, -1.5 - turn), (2.0, 1.1 - turn), (-1.7, 1.35 + turn)]
    pen.block(page, tone((240, 230, 206)))
    pen.shade(page, stage.light * 1.1, 0.14)
    for n in range(8):
        y, end = -0.95 + 0.27 * n, stage.luck.uniform(0.6, 1.5)
        wave = [(x, y + turn * (1 - x) * 0.5 + 0.03 * np.sin(x * 23 + n)) for x in np.linspace(-1.4, end, 40)]
        pen.line(wave, 1.8, tone((66, 66, 92)))
    pen.line([(-1.8, 0.0 + turn), (1.9, -0.2 - turn)], 1.2)


def _photo(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    pen.block([(-1.7, -1.5), (1.6, -1.7), (1.8, 1.2), (-1.55, 1.4)], tone((236, 230, 216)))
    pen.wash(
        [(-1.45, -1.25), (1.38, -1.43), (1.5, 0.75), (-1.32, 0.93)], tone((176, 186, 188)), tone((120, 118, 104))
    )
    for x, size in ((-0.45, 1.0), (0.6, 0.85)):
        body = [(x - 0.5 * size, 0.8), (x - 0.3 * size, -0.1), (x + 0.3 * size, -0.1), (x + 0.5 * size, 0.72)]
        pen.fill(curve(body), tone((70, 72, 84)))
        pen.fill(ellipse(x, -0.42 * size, 0.26 * size, 0.33 * size), tone((206, 172, 146)))
    pen.hatch([(-1.45, -1.25), (0.2, -1.3), (-1.32, 0.93)], 0.4)


def _key(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    pen.shape(ellipse(-1.5, 0.2, 0.78, 0.72), tone(_BRASS), 4.0)
    pen.shape(ellipse(-1.5, 0.2, 0.4, 0.36), tone(times(_BRASS, 0.45)), 3.0)
    pen.block(box(-0.75, 0.05, 2.2, 0.38), tone(_BRASS))
    for x, h in ((1.45, 0.75), (1.85, 0.55)):
        pen.block(box(x, 0.38, x + 0.25, 0.38 + h), tone(_BRASS))
    pen.hatch(box(-0.75, 0.22, 2.2, 0.38), 1.2)
    pen.line([(-0.6, 0.11), (2.0, 0.11)], 2.0, tone((250, 234, 190)))


def _book(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    cover = stage.luck.choice(((130, 52, 46), (58, 76, 96), (84, 96, 66)))
    pen.block([(-2.4, -0.9), (2.4, -0.9), (2.7, 1.3), (-2.7, 1.3)], tone(cover))
    for side in (-1, 1):
        page = curve(
            [
                (0, -0.8),
                (side * 1.0, -1.05),
                (side * 2.2, -0.85),
                (side * 2.45, 1.15),
                (side * 1.1, 0.98),
                (0, 1.2),
            ]
        )
        pen.shape(page, tone((238, 228, 204)))
        if side == -stage.light:
            pen.hatch(page, 0.25)
        for n in range(7):
            y = -0.5 + 0.22 * n
            pen.line([(side * 0.3, y), (side * (1.95 + 0.04 * n), y)], 1.3, tone((120, 112, 108)))
    pen.line([(0, -0.85), (0, 1.2)], 4.0)


def _phone(stage: Stage) -> None:
    pen, look = stage.pen, stage.look
    body = curve([(-0.95, -1.75), (0.95, -1.75), (1.05, -1.6), (1.05, 1.2), (0.95, 1.35),
                  (-0.95, 1.35), (-1.05, 1.2), (-1.05, -1.6)])  # fmt: skip
    pen.shape(body, look.tone((46, 46, 54)), 4.0)
    pen.wash(box(-0.88, -1.5, 0.88, 1.1), look.graded((200, 222, 232)), look.graded((120, 158, 188)))
    for n in range(4):
        x = -0.7 if n % 2 else -0.3
        pen.fill(box(x, -1.2 + 0.5 * n, x + 1.0, -0.85 + 0.5 * n), look.graded((242, 244, 240)))
    pen.glow(0, -0.2, 3.4, (150, 196, 230), 0.5)


def _watch(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    pen.shape(ellipse(0, -1.72, 0.26, 0.24), tone(_BRASS))
    pen.shape(ellipse(0, 0, 1.6, 1.55), tone(_BRASS), 4.0)
    pen.shade(ellipse(0, 0, 1.6, 1.55), stage.light * 0.35, 0.3)
    pen.shape(ellipse(0, 0, 1.3, 1.26), tone((240, 234, 216)))
    for n in range(12):
        s, c = float(np.sin(n * np.pi / 6)), float(np.cos(n * np.pi / 6))
        pen.line([(1.02 * s, 1.0 * c), (1.18 * s, 1.16 * c)], 3.4)
    for length, turn, width in ((0.65, stage.luck.uniform(0, 6.2), 6.0), (1.0, stage.luck.uniform(0, 6.2), 4.0)):
        pen.line([(0, 0), (length * np.sin(turn), -length * np.cos(turn))], width)


def _cup(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    glaze = stage.luck.choice(((226, 220, 208), (150, 72, 58), (86, 116, 124)))
    pen.shape(ellipse(0, 1.15, 1.9, 0.42), tone(times(glaze, 0.92)))
    pen.outline(ellipse(1.45, 0.0, 0.55, 0.5), 9.0, tone(times(glaze, 0.85)))
    pen.outline(ellipse(1.45, 0.0, 0.62, 0.57), 2.4)
    body = curve([(-1.25, -0.9), (-1.15, 0.3), (-0.7, 1.05), (0.7, 1.05), (1.15, 0.3), (1.25, -0.9)])
    pen.shape(body, tone(glaze))
    pen.shade(body, stage.light * 0.6, 0.28)
    pen.shape(ellipse(0, -0.9, 1.25, 0.34), tone(times(glaze, 1.05)))
    pen.fill(ellipse(0, -0.84, 1.08, 0.25), tone((74, 48, 36)))
    for x in (-0.4, 0.1, 0.5):
        steam = [(x + 0.16 * np.sin(t * 4 + x * 9), -1.1 - t) for t in np.linspace(0, 1.4, 16)]
        pen.line(steam, 2.0, mix(tone((250, 250, 250)), tone(stage.look.haze), 0.3))


def _candle(stage: Stage) -> None:
    pen, look = stage.pen, stage.look
    pen.shape(ellipse(0, 1.2, 1.2, 0.3), look.tone(_BRASS))
    pen.block(box(-0.38, -0.6, 0.38, 1.15), look.tone((236, 226, 200)))
    pen.shade(box(-0.38, -0.6, 0.38, 1.15), stage.light * 0.22, 0.3)
    pen.line([(0, -0.6), (0.02, -0.85)], 3.0)
    pen.fill(curve([(0, -1.7), (0.2, -1.1), (0.14, -0.78), (-0.14, -0.78), (-0.2, -1.1)]), (255, 214, 120))
    pen.fill(curve([(0, -1.35), (0.1, -1.02), (0, -0.8), (-0.1, -1.02)]), (255, 246, 214))
    pen.glow(0, -1.2, 6.0, (255, 190, 96), 0.9)


def _knife(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    pen.shape(curve([(-0.6, -0.22), (1.6, -0.3), (2.9, 0.24), (1.4, 0.4), (-0.6, 0.36)]), tone(_STEEL))
    pen.line([(-0.5, 0.06), (2.3, 0.1)], 1.8)
    pen.line([(-0.4, -0.14), (1.6, -0.2)], 2.6, tone((240, 244, 248)))
    handle = curve([(-2.6, -0.3), (-0.7, -0.32), (-0.6, 0.42), (-2.5, 0.5), (-2.75, 0.1)])
    pen.shape(handle, tone((88, 58, 42)))
    pen.hatch(handle, 1.0)
    for x in (-2.1, -1.2):
        pen.shape(ellipse(x, 0.08, 0.09, 0.09), tone(_BRASS), 1.8)


def _flower(stage: Stage) -> None:
    pen, tone = stage.pen, stage.look.tone
    petal = stage.luck.choice(((178, 40, 52), (222, 150, 170), (226, 190, 84)))
    pen.line(curve([(1.9, 1.3), (0.9, 0.8), (0.0, -0.2)], closed=False), 8.0, tone((70, 104, 66)))
    pen.shape(curve([(1.0, 0.8), (1.3, 0.1), (2.0, 0.0), (1.7, 0.6)]), tone((82, 120, 74)))
    for n in range(9):
        turn = n * 2.4
        r = 0.95 - 0.085 * n
        x, y = -0.4 + 0.55 * r * np.cos(turn), -0.6 + 0.5 * r * np.sin(turn)
        pen.shape(ellipse(float(x), float(y), 0.62 * r, 0.56 * r), tone(times(petal, 0.75 + 0.05 * n)), 2.2)


_DRAWN: dict[str, Callable[[Stage], None]] = {
    "letter": _letter, "photo": _photo, "key": _key, "book": _book, "phone": _phone,
    "watch": _watch, "cup": _cup, "candle": _candle, "knife": _knife, "flower": _flower,
}  # fmt: skip

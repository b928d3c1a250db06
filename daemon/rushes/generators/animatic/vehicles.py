"""The insides of a car and of a train."""

from __future__ import annotations

from rushes.generators.animatic.palette import times
from rushes.generators.animatic.shapes import box, curve, ellipse
from rushes.generators.animatic.stage import Stage


def car(stage: Stage) -> None:
    """Inside a car, from the bonnet's side: windscreen frame, the world outside passing, seats, mirror, wheel."""
    pen, look, luck = stage.pen, stage.look, stage.luck
    pen.wash(box(-1, -1, 17, 6.5), look.graded(look.sky[0]), look.graded(look.sky[1]))
    for x in (float(n) for n in range(0, 17, 2)):
        tall = luck.uniform(1.5, 4.2)
        pen.fill(box(x - 0.4, 5.6 - tall, x + 1.7, 6.4), stage.tone((104, 108, 116), 0.55))
        if stage.lamps:
            pen.glow(x + luck.uniform(0, 2), 5.2, luck.uniform(0.5, 1.2), look.light, 0.7)
    dark = stage.tone((58, 56, 60))
    pen.shape(curve([(-1, 5.3), (2, 4.9), (6, 4.8), (10, 4.8), (14, 4.9), (17, 5.3), (17, 10), (-1, 10)]), dark)
    for x in (4.2, 11.8):
        seat = curve(
            [(x - 1.9, 9.4), (x - 1.8, 4.6), (x - 0.9, 3.4), (x + 0.9, 3.4), (x + 1.8, 4.6), (x + 1.9, 9.4)]
        )
        pen.shape(seat, stage.tone((112, 88, 70)))
        pen.shade(seat, stage.light * 0.5, 0.3)
        pen.shape(ellipse(x, 3.0, 0.85, 0.6), stage.tone((112, 88, 70)))
    for side in (-1, 1):
        pillar = [(8 + side * 9, -1), (8 + side * 6.6, -1), (8 + side * 7.7, 6.4), (8 + side * 9, 6.4)]
        pen.block(pillar, stage.tone((44, 44, 50)))
    pen.block(box(-1, -1, 17, 0.35), stage.tone((44, 44, 50)))
    pen.shape(curve([(6.9, 0.5), (9.1, 0.5), (9.2, 1.0), (8, 1.15), (6.8, 1.0)]), stage.tone((70, 74, 84)))


def dashboard(stage: Stage) -> None:
    """What is in front of the people in a car: bonnet and dashboard, steering wheel, a glare on the glass."""
    pen, look = stage.pen, stage.look
    pen.outline(ellipse(11.9, 6.9, 1.7, 1.35), 13.0, stage.tone((34, 34, 40)))
    pen.line([(10.3, 6.9), (13.5, 6.9)], 9.0, stage.tone((34, 34, 40)))
    board = curve([(-1, 7.2), (3, 6.75), (8, 6.85), (13, 6.95), (17, 7.4), (17, 10), (-1, 10)])
    pen.shape(board, stage.tone((78, 78, 86)), 4.0)
    pen.hatch(board, 0.5)
    pen.tint([(1.6, 0.3), (4.2, 0.3), (1.4, 6.7), (-0.6, 6.9)], look.graded(look.light), 0.14)
    pen.tint([(5.0, 0.3), (5.7, 0.3), (3.0, 6.7), (2.2, 6.7)], look.graded(look.light), 0.12)


def train(stage: Stage) -> None:
    """A compartment: one wide window on moving land, facing seats, a luggage rack, a little table."""
    pen, look = stage.pen, stage.look
    wall = stage.local((128, 92, 66), (96, 110, 104), (132, 118, 92))
    pen.fill(box(-1, -1, 17, 10), stage.tone(wall))
    pen.hatch(box(-1, -1, 3.6, 10) if stage.light > 0 else box(12.4, -1, 17, 10), 0.5)
    pen.wash(box(4.4, 1.3, 11.6, 5.3), look.graded(look.sky[0]), look.graded(look.sky[1]))
    for y, depth in ((4.1, 0.7), (4.6, 0.4)):
        hills = [
            (4.4, y + 0.2),
            (6, y - 0.3),
            (8, y + 0.2),
            (10, y - 0.2),
            (11.6, y + 0.1),
            (11.6, 5.3),
            (4.4, 5.3),
        ]
        pen.fill(hills, stage.tone((88, 108, 80), depth))
    pen.sides(box(4.4, 1.3, 11.6, 5.3), 6.0)
    pen.sides(box(4.15, 1.05, 11.85, 5.55), 3.0)
    pen.block(box(-1, 0.15, 17, 0.4), stage.tone(times(wall, 0.6)))
    pen.beam(
        [(4.6, 1.6), (11.4, 1.6), (11.4 - stage.light * 2.4, 9), (4.6 - stage.light * 2.4, 9)], look.light, 0.2
    )
    for side in (-1, 1):
        seat = curve([(8 + side * 9, 3.0), (8 + side * 5.6, 3.1), (8 + side * 5.0, 4.4), (8 + side * 4.9, 6.8),
                      (8 + side * 2.6, 7.0), (8 + side * 2.5, 9.5), (8 + side * 9, 9.5)])  # fmt: skip
        pen.shape(seat, stage.tone((132, 56, 54)))
        pen.shade(seat, stage.light * 0.5, 0.3)
    pen.block(box(6.7, 5.8, 9.3, 6.05), stage.tone(times(wall, 0.7)))

"""Shapes and lines as points: curves, ovals, boxes, and the even steps and tremble of a drawn line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""Corners of a shape or a line: (n, 2)."""


def curve(points: ArrayLike, closed: bool = True) -> Points:
    """A smooth line through `points` (Catmull-Rom), eight steps between each two."""
    p = np.asarray(points, float)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None, :] for i in range(4))
    made = b + t * 0.5 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    flat = made.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, p[-1:]])


def ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    """An oval as a shape."""
    t = np.linspace(0, 2 * np.pi, max(16, int(24 * min(1.0, rx + ry))), endpoint=False)
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1)


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """A rectangle as a shape."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def even(p: Points) -> Points:
    """The same line with points about every 22 pixels."""
    step = np.hypot(*np.diff(p, axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(step)])
    at = np.linspace(0, run[-1], int(np.clip(run[-1] / 22, 5, 400)))
    return np.stack([np.interp(at, run, p[:, 0]), np.interp(at, run, p[:, 1])], axis=1)


def tremble(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Smooth noise of about unit size: a hand's, not a sensor's."""
    knots = max(4, count // 5)
    return np.interp(np.linspace(0, knots - 1, count), np.arange(knots), random.normal(0, 0.6, knots))

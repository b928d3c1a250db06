"""Where the state of each shot is drawn on its strip, and in which colour. Plain Python, no Blender."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

Colour = tuple[float, float, float, float]

COLOURS: Final[dict[str, Colour]] = {
    "fresh": (0.36, 0.78, 0.42, 0.9),
    "stale": (1.00, 0.70, 0.16, 1.0),
    "missing": (0.80, 0.80, 0.80, 1.0),
    "invalid": (1.00, 0.32, 0.27, 1.0),
    "failed": (1.00, 0.32, 0.27, 1.0),
    "queued": (0.42, 0.66, 1.00, 1.0),
    "rendering": (0.42, 0.66, 1.00, 1.0),
}
OUTLINE: Final[Colour] = (0.0, 0.0, 0.0, 0.65)
"""Around every band, so that it is seen on strips of any colour and in any theme."""

TRACK: Final[Colour] = (0.08, 0.10, 0.14, 0.85)
"""What of a progress bar is not done yet."""

HEIGHT: Final = 4.0
MARGIN: Final = 2.0
LEAST_WIDTH: Final = 3.0
LABEL_SIZE: Final = 11.0
LABEL_HEIGHT: Final = 15.0
LABEL_WIDTH: Final = 28.0
"""Pixels, before the interface's scale."""

_LABELS: Final = {
    "stale": "stale",
    "missing": "not rendered",
    "invalid": "invalid",
    "failed": "failed",
    "queued": "queued",
    "rendering": "rendering",
}
"""What is up to date needs no words."""


class Placed(NamedTuple):
    """A strip in sight: the state of its shot, and its box in pixels of the region."""

    state: str
    left: float
    right: float
    bottom: float
    top: float
    done: float = 0.0
    is_locked: bool = False
    is_waiting: bool = False


class Rectangle(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float
    colour: Colour


class Label(NamedTuple):
    """A word, at the lower left of where it may stand, and how wide that is."""

    text: str
    left: float
    bottom: float
    width: float


def placed(
    box: tuple[float, float, float, float], state: str, row: Mapping[str, Any], done: float = 0.0
) -> Placed:
    """A strip with what is known of its shot. `box` is left, right, bottom, top."""
    return Placed(state, *box, done, bool(row.get("locked")), bool(row.get("waiting")))


def rectangles(strips: Iterable[Placed], scale: float) -> list[Rectangle]:
    """The bands at the feet of strips, from the lowest layer to the topmost."""
    found: list[Rectangle] = []
    for strip in strips:
        colour = COLOURS.get(strip.state)
        edge = MARGIN * scale
        left, right = strip.left + edge, strip.right - edge
        if colour is None or right - left < LEAST_WIDTH:
            continue
        bottom, line = strip.bottom + edge, max(1.0, scale)
        top = bottom + min(HEIGHT * scale, (strip.top - strip.bottom) * 0.25)
        found.append(Rectangle(left - line, bottom - line, right + line, top + line, OUTLINE))
        if strip.state == "rendering":
            found.append(Rectangle(left, bottom, right, top, TRACK))
            right = left + (right - left) * max(0.02, min(1.0, strip.done))
        found.append(Rectangle(left, bottom, right, top, colour))
    return found


def labels(strips: Iterable[Placed], scale: float) -> list[Label]:
    """The words above the bands, of strips that have the room."""
    found = []
    for strip in strips:
        text = label(strip) if strip.right - strip.left > LABEL_WIDTH * scale else ""
        foot = strip.bottom + (2 * MARGIN + HEIGHT) * scale
        if text and strip.top - foot > 2 * LABEL_HEIGHT * scale:
            left = strip.left + 3 * MARGIN * scale
            found.append(Label(text, left, foot + MARGIN * scale, strip.right - left - MARGIN * scale))
    return found


def label(strip: Placed) -> str:
    """The few words for a strip; "" where there is nothing to say."""
    words = [_LABELS.get(strip.state, "")]
    if strip.state == "rendering" and strip.done:
        words = [f"{strip.done:.0%}"]
    if strip.is_waiting:
        words.append("new take waits")
    if strip.is_locked:
        words.append("locked")
    return " · ".join(word for word in words if word)

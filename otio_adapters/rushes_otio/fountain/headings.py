"""What a scene heading says about the picture: `INT. MARA'S HOUSE - NIGHT` is a place, an hour and a side."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIDES = {
    "INT": "interior",
    "EXT": "exterior",
    "EST": "exterior",
    "I/E": "interior and exterior",
    "INT/EXT": "interior and exterior",
    "EXT/INT": "interior and exterior",
}
_PREFIX = re.compile(r"(INT\.?\s*/\s*EXT|EXT\.?\s*/\s*INT|I\s*/\s*E|INT|EXT|EST)(?:\.\s*|\s+)", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]{1,2}\s+")
_PARENTHESES = re.compile(r"\([^()]*\)")
_HOURS = frozenset(
    "day night morning evening afternoon dusk dawn sunset sunrise noon midday midnight twilight hour".split()
)
_SAME_HOUR = frozenset("later continuous same moments".split())


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is "" where a heading names no place (`.MONTAGE`). `hour` is None where it says "as before"."""

    name: str
    hour: str | None
    side: str


def read_heading(text: str) -> Place:
    """The parts of a heading in plain words. Capitals throughout become lower case; mixed case is kept."""
    prefix = _PREFIX.match(text)
    side = _SIDES[re.sub(r"[\s.]", "", prefix[1]).upper()] if prefix else ""
    rest = " ".join(_PARENTHESES.sub(" ", text[prefix.end() if prefix else 0 :]).split())
    parts = [part for part in _DASH.split(rest) if part]
    hour = _hour(parts[-1]) if len(parts) > 1 else ""
    place = ", ".join(parts[:-1] if hour != "" else parts)
    if not side and hour == "":
        place = ""
    return Place(place.lower() if place.isupper() else place, hour, side)


def _hour(text: str) -> str | None:
    """The hour in lower case, None for the hour of the scene before, "" for no hour."""
    words = set(re.findall(r"\w+", text.lower()))
    if words & _HOURS:
        return text.lower()
    return None if words & _SAME_HOUR else ""

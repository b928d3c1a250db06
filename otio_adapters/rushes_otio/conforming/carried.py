"""What each format brings back of a clip. What it cannot bring back, the film keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """Whether a returned cut speaks for effects other than speed, for all markers, and for sound.

    `rows` is a timeline made of a host's rows: its tracks are the film's own and its ranges are whole frames, and
    nothing is said of a clip but what the rows say.
    """

    effects: bool
    markers: bool
    sound: bool
    rows: bool = False

    @property
    def counts_played(self) -> bool:
        """Whether ranges are told in frames that are played, which misses by less than one step of a speed."""
        return not (self.effects or self.rows)


CARRIED = {
    ".otio": Carried(effects=True, markers=True, sound=True),
    ".xml": Carried(effects=False, markers=False, sound=True),
    ".aaf": Carried(effects=False, markers=False, sound=True),
    ".edl": Carried(effects=False, markers=False, sound=False),
}
"""By the ending of the file. Comments of markers get lost in all but .otio, so there the film's markers stay and
new ones are added."""

ROWS = Carried(effects=False, markers=False, sound=True, rows=True)

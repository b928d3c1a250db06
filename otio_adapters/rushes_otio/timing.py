"""Rates and frame numbers. Frames are integers; a rate is an exact fraction; seconds appear nowhere else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from rushes_otio.errors import FileFault

# The rates SMPTE timecode exists for (the list of OpenTimelineIO 0.18.1).
_WHOLE = (24, 25, 30, 48, 50, 60)
_NTSC = (24000, 30000, 48000, 60000)


@dataclass(frozen=True, slots=True)
class Rate:
    """Frames per second as `num/den`, one of the SMPTE rates."""

    num: int
    den: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """`"24/1"`, `"24"` or `"24000/1001"`; FileFault for anything that has no SMPTE timecode."""
        num, _, den = text.partition("/")
        if num.isdecimal() and (den or "1").isdecimal() and len(text) < 20:
            rate = cls(int(num), int(den or "1"))
            if rate in SMPTE_RATES:
                return rate
        raise FileFault(
            f"the rate {text!r} has no SMPTE timecode",
            remedy="use one of " + ", ".join(str(r) for r in SMPTE_RATES),
        )

    @classmethod
    def from_float(cls, value: float) -> Rate:
        """The SMPTE rate that a float from a file stands for: 23.976 and 23.98 are 24000/1001."""
        if not math.isfinite(value) or value <= 0:
            raise FileFault(f"the rate {value} is no frame rate", remedy="a rate is a positive number")
        best = min(SMPTE_RATES, key=lambda r: abs(float(r) - value))
        if abs(float(best) - value) > 0.006:
            raise FileFault(
                f"the rate {value:g} has no SMPTE timecode",
                remedy="conform the cut to one of " + ", ".join(str(r) for r in SMPTE_RATES),
            )
        return best

    @property
    def nominal(self) -> int:
        """Frames in a second of timecode: 24 for 23.976."""
        return -(-self.num // self.den)

    @property
    def shot_zero(self) -> int:
        """The frame number of 01:00:00:00 non-drop, where every take begins."""
        return 3600 * self.nominal

    def timecode(self, frame: int) -> str:
        """Non-drop timecode `hh:mm:ss:ff` of a frame number counted from 00:00:00:00."""
        seconds, ff = divmod(frame, self.nominal)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{ff:02d}"

    def __float__(self) -> float:
        return self.num / self.den

    def __str__(self) -> str:
        return f"{self.num}/{self.den}"

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.num, self.den)


SMPTE_RATES = tuple(
    sorted([Rate(n, 1) for n in _WHOLE] + [Rate(n, 1001) for n in _NTSC], key=lambda r: r.num / r.den)
)

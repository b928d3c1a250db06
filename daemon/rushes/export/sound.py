"""The sound of the cut: what stands on its enabled audio tracks, mixed to stereo as long as the cut.

A clip at another speed is played at that speed, so its pitch changes with it; reversed it plays backwards. Freeze
frames, ramps and nested stacks are silent. A transition is a linear crossfade, or a fade beside a gap.

Clips are added one after the other to a file of raw samples. So one foreign file is open at a time, however many
tracks there are, memory holds a second or so of it, and a reversed clip is read forwards and written from its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from rushes.export.mix import Mix, Part, Ramp, Tape
from rushes.limited import foreign
from rushes.media.ffmpeg import SAMPLE_RATE
from rushes.store.mentioned import MentionedFiles
from rushes_otio.cut import speed
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.items import Item, Time
from rushes_otio.text import printable
from rushes_otio.tracks import Track

FASTEST = 16
"""Times its speed at which a clip is still heard; a second of it takes so many seconds of its file in memory."""


@dataclass(slots=True)
class Sound:
    """The mix of a film. `lost` collects what is not heard as it should be, by item; "" is the mix itself."""

    film: Film
    files: MentionedFiles
    lost: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def mixed(self, path: Path) -> Iterator[Path | None]:
        """The mix at `path` for as long as the block lasts; None when nothing stands on an enabled audio track."""
        clips = list(self._clips())
        if not clips:
            yield None
            return
        try:
            with path.open("w+b") as file:
                mix = Mix(file, self._samples(self.film.length))
                for track, index in clips:
                    self._add(mix, track, index)
                self._end(mix)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _clips(self) -> Iterator[tuple[Track, int]]:
        for track in self.film.tracks:
            if track.kind == "Audio" and track.enabled:
                for index, item in enumerate(track.items):
                    if item.kind in ("Clip", "Stack") and item.enabled:
                        yield track, index

    def _add(self, mix: Mix, track: Track, index: int) -> None:
        item = track.items[index]
        name = item.use or item.name or f"{track.label}@{item.start:g}"
        reason = _unheard(item)
        if not reason:
            part = self._part(track, index)
            try:
                path = self.files.locate(_url(item), name)
                reason = self._played(mix, part, path) if part.steps else ""
            except RushesError as e:
                reason = f"it is silent: {e.text}"
        if reason:
            self.lost.setdefault(name, reason)

    def _played(self, mix: Mix, part: Part, path: Path) -> str:
        """Add a clip to the mix; what is missing of it."""
        steps = part.steps
        first, last = (math.floor(part.offset + part.pace * step) for step in (steps[0], steps[-1]))
        start, count = max(0, first), max(0, last + 2 - max(0, first))
        with closing(foreign.iter_sound(path, start / SAMPLE_RATE, count / SAMPLE_RATE)) as blocks:
            tape = Tape(blocks, start)
            for at in range(0, len(steps), SAMPLE_RATE):
                some = steps[at : at + SAMPLE_RATE]
                places = part.places(some)
                heard = tape.played(part.offset, part.pace, some)
                mix.add(places.start, heard[:: -1 if part.backwards else 1] * part.level(places))
        lacking = tape.missing > self._samples(1) * max(1.0, part.pace)
        return "the cut plays sound that its media does not have; it is silent there" if lacking else ""

    def _end(self, mix: Mix) -> None:
        loud = mix.clip()
        if loud is not None:
            second = loud // SAMPLE_RATE
            self.lost[""] = f"the mix is louder than full level and was cut off there, first after {second} s"

    def _part(self, track: Track, index: int) -> Part:
        item = track.items[index]
        before, after = (_beside(track, index + step) for step in (-1, 1))
        end = item.start + item.length
        pace = speed(item)
        offset = self._media_start(item) * SAMPLE_RATE
        return Part(
            first=self._samples(item.start),
            end=self._samples(end),
            heard=max(0, self._samples(item.start - (before.in_offset if before else 0))),
            until=self._samples(min(self.film.length, end + (after.out_offset if after else 0))),
            offset=float(offset) if pace != 1 else round(offset),
            pace=pace,
            backwards=sum(scalar < 0 for scalar in item.warps) % 2 == 1,
            ramps=(*self._ramp(before, item.start, 0.0), *self._ramp(after, end, 1.0)),
        )

    def _ramp(self, transition: Item | None, at: float, begins: float) -> Iterator[Ramp]:
        if transition is not None:
            first = self._samples(at - transition.in_offset)
            end = self._samples(at + transition.out_offset)
            if first < end:
                yield Ramp(first, end, begins, 1 - begins)

    def _media_start(self, item: Item) -> Fraction:
        """Seconds from the beginning of the file to the clip's in-point."""
        known = item.default_media
        if item.source is None:
            return Fraction(0)
        zero = self._seconds(known.available_range.start_time) if known and known.available_range else 0
        return self._seconds(item.source.start_time) - zero

    def _seconds(self, time: Time) -> Fraction:
        rate = self.film.rate
        return Fraction(time.value) / (rate.fraction if time.is_at(float(rate)) else Fraction(time.rate))

    def _samples(self, frames: float) -> int:
        """The sample at a record frame."""
        return round(Fraction(frames) * SAMPLE_RATE / self.film.rate.fraction)


def _url(item: Item) -> str:
    media = item.default_media
    return (media.target_url or "") if media is not None and media.online else ""


def _beside(track: Track, index: int) -> Item | None:
    """The transition at `index`, None where something else or nothing stands there."""
    item = track.items[index] if 0 <= index < len(track.items) else None
    return item if item is not None and item.kind == "Transition" else None


def _unheard(item: Item) -> str:
    """Why an item is silent, "" when it can be heard."""
    if item.kind != "Clip":
        return f"a nested {printable(item.kind, 20).lower()} is silent"
    if not _url(item):
        return "it has no media, so it is silent"
    if any(math.isnan(scalar) or not scalar for scalar in item.warps):
        return "a freeze frame or a ramp is silent"
    if speed(item) > FASTEST:
        return f"it is silent: it runs at more than {FASTEST} times its speed"
    return ""

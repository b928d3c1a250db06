"""A host as far as its timeline goes: rows on channels, which an editor changes and a film is pulled from."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from rushes_otio.film import Film
from rushes_otio.hosts.clocks import frame_at
from rushes_otio.hosts.lanes import Standing, lanes_of
from rushes_otio.hosts.laying import Laid, Shown, laid, tracks
from rushes_otio.hosts.rows import ChannelState, Dissolve, Row, Sequence
from rushes_otio.hosts.taking import TakenIn, take_in
from rushes_otio.paths import is_relative


def shown(clip: Standing, frames: int) -> Shown:
    """Every file is there; what has none is shown by a slate."""
    media = clip.item.default_media
    url = (media.target_url or "") if media is not None and media.online else ""
    path = f"/films/{url}" if is_relative(url) else url
    kind = "sound" if clip.is_sound else "movie"
    return Shown(path or f"/films/film.rushes/slates/slate__{clip.use}_0.mov", kind, frames, (1920, 1080))


@dataclass
class Host:
    """Its timeline. `truth` says for each row, by key, which shot it shows."""

    rate: str
    rows: list[Row] = field(default_factory=list)
    dissolves: list[Dissolve] = field(default_factory=list)
    muted: set[int] = field(default_factory=set)
    known: list[str] = field(default_factory=list)
    truth: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def sequence(self) -> Sequence:
        channels = [ChannelState(channel=channel, enabled=False) for channel in sorted(self.muted)]
        return Sequence(
            rate=self.rate, rows=self.rows, dissolves=self.dissolves, channels=channels, known=self.known
        )

    def pull(self, film: Film) -> TakenIn:
        """Pull, and note down what the rows are."""
        taken = take_in(film, self.sequence())
        for row in self.rows:
            row.use = taken.uses.get(row.key, row.use)
            found = film.find_use(row.use)
            block = found[0].items[found[1]].block if found else None
            row.shot = block.shot if block is not None else ""
        self.known = list(dict.fromkeys([*self.known, *(row.use for row in self.rows if row.use)]))
        return taken

    def push(self, film: Film) -> Laid:
        """Pull, and bring in what is offered."""
        taken = self.pull(film)
        offered = laid(film, taken.lanes, taken.offer.channels, shown)
        assert all(self.is_free(row) for row in offered.rows)
        used = {row.channel for row in self.rows}
        for track in tracks(taken.lanes, taken.channels):
            if track["channel"] not in used:
                (self.muted.discard if track["enabled"] else self.muted.add)(track["channel"])
        self.rows += offered.rows
        self.dissolves += offered.dissolves
        self.truth |= {row.key: row.shot for row in offered.rows}
        self.known += [row.use for row in offered.rows]
        return offered

    # -- what an editor does -----------------------------------------------------------------------------------

    def is_free(self, row: Row) -> bool:
        return not any(
            other is not row
            and not (isinstance(other, Row) and other.inside)
            and other.channel == row.channel
            and other.left < row.right
            and row.left < other.right
            for other in (*self.rows, *self.dissolves)
        )

    def changed(self, row: Row, **changes: int) -> bool:
        """Change a row where that is free; its dissolves stay where they still lie between their clips."""
        before = copy.copy(row)
        for name, value in changes.items():
            setattr(row, name, value)
        if row.right - row.left < 1 or row.left < 0 or row.inside or not self.is_free(row):
            for name in changes:
                setattr(row, name, getattr(before, name))
            return False
        self.settle()
        return True

    def settle(self) -> None:
        """A dissolve covers what its two clips have in common, and is gone where that is nothing."""
        by_key = {row.key: row for row in self.rows}
        kept = []
        for dissolve in self.dissolves:
            out, into = by_key.get(dissolve.out), by_key.get(dissolve.into)
            if out and into and out.left < into.left < out.right < into.right:
                dissolve.left, dissolve.right = into.left, out.right
                kept.append(dissolve)
        self.dissolves = kept

    def trim_head(self, row: Row, frames: int) -> bool:
        pace = float(row.speed or "1")
        return self.changed(row, left=row.left + frames, first=frame_at(row.first, pace, frames))

    def trim_tail(self, row: Row, frames: int) -> bool:
        return self.changed(row, right=row.right + frames)

    def move(self, row: Row, frames: int, channels: int) -> bool:
        channel = max(1, row.channel + channels)
        if channel != row.channel and {channel, row.channel} & self.muted:
            return False  # half of a dissolve on a muted channel is nothing that a film can say
        return self.changed(row, left=row.left + frames, right=row.right + frames, channel=channel)

    def slip(self, row: Row, frames: int) -> bool:
        return self.changed(row, first=row.first + frames)

    def blade(self, row: Row, at: int) -> bool:
        """Two rows of the same ids. Dissolves are gone, as they lie over one of the halves only."""
        if not 0 < at < row.right - row.left:
            return False
        half = copy.copy(row)
        half.key, half.left = self._key(), row.left + at
        half.first = frame_at(row.first, float(row.speed or "1"), at)
        row.right = half.left
        self.truth[half.key] = self.truth[row.key]
        self.rows.append(half)
        for dissolve in self.dissolves:
            if dissolve.out == row.key:
                dissolve.out = half.key
        self.settle()
        return True

    def copy(self, row: Row) -> bool:
        twin = copy.copy(row)
        end = self._end()
        twin.key, twin.left, twin.right, twin.inside = self._key(), end, end + row.right - row.left, ""
        self.truth[twin.key] = self.truth[row.key]
        self.rows.append(twin)
        return True

    def delete(self, row: Row) -> bool:
        self.rows.remove(row)
        self.settle()
        return True

    def mute(self, row: Row) -> bool:
        row.enabled = not row.enabled
        return True

    def wrap(self, row: Row) -> bool:
        """Into a meta, with what lies above and below it."""
        there = [r for r in self.rows if not r.inside and r.kind != "meta"]
        inner = [r for r in there if r.left < row.right and row.left < r.right] if not row.inside else []
        if row not in inner:
            return False
        left, right = min(r.left for r in inner), max(r.right for r in inner)
        meta = Row(
            key=self._key(),
            kind="meta",
            channel=min(r.channel for r in inner),
            left=left,
            right=right,
            name="Meta",
        )
        for each in inner:
            each.inside = meta.key
        if not self.is_free(meta):
            for each in inner:
                each.inside = ""
            return False
        self.rows.append(meta)
        by_key = {r.key: r for r in self.rows}
        self.dissolves = [d for d in self.dissolves if by_key[d.out].inside == by_key[d.into].inside]
        return True

    def cut_meta(self, frames: int) -> bool:
        """Move the left handle of the last meta."""
        meta = next((r for r in reversed(self.rows) if r.kind == "meta"), None)
        return meta is not None and frames > 0 and self.changed(meta, left=meta.left + frames)

    def unwrapped(self) -> list[Row]:
        """What is seen of the rows, without metas."""
        metas = {row.key: row for row in self.rows if row.kind == "meta"}
        seen = []
        for row in (copy.copy(row) for row in self.rows if row.kind != "meta"):
            meta = metas.get(row.inside)
            if meta is not None and row.left < meta.left:
                row.first = frame_at(row.first, float(row.speed or "1"), meta.left - row.left)
                row.left = meta.left
            if row.left < row.right:
                seen.append(row)
        return seen

    def uppermost(self, at: int) -> str:
        """The key of the picture that is seen at a frame; "?" under a dissolve, where two are."""
        if any(dissolve.left <= at < dissolve.right for dissolve in self.dissolves):
            return "?"
        metas = {row.key: row for row in self.rows if row.kind == "meta"}
        seen = [
            ((metas[row.inside].channel if row.inside else row.channel, row.channel), row.use)
            for row in self.unwrapped()
            if row.left <= at < row.right and row.kind != "sound" and row.enabled
            and (metas[row.inside].channel if row.inside else row.channel) not in self.muted
        ]  # fmt: skip
        return max(seen)[1] if seen else ""

    def bring(self, kind: str, channel: int, frames: int) -> bool:
        """Something of the editor's own, at the end."""
        end = self._end()
        key = self._key()
        path = {"movie": "/elsewhere/sea.mov", "sound": "/elsewhere/waves.wav", "image": "/elsewhere/card.png"}
        row = Row(
            key=key,
            kind=kind,
            channel=channel,
            left=end + 3,
            right=end + 3 + frames,
            name=key,
            path=path.get(kind, ""),
        )
        self.rows.append(row)
        self.truth[key] = ""
        return True

    def _end(self) -> int:
        return max((each.right for each in (*self.rows, *self.dissolves)), default=0)

    def _key(self) -> str:
        self.made += 1
        return f"Strip.{self.made:03d}"


def timeline_of(film: Film) -> dict[str, tuple[object, ...]]:
    """The film as a host would be told it, by use."""
    film = Film(film.encode(), film.where)
    rows = laid(film, lanes_of(film), dict.fromkeys(lanes_of(film).by_use, 1), shown).rows
    return {row.use: (row.left, row.right, row.first, row.speed, row.enabled, row.shot) for row in rows}


def seen_in(film: Film, at: int) -> str:
    """The use that is seen of a film at a frame; "" where none is."""
    for track in reversed(film.video):
        for item in track.items:
            if (
                item.kind == "Clip"
                and item.enabled
                and track.enabled
                and item.start <= at < item.start + item.length
            ):
                return item.use or ""
    return ""

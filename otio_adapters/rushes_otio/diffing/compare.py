"""Two cuts, clip by clip: what was changed, and how an editor would say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec import Raw

from rushes_otio.conforming.alignment import first_in, media_span, run
from rushes_otio.conforming.marks import claims_of, shot_in_name
from rushes_otio.conforming.matching import Link, Matching, match
from rushes_otio.conforming.returned import Cut, Placed
from rushes_otio.cut import speed
from rushes_otio.diffing.moves import in_order
from rushes_otio.text import printable
from rushes_otio.tracks import without_gc

Kind = Literal[
    "new", "omitted", "reinstated", "moved", "trimmed", "extended", "slipped", "retimed", "transition", "switched",
    "changed", "disabled", "enabled",
]  # fmt: skip
"""What can be said of a clip. `changed` is its intent, `switched` its take."""

_ALMOST = 1e-3


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one clip, or of what all shots inherit. `record` is where it is in the new cut, in frames; for
    what is omitted, where it was in the old one."""

    kind: Kind
    shot: str
    use: str
    name: str
    detail: str
    place: str = ""
    record: int = 0


@dataclass(slots=True)
class Difference:
    """`changes` in the order of the new cut, `same` clips without any."""

    matching: Matching
    changes: list[Change] = field(default_factory=list)
    same: int = 0


def compare(old: Cut, new: Cut, gone: Mapping[str, str] | None = None) -> Difference:
    """Everything that is different in `new`. `gone` are the names of shots that the old film knew and its cut did
    not have: they can be reinstated."""
    with without_gc():
        for cut in (old, new):
            if not cut.film:  # a film says so itself
                _identify(cut)
        return _Comparison(old, new, gone or {}).result()


def _identify(cut: Cut) -> None:
    """Two exports of one film, of any format, have the same shots."""
    for clip in cut.clips:
        if clip.is_video and clip.item.kind == "Clip":
            clip.mine = clip.mine or claims_of(clip)


def display_name(clip: Placed) -> str:
    """What people call a clip: its shot's name, else its own."""
    mine, named = clip.mine, shot_in_name(clip.name)
    return printable((mine.name if mine else "") or (named[0] if named else "") or clip.name or clip.place, 80)


class _Comparison:
    def __init__(self, old: Cut, new: Cut, gone: Mapping[str, str]) -> None:
        self._gone = gone
        self._old, self._new = old, new
        self._rate = new.rate
        self._matching = match(old, new, gone)
        for proposal in self._matching.proposed:
            if proposal.link.by != "position":  # nothing is applied here, and a person reads it
                self._matching.links.setdefault(proposal.link.clip.order, proposal.link)
        self._difference = Difference(self._matching)
        tracks = (track for cut in (old, new) for track in cut.tracks)
        self._dissolving = {id(t) for t in tracks if any(item.kind == "Transition" for item in t.items)}

    def result(self) -> Difference:
        found: list[tuple[tuple[int, int, int], Change]] = []
        moved = dict(self._moves())
        for clip in self._new.clips:
            link = self._matching.link(clip)
            if link is None or link.old is None:
                changes = [self._new_clip(clip, link.shot if link else "", link.source if link else None)]
            elif clip.order not in moved and self._is_plainly_the_same(link.old, clip, link):
                self._difference.same += 1
                continue
            else:
                changes = list(self._changes(link.old, clip, link, moved.get(clip.order)))
                self._difference.same += not changes
            found += [(_key(clip), change) for change in changes]
        kept = {id(link.old) for link in self._matching.links.values()}
        shots = {link.shot for link in self._matching.links.values()}
        for clip in self._old.clips:
            if id(clip) not in kept:
                found.append((_key(clip), self._omitted(clip, shots)))
        found.sort(key=lambda each: each[0])
        self._difference.changes += [change for _, change in found]
        return self._difference

    # -- whole clips -----------------------------------------------------------------------------------------

    def _new_clip(self, clip: Placed, shot: str, source: Placed | None) -> Change:
        length = self._time(clip.length)
        if shot in self._gone:
            return self._change("reinstated", clip, f"back in the cut, {length} long")
        if source is not None:
            again = (clip.first, clip.length) == (source.first, source.length)
            what = "once more" if again else f"another piece of {display_name(source)}"
            return self._change("new", clip, f"{what}, {length} long")
        return self._change("new", clip, f"{length} long")

    def _omitted(self, clip: Placed, shots: set[str]) -> Change:
        still = ", another piece of it is still in the cut" if clip.shot and clip.shot in shots else ""
        return self._change("omitted", clip, f"was {self._time(clip.length)} long{still}")

    # -- places ----------------------------------------------------------------------------------------------

    def _moves(self) -> Iterator[tuple[int, str]]:
        """What to say of each moved clip, by its order in the new cut."""
        tracks: dict[int, list[tuple[Placed, Placed]]] = defaultdict(list)
        for clip in self._new.clips:
            link = self._matching.link(clip)
            if link is None or link.old is None:
                continue
            if link.old.track.label != clip.track.label:
                yield clip.order, f"from {link.old.track.label} to {clip.track.label}"
            else:
                tracks[id(clip.track)].append((link.old, clip))
        for pairs in tracks.values():
            stay = in_order([old.order for old, _ in pairs])
            for index, (old, new) in enumerate(pairs):
                if index not in stay:
                    after = f"after {display_name(pairs[index - 1][1])}" if index else "to the head of the track"
                    yield new.order, f"{after}, from {self._timecode(self._old, old)}"
            yield from self._gaps([pairs[index] for index in sorted(stay)])

    def _gaps(self, pairs: list[tuple[Placed, Placed]]) -> Iterator[tuple[int, str]]:
        """Clips that stand farther from the one before, or nearer, with nothing put in or taken out between."""
        before: tuple[Placed, Placed] | None = None
        for old, new in pairs:
            if before is None:
                was, now, beside = old.start, new.start, _leads(old) and _leads(new)
            else:
                was, now = old.start - _end(before[0]), new.start - _end(before[1])
                beside = _next_clip(before[0], old) and _next_clip(before[1], new)
            if beside and was != now:
                yield new.order, f"the gap before it is {self._time(now)}, was {self._time(was)}"
            before = (old, new)

    # -- one clip in both ------------------------------------------------------------------------------------

    def _is_plainly_the_same(self, old: Placed, new: Placed, link: Link) -> bool:
        """Most clips of most cuts, told in no time. Where this says no, they may still be the same."""
        mine, known = new.mine, old.mine
        return (
            new.first == old.first
            and new.length == old.length
            and new.media_start == old.media_start
            and _is_on(new) == _is_on(old)
            and not (new.item.warps or old.item.warps or self._dissolving)
            and mine is not None
            and known is not None
            and (known.chosen.take if known.chosen else "")
            == (mine.chosen.take if mine.chosen else "")
            == link.take
            and bytes(mine.intent) == bytes(known.intent)
        )

    def _changes(self, old: Placed, new: Placed, link: Link, moved: str | None) -> Iterator[Change]:
        if moved is not None:
            yield self._change("moved", new, moved)
        yield from self._times(old, new)
        if _is_on(old) != _is_on(new):
            yield self._change("enabled" if _is_on(new) else "disabled", new, "")
        before, after = self._transitions(old), self._transitions(new)
        if before != after:
            yield self._change("transition", new, " and ".join(self._fades(before, after)))
        yield from self._intent(old, new, link)

    def _times(self, old: Placed, new: Placed) -> Iterator[Change]:
        if new.first == old.first and new.media_start == old.media_start and new.length == old.length:
            if new.item.warps == old.item.warps:
                return
        was, now = speed(old.item), speed(new.item)
        if old.item.warps != new.item.warps and (was != now or _backwards(old) != _backwards(new)):
            length = "" if old.length == new.length else f", now {self._time(new.length)} long"
            yield self._change("retimed", new, f"{_percent(old)} → {_percent(new)}{length}")
            return
        start = first_in(new, old, 3600.0 * self._rate.nominal)
        if start is None:
            yield self._change("changed", new, "its timecode is of another file")
            return
        head, tail = start - old.first, start + run(new) - old.first - run(old)
        if abs(head - tail) < _ALMOST and abs(head) >= _ALMOST:
            yield self._change("slipped", new, f"by {self._signed(head)}")
            return
        if head > _ALMOST:
            yield self._change("trimmed", new, f"in by {self._frames(head)}")
        if tail < -_ALMOST:
            yield self._change("trimmed", new, f"out by {self._frames(-tail)}")
        first, end = media_span(old)
        if head < -_ALMOST:
            yield self._change(
                "extended", new, f"at the head by {self._frames(-head)}{_cover(first - start, old)}"
            )
        if tail > _ALMOST:
            over = start + run(new) - end
            yield self._change("extended", new, f"at the tail by {self._frames(tail)}{_cover(over, old)}")

    def _fades(self, before: tuple[float, float], after: tuple[float, float]) -> Iterator[str]:
        for where, was, now in zip(("head", "tail"), before, after, strict=True):
            if was != now:
                length = self._time(now) if now else "a cut"
                yield f"{length} at the {where}, was {self._time(was) if was else 'a cut'}"

    def _transitions(self, clip: Placed) -> tuple[float, float]:
        return _transitions(clip) if id(clip.track) in self._dissolving else (0.0, 0.0)

    def _intent(self, old: Placed, new: Placed, link: Link) -> Iterator[Change]:
        """What was asked for, where both say, and the take: the one that is seen, by the name of its file."""
        if old.mine is None or not old.shot:
            return
        if new.mine is not None:
            fields = changed_fields(old.mine.intent, new.mine.intent)
            if fields:
                yield self._change("changed", new, ", ".join(fields))
        was = old.mine.chosen.take if old.mine.chosen else ""
        now = new.mine.chosen.take if new.mine is not None and new.mine.chosen else ""
        now = link.take if link.take not in ("", was) or new.mine is None else now
        if was != now and (now or new.mine is not None):
            yield self._change("switched", new, f"{was or 'no take'} → {now or 'no take'}")

    # -- words -----------------------------------------------------------------------------------------------

    def _change(self, kind: Kind, clip: Placed, detail: str) -> Change:
        return Change(kind, clip.shot, clip.use, display_name(clip), detail, clip.place, clip.start)

    def _frames(self, frames: float) -> str:
        return f"{frames:g} frame{'' if frames == 1 else 's'}"

    def _signed(self, frames: float) -> str:
        return f"{frames:+g} frame{'' if abs(frames) == 1 else 's'}"

    def _time(self, frames: float) -> str:
        """Seconds and frames, as editors write short lengths: `4:12`."""
        seconds, rest = divmod(abs(round(frames)), self._rate.nominal)
        return f"{'-' if frames < 0 else ''}{seconds}:{rest:02d}"

    def _timecode(self, cut: Cut, clip: Placed) -> str:
        return cut.timecode(clip.start)


def changed_fields(before: Raw, after: Raw) -> list[str]:
    """The fields of two intents that differ, in order; none where one of them is not known."""
    if bytes(before) == bytes(after) or not bytes(before) or not bytes(after):
        return []
    was, now = _object(before), _object(after)
    return [key for key in dict.fromkeys([*was, *now]) if was.get(key) != now.get(key)]


def _object(raw: Raw) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {"": bytes(raw)}
    return found if isinstance(found, dict) else {"": found}


def _key(clip: Placed) -> tuple[int, int, int]:
    """Picture first, then sound; by record frame."""
    return (not clip.is_video, clip.start, clip.order)


def _end(clip: Placed) -> int:
    return round(clip.item.start + clip.length)


def _leads(clip: Placed) -> bool:
    """Whether nothing but gaps stands before a clip on its track."""
    return all(item.kind == "Gap" for item in clip.track.items[: clip.index])


def _next_clip(before: Placed, clip: Placed) -> bool:
    """Whether nothing but gaps and transitions stands between two clips."""
    return clip.order == before.order + 1


def _transitions(clip: Placed) -> tuple[float, float]:
    """The lengths of the transitions at the head and the tail of a clip."""
    items, index = clip.track.items, clip.index
    before = items[index - 1] if index else None
    after = items[index + 1] if index + 1 < len(items) else None
    return tuple(  # type: ignore[return-value]
        each.in_offset + each.out_offset if each is not None and each.kind == "Transition" else 0.0
        for each in (before, after)
    )


def _is_on(clip: Placed) -> bool:
    return clip.item.enabled and clip.track.enabled


def _backwards(clip: Placed) -> bool:
    return sum(scalar < 0 for scalar in clip.item.warps) % 2 == 1


def _percent(clip: Placed) -> str:
    if any(scalar != scalar for scalar in clip.item.warps):  # NaN stands for a ramp
        return "a ramp"
    pace = speed(clip.item) * (-1 if _backwards(clip) else 1)
    return "a freeze" if pace == 0 else f"{pace * 100:g} %"


def _cover(over: float, old: Placed) -> str:
    """Whether the file has the frames that an extension asks for."""
    if old.media_length is None:
        return ""
    return ", within its handles" if over <= _ALMOST else f", {over:g} more than its media has"

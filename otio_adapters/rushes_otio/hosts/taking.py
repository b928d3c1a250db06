"""A host's timeline taken into a film, in memory: what the editor did there, and what the host was never given.

The host owns the cut. A use that the film has and the host has not was taken out by the editor if the host was
ever given it (`known`); else it stays, at a place where it is in nobody's way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rushes_otio.conforming.applying import Conformed, conformed
from rushes_otio.conforming.carried import ROWS
from rushes_otio.conforming.matching import match
from rushes_otio.conforming.omitted import omitted_rows
from rushes_otio.conforming.returned import Cut
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.film import Film
from rushes_otio.hosts import rows
from rushes_otio.hosts.chains import Layers
from rushes_otio.hosts.channels import Channels, channels_of
from rushes_otio.hosts.clips import Clips
from rushes_otio.hosts.lanes import Lanes, lanes_of
from rushes_otio.hosts.metas import unpacked
from rushes_otio.hosts.naming import give_uses, name_use
from rushes_otio.hosts.offering import Free, Offer, Taken, offered
from rushes_otio.hosts.reading import Reading, Told, layers_of, read
from rushes_otio.hosts.tracking import tracked
from rushes_otio.paths import MediaPaths
from rushes_otio.text import printable
from rushes_otio.timing import Rate
from rushes_otio.tracks import without_gc

BARE = ("text", "other")
"""Rows that let what is below be seen. A film's clips hide it, in its exports too; so they are in no film, but
where they are to become shots."""


FOOTAGE = ("path", "name")
"""How clips without marks are known."""


@dataclass
class TakenIn:
    """What came of it. `uses` says which use each row of the host is, by its key; `offer` is what the host lacks,
    and `channels` are those of the film's lanes in the host."""

    changed: bool
    uses: dict[str, str]
    lanes: Lanes
    offer: Offer
    channels: Channels
    done: Conformed = field(default_factory=Conformed)
    notes: list[str] = field(default_factory=list)


def take_in(film: Film, timeline: rows.Sequence, made: Collection[str] = ()) -> TakenIn:
    """Give the film the cut of a host's timeline. Rows with the keys in `made` are to become shots. BadRequest
    when the timeline cannot be a film's."""
    _check(film, timeline)
    with without_gc():
        return _taken_in(film, timeline, made)


def _taken_in(film: Film, timeline: rows.Sequence, made: Collection[str]) -> TakenIn:
    give_uses(film)
    lanes, folder = lanes_of(film), Path(film.where).parent
    paths = MediaPaths(folder, folder)
    clips = Clips(film, lanes, paths.named)
    shown = (r for r in timeline.rows if r.kind not in BARE or r.key in made or clips.is_known(r))
    seen, notes = unpacked(shown)
    told = Told(seen, timeline.dissolves, timeline.channels)
    offer = _offer(film, lanes, timeline, told)
    ours = {piece.row.key for piece in offer.pieces}
    whole = Told([*seen, *offer.pieces], [*timeline.dissolves, *offer.dissolves], timeline.channels, ours)
    reading = read(film, lanes, whole, clips)
    taken = TakenIn(False, {}, lanes, offer, {}, notes=[*notes, *reading.notes])
    if not reading.same:
        _conform(film, reading, taken, paths, _away(lanes, timeline))
        taken.lanes = lanes_of(film)
    taken.uses = _uses(film, reading, whole)
    taken.channels = _channels(taken.lanes, whole, [*timeline.rows, *(piece.row for piece in offer.pieces)])
    return taken


def _offer(film: Film, lanes: Lanes, timeline: rows.Sequence, told: Told) -> Offer:
    there = {*timeline.known, *(row.use for row in timeline.rows)}
    if lanes.by_use.keys() <= there:
        return Offer()
    return offered(film, lanes, _channels(lanes, told, timeline.rows), Free(_taken(timeline)), there)


def _check(film: Film, timeline: rows.Sequence) -> None:
    if timeline.rows and _rate(timeline.rate) != film.rate:
        raise BadRequest(
            f"the timeline runs at {printable(timeline.rate, 24)} frames per second, the film at {film.rate}",
            where=film.where,
            remedy=f"give the scene the frame rate {film.rate}, or link it to a film of its own rate",
        )
    keys = Counter(row.key for row in timeline.rows)
    wrong = next((key for key, count in keys.items() if count > 1 or key.startswith("\0")), None)
    if wrong is not None:
        raise BadRequest(f"two rows have the key {printable(wrong, 60)!r}", remedy="each row has a key of its own")


def _rate(text: str) -> Rate | None:
    try:
        return Rate.parse(text)
    except FileFault:
        return None


def _away(lanes: Lanes, timeline: rows.Sequence) -> set[str]:
    """Shots that the host was given and shows no more: strips of the same footage are not those."""
    there, known = {row.use for row in timeline.rows if row.told is None}, set(timeline.known)
    stay = {clip.shot for use, clip in lanes.by_use.items() if use in there or use not in known}
    return {clip.shot for clip in lanes.by_use.values()} - stay - {""}


def _conform(film: Film, reading: Reading, taken: TakenIn, paths: MediaPaths, away: Collection[str]) -> None:
    cut = Cut.read(reading.text, film.where)
    matching = match(Cut.of_film(film), cut, omitted_rows(film))
    found = matching.links.items()
    matching.links = {order: link for order, link in found if link.by not in FOOTAGE or link.shot not in away}
    done = conformed(film, matching, ROWS, paths)
    if done.text != film.encode():
        film.become(done.text)
        taken.changed = True
        taken.done = done
    taken.notes += done.notes


def _uses(film: Film, reading: Reading, told: Told) -> dict[str, str]:
    """The use of each row of the host. External clips that came from there get one."""
    said = {piece.row.key: piece.row.use for piece in told.pieces}
    taken = {item.use for track in film.tracks for item in track.items if item.use}
    found = {piece.row.key: piece.row.use for piece in reading.kept}
    for (track, index), key in reading.places.items():
        found[key] = name_use(film, (film.tracks[track], index), said[key], taken)
        taken.add(found[key])
    return {key: use for key, use in found.items() if key not in told.ours}


def _channels(lanes: Lanes, told: Told, there: Iterable[rows.Row]) -> Channels:
    layers: Sequence[Layers] = layers_of(told)[:2]
    tracking = {
        sound: tracked(each, lanes, sound=sound) for sound, each in zip((False, True), layers, strict=True)
    }
    muted = {state.channel for state in told.channels if not state.enabled}
    return channels_of(lanes, tracking, {row.channel for row in there}, muted)


def _taken(timeline: rows.Sequence) -> Iterable[Taken]:
    metas = {row.key for row in timeline.rows if row.kind == "meta"}
    for row in timeline.rows:
        if row.inside not in metas and row.left < row.right:
            yield row.channel, row.left, row.right
    for dissolve in timeline.dissolves:
        if dissolve.left < dissolve.right:
            yield dissolve.channel, dissolve.left, dissolve.right

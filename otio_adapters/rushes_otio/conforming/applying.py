"""The film with the cut that came back: the edit from the cut, shots with intent and takes from the film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.conforming.carried import Carried
from rushes_otio.conforming.matching import Link, Matching
from rushes_otio.conforming.merging import listed, merged, with_new
from rushes_otio.conforming.omitted import clip_of, omitted_row, omitted_rows, with_block, with_use
from rushes_otio.conforming.returned import Cut, CutItem, Mine, Placed, moved_by
from rushes_otio.film import Film
from rushes_otio.ids import is_id, new_id
from rushes_otio.items import Item, read_item
from rushes_otio.paths import MediaPaths
from rushes_otio.schema import Scene
from rushes_otio.shell import Shell
from rushes_otio.text import printable
from rushes_otio.tracks import Track, without_gc

Row = dict[str, Any]


@dataclass
class Conformed:
    """What became of every clip and shot, as `rushes conform --json` prints it, and the text of the film.

    `takes` are the takes that the cut shows, by shot, where it shows one only.
    """

    text: bytes = b""
    matched: list[Row] = field(default_factory=list)
    new: list[Row] = field(default_factory=list)
    omitted: list[Row] = field(default_factory=list)
    reinstated: list[Row] = field(default_factory=list)
    external: list[Row] = field(default_factory=list)
    takes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def conformed(film: Film, matching: Matching, carried: Carried, paths: MediaPaths) -> Conformed:
    """Put the cut of `matching` in place of the film's. The film itself is left as it is."""
    with without_gc():
        return _Conforming(film, matching, carried, paths).result()


class _Conforming:
    def __init__(self, film: Film, matching: Matching, carried: Carried, paths: MediaPaths) -> None:
        self._film = film
        self._matching = matching
        self._cut = matching.new
        self._carried = carried
        self._paths = paths
        self._gone = omitted_rows(film)
        self._known = {*film.shots, *self._gone}
        self._done = Conformed()
        self._placed = {id(clip.item): clip for clip in self._cut.clips}
        self._shown: dict[str, set[str]] = {}
        self._uses = {link.old.use for link in matching.links.values() if link.old is not None}
        self._own_between: dict[_Extent, list[Raw]] = {}
        for track in film.tracks:
            for item in track.items:
                if item.kind in ("Gap", "Transition"):
                    self._own_between.setdefault(_extent(item, track.label), []).append(item.raw)

    def result(self) -> Conformed:
        shell, items = self._tracks()
        self._list_omitted()
        block = {"omitted": rawjson.encode(list(self._gone.values()))}
        if self._done.new and self._cut.film == self._film.block.film:
            block |= self._adopted_scenes()
        own, where = self._film.shell, self._film.where
        metadata = rawjson.open_object(self._joined(own.timeline, self._cut.shell.timeline), where)
        metadata["rushes"] = rawjson.patch(self._film.raw_block, block, where)
        timeline = own.timeline | {"metadata": rawjson.encode(metadata)} | self._start()
        self._done.text = Shell(timeline, self._stack(), shell).text(items)
        self._done.takes = {shot: next(iter(takes)) for shot, takes in self._shown.items() if len(takes) == 1}
        return self._done

    # -- tracks ----------------------------------------------------------------------------------------------

    def _tracks(self) -> tuple[list[rawjson.RawObject], list[list[Raw]]]:
        """The tracks of the cut without their items, and the items."""
        own = dict(zip([t.label for t in self._film.tracks], self._film.shell.tracks, strict=True))
        tracks: list[rawjson.RawObject] = []
        items: list[list[Raw]] = []
        for opened, track in zip(self._cut.shell.tracks, self._cut.tracks, strict=True):
            items.append([self._item(item, track.label) for item in track.items])
            tracks.append(self._track(own.get(track.label), opened, track))
        items[:1] = [[*self._leading_gap(), *first] for first in items[:1]]
        if not self._carried.sound and all(track.kind == "Video" for track in self._cut.tracks):
            self._keep_sound(tracks, items)
        return tracks, items

    def _keep_sound(self, tracks: list[rawjson.RawObject], items: list[list[Raw]]) -> None:
        """The film's own sound, after a format that has none."""
        told = False
        for track, opened in zip(self._film.tracks, self._film.shell.tracks, strict=True):
            if track.kind != "Video":
                tracks.append(opened)
                items.append([item.raw for item in track.items])
                told = told or any(item.kind == "Clip" for item in track.items)
        if told:
            self._done.notes.append("the cut has no sound, so the film's stays where it was: check that it fits")

    def _track(self, own: rawjson.RawObject | None, came: rawjson.RawObject, track: Track) -> rawjson.RawObject:
        """A track without its items: as it came, with what the film knows of it besides. Formats that know little
        of a track leave it as the film has it."""
        if own is None or self._carried.rows:
            return came
        if self._carried.effects:
            return came | {"metadata": self._joined(own, came)}
        return own if track.enabled == _enabled(own) else own | {"enabled": rawjson.encode(track.enabled)}

    def _joined(self, own: rawjson.RawObject, came: rawjson.RawObject) -> Raw:
        """The metadata of something that the film has too, with what other programs say now. Of an EDL or XML it
        holds no more than the format makes up for everybody."""
        others = rawjson.member(came, "metadata", self._cut.where) if self._carried.effects else {}
        others.pop("rushes", None)
        return rawjson.encode(rawjson.member(own, "metadata", self._film.where) | others)

    def _stack(self) -> rawjson.RawObject:
        own, came = self._film.shell.stack, self._cut.shell.stack
        scenes = {scene_marker(s.code, s.name).casefold() for s in self._film.block.scenes}
        markers = [m for m in listed(came, "markers", self._cut.where) if _name_of(m).casefold() not in scenes]
        if not self._carried.markers:
            markers = with_new(listed(own, "markers", self._film.where), markers, self._film.rate)
        return own | {"metadata": self._joined(own, came), "markers": rawjson.encode(markers)}

    def _start(self) -> rawjson.RawObject:
        """The start timecode of the cut, where it has another one than the film."""
        if self._carried.rows or self._cut.start is None or self._later() == 0 or self._leading_gap():
            return {}
        return {"global_start_time": self._cut.shell.timeline["global_start_time"]}

    def _later(self) -> float | None:
        """Frames by which the cut starts later than the film; None where one of them does not say."""
        came, own, rate = self._cut.start, self._film.global_start, float(self._film.rate)
        return came.frames_at(rate) - own.frames_at(rate) if came is not None and own is not None else None

    def _leading_gap(self) -> list[Raw]:
        """An EDL has no gaps: one at the beginning only shows in the timecode of the first event."""
        first = self._film.tracks[0].items[:1] if self._film.tracks else []
        lost = not self._carried.sound and first and first[0].kind == "Gap" and first[0].length == self._later()
        return [first[0].raw] if lost else []

    # -- items -----------------------------------------------------------------------------------------------

    def _item(self, item: Item, label: str) -> Raw:
        clip = self._placed.get(id(item))
        if clip is None:
            return self._between(item, label)
        link = self._matching.link(clip)
        if link is None or not link.shot:
            return self._adopted(clip) or self._external(clip, link)
        base, old = self._base(link)
        use = link.old.use if link.old is not None else ""
        row: Row = {
            "use": use or self._free_use(link.use),
            "shot": link.shot,
            "by": link.by,
            "name": self._name(link.shot),
            "place": clip.place,
        }
        self._done.matched.append(row)
        if link.old is None:
            self._done.new.append(row | {"of": link.source.use if link.source else ""})
        if link.take:
            self._shown.setdefault(link.shot, set()).add(link.take)
        raw = merged(base, old, clip, moved_by(old.mine), self._film.rate, self._carried, self._cut.where)
        return raw if use else with_use(raw, row["use"], self._film.where)

    def _free_use(self, wanted: str) -> str:
        """`wanted`, unless it is none or another clip has it."""
        use = wanted if is_id(wanted) and wanted not in self._uses else new_id()
        self._uses.add(use)
        return use

    def _between(self, item: Item, label: str) -> Raw:
        """A gap or a transition. Formats that know its length alone leave the rest to the one the film had."""
        knows_all = self._carried.effects or self._carried.rows
        same = [] if knows_all else self._own_between.get(_extent(item, label), [])
        return same.pop(0) if same else item.raw

    def _base(self, link: Link) -> tuple[Raw, Placed]:
        """The clip of the film that says what the shot is, and where it stands or stood."""
        if link.source is not None:
            return link.source.item.raw, link.source
        shot = self._film.shots.get(link.shot)
        if shot is not None:
            placed = next(c for c in self._matching.old.clips if c.item is shot.items[0])
            return placed.item.raw, placed
        row = self._gone.pop(link.shot)
        raw = clip_of(row, link.clip, self._film.rate, self._film.where)
        item = read_item(raw, f"{self._film.where}: omitted", float(self._film.rate))
        old = Cut.alone(item, self._film.rate)
        assert item.block is not None
        self._done.reinstated.append({"shot": link.shot, "name": item.block.name})
        link.source = old
        again = [other for other in self._matching.links.values() if other.shot == link.shot]
        for other in again:
            other.source = old
        if item.use not in self._uses:
            self._uses.add(old.use)
            own = next((other for other in again if other.use == old.use), link)
            own.old = old
        return raw, old

    def _external(self, clip: Placed, link: Link | None) -> Raw:
        """A clip that is not ours, with the use id that the film refers to it by, and paths that hold here."""
        use = link.old.use if link is not None and link.old is not None else ""
        row: Row = {"use": use or None, "name": printable(clip.name, 200), "place": clip.place}
        self._done.external.append(row | ({"by": link.by} if link is not None else {}))
        if link is not None and link.old is not None and clip.item.kind == link.old.item.kind == "Clip":
            old = link.old
            return merged(old.item.raw, old, clip, 0, self._film.rate, self._carried, self._cut.where)
        raw, item = self._pathed(clip), clip.item
        if isinstance(item, CutItem) and "rushes" in item.metadata:
            return with_block(raw, None, self._cut.where)
        return raw

    def _pathed(self, clip: Placed) -> Raw:
        """A clip of the cut with paths that hold in the film. Rows were given those."""
        return clip.item.raw if self._carried.rows else self._paths.from_cut(clip.item.raw)

    def _adopted(self, clip: Placed) -> Raw | None:
        """A shot that another version of this film has, and this one does not know yet."""
        mine = clip.mine
        if not isinstance(mine, Mine) or not mine.shot or mine.shot in self._known or not clip.is_video:
            return None
        if self._cut.film != self._film.block.film:
            self._done.notes.append(f"{clip.place} carries the intent of another film; it stays external")
            return None
        raw = self._pathed(clip)
        try:
            block = read_item(raw, self._cut.where, float(self._film.rate)).block
        except Exception:  # whatever is wrong with a block that came from outside
            block = None
        if block is None:
            self._done.notes.append(f"{clip.place} has a block of ours that cannot be read; it stays external")
            return None
        use = self._free_use(block.use)
        self._done.new.append({"use": use, "shot": block.shot, "name": block.name, "of": ""})
        return with_use(raw, use, self._cut.where)

    def _adopted_scenes(self) -> rawjson.RawObject:
        """Scenes of the other version that shots from it may belong to."""
        metadata = rawjson.member(self._cut.shell.timeline, "metadata", self._cut.where)
        came = rawjson.member(metadata, "rushes", self._cut.where)
        rows = rawjson.read(came.get("scenes", Raw(b"[]")), list[Raw], self._cut.where)
        new = {scene.id: raw for raw in rows if (scene := _scene(raw)) and not self._film.scene(scene.id)}
        return {"scenes": rawjson.encode([*self._film.raw_scenes(), *new.values()])}

    # -- what is left out ------------------------------------------------------------------------------------

    def _list_omitted(self) -> None:
        there = {row["shot"] for row in self._done.matched}
        for shot_id, shot in self._film.shots.items():
            if shot_id not in there:
                self._gone[shot_id] = omitted_row(shot.items[0].raw, self._film.where)
                self._done.omitted.append({"shot": shot_id, "name": shot.block.name})

    def _name(self, shot: str) -> str:
        known = self._film.shots.get(shot)
        return known.block.name if known else next(r["name"] for r in self._done.reinstated if r["shot"] == shot)


_Extent = tuple[str, str, float, float, float]


def _extent(item: Item, label: str) -> _Extent:
    return label, item.kind, item.length, item.in_offset, item.out_offset


def scene_marker(code: str, name: str) -> str:
    """What exports call the marker of a scene."""
    return f"{code} {name}".strip()


def _enabled(track: rawjson.RawObject) -> bool:
    return bytes(track.get("enabled", b"true")) != b"false"


class _Name(msgspec.Struct):
    name: str | None = None


def _name_of(raw: Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Name).name or ""
    except msgspec.DecodeError:
        return ""


def _scene(raw: Raw) -> Scene | None:
    """A row of somebody's scene table, where it is one."""
    try:
        return msgspec.json.decode(raw, type=Scene)
    except msgspec.DecodeError:
        return None

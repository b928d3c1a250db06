"""Anybody's cut as conform and diff see it: clips at their places, and what each says of who it is.

Everything in it comes from outside. Whatever of our own marks cannot be read is no mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial

import msgspec
from msgspec import Raw

from rushes_otio.build import rate_of
from rushes_otio.film import Film
from rushes_otio.items import (
    UNREADABLE,
    Child,
    Item,
    Media,
    Time,
    blamed,
    check_schema,
    check_time,
    described,
    fill,
    kind_of,
)
from rushes_otio.schema import ShotBlock
from rushes_otio.shell import Shell
from rushes_otio.timing import Rate
from rushes_otio.tracks import Track, decode_timeline, located, read_tracks, without_gc

Metadata = dict[str, Raw]


class CutMedia(Media, frozen=True):
    """A media reference with what may name its file: the folder and prefix of an image sequence included."""

    name: str | None = None
    target_url_base: str | None = None
    name_prefix: str | None = None
    metadata: Metadata | None = None


class _CutChild(Child):
    metadata: Metadata | None = None
    media_references: dict[str, CutMedia | None] | None = None  # type: ignore[assignment]
    media_reference: CutMedia | None = None


class MarkedTake(msgspec.Struct, gc=False):
    """The chosen take in a block that came back."""

    take: str = ""


class Mine(msgspec.Struct):
    """A block of ours on a clip that came back, as far as it says who the clip is and what was asked for."""

    use: str = ""
    shot: str = ""
    name: str = ""
    scene: str = ""
    intent: Raw = msgspec.field(default_factory=lambda: Raw(b"{}"))
    chosen: MarkedTake | None = None
    shift: int = 0


class _Schema(msgspec.Struct):
    OTIO_SCHEMA: str = ""


_schema = msgspec.json.Decoder(_Schema)
_cut_child = msgspec.json.Decoder(_CutChild)
_mine = msgspec.json.Decoder(Mine)


@dataclass(slots=True, eq=False)
class CutItem(Item):
    """An item of a cut, with all that may say who it is."""

    metadata: Metadata = field(default_factory=dict)
    markers: list[Raw] = field(default_factory=list)
    effects: list[Raw] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Placed:
    """A clip, or a nested stack, at its place.

    Frames are counted at the cut's rate: `first` is where the source range starts and `media_start` where the file
    does, as its timecode counts; `length` is the clip's on its track. `order` numbers the clips of the cut.
    """

    track: Track
    index: int
    item: Item
    order: int
    mine: Mine | ShotBlock | None
    first: float
    length: float
    name: str
    url: str
    media_start: float | None
    media_length: float | None

    @property
    def use(self) -> str:
        return self.mine.use if self.mine else self.item.use or ""

    @property
    def shot(self) -> str:
        return self.mine.shot if self.mine else ""

    @property
    def is_video(self) -> bool:
        return self.track.kind == "Video"

    @property
    def start(self) -> int:
        """Its record frame, from 0."""
        return round(self.item.start)

    @property
    def place(self) -> str:
        """How people point at it."""
        return f"{self.track.label}@{self.start}"


class Cut:
    """A cut: its tracks, and its clips in order, track by track."""

    def __init__(self, where: str, rate: Rate, tracks: list[Track], name: str) -> None:
        self.where = where
        self.rate = rate
        self.tracks = tracks
        self.name = name
        self.film = ""  # the id of the film it says it is of
        self.start: Time | None = None
        self.data = b""
        self._read: list[list[Raw]] = []
        self.clips = list(_placed(tracks, float(rate)))

    def timecode(self, record: int) -> str:
        """The timecode of a record frame, non-drop."""
        start = round(self.start.frames_at(float(self.rate))) if self.start else 0
        return self.rate.timecode(start + record)

    @cached_property
    def shell(self) -> Shell:
        """Everything of the file but what stands on the tracks."""
        return Shell.of(self.data, self._read, self.where)

    @property
    def length(self) -> int:
        """Frames, up to the end of the longest track."""
        return round(max((track.end for track in self.tracks), default=0.0))

    @classmethod
    def read(cls, data: bytes, where: str) -> Cut:
        """The cut in the text of an OpenTimelineIO timeline; FileFault when it cannot be read as one."""
        with without_gc():
            data, timeline = decode_timeline(data, where)
            with located(where):
                check_schema(timeline.OTIO_SCHEMA)
                check_schema(timeline.tracks.OTIO_SCHEMA)
                if timeline.global_start_time is not None:
                    check_time(timeline.global_start_time, "global_start_time")
            rate = rate_of(timeline.global_start_time, timeline.tracks.children or [], where)
            tracks = read_tracks(timeline, where, partial(_read, rate=float(rate)))
            cut = cls(where, rate, tracks, timeline.name or "")
            cut.data, cut.start = data, timeline.global_start_time
            cut._read = [track.children or [] for track in timeline.tracks.children or ()]
            if timeline.metadata and isinstance(timeline.metadata.rushes, Raw):
                cut.film = _film_id(timeline.metadata.rushes)
            return cut

    @classmethod
    def of_film(cls, film: Film) -> Cut:
        """A film seen as a cut."""
        with without_gc():
            cut = cls(film.where, film.rate, film.tracks, film.name)
            cut.film, cut.start = film.block.film, film.global_start
            return cut

    @classmethod
    def alone(cls, item: Item, rate: Rate) -> Placed:
        """A clip of the film that stands in no cut any more."""
        return cls("", rate, [Track("V1", "Video", "", enabled=True, items=[item])], "").clips[0]


def _read(raw: Raw, where: str, rate: float) -> CutItem:
    try:
        child = _cut_child.decode(raw)
        item = CutItem(raw, *described(child))
        fill(item, child, rate)
        for work in (*(child.markers or ()), *(child.effects or ())):
            kind_of(_schema.decode(work).OTIO_SCHEMA)  # they are taken over as they are
    except UNREADABLE as error:
        raise blamed(error, raw, where) from None
    item.metadata, item.markers = child.metadata or {}, child.markers or []
    item.effects = child.effects or []
    return item


class _FilmId(msgspec.Struct):
    film: str = ""


def _film_id(raw: Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_FilmId).film
    except msgspec.DecodeError:
        return ""


def _placed(tracks: Iterable[Track], rate: float) -> Iterable[Placed]:
    order = 0
    for track in tracks:
        for index, item in enumerate(track.items):
            if item.kind in ("Clip", "Stack"):
                yield _at(track, index, item, order, rate)
                order += 1


def _at(track: Track, index: int, item: Item, order: int, rate: float) -> Placed:
    media = item.default_media
    known = media.available_range if media else None
    shown = item.source or known
    block = _block_of(item)
    shift = moved_by(block)
    return Placed(
        track,
        index,
        item,
        order,
        block,
        _frames(shown.start_time, rate) - shift if shown else 0.0,
        item.length,
        item.name,
        _url_of(media) if media else "",
        _frames(known.start_time, rate) - shift if known else None,
        _frames(known.duration, rate) if known else None,
    )


def moved_by(block: object) -> int:
    """Frames that a shot which still shows its footage adds to the times of that file."""
    return block.shift if isinstance(block, ShotBlock | Mine) and block.chosen is None else 0


def _frames(time: Time, rate: float) -> float:
    return time.value if time.rate == rate else time.frames_at(rate)


def _block_of(item: Item) -> Mine | ShotBlock | None:
    if not isinstance(item, CutItem):
        return item.block
    raw = item.metadata.get("rushes")
    if raw is None:
        return None
    try:
        return _mine.decode(raw)
    except msgspec.DecodeError:
        return None


def _url_of(media: Media) -> str:
    if media.target_url is None and isinstance(media, CutMedia) and media.target_url_base is not None:
        return f"{media.target_url_base.rstrip('/')}/{media.name_prefix or ''}"
    return media.target_url or ""

"""What stands on a track: clips, gaps, transitions and nested stacks, read as far as a cut needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from rushes_otio.errors import FileFault
from rushes_otio.schema import ShotBlock
from rushes_otio.text import printable

MAX_FRAMES = 10_000_000
MIN_RATE, MAX_RATE = 0.01, 200_000  # sound is counted in samples
MAX_FRAME_RATE = 1000
MAX_START = 10**12  # frames; timecode and sample counts stay far below
MAX_SPEED = 10_000
SAME_RATE = 0.006
DEFAULT_MEDIA = "DEFAULT_MEDIA"

# The newest version of each core schema that OpenTimelineIO 0.18.1 reads; every other core schema is at 1.
_NEWEST = {"Clip": 2, "Marker": 2}
_CORE = frozenset(
    "Box2d Clip Composable Composition Effect ExternalReference FreezeFrame Gap GeneratorReference "
    "ImageSequenceReference Item LinearTimeWarp Marker MediaReference MissingReference RationalTime "
    "SerializableCollection SerializableObject Stack TimeEffect TimeRange TimeTransform Timeline Track "
    "Transition V2d".split()
)


class Time(msgspec.Struct, gc=False, frozen=True):
    """A RationalTime as its file has it."""

    rate: float
    value: float

    def frames_at(self, rate: float) -> float:
        """The time in frames of another rate. 23.976 in a file means 24000/1001: near rates are one rate."""
        return self.value if self.is_at(rate) else self.value * rate / self.rate

    def is_at(self, rate: float) -> bool:
        return abs(self.rate - rate) < SAME_RATE


class Range(msgspec.Struct, gc=False, frozen=True):
    """A TimeRange as its file has it."""

    start_time: Time
    duration: Time


class Media(msgspec.Struct, frozen=True):
    """One media reference of a clip."""

    OTIO_SCHEMA: str
    target_url: str | None = None
    available_range: Range | None = None
    generator_kind: str | None = None

    @property
    def online(self) -> bool:
        return self.OTIO_SCHEMA.startswith("ExternalReference.") and bool(self.target_url)


class _Effect(msgspec.Struct):
    OTIO_SCHEMA: str
    time_scalar: float | None = None


class _Meta(msgspec.Struct):
    rushes: ShotBlock | UnsetType = UNSET


class Child(msgspec.Struct):
    """What every item of a track may say; what it says in its metadata depends on who reads it."""

    OTIO_SCHEMA: str
    name: str | None = None
    source_range: Range | None = None
    effects: list[Raw] | None = None
    markers: list[Raw] | None = None
    media_references: dict[str, Media | None] | None = None
    media_reference: Media | None = None  # Clip.1
    active_media_reference_key: str = DEFAULT_MEDIA
    enabled: bool = True
    in_offset: Time | None = None
    out_offset: Time | None = None
    children: list[Raw] | None = None
    kind: str | None = None


class _FilmChild(Child):
    metadata: _Meta | None = None


_child = msgspec.json.Decoder(_FilmChild)
_effect = msgspec.json.Decoder(_Effect)


@dataclass(slots=True, eq=False)
class Item:
    """One child of a track. `raw` is its text; the rest is what was read from it.

    `length` is its duration on the track in frames of the film (0 for a transition).
    """

    raw: Raw
    kind: str  # "Clip" | "Gap" | "Transition" | "Stack" | …
    name: str
    length: float = 0.0
    source: Range | None = None
    media: dict[str, Media] = field(default_factory=dict)
    active: str = DEFAULT_MEDIA
    warps: tuple[float, ...] = ()  # time scalars; 0 is a freeze frame, NaN a ramp
    block: ShotBlock | None = None
    use: str | None = None  # of a shot's clip, or of an external one that is referred to
    enabled: bool = True
    bare: bool = True  # no effects and no markers
    in_offset: float = 0.0
    out_offset: float = 0.0
    start: float = 0.0  # record frame on its track, from 0

    @property
    def default_media(self) -> Media | None:
        return self.media.get(self.active)


def read_item(raw: Raw, where: str, rate: float) -> Item:
    """Read one child of a film's track; `rate` is the film's. FileFault names the item and the field."""
    try:
        return _read(raw, rate)
    except UNREADABLE as error:
        raise blamed(error, raw, where) from None


UNREADABLE = (msgspec.ValidationError, msgspec.DecodeError, FileFault)
"""What reading an item raises, before `blamed`."""


def blamed(error: Exception, raw: Raw, where: str) -> FileFault:
    """Whatever is wrong with an item, as a fault that names it."""
    if isinstance(error, FileFault):
        error.where = f"{where} {_name_in(raw)}".rstrip() + (f", {error.where}" if error.where else "")
        return error
    return FileFault(
        f"unreadable item: {error}", where=where, remedy="correct the field after `$` in a text editor"
    )


def _name_in(raw: Raw) -> str:
    try:
        name = _child.decode(raw).name
    except msgspec.ValidationError:
        return ""
    return f"({printable(name, 60)!r})" if name else ""


def _read(raw: Raw, rate: float) -> Item:
    child = _child.decode(raw)
    item = Item(raw, *described(child))
    fill(item, child, rate)
    block = child.metadata.rushes if child.metadata and item.kind == "Clip" else UNSET
    if not isinstance(block, UnsetType):
        item.use = block.use
        item.block = block if block.shot else None
    return item


def described(child: Child) -> tuple[str, str]:
    """Kind and name of an item. FileFault for a schema that is newer than what we read."""
    return kind_of(child.OTIO_SCHEMA), child.name or ""


@lru_cache(maxsize=256)
def kind_of(schema: str) -> str:
    """A schema's name without its version, which `check_schema` has seen."""
    check_schema(schema)
    return schema.partition(".")[0]


def fill(item: Item, child: Child, rate: float) -> None:
    """Everything about an item but what its metadata says, checked."""
    item.source, item.enabled = child.source_range, child.enabled
    if item.kind == "Transition":
        item.in_offset = _offset(child.in_offset, "in_offset", rate)
        item.out_offset = _offset(child.out_offset, "out_offset", rate)
        return
    if child.source_range:
        check_range(child.source_range, "source_range")
    if item.kind == "Clip":
        _read_media(item, child)
    if child.effects:
        item.warps = _warps(child.effects)
    item.bare = not (child.effects or child.markers)
    item.length = _length(item, child, rate)


def _read_media(item: Item, child: Child) -> None:
    if child.OTIO_SCHEMA == "Clip.1":
        item.media = {DEFAULT_MEDIA: child.media_reference} if child.media_reference else {}
    else:
        item.media = {k: m for k, m in (child.media_references or {}).items() if m is not None}
        item.active = child.active_media_reference_key
    for media in item.media.values():
        kind_of(media.OTIO_SCHEMA)
        if media.available_range:
            check_range(media.available_range, "available_range")


def _warps(effects: list[Raw]) -> tuple[float, ...]:
    found = []
    for raw in effects:
        try:
            effect = _effect.decode(raw)
        except msgspec.ValidationError:
            continue
        schema = effect.OTIO_SCHEMA.partition(".")[0]
        if schema == "FreezeFrame":
            found.append(0.0)
        elif schema == "LinearTimeWarp":
            found.append(1.0 if effect.time_scalar is None else effect.time_scalar)
        elif schema == "TimeEffect":
            found.append(math.nan)
    if math.prod(max(abs(s), 1.0) for s in found if not math.isnan(s)) > MAX_SPEED:
        raise FileFault(
            f"effects.time_scalar: the clip runs at over {MAX_SPEED:,} times its speed; that is the limit",
            remedy="correct the speed in the program that wrote the file",
        )
    return tuple(found)


def _length(item: Item, child: Child, rate: float) -> float:
    shown = item.source
    if shown is None and item.default_media:
        shown = item.default_media.available_range
    if shown is not None:
        length = shown.duration.frames_at(rate)
        if length > MAX_FRAMES:
            raise _too_long("its duration", length)
        return length
    if item.kind == "Clip":
        raise FileFault(
            "the clip has neither a source_range nor media with an available_range, so its length is unknown",
            remedy="give it a source_range in the program that wrote the cut",
        )
    inner = [_read(raw, rate).length for raw in child.children or ()]
    return max(inner, default=0.0) if item.kind == "Stack" else sum(inner)


def _offset(time: Time | None, name: str, rate: float) -> float:
    if time is None:
        return 0.0
    check_time(time, name)
    frames = time.frames_at(rate)
    if frames > MAX_FRAMES:
        raise _too_long(name, frames)
    return max(0.0, frames)


def check_time(time: Time, name: str) -> None:
    """FileFault for a rate or a value no clip can have."""
    if not MIN_RATE <= time.rate <= MAX_RATE:
        raise FileFault(
            f"{name}.rate is {time.rate:g}; it must be from {MIN_RATE} to {MAX_RATE} a second",
            remedy="correct the rate in the program that wrote the file",
        )
    if abs(time.value) > MAX_START:
        raise FileFault(
            f"{name}.value is {time.value:g}; the limit is {MAX_START:,} frames", remedy="write a frame number"
        )


def check_range(shown: Range, name: str) -> None:
    """FileFault for a rate, start or duration no clip can have."""
    start, length = shown.start_time, shown.duration
    if MIN_RATE <= start.rate <= MAX_RATE and MIN_RATE <= length.rate <= MAX_RATE:
        if abs(start.value) <= MAX_START and 0 <= length.value <= MAX_FRAMES:
            return
    check_time(shown.start_time, f"{name}.start_time")
    check_time(shown.duration, f"{name}.duration")
    if shown.duration.value < 0:
        raise FileFault(
            f"{name}.duration is {shown.duration.value:g}; a duration is 0 or more",
            remedy="correct the duration in the program that wrote the file",
        )
    if shown.duration.value > _most(shown.duration.rate):
        raise _too_long(f"{name}.duration", shown.duration.value)


def _most(rate: float) -> float:
    """The longest duration, in units of its rate: the limit counts frames, and sound may be counted in samples."""
    return MAX_FRAMES * max(1.0, rate / MAX_FRAME_RATE)


def _too_long(what: str, frames: float) -> FileFault:
    return FileFault(f"{what} is {frames:,.0f} frames; the limit is {MAX_FRAMES:,}", remedy="trim the clip")


def check_schema(schema: str) -> None:
    """FileFault for a core schema of a version that OpenTimelineIO 0.18.1 would refuse."""
    name, _, version = schema.partition(".")
    newest = _NEWEST.get(name, 1)
    if version != "1" and name in _CORE and (not version.isdecimal() or int(version) > newest):
        raise FileFault(
            f"{printable(schema, 60)} is newer than this Rushes reads ({name}.{newest})",
            remedy="save the cut for OpenTimelineIO 0.18 or older, or install a newer Rushes",
        )

"""The film in memory: tracks of items over raw JSON, its block, its shots and their uses.

Reading decodes only what a cut needs; everything else stays text. Edits replace the text of single items or of
the film block, and `encode` writes the rest back as it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.items import Item, check_schema, check_time, read_item
from rushes_otio.schema import FilmBlock, Scene, ShotBlock, upgraded
from rushes_otio.shell import Shell
from rushes_otio.timing import Rate
from rushes_otio.tracks import TimelineText, Track, decode_timeline, located, read_tracks, without_gc


@dataclass(slots=True)
class Shot:
    """A shot as the cut has it: its block and every use, in cut order (track by track, then in time)."""

    block: ShotBlock
    uses: list[tuple[Track, int]] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        return [track.items[index] for track, index in self.uses]


class Film:
    """A film. `where` names its file in errors."""

    def __init__(self, data: bytes, where: str) -> None:
        """Read `data`; FileFault when it cannot be used as a film."""
        with without_gc():
            self._load(data, where)

    def _load(self, data: bytes, where: str) -> None:
        self.where = where
        self._original = data
        self._data, timeline = decode_timeline(data, where)
        self._read = [track.children or [] for track in timeline.tracks.children or ()]
        self._shell: Shell | None = None
        with located(where):
            check_schema(timeline.OTIO_SCHEMA)
            check_schema(timeline.tracks.OTIO_SCHEMA)
        if not timeline.OTIO_SCHEMA.startswith("Timeline."):
            raise FileFault(f"a {timeline.OTIO_SCHEMA}, not a Timeline", where=where, remedy="export one timeline")
        self.name = timeline.name or ""
        self.raw_block = self._film_block(timeline)
        self.block = self._decoded_block()
        with located(where):
            self.rate = Rate.parse(self.block.rate)
            if timeline.global_start_time is not None:
                check_time(timeline.global_start_time, "global_start_time")
        self.global_start = timeline.global_start_time
        self._changed = False
        self._unsaved = False  # as a whole: its text is new, and nothing was changed since
        self.tracks = read_tracks(timeline, where, partial(read_item, rate=float(self.rate)))
        self._shots: dict[str, Shot] | None = None

    def _film_block(self, timeline: TimelineText) -> Raw:
        raw = timeline.metadata.rushes if timeline.metadata else None
        if not isinstance(raw, Raw):
            raise FileFault(
                "the timeline has no rushes block: it is a cut, not a film",
                where=self.where,
                remedy=f"make a film of it: rushes new FILM.otio --from {self.where}",
            )
        block = rawjson.open_object(raw, f"{self.where}: metadata.rushes")
        return rawjson.encode(upgraded(block, self.where))

    def _decoded_block(self) -> FilmBlock:
        try:
            return msgspec.json.decode(self.raw_block, type=FilmBlock)
        except msgspec.ValidationError as e:
            raise FileFault(
                f"metadata.rushes of the timeline is not as the format says: {e}",
                where=self.where,
                remedy="correct the field after `$`, or restore film.rushes/previous.otio",
            ) from None

    # -- reading ---------------------------------------------------------------------------------------------

    @property
    def shots(self) -> dict[str, Shot]:
        """Shots by id in cut order. Omitted shots are not among them."""
        if self._shots is None:
            self._shots = {}
            for track in self.tracks:
                for index, item in enumerate(track.items):
                    if item.block:
                        shot = self._shots.setdefault(item.block.shot, Shot(item.block))
                        shot.uses.append((track, index))
        return self._shots

    @property
    def video(self) -> list[Track]:
        return [t for t in self.tracks if t.kind == "Video"]

    @property
    def length(self) -> int:
        """Frames of the cut: up to the end of its longest track."""
        return round(max((t.end for t in self.tracks), default=0.0))

    def scene(self, scene_id: str) -> Scene | None:
        return next((s for s in self.block.scenes if s.id == scene_id), None)

    def find_use(self, use: str) -> tuple[Track, int] | None:
        """Where the use with this id stands, shot or external."""
        for track in self.tracks:
            for index, item in enumerate(track.items):
                if item.use == use:
                    return track, index
        return None

    def external_count(self) -> int:
        return sum(i.kind in ("Clip", "Stack") and i.block is None for t in self.tracks for i in t.items)

    # -- changing --------------------------------------------------------------------------------------------

    def replace(self, track: Track, index: int, raw: Raw) -> Item:
        """Put other text in place of an item and read it anew."""
        old = track.items[index]
        item = read_item(raw, f"{self.where}: {track.label} item {index + 1}", float(self.rate))
        track.items[index] = item
        track.changed = True
        item.start = old.start
        if item.length != old.length:
            track.place()
        self._shot_changed(old, item)
        return item

    def _shot_changed(self, old: Item, new: Item) -> None:
        # Takes arrive by the thousand: a changed block must not cost a walk over the cut.
        same = old.block is not None and new.block is not None and old.block.shot == new.block.shot
        if same and self._shots is not None and new.block is not None:
            self._shots[new.block.shot].block = new.block
        elif old.block is not None or new.block is not None:
            self._shots = None

    def insert(self, track: Track, index: int, raw: Raw) -> Item:
        track.items.insert(index, read_item(raw, f"{self.where}: {track.label}", float(self.rate)))
        self._touched(track)
        return track.items[index]

    def remove(self, track: Track, index: int) -> None:
        del track.items[index]
        self._touched(track)

    def _touched(self, track: Track) -> None:
        track.changed = True
        track.place()
        self._shots = None

    def raw_scenes(self) -> list[Raw]:
        """The rows of the scene table as text, so that a row nobody changes keeps what we do not know."""
        block = rawjson.open_object(self.raw_block, self.where)
        rows: list[Raw] = msgspec.json.decode(block.get("scenes", Raw(b"[]")), type=list[Raw])
        return rows

    def patch_block(self, **changes: object) -> None:
        """Set fields of the film block; fields that nobody here knows stay."""
        raw = {key: rawjson.encode(value) for key, value in changes.items()}
        self.raw_block = rawjson.patch(self.raw_block, raw, self.where)
        self.block = self._decoded_block()
        self._changed = True

    def patch_shot(self, shot_id: str, **changes: object) -> None:
        """Set fields of a shot's block on every use of it; fields that nobody here knows stay."""
        shot = self.shots.get(shot_id)
        if shot is None:
            raise BadRequest(f"no shot {shot_id} in the cut", where=self.where, remedy="see rushes status")
        raw = {key: rawjson.encode(value) for key, value in changes.items()}
        for track, index in shot.uses:
            self.replace(track, index, patch_block(track.items[index].raw, raw, self.where))

    # -- writing ---------------------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return self._unsaved or self._edited

    @property
    def _edited(self) -> bool:
        return self._changed or any(t.changed for t in self.tracks)

    def encode(self, markers: Sequence[object] = ()) -> bytes:
        """The film as it goes to disk; what was read, byte for byte, when nothing was changed. An export adds
        `markers` to those of the timeline."""
        if not self._edited and not markers:
            return self._original
        shell, where = self.shell, self.where
        metadata = rawjson.member(shell.timeline, "metadata", where) | {"rushes": self.raw_block}
        timeline = shell.timeline | {"metadata": rawjson.encode(metadata)}
        stack = shell.stack
        if markers:
            there: list[Raw] = msgspec.json.decode(stack.get("markers", Raw(b"[]")), type=list[Raw] | None) or []
            stack = stack | {"markers": rawjson.encode([*there, *markers])}
        return Shell(timeline, stack, shell.tracks).text([[item.raw for item in t.items] for t in self.tracks])

    @property
    def shell(self) -> Shell:
        """Everything of the file but what stands on the tracks, as it was read; for the film block see
        `raw_block`."""
        if self._shell is None:
            self._shell = Shell.of(self._data, self._read, self.where)
            self._data, self._read = b"", []
        return self._shell

    def become(self, data: bytes) -> None:
        """Be the film in `data`, unsaved; FileFault when it is none, and then nothing has changed."""
        self.__dict__.update(Film(data, self.where).__dict__)
        self._unsaved = True

    def was_saved(self, encoded: bytes) -> None:
        """What `encode` gave is on disk: the film counts as unchanged."""
        assert self.shell  # what it is made of is not kept any longer
        self._original = encoded
        self._changed = self._unsaved = False
        for track in self.tracks:
            track.changed = False


def patch_block(raw: Raw, changes: Mapping[str, Raw | None], where: str) -> Raw:
    """A clip's text with fields of its `metadata.rushes` changed."""
    clip = rawjson.open_object(raw, where)
    metadata = rawjson.member(clip, "metadata", where)
    metadata["rushes"] = rawjson.patch(metadata.get("rushes", Raw(b"{}")), changes, where)
    clip["metadata"] = rawjson.encode(metadata)
    return rawjson.encode(clip)

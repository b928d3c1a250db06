"""Fields that point at pictures: files, footage in the cut, frames of other shots.

An edge to a shot is the pair (motion digest of the piece, frame number): the codec, the size and the look of that
shot's take never change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rushes.engine.lengths import native_frame
from rushes.engine.motion import piece_at
from rushes.engine.reasons import PICTURE, UNKNOWN, Reason, enter
from rushes.engine.recipe import Recipe, Sources
from rushes_otio.cut import shown, speed, transitions
from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.ids import is_id
from rushes_otio.resolve import Resolved
from rushes_otio.schema import ShotBlock
from rushes_otio.tracks import Track

Place = tuple[Track, int]

IN = "in"
"""Where a plate begins: at the first frame that its use shows."""


@dataclass(frozen=True, slots=True)
class ShotPlan:
    """One shot as it stands. `needed` counts the frames from 0 that the cut and other shots ask of its take;
    `have` those its chosen take has.
    """

    block: ShotBlock
    uses: tuple[str, ...]
    state: str  # "fresh" | "stale" | "missing" | "invalid"
    needed: int = 0
    have: int = 0
    reasons: tuple[Reason, ...] = ()
    today: Recipe | None = None  # the recipe as far as it is known; `UNKNOWN` where it rests on other shots
    resolved: Resolved | None = None
    upstream: tuple[str, ...] = ()  # ids of shots it continues from
    fault: ShotFault | None = None
    notes: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe | None:
        """Today's recipe; None while the shot is invalid or rests on something that is not rendered."""
        known = self.today is not None and not any(value is UNKNOWN for value in self.today.values())
        return self.today if known else None

    @property
    def settled(self) -> bool:
        """Whether the motion of the chosen take stands, so that other shots may continue from it."""
        if self.block.chosen is None:
            return False
        return self.block.locked or self.state in ("fresh", "invalid") or not enter(self.reasons, PICTURE)

    @property
    def renderable(self) -> bool:
        """Whether a render may make this shot: stale or missing, and not locked."""
        return self.state in ("stale", "missing") and not self.block.locked


class Uses:
    """Items by use id, indexed when first asked for: most films point at few uses or none."""

    def __init__(self, film: Film) -> None:
        self._film = film
        self._index: dict[str, Place] | None = None

    def find(self, use: object) -> Place | None:
        if self._index is None:
            self._index = {
                item.use: (track, index)
                for track in self._film.tracks
                for index, item in enumerate(track.items)
                if item.use
            }
        return self._index.get(use) if isinstance(use, str) else None


@dataclass(frozen=True, slots=True)
class Known:
    """What edges are resolved against: the film, the files, and the shots planned so far."""

    film: Film
    sources: Sources
    uses: Uses
    planned: dict[str, ShotPlan]


def footage_end(rate: float, place: Place) -> int:
    """The first frame of an external clip's file that is no longer shown; `rate` is the film's."""
    track, index = place
    item = track.items[index]
    _, after = transitions(track, index)
    own = _own_rate(rate, place)
    return footage_start(rate, place) + round(max(1.0, (item.length + after) * speed(item) * own / rate))


def footage_start(rate: float, place: Place) -> int:
    """The first frame of an external clip's file that is shown, counted from the file's first."""
    item = place[0].items[place[1]]
    known = item.default_media.available_range if item.default_media else None
    begins = known.start_time.value if known else 0.0
    starts = item.source.start_time.frames_at(_own_rate(rate, place)) if item.source else begins
    return round(starts - begins)


def _own_rate(rate: float, place: Place) -> float:
    """The rate of a clip's file; the film's where that is not known."""
    item = place[0].items[place[1]]
    known = item.default_media.available_range if item.default_media else None
    return known.start_time.rate if known else rate


class Edges:
    """The values of one shot's fields that point at pictures: files, footage, or frames of other shots."""

    def __init__(self, known: Known, accepted: Recipe | None, where: str) -> None:
        self._known = known
        self._accepted = accepted or {}
        self._where = where
        self.upstream: list[str] = []
        self.via: dict[str, tuple[str, ...]] = {}
        self.notes: list[str] = []

    def value(self, name: str, value: Any) -> Any:  # noqa: ANN401
        """The recipe's value of a field: digests and frame numbers, or `UNKNOWN`."""
        if isinstance(value, str):  # a plate or a mask: a file, or a use from the frame on that it shows first
            kept = "frame" in self._accepted.get(name, {})  # of a use that may have left the cut since
            is_use = is_id(value) and (kept or self._known.uses.find(value))
            value = {"from": value, "at": IN} if is_use else {"image": value}
        if "image" in value:
            return {"image": self._known.sources.files.digest(value["image"], self._where)}
        place = self._known.uses.find(value["from"])
        if place is None:
            return self._gone(name, value["from"])
        if place[0].items[place[1]].block is None:
            return self._footage(place, value["at"])
        return self._frame_of_shot(name, place, value["at"])

    def _gone(self, name: str, use: str) -> Any:  # noqa: ANN401
        if "frame" in self._accepted.get(name, {}):
            self.notes.append(f"{name} points at the use {use}, which is no longer in the cut; its frame is kept")
            return self._accepted[name]
        raise ShotFault(
            f"{name} points at the use {use}, which is not in the cut",
            where=self._where,
            remedy=f"point it at another use, or unset it: rushes set FILM SHOT {name}=",
        )

    def _footage(self, place: Place, at: object) -> Recipe:
        """A frame of footage, counted from its file's first frame at the file's own rate."""
        item = place[0].items[place[1]]
        media = item.default_media
        if media is None or not media.online or not media.target_url:
            raise ShotFault(
                f"the footage it continues from is offline: {item.name}",
                where=self._where,
                remedy="relink the footage in the cut",
            )
        rate = float(self._known.film.rate)
        frame = at if isinstance(at, int) else footage_start(rate, place) if at == IN else footage_end(rate, place)
        return {"media": self._known.sources.files.digest(media.target_url, self._where), "frame": frame}

    def _frame_of_shot(self, name: str, place: Place, at: object) -> Any:  # noqa: ANN401
        film = self._known.film
        block = place[0].items[place[1]].block
        assert block is not None
        upstream = self._known.planned[block.shot]
        self.upstream.append(block.shot)
        self.via[name] = (block.name or block.shot,)
        chosen = block.chosen
        if chosen is None and upstream.state == "invalid":
            raise ShotFault(
                f"it continues from {block.name}, which is invalid",
                where=self._where,
                remedy=f"mend {block.name} first: {upstream.fault.text if upstream.fault else ''}",
            )
        frame = at if isinstance(at, int) else shown(film, *place).first if at == IN else shown(film, *place).end
        if chosen is None or not upstream.settled:
            return UNKNOWN
        if frame >= upstream.have:
            return self._beyond(block, frame, upstream.have)
        rate = str(film.rate)
        native = native_frame(frame, rate, str(chosen.recipe["model"].get("rate") or rate))
        return {"motion": piece_at(chosen.motion, native), "frame": frame if at == IN else native}

    def _beyond(self, block: ShotBlock, frame: int, have: int) -> Any:  # noqa: ANN401
        if block.locked:
            raise ShotFault(
                f"it continues from frame {frame} of {block.name}, which is locked and has {have} frames",
                where=self._where,
                remedy=f"unlock {block.name}: rushes takes FILM {block.shot} --unlock",
            )
        return UNKNOWN  # known once the upstream take is extended

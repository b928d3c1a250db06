"""The files that hosts show for the clips of a film, those that are no shots included."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from rushes.engine.studio import Desk
from rushes.hosts.showing import Showings
from rushes_otio import rawjson
from rushes_otio.film import Film
from rushes_otio.hosts.lanes import Standing
from rushes_otio.hosts.laying import Shown
from rushes_otio.hosts.rows import Kind, Showing
from rushes_otio.items import Item, Media
from rushes_otio.paths import local_path

_STILLS = frozenset(
    ".bmp .cin .dds .dpx .exr .gif .hdr .j2c .jp2 .jpeg .jpg .png .psd .sgi .svg .tga .tif .tiff .webp".split()
)


class _Images(msgspec.Struct):
    """An ImageSequenceReference, as far as it names its first file."""

    target_url_base: str = ""
    name_prefix: str = ""
    name_suffix: str = ""
    start_frame: int = 1
    frame_zero_padding: int = 0


class Files:
    """Finds them, once for each shot; what has no file here is shown by a slate."""

    def __init__(self, desk: Desk, film: Film) -> None:
        self._folder = desk.places.film.parent
        self._film = film
        self._showings = Showings(desk, film)
        self._shots: dict[str, Showing] = {}

    def is_shown(self, clip: Standing) -> bool:
        """Whether there is anything to show; nothing is drawn."""
        return not clip.is_sound or self._path(clip.item) != ""

    def shown(self, clip: Standing, frames: int) -> Shown:
        """What is shown for a clip; a slate is made of so many frames. Sound that is nowhere has no path."""
        if clip.is_sound:
            return Shown(self._path(clip.item), "sound", _length(clip.item.default_media), None)
        if clip.shot:
            showing = self._shot(clip.shot)
            return Shown(showing.path, _kind_of(showing.path), showing.frames, showing.size)
        first = self._first_image(clip.item)
        path = first or self._path(clip.item)
        if os.path.isfile(path):  # noqa: PTH113 (False of a name too long for the system)
            return Shown(path, "images" if first else _kind_of(path), _length(clip.item.default_media), None)
        slate = self._showings.slate_for(clip.item, frames)
        return Shown(slate.path, "movie", slate.frames, slate.size)

    def _shot(self, shot: str) -> Showing:
        if shot not in self._shots:
            self._shots[shot] = self._showings.shot(self._film.shots[shot])
        return self._shots[shot]

    def _path(self, item: Item) -> str:
        """The absolute path of a clip's file; empty where it has none, or that lies on another machine."""
        media = item.default_media
        return self._absolute(media.target_url or "") if media is not None and media.online else ""

    def _absolute(self, url: str) -> str:
        plain = local_path(url)
        if not plain or "\0" in plain or "://" in plain or plain.startswith(("\\\\", "//")):
            return ""
        return os.path.normpath(self._folder / plain)

    def _first_image(self, item: Item) -> str:
        """The path of the first file of an image sequence; empty of anything else."""
        media = item.default_media
        if media is None or not media.OTIO_SCHEMA.startswith("ImageSequenceReference."):
            return ""
        where = self._film.where
        references = rawjson.member(rawjson.open_object(item.raw, where), "media_references", where)
        try:
            said = msgspec.json.decode(references[item.active], type=_Images)
        except (KeyError, msgspec.DecodeError):
            return ""
        number = str(said.start_frame).zfill(min(max(said.frame_zero_padding, 0), 12))
        name = f"{said.name_prefix}{number}{said.name_suffix}"
        return self._absolute(f"{said.target_url_base.rstrip('/')}/{name}" if said.target_url_base else name)


def _length(media: Media | None) -> int:
    """Frames of a file, at its own rate, as far as the film knows."""
    known = media.available_range if media is not None else None
    return max(0, round(known.duration.value)) if known is not None and known.duration.rate <= 1000 else 0


def _kind_of(path: str) -> Kind:
    return "image" if Path(path).suffix.lower() in _STILLS else "movie"

"""Paths of media inside the text of an item, changed without decoding anything else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote

from msgspec import Raw

from rushes_otio import rawjson

Change = Callable[[str], str]

_LOCAL = re.compile(r"^file://(localhost)?(?=/)", re.IGNORECASE)
_DRIVE = re.compile(r"^/[A-Za-z]:/")

_KEYS = ("target_url", "target_url_base")  # the second names the folder of an image sequence


def is_relative(url: str) -> bool:
    """Whether a media's path says no more than where it lies from its cut."""
    absolute = "://" in url or PurePosixPath(url).is_absolute() or PureWindowsPath(url).drive
    return bool(url) and not absolute


def local_path(url: str) -> str:
    """The plain path that a `file:` URL of this machine stands for; anything else as it is."""
    if not _LOCAL.match(url):
        return url
    path = unquote(_LOCAL.sub("", url))
    return path[1:] if _DRIVE.match(path) else path


def rebased(raw: Raw, change: Change, where: str) -> Raw:
    """An item, whatever is nested in it included, with the paths of its media changed; the same object when none
    is."""
    opened = rawjson.open_object(raw, where)
    changes: dict[str, Raw] = {}
    if _has(opened, "media_reference"):  # Clip.1
        changes["media_reference"] = _media(opened["media_reference"], change, where)
    media = rawjson.member(opened, "media_references", where)
    moved = {key: _media(reference, change, where) for key, reference in media.items()}
    if any(moved[key] is not media[key] for key in media):
        changes["media_references"] = rawjson.encode(moved)
    if _has(opened, "children"):
        children = rawjson.read(opened["children"], list[Raw], where)
        inner = [rebased(child, change, where) for child in children]
        if any(new is not old for new, old in zip(inner, children, strict=True)):
            changes["children"] = rawjson.encode(inner)
    changed = {key: value for key, value in changes.items() if value is not opened[key]}
    return rawjson.patch(raw, changed, where) if changed else raw


def _media(raw: Raw, change: Change, where: str) -> Raw:
    if bytes(raw) == b"null":
        return raw
    reference = rawjson.open_object(raw, where)
    changes: dict[str, Raw] = {}
    for key in _KEYS:
        url = rawjson.read(reference[key], str, where) if _has(reference, key) else ""
        if url and (now := change(url)) != url:
            changes[key] = rawjson.encode(now)
    return rawjson.patch(raw, changes, where) if changes else raw


def _has(opened: rawjson.RawObject, key: str) -> bool:
    return bytes(opened.get(key, b"null")) != b"null"


@dataclass(frozen=True, slots=True)
class MediaPaths:
    """Paths of a cut that lies in one folder, in a film that lies in another."""

    film: Path
    cut: Path

    def from_cut(self, raw: Raw) -> Raw:
        """An item of the cut for the film: relative where the media lies in the film's folder, else absolute."""
        return rebased(raw, self.named, str(self.cut))

    def named(self, url: str) -> str:
        """What the film calls a file of the cut."""
        if "://" in url or (not is_relative(url) and not PurePosixPath(url).is_absolute()):
            return url
        path = Path(os.path.normpath(self.cut / url))
        return path.relative_to(self.film).as_posix() if path.is_relative_to(self.film) else str(path)

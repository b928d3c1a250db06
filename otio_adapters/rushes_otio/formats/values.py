"""Times, texts and paths of OpenTimelineIO's objects, as the formats of other programs can hold them."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import opentimelineio as otio

from rushes_otio.text import printable
from rushes_otio.timing import Rate

Clip: TypeAlias = otio.schema.Clip
Time: TypeAlias = otio.opentime.RationalTime
Range: TypeAlias = otio.opentime.TimeRange


def plain_text(data: bytes) -> str:
    """Text as editors save it: UTF-8 or UTF-16 with a mark, UTF-8 without, else the Western code page."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return text.replace("\0", "")


def whole_frames(time: Time, rate: Rate) -> int:
    """A time in frames of a rate. 23.976 in a file means 24000/1001."""
    frames: float = time.value if abs(time.rate - float(rate)) < 0.006 else time.value * float(rate) / time.rate
    return round(frames)


def own(thing: otio.core.SerializableObjectWithMetadata, namespace: str) -> dict[str, Any]:
    """What a thing's metadata has under a namespace; nothing where that is no object."""
    found = thing.metadata.get(namespace)
    return dict(found.items()) if hasattr(found, "items") else {}


def line(text: str, limit: int) -> str:
    """Text that any format can hold: `printable`, and no noncharacters, which XML forbids."""
    return re.sub("[\ufffe\uffff]", "·", printable(text or "", limit))


def last_part(path: str) -> str:
    """The last part of a path or URL, whichever way its slashes lean."""
    return path.replace("\\", "/").rpartition("/")[2]


def image_sequence_url(media: otio.schema.ImageSequenceReference) -> str:
    """An image sequence as one path with a printf pattern, as FCP7 XML names it."""
    return str(media.abstract_target_url(f"%0{max(1, media.frame_zero_padding)}d"))


def shown_images(media: otio.schema.ImageSequenceReference, shown: Range) -> tuple[int, int]:
    """The numbers of the first and the last image that a range shows; of all images where it lies outside."""
    try:
        first, last = media.frame_range_for_time_range(shown)
    except (otio.exceptions.OTIOError, ValueError):
        first, last = media.start_frame, media.end_frame()
    return int(first), int(last)

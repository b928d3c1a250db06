"""A host's open timeline as plain rows: what it says of itself, and what it is told to show.

Frames are whole, at the film's rate. `left` and `right` are record frames counted from the film's first one,
`right` is the first frame that is no longer covered. Media frames count from the first frame of the file,
whatever its timecode is. Everything in a row that came from a host comes from outside.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MOST_ROWS = 20_000
"""Strips of one timeline: twice a long feature."""

_FAR = 10_000_000

Frame = Annotated[int, Meta(ge=-_FAR, le=_FAR)]
Channel = Annotated[int, Meta(ge=1, le=1024)]
Key = Annotated[str, Meta(min_length=1, max_length=256)]
Word = Annotated[str, Meta(max_length=256)]
Long = Annotated[str, Meta(max_length=1 << 16)]

Kind = Literal["movie", "image", "images", "sound", "color", "text", "scene", "other", "meta"]
"""`images` is a sequence, `image` a still; `other` shows something that only the host can make; a `meta` holds the
rows that name its key in `inside`."""


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One strip. `key` is what the host calls it, unique among its rows.

    At `left` it shows media frame `first`, i frames later `first + floor(i * speed)`. `speed` is a decimal,
    negative where it runs backwards from `first`, "0" where a frame is held, "" where it varies. `length` is how
    many frames the media has, 0 where that is not known or a still. `size` is the media's in pixels, `zero` the
    media frame that is the shot's frame 0: only the daemon says these two. `told` is the shot ("" for none) that
    the host was last told the use is, where its editor's undo made it another: then the row counts.
    """

    key: Key
    kind: Kind
    channel: Channel
    left: Frame
    right: Frame
    use: Word = ""
    shot: Word = ""
    told: Word | None = None
    name: Word = ""
    path: Annotated[str, Meta(max_length=4096)] = ""
    first: Frame = 0
    length: Annotated[int, Meta(ge=0, le=_FAR)] = 0
    enabled: bool = True
    speed: Annotated[str, Meta(max_length=24, pattern=r"^(-?[0-9]{1,6}([.][0-9]{1,12})?)?$")] = "1"
    inside: Word = ""
    text: Long = ""
    size: tuple[int, int] | None = None
    zero: int = 0


class Dissolve(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A transition over [left, right), in which both rows, named by their keys, are shown."""

    key: Key
    channel: Channel
    left: Frame
    right: Frame
    out: Key
    into: Key
    kind: Word = "cross"  # "cross" | "wipe" | …


class ChannelState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A channel, where it is muted or has a name."""

    channel: Channel
    enabled: bool = True
    name: Word = ""


class Sequence(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A whole timeline. `known` are the uses that the film has ever given it: what the film has beside them was
    not taken out by the editor, but has not been brought in yet."""

    rate: Word
    rows: Annotated[list[Row], Meta(max_length=MOST_ROWS)] = []
    dissolves: Annotated[list[Dissolve], Meta(max_length=MOST_ROWS)] = []
    channels: Annotated[list[ChannelState], Meta(max_length=1024)] = []
    known: Annotated[list[Word], Meta(max_length=100_000)] = []


class Making(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A row that is to become a shot, with what is asked for."""

    key: Key
    prompt: Long = ""
    action: Long = ""
    name: Word = ""
    scene: Word = ""


class Showing(msgspec.Struct, kw_only=True):
    """What a shot shows now: its chosen take (`take` is its name), else the footage it was made of, else a slate
    (`take` is ""). `zero` is the media frame that is the shot's frame 0: 0 but for footage. `footage` is the file
    the shot was made of and its `zero`, so that a host knows where it is when it still shows that."""

    shot: str
    take: str
    path: str
    frames: int
    size: tuple[int, int]
    zero: int = 0
    footage: tuple[str, int] | None = None

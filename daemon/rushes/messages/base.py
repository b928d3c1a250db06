"""What all messages share: the kinds of their fields, with limits."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=1 << 20)]
Name = Annotated[str, Meta(max_length=256)]
Path = Annotated[str, Meta(min_length=1, max_length=4096)]
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
Names = Annotated[list[Name], Meta(max_length=100_000)]
Number = Annotated[int, Meta(ge=0, le=1 << 53)]
Numbers = Annotated[list[Number], Meta(max_length=100_000)]


class Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """What a message says; the field `type` names the kind."""

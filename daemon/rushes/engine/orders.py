"""What somebody asked to be made of a shot, as it is kept in the queue."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["render", "another"]


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """One take to be made. `render` makes what the film asks for today, and chooses it; `another` makes a
    variation with a seed of its own, and chooses nothing. `n` is the seed counter, None to keep the chosen
    take's; `named` says that a person named this shot; `watch` that nobody asked at all: the film is watched.
    """

    kind: Kind = "render"
    n: int | None = None
    until: str = ""  # "keyframe" to stop there
    model: str = ""  # instead of the one the intent asks for
    named: bool = False
    watch: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a fresh shot has nothing left to do for it."""
        return self.kind == "render" and self.n is None and not (self.named or self.until or self.model)

    def is_like(self, other: Order) -> bool:
        """Whether the other one's take is this one's too, whoever asked for it."""
        mine, theirs = (msgspec.structs.replace(order, named=False, watch=False) for order in (self, other))
        return mine == theirs and self.kind == "render" and self.n is None

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Order:
        return msgspec.json.decode(text, type=cls)


def derived_seed(shot: str, n: int) -> int:
    """The seed of a shot that nobody set: from the shot id and a counter, so that a repeated render repeats."""
    from hashlib import sha256

    return int.from_bytes(sha256(f"{shot}:{n}".encode()).digest()[:6], "big")

"""The wire between the daemon and whoever talks to it: hosts, panel, commands. Specified in docs/protocol.md.

    client ── command ──► daemon        one JSON message a frame, DEALER to ROUTER
    client ◄─ busy, answer | error, idle ── daemon
    client ◄─ [topic, event] ── daemon  XPUB to SUB; the topic is that of a film, or `daemon`

Fields are added without raising VERSION, and a reader passes over fields it does not know. Nothing is renamed.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from rushes.messages.answers import Answers
from rushes.messages.base import Id
from rushes.messages.commands import PROTOCOL, Commands
from rushes.messages.events import Events, Linked, Unlinked

VERSION = PROTOCOL
OLDEST = 1
"""The oldest version whose messages this one reads."""

DAEMON = "daemon"
"""The topic of what concerns no single film."""

MAX_FRAME = 8 << 20
"""Bytes of one frame to the daemon: intents and lists of shots, never media."""

MAX_FRAMES = 4
"""Frames of one message to the daemon, the identity included."""

Said = Answers | Events | Linked | Unlinked


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What both directions have in common. `parent` is the id of the command that this answers or was caused by,
    `seq` the event's number within its topic: 1, 2, 3 …; 0 where it has none."""

    v: int = 0  # always written: it is never 0
    id: Id
    session: Id
    parent: Annotated[str, Meta(max_length=64)] = ""
    seq: int = 0


class Asked(Message, frozen=True, kw_only=True):
    """To the daemon."""

    body: Commands


class Told(Message, frozen=True, kw_only=True):
    """From the daemon."""

    body: Said


class Envelope(Message, frozen=True, kw_only=True):
    """A message whose body is not looked into."""

    body: Raw = Raw(b"{}")


def new_id() -> str:
    """An id that no other message, session or daemon has."""
    return uuid.uuid4().hex


def topic(film: str) -> str:
    """The topic of a film's events."""
    return "film." + hashlib.sha256(film.encode("utf-8", "surrogatepass")).hexdigest()[:24]


_encoder = msgspec.json.Encoder()
_asked: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked)
_told: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)
_envelope: msgspec.json.Decoder[Envelope] = msgspec.json.Decoder(Envelope)


def encode(message: Message) -> bytes:
    """`message` as it goes over the wire, without a line end."""
    return _encoder.encode(message)


def read_asked(raw: bytes) -> Asked:
    """A command. `msgspec.DecodeError` for anything else."""
    return _asked.decode(raw)


def read_told(raw: bytes) -> Told:
    """An answer or event. `msgspec.DecodeError` for anything else."""
    return _told.decode(raw)


def read_envelope(raw: bytes) -> Envelope:
    """Only who sent it and how it is called, for refusing what `read_asked` does not take."""
    return _envelope.decode(raw)

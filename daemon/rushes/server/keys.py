"""CURVE keys: the daemon's own, and the one pair with which this user's clients are let in. They outlive the
daemon, so that clients find the next one behind the same lock.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zmq

from rushes.store.durable import write_atomic
from rushes.store.places import Places, private


class _Pair(msgspec.Struct, frozen=True):
    public: str
    secret: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys in Z85, 40 characters each."""

    server_public: str
    server_secret: str
    client_public: str
    client_secret: str


def user_keys(places: Places) -> Keys:
    """The keys in the user's key folder, made if they are not there, or not whole."""
    folder = private(places.keys)
    server, client = _pair(folder / "server.json"), _pair(folder / "client.json")
    return Keys(server.public, server.secret, client.public, client.secret)


def _pair(path: Path) -> _Pair:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Pair)
        path.chmod(0o600)
        if zmq.curve_public(found.secret.encode()).decode() == found.public:
            return found
    except (OSError, ValueError, msgspec.DecodeError):
        pass
    public, secret = zmq.curve_keypair()
    made = _Pair(public.decode(), secret.decode())
    old = os.umask(0o077)
    try:
        write_atomic(path, msgspec.json.encode(made), label="key", mode=0o600)
    finally:
        os.umask(old)
    return made

"""Ids: eight characters of lower-case Crockford base32, which fit an EDL reel and survive upper-casing."""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(f"[{ALPHABET}]{{8}}")


def new_id() -> str:
    """A random id of 40 bits. At least one letter, so that no program takes it for a number."""
    while True:
        made = "".join(secrets.choice(ALPHABET) for _ in range(8))
        if not made.isdigit():
            return made


def is_id(text: object) -> bool:
    """Whether `text` is an id exactly as this module writes them."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None

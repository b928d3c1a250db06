"""Text from films is data from strangers: made harmless here before anybody sees it, stored as it came."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str, limit: int = 400) -> str:
    """`text` without anything that could move a cursor, reorder letters or start markup: one line, at most
    `limit` characters. Control, format (bidi included), surrogate and private-use characters become `·`;
    tabs and line ends become spaces.
    """
    if len(text) <= limit and text.isprintable():  # nearly all of it, ten times as fast
        return text
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ").replace("\r", " ")
    clean = "".join("·" if unicodedata.category(c) in _HIDDEN else c for c in spaced[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def readable_token(text: str, limit: int = 40) -> str:
    """`text` reduced to the characters every host and file system keeps: `[A-Za-z0-9_]`, decorative only."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = "".join(c if c.isalnum() else "_" for c in flat)
    return "_".join(part for part in kept.split("_") if part)[:limit].rstrip("_")

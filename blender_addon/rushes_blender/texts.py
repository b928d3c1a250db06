"""Text that came from a film, a daemon or a .blend, made harmless before anybody sees it."""

from __future__ import annotations

import unicodedata
from typing import Any

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: object, limit: int = 400) -> str:
    """`text` as one line of at most `limit` characters that cannot move a cursor or reorder letters. Control,
    format (bidi included), surrogate and private-use characters become `·`; tabs and line ends become spaces."""
    text = text if isinstance(text, str) else str(text)
    if len(text) <= limit and text.isprintable():
        return text
    spaced = text[: 2 * limit + 2].replace("\r\n", " ").replace("\n", " ").replace("\t", " ").replace("\r", " ")
    clean = "".join("·" if unicodedata.category(c) in _HIDDEN else c for c in spaced[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def error_text(error: dict[str, Any] | None) -> str:
    """An error of the daemon as one line: where, what, and what helps."""
    if not error:
        return ""
    where, text, remedy = (printable(error.get(key) or "") for key in ("where", "text", "remedy"))
    said = f"{where}: {text}" if where else text
    return f"{said} ({remedy})" if remedy else said

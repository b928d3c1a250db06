"""@mentions: in prompts, `@mara` stands for a library entry. `@@` is a plain at sign."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from rushes_otio.errors import ShotFault

MENTION = re.compile(r"@(?:@|(?<![\w@]@)(\w+))")


def mentioned(text: str) -> list[str]:
    """The names after @ in order of first appearance, as written."""
    if "@" not in text:
        return []
    return list(dict.fromkeys(m[1] for m in MENTION.finditer(text) if m[1]))


def replaced(text: str, describe: Callable[[str], str]) -> str:
    """`text` with each mention replaced by `describe(name)` and `@@` by `@`."""
    if "@" not in text:
        return text
    return MENTION.sub(lambda m: describe(m[1]) if m[1] else "@", text)


def unknown_name(name: str, known: list[str], where: str) -> ShotFault:
    """The fault of a mention nobody defined, with the names it is close to."""
    close = get_close_matches(name.casefold(), [k.casefold() for k in known], n=3, cutoff=0.5)
    near = "did you mean " + " or ".join(f"@{n}" for n in close) + "? " if close else ""
    return ShotFault(
        f"@{name} is not in the library",
        where=where,
        remedy=f'{near}define it: rushes set FILM --character {name} description="…", or write @@ for a plain @',
    )

"""Finding known words in free text, in time linear in the text and with a limit on what is looked at."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping

LIMIT = 4000
"""Characters of one text that are read; the rest of a longer one changes nothing that is drawn."""

_WORD = re.compile(r"[a-z]+")


def plain(text: str) -> str:
    """The first `LIMIT` characters as lower-case words and single spaces: `Close-up!` is `close up`."""
    return " ".join(_WORD.findall(text[:LIMIT].lower()))


def chance(*parts: object) -> random.Random:
    """A private random source that depends on `parts` alone: equal in every process and on every machine."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311  # drawing, no secret


class Lexicon:
    """Meanings by the words that stand for them. Longer phrases win over shorter ones that they contain."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        """`meanings`: meaning to its phrases, separated by commas."""
        pairs = [(p.strip(), meaning) for meaning, phrases in meanings.items() for p in phrases.split(",")]
        self._meaning = dict(pairs)
        longest_first = sorted(self._meaning, key=lambda phrase: (-len(phrase), phrase))
        self._pattern = re.compile(rf"\b({'|'.join(longest_first)})(?:s|es)?\b")

    def first(self, text: str) -> str | None:
        """The meaning of the earliest known phrase of `text` (as `plain` returns it)."""
        found = self._pattern.search(text)
        return self._meaning[found[1]] if found else None

    def all(self, text: str) -> list[str]:
        """Every meaning in order of its first appearance, each once."""
        return list(dict.fromkeys(self._meaning[found[1]] for found in self._pattern.finditer(text)))

    def places(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, meaning) of every known phrase, in order."""
        return [(m.start(), m.end(), self._meaning[m[1]]) for m in self._pattern.finditer(text)]

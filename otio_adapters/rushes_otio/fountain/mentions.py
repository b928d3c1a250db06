"""Names in running text become @mentions; every other at sign is doubled, which makes it literal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

_WORD = r"\w+(?:['’-]\w+)*"
_TOKEN = re.compile(
    r"(?P<mail>\w(?:[\w.+-]{0,62}\w)?@@?[\w.-]+)"  # bounded, so that no text takes more than linear time
    r"|(?P<at>(?<![\w@])@(?P<key>\w+))"
    r"|(?P<literal>@+\w*)"
    rf"|(?P<word>{_WORD})"
)
_AT_SIGNS = re.compile("@+")
_BETWEEN_WORDS = re.compile(r"\.?\s+#?")
_SUFFIX = re.compile(r"['’](?:s|d|ll|ve|re)$", re.IGNORECASE)

# Names that are words of a sentence as well count only with a capital: "she will", "a rose".
_ORDINARY = frozenset(
    "will may mark hope grace rose faith joy bill art rob pat sue chase hunter dawn summer april june august"
    " frank rich penny ruby ivy olive lily violet daisy amber jade pearl ray guy ginger iris jack max a i".split()
)

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """`text` with its mentions; `names` are the library names it mentions, `unknown` what was after other @."""

    text: str
    names: frozenset[str]
    unknown: tuple[str, ...]


def words_of(name: str) -> Words:
    """A name as it is compared: its words, case folded, one kind of apostrophe."""
    return tuple(_fold(word) for word in re.findall(_WORD, name))


def _fold(word: str) -> str:
    return word.replace("’", "'").casefold()


class Linker:
    """Knows the names of a script's people (found in plain words) and its whole library (found after an @)."""

    def __init__(self, people: Mapping[Words, str], library: frozenset[str]) -> None:
        self._people = people
        self._library = library
        self._longest = max(map(len, people), default=0)

    def link(self, text: str) -> Linked:
        """`Old Tom's dog, a@b.c` → `@old_tom's dog, a@@b.c`. Linking twice changes nothing more."""
        tokens = list(_TOKEN.finditer(text))
        out: list[str] = []
        names: set[str] = set()
        unknown: list[str] = []
        done = i = 0
        while i < len(tokens):
            out.append(text[done : tokens[i].start()])
            shown, name, used = self._token(text, tokens, i)
            if name:
                names.add(name)
            elif tokens[i]["at"]:
                unknown.append(tokens[i]["key"])
            out.append(shown)
            done = tokens[i + used - 1].end()
            i += used
        return Linked("".join(out) + text[done:], frozenset(names), tuple(unknown))

    def _token(self, text: str, tokens: list[re.Match[str]], i: int) -> tuple[str, str, int]:
        """What token `i` becomes, the name it mentions or "", and how many tokens that takes."""
        token = tokens[i]
        if token["word"]:
            return self._person(text, tokens, i) or (token[0], "", 1)
        key = (token["key"] or "").casefold()
        if key in self._library:
            return f"@{key}", key, 1
        return _AT_SIGNS.sub(lambda signs: "@" * (len(signs[0]) + len(signs[0]) % 2), token[0]), "", 1

    def _person(self, text: str, tokens: list[re.Match[str]], i: int) -> tuple[str, str, int] | None:
        for count in range(min(self._longest, len(tokens) - i), 0, -1):
            run = tokens[i : i + count]
            if not self._is_phrase(text, run):
                continue
            for tail in self._tails(run[-1][0]):
                last = run[-1][0].removesuffix(tail)
                name = self._people.get((*(_fold(word[0]) for word in run[:-1]), _fold(last)))
                if name and not (count == 1 and last in _ORDINARY):
                    return f"@{name}{tail}", name, count
        return None

    @staticmethod
    def _is_phrase(text: str, run: list[re.Match[str]]) -> bool:
        gaps = (text[a.end() : b.start()] for a, b in pairwise(run))
        return all(word["word"] for word in run) and all(_BETWEEN_WORDS.fullmatch(gap) for gap in gaps)

    @staticmethod
    def _tails(word: str) -> tuple[str, ...]:
        suffix = _SUFFIX.search(word)
        return ("", suffix[0]) if suffix else ("",)

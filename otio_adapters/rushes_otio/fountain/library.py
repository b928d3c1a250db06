"""The library of a script: its characters, places and styles, each under a name that a mention can carry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import chain, count

from rushes_otio.fountain.mentions import Linked, Linker, Words, words_of
from rushes_otio.fountain.notes import KINDS, Definition, Warned
from rushes_otio.fountain.script import LibraryEntry
from rushes_otio.text import printable


class Library:
    """Filled first (`define_all`, `appear`, `use`), then sealed, then asked (`link`). First come, first served."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, LibraryEntry]] = {kind: {} for kind in KINDS}
        self.warnings: list[Warned] = []
        self._names: dict[tuple[str, Words], str] = {}
        self._kind_of: dict[str, str] = {}
        self._defined: set[str] = set()
        self._mentioned: set[str] = set()
        self._linker = Linker({}, frozenset())

    def define_all(self, definitions: Iterable[Definition]) -> None:
        """Takes the definitions of all notes, characters first: a place with a person's name gives way."""
        for definition in sorted(definitions, key=lambda d: KINDS.index(d.kind)):
            self._define(definition)

    def _define(self, definition: Definition) -> None:
        name = self.appear(definition.kind, definition.name)
        if not definition.description:
            return
        if name in self._defined:
            self.warnings.append((definition.line, f"{name} is described twice; the first description is used"))
            return
        self._defined.add(name)
        self.entries[definition.kind][name] = LibraryEntry(definition.description)

    def appear(self, kind: str, shown: str) -> str:
        """The library name of somebody or something called `shown`; a new entry is described by its own words."""
        known = (kind, words_of(shown))
        if known not in self._names:
            name = self._names[known] = self._free_name(kind, shown)
            self._kind_of[name] = kind
            words = shown.title() if kind == "character" and shown.isupper() else shown
            self.entries[kind].setdefault(name, LibraryEntry(words))
        return self._names[known]

    def _free_name(self, kind: str, shown: str) -> str:
        plain = _plain_name(shown)
        if plain and self._kind_of.get(plain, kind) == kind:
            return plain  # another spelling of a name we have, or a new one
        stem = f"{plain}_{kind}" if plain else kind
        numbered = (f"{stem}_{n}" for n in count(len(self.entries[kind]) + 1))
        tried = chain([stem] if plain else [], numbered)
        return next(name for name in tried if name not in self._kind_of)

    def use(self, kind: str, shown: str, line: int) -> str:
        """As `appear`, for a field that names an entry: warns when it looks like another entry misspelt."""
        before = [name for name in self.entries[kind] if name in self._defined]
        name = self.appear(kind, shown)
        near = [] if name in self._defined else get_close_matches(name, before, n=1, cutoff=0.75)
        if near:
            self.warnings.append((line, f"the {kind} {name} is not described; did you mean {near[0]}?"))
        return name

    def seal(self) -> None:
        """Everything that has a name has it now: from here on text can be linked."""
        people = {words: name for (kind, words), name in self._names.items() if kind == "character" and words}
        people |= {(name,): name for name in self.entries["character"]}
        self._linker = Linker(people, frozenset(self._kind_of))

    def link(self, text: str, line: int) -> str:
        """`text` with @mentions, as `Linker.link`; an @word that is no name is warned of and made literal."""
        linked: Linked = self._linker.link(text)
        self._mentioned |= linked.names
        for word in linked.unknown:
            near = get_close_matches(word.lower(), self._kind_of, n=3, cutoff=0.6)
            hint = f"did you mean @{' or @'.join(near)}?" if near else "it stays as plain text"
            self.warnings.append((line, f"nobody is called @{printable(word, 40)}; {hint}"))
        return linked.text

    def undescribed(self) -> list[str]:
        """Characters that are in a picture and look different in each, because nothing says how they look."""
        return sorted(self._mentioned & self.entries["character"].keys() - self._defined)


def _plain_name(shown: str) -> str:
    """`Zoë O'Neil` → `zoe_oneil`, `МАРА` → `мара`: lower case, accents dropped, other scripts kept."""
    apart = unicodedata.normalize("NFKD", shown.casefold().replace("'", "").replace("’", ""))
    bare = unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
    return "_".join(re.findall(r"[^\W_]+", bare.casefold()))[:40].rstrip("_")

"""Completion of @mentions while a prompt is typed. Plain Python, no Blender.

Blender asks for whole texts and does not say where the cursor is: what is completed is the mention at the end,
else the last one that names nobody yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_MENTION = re.compile(r"@(?:@|(?<![\w@]@)(\w*))")
"""As the film reads it, but for the name, which can be empty still. `@@` is a plain at sign."""

MOST = 12
"""Proposals at once."""


def completions(text: str, entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Whole texts in which the mention that is being typed is completed, each with who that is. `entries` are
    those of `library`: kind, name, description. Empty where nothing is being mentioned."""
    names = {str(entry.get("name", "")).casefold() for entry in entries}
    open_ = _unfinished(text, names)
    if open_ is None:
        return []
    begun = open_.group(1).casefold()
    found = [entry for entry in entries if _fits(str(entry.get("name", "")), begun)]
    found.sort(key=lambda entry: (not str(entry["name"]).casefold().startswith(begun), str(entry["name"])))
    return [(_completed(text, open_, str(entry["name"])), _who(entry)) for entry in found[:MOST]]


def _unfinished(text: str, names: set[str]) -> re.Match[str] | None:
    """The mention to complete. One at the very end is still being typed even where it is a name already, for
    `@ida` can become `@ida_old`."""
    unknown = None
    for mention in _MENTION.finditer(text):
        name = mention.group(1)
        if name is not None and (mention.end() == len(text) or name.casefold() not in names):
            unknown = mention
    return unknown


def _fits(name: str, begun: str) -> bool:
    folded = name.casefold()
    return bool(name) and (folded.startswith(begun) or any(part.startswith(begun) for part in folded.split("_")))


def _completed(text: str, mention: re.Match[str], name: str) -> str:
    return f"{text[: mention.start()]}@{name}{text[mention.end() :]}"


def _who(entry: Mapping[str, Any]) -> str:
    kind, said = str(entry.get("kind", "")), str(entry.get("description", ""))
    return f"{kind}: {said}" if kind and said else kind or said

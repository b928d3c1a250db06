"""Our identity marks: how they are written into what others keep, and how they are found in what they send back.

Programs keep some of: a clip's metadata, its markers, comments, its name, the name of its file, its reel. The text
of a mark survives upper-casing and being quoted inside JSON or XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw

from rushes_otio.conforming.returned import CutItem, CutMedia, MarkedTake, Mine, Placed
from rushes_otio.ids import ALPHABET

By = Literal["use", "marker", "token", "content", "path", "name", "position"]
"""The stages of a match, from the surest to the one that only proposes."""

MARKER = "RUSHES"
"""How the names of our own clip markers begin."""

_ID = f"[{ALPHABET}]{{8}}"
_GAP = r"\W{1,12}"
_MARK = re.compile(f"rushes{_GAP}(?:1{_GAP})?use{_GAP}({_ID}){_GAP}shot{_GAP}({_ID})(?![a-z0-9])", re.IGNORECASE)
_TOKEN = re.compile(rf"(?<![0-9a-z])({_ID})(?![0-9a-z])(?:_([tk][0-9]{{3,6}})(?![0-9]))?", re.I)

_REEL = re.compile(r'"reel(?:[ _]?name)?"\s*:\s*(?:\{[^{}]{0,200}?"name"\s*:\s*)?"([^"]{1,80})"', re.IGNORECASE)
_OF_TAKE = re.compile(rf"__({_ID})_([tk][0-9]{{3,6}})(?![0-9])", re.IGNORECASE)

_MOST_TEXT = 64 * 1024
"""Bytes of one program's metadata on a clip that are searched."""


class Mark(NamedTuple):
    """What one trace says: a use (or none), a shot, a take (or none)."""

    by: By
    use: str
    shot: str
    take: str


def text_mark(use: str, shot: str) -> str:
    """The mark for comments: `RUSHES USE 7KQ3M9AB SHOT …`."""
    return f"{MARKER} USE {use} SHOT {shot}"


def note_mark(use: str, shot: str) -> str:
    """The mark for a marker's note."""
    return json.dumps({"rushes": 1, "use": use, "shot": shot})


def is_our_marker(text: str) -> bool:
    """Whether a marker's text (its JSON) is one that we made."""
    return _MARK.search(text) is not None


def marks(clip: Placed, shots: Container[str]) -> Iterator[Mark]:
    """Every trace of a shot in `shots` on a clip, the surest first."""
    mine = clip.mine
    if mine is not None and mine.shot in shots:
        yield Mark("use", mine.use, mine.shot, mine.chosen.take if mine.chosen else "")
    item = clip.item
    if isinstance(item, CutItem):
        yield from _in_texts("use", _metadata(item), shots)
        yield from _in_texts("marker", (_text(raw) for raw in item.markers), shots)
    named = list(dict.fromkeys(_in_names(clip, shots)))
    yield from named
    if not named and isinstance(item, CutItem):
        for text in _metadata(item):  # other words may speak of any shot: "match the grade of …"
            for reel in _REEL.finditer(text):
                yield from _tokens(reel[1], shots)


def shot_in_name(name: str) -> tuple[str, str, str] | None:
    """Shot name, id and take in the name of a file that is a take of any film; None for any other."""
    last = re.split(r"[/\\]", name)[-1]
    found = _OF_TAKE.search(last)
    return (last[: found.start()], found[1].lower(), found[2].lower()) if found else None


def claims_of(clip: Placed) -> Mine | None:
    """Who a clip of a cut that is no film says it is, by a mark in words or by the name of its file. What was
    asked for is not known: its intent has no text at all."""
    item = clip.item
    if clip.mine is not None or not isinstance(item, CutItem):
        return None
    named = shot_in_name(clip.url) or shot_in_name(clip.name)
    texts = (*_metadata(item), *(_text(raw) for raw in item.markers))
    said = next((found for text in texts if (found := _MARK.search(text))), None)
    shot = said[2].lower() if said else named[1] if named else ""
    if not shot or (named and named[1] != shot):
        return None
    take = MarkedTake(named[2]) if named else None
    use, name = said[1].lower() if said else "", named[0] if named else ""
    return Mine(use, shot, name, intent=Raw(b""), chosen=take)


def mentions(raw: Raw, shots: Container[str]) -> bool:
    """Whether a text holds the id of one of these shots."""
    return any(match[1].lower() in shots for match in _TOKEN.finditer(bytes(raw).decode("utf-8", "replace")))


def without_marks(raw: Raw) -> Raw | None:
    """One program's metadata of a clip as it was before our exports wrote into it; None where nothing is left.
    What holds no mark keeps its text."""
    text = _text(raw)
    if _MARK.search(text) is None:
        return None if text in ("{}", "null") else raw
    left = _unmarked(msgspec.json.decode(raw))
    return Raw(msgspec.json.encode(left)) if left else None


def _unmarked(value: Any) -> Any:  # noqa: ANN401 (whatever JSON holds)
    if isinstance(value, str):
        return None if _MARK.search(value) else value
    if isinstance(value, list):
        return [kept for each in value if (kept := _unmarked(each)) not in (None, {}, [])]
    if isinstance(value, dict):
        own = {"reel"} if any(isinstance(each, list) for each in value.values()) else set()
        kept = {key: _unmarked(each) for key, each in value.items() if key not in own and key[:1] != "@"}
        return {key: each for key, each in kept.items() if each not in (None, {}, [])}
    return value


def names_of(clip: Placed) -> Iterator[str]:
    """What a clip and its file are called, without folders and endings, in lower case."""
    media = clip.item.default_media
    told = media.name if isinstance(media, CutMedia) else None
    for name in (clip.name, told, clip.url):
        stem = stem_of(name or "")
        if stem:
            yield stem


def stem_of(name: str) -> str:
    """A file name or path without its folders and ending, in lower case."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return re.sub(r"\.[A-Za-z][A-Za-z0-9]{0,5}$", "", last).strip().casefold()


def _in_names(clip: Placed, shots: Container[str]) -> Iterator[Mark]:
    media = clip.item.default_media
    told = media.name if isinstance(media, CutMedia) else None
    for name in (re.split(r"[/\\]", clip.url)[-1], told or "", clip.name):
        yield from _tokens(name, shots)


def _tokens(text: str, shots: Container[str]) -> Iterator[Mark]:
    for match in _TOKEN.finditer(text):
        if match[1].lower() in shots:
            yield Mark("token", "", match[1].lower(), (match[2] or "").lower())


def _in_texts(by: By, texts: Iterator[str], shots: Container[str]) -> Iterator[Mark]:
    for text in texts:
        for match in _MARK.finditer(text):
            if match[2].lower() in shots:
                yield Mark(by, match[1].lower(), match[2].lower(), "")


def _metadata(item: CutItem) -> Iterator[str]:
    """What other programs' formats keep beside a clip and its file."""
    media = item.default_media
    both = [item.metadata, (media.metadata or {}) if isinstance(media, CutMedia) else {}]
    for namespace, raw in ((n, r) for each in both for n, r in each.items()):
        if namespace != "rushes":
            yield _text(raw)


def _text(raw: Raw) -> str:
    return bytes(raw)[:_MOST_TEXT].decode("utf-8", "replace")

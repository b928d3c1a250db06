"""Cuts that do harm: what bad luck makes of a good file, and the `.otio` that somebody writes who means it.

Makers yield pairs of a name, which begins with the ending of the file, and what is in the file. For the other
formats see `hostile_formats`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from films import Json, clips, footage, items, time_range

Made = tuple[str, bytes]
Place = tuple[str | int, ...]

NASTY = "\x1b[2J\x1b]0;owned\x07\u202egnp.\u2066exe\u200b\r\n\x9b31m\x85\u2028fin"
"""A name that clears a terminal, names its window, turns letters round, hides some, and goes on in more lines."""

NUMBERS = (
    "0", "-1", "-0.0", "0.5", "1e-300", "1e308", "-1e308", "1e400", "NaN", "Infinity", "-Infinity",
    "1180591620717411303424", "9223372036854775808", "10000001", "1e12", "true", "null", '"24"', "[]", "{}",
)  # fmt: skip

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 0.5, 1e308, "", "x", "24/0", "out", "k001", [], {}, [[]], [None], [5], {"x": 5},
    "../../etc/passwd", NASTY, "9" * 5000,
)  # fmt: skip

PLACES = (
    "../../../../../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/mem",
    "//host/share/a.mov", "\\\\host\\share\\a.mov", "file://host/share/a.mov", "file:///etc/passwd", "C:\\CON",
    "CON", "a:b", "http://127.0.0.1:9/a.mov", "concat:/etc/passwd|/etc/group", "subfile,,start,0,end,9,,:/etc/fs",
    "data:text/plain,x", "pipe:0", "-i", "%d.png", "a\0b", "\n", " ", ".", "/", "x" * 70_000, NASTY,
)  # fmt: skip
"""What a cut may say of where its media lies."""

OWN_MARKS = ("\ue000rushes items 0\ue000", "\ue000rushes:NaN")
"""What our own reader writes into a text for itself."""


# -- bad luck --------------------------------------------------------------------------------------------------


def truncated(data: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """The file as it is when a copy stops at `count` places, evenly spread."""
    for number in range(count):
        end = len(data) * number // count
        yield f"cut off at byte {end}", data[:end]


def flipped(data: bytes, count: int, seed: str) -> Iterator[tuple[str, bytes]]:
    """The file with a byte turned into another one, `count` times over; every fourth time several at once. Two
    times in three it becomes one that the file has elsewhere: what is no text at all is refused at once."""
    dice = random.Random(seed)
    for number in range(count):
        changed = bytearray(data)
        places = [dice.randrange(len(data)) for _ in range(1 if number % 4 else dice.randint(2, 20))]
        for place in places:
            changed[place] = dice.choice(data) if number % 3 else dice.randrange(256)
        yield f"bytes changed at {', '.join(map(str, places))}", bytes(changed)


# -- one by one ------------------------------------------------------------------------------------------------


def changes(good: bytes) -> Iterator[Made]:
    """What somebody may make of an `.otio` of ours, of whom at least three clips are shots."""
    doc = json.loads(good)
    for name, change in _CHANGES.items():
        yield f".otio {name}", edited(good, change)
    for number in NUMBERS:
        said = json.dumps({"text": _mark(items(doc)[0]), "n": "NUMBER"}).replace('"NUMBER"', number)
        odd = changed(doc, _first("metadata", "other"), "SAID").replace(b'"SAID"', said.encode())
        yield f".otio a mark beside {number}", odd
        slow = [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": "NUMBER"}] * 3
        odd = changed(doc, _first("effects"), slow).replace(b'"NUMBER"', number.encode())
        yield f".otio three times {number} as fast", odd
    yield ".otio a name twice", json.dumps(doc).replace('"name"', '"name": "other", "name"').encode()


def shapes() -> Iterator[Made]:
    """Not even a timeline, or one that is all depth."""
    for name, text in {
        "empty": b"",
        "not JSON": b"<xmeml/>",
        "a list": b"[]",
        "an object": b"{}",
        "a word": b'"Timeline.1"',
        "UTF-16": '{"OTIO_SCHEMA": "Timeline.1"}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"OTIO_SCHEMA": "Timeline.1"}',
        "half a letter": b'{"OTIO_SCHEMA": "\\ud800"}',
        "open brackets": b"[" * 100_000,
        "open objects": b'{"a":' * 100_000,
        "brackets": b"[" * 100_000 + b"]" * 100_000,
        "a stack 90 deep": _nested(90),
        "a stack 150 deep": _nested(150),
        "a stack 100,000 deep": _nested(100_000),
        "a collection of nothing": b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": []}',
        "a collection of oddities": b'{"OTIO_SCHEMA": "SerializableCollection.1", "children": [5, null, {}]}',
        "a marker": b'{"OTIO_SCHEMA": "Marker.2"}',
        "no tracks": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": null}',
        "a track as tracks": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Track.1"}}',
        "a clip without anything": b'{"OTIO_SCHEMA": "Clip.1"}',
        "a clip as media": b'{"OTIO_SCHEMA": "Clip.2", "media_references": {"a": {"OTIO_SCHEMA": "Clip.2"}}}',
    }.items():
        yield f".otio {name}", text


def _nested(depth: int) -> bytes:
    return wrapped(
        '{"OTIO_SCHEMA": "Stack.1", "children": [' * depth + json.dumps(footage("a.mov")) + "]}" * depth
    )


def wrapped(*children: str) -> bytes:
    """A timeline of one track with these children, which are JSON."""
    track = f'{{"OTIO_SCHEMA": "Track.1", "children": [{", ".join(children)}]}}'
    return (
        f'{{"OTIO_SCHEMA": "Timeline.1", "tracks": {{"OTIO_SCHEMA": "Stack.1", "children": [{track}]}}}}'.encode()
    )


def _shot(block: Json, url: str = "v.mov") -> Json:
    return {**footage(url), "metadata": {"rushes": block}}


def _ours(made: Json) -> list[Json]:
    return [clip for clip in clips(made) if "rushes" in clip["metadata"]]


def _block(clip: Json) -> Json:
    block: Json = clip["metadata"]["rushes"]
    return block


def _mark(clip: Json) -> str:
    return f"RUSHES USE {_block(clip)['use']} SHOT {_block(clip)['shot']}"


def _strangers(made: Json) -> None:
    known = _block(items(made)[0])["use"]
    for shot, use in (("0000000c", "0000000b"), ("0000000d", "0000000b"), ("0000000f", known)):
        items(made).append(_shot({"use": use, "shot": shot, "name": NASTY, "scene": "00000000"}))
    odd = [5, {}, {"id": "x"}, *[{"id": "00000000", "code": "", "name": NASTY}] * 2]
    made["metadata"].setdefault("rushes", {})["scenes"] = odd


def _torn(made: Json) -> None:
    one, two, three = _ours(made)[:3]
    one["media_references"], two["media_references"] = two["media_references"], one["media_references"]
    _block(three)["intent"] = {"prompt": "another"}
    three["metadata"]["other"] = _mark(one)


def _far_away(made: Json) -> None:
    """Files that begin elsewhere, and markers where nothing is."""
    for clip in clips(made):
        for span in (clip["source_range"], clip["media_references"]["DEFAULT_MEDIA"]["available_range"]):
            span["start_time"]["value"] -= 500
        spans = (time_range(0, 1, 1e308), time_range(0, 1, 1e-300), time_range(0, 1, 0), time_range(1e308, -1, 24))
        clip["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": NASTY, "marked_range": span} for span in spans]


def _badly_named(made: Json) -> None:
    made["name"] = NASTY
    for track in made["tracks"]["children"]:
        track["name"] = NASTY
    for clip in clips(made):
        clip["name"], clip["metadata"] = NASTY, {NASTY: NASTY}
        clip["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": NASTY, "marked_range": time_range(0, 1)}]


def _bad_kinds(made: Json) -> None:
    track = made["tracks"]["children"][0]
    made["tracks"]["children"] = [{**track, "kind": kind} for kind in ("\x1b[2J", "\x9b31m", "\u202e", "")]


def at(url: str) -> Callable[[Json], None]:
    """The change that makes every clip footage at this place."""

    def move(made: Json) -> None:
        for clip in clips(made):
            clip["name"] = url
            named = {"OTIO_SCHEMA": "ExternalReference.1", "name": url, "target_url": url}
            clip["media_references"]["DEFAULT_MEDIA"] |= named
            clip["metadata"].pop("rushes", None)

    return move


_CHANGES: dict[str, Callable[[Json], object]] = {
    "of another film": lambda made: made["metadata"].setdefault("rushes", {}).update(film="0000000a"),
    "two clips claim one use": lambda made: _block(_ours(made)[1]).update(_block(_ours(made)[0])),
    "unknown shots with one use": _strangers,
    "clips whose files say otherwise": _torn,
    "files and markers far away": _far_away,
    "names that move the cursor": _badly_named,
    "kinds that move the cursor": _bad_kinds,
    "a circle": lambda made: items(made)[0]["metadata"].update(
        {"OTIO_REF_ID": "Clip-1", "round": {"OTIO_SCHEMA": "SerializableObjectRef.1", "id": "Clip-1"}}
    ),
    "its items in its metadata": lambda made: made["metadata"].update(x=made["tracks"]),
    "a film in a clip": lambda made: _block(items(made)[0]).update(made["metadata"].get("rushes", {})),
    **{f"media at {url[:30]!a}": at(url) for url in PLACES},
}


def sizes(good: bytes) -> Iterator[Made]:
    """A great many of something."""
    doc = json.loads(good)
    gap = '{"OTIO_SCHEMA": "Gap.1", "source_range": %s}' % json.dumps(time_range(0, 1))  # noqa: UP031 (braces)
    clip = json.dumps(footage("a.mov", 1000, 1))
    yield ".otio 110,000 gaps", wrapped(*[gap] * 110_000)
    yield ".otio 10,000 clips of one file", wrapped(*[clip] * 10_000)
    yield ".otio clips of 10,000,000 frames", wrapped(*[json.dumps(footage("a.mov", 0, 10**7, 10**7))] * 1000)
    yield ".otio a clip from before its file", wrapped(json.dumps(footage("a.mov", -(10**11), 5)))
    layer: Json = {"OTIO_SCHEMA": "Track.1", "children": [footage("a.mov")]}
    yield ".otio 3,000 tracks", changed(doc, ("tracks", "children"), [layer] * 3000)
    shots: Json = {**layer, "children": _ours(doc)}
    yield (
        ".otio a stack of 1,000 layers",
        wrapped(json.dumps({"OTIO_SCHEMA": "Stack.1", "children": [shots, *[layer] * 999]})),
    )
    inner = {"OTIO_SCHEMA": "Stack.1", "children": [shots]}
    for _ in range(40):
        inner = {"OTIO_SCHEMA": "Stack.1", "children": [{**layer, "children": [footage("b.mov", 1000, 7), inner]}]}
    yield ".otio shots at the bottom of 40 stacks", wrapped(json.dumps(inner))
    marker = {"OTIO_SCHEMA": "Marker.2", "name": "m", "marked_range": time_range(0, 1)}
    yield ".otio 50,000 markers", changed(doc, _first("markers"), [marker] * 50_000)
    yield ".otio a name of 9 MB", changed(doc, _first("name"), "0000000a_" * 1_000_000)


# -- everything everywhere -------------------------------------------------------------------------------------


def everywhere(good: bytes) -> Iterator[Made]:
    """Every number that counts as every number that does not, and values of every kind where others belong."""
    doc = json.loads(good)
    places = [place for place in _places(doc) if place[-1] in ("rate", "value", "time_scalar", "shift", "v")]
    for number in NUMBERS:
        for place in places[:: max(1, len(places) // 24)]:
            text = changed(doc, place, "NUMBER").replace(b'"NUMBER"', number.encode())
            yield f".otio {number} at {'.'.join(map(str, place[-5:]))}", text
    for place in dict.fromkeys([*(place for place in _places(doc) if "rushes" in place), *_told()]):
        for value in (*WRONG, *OWN_MARKS, {"x": OWN_MARKS[0]}):
            yield f".otio {str(value)[:20]!a} at {'.'.join(map(str, place[-4:]))}", changed(doc, place, value)
    for kind in (
        "Clip.3",
        "Clip.0",
        "Clip.x",
        "Clip",
        "Track.7",
        "Unknown.9",
        "SerializableObjectRef.1",
        NASTY,
        "",
    ):
        for place in (_first("OTIO_SCHEMA"), ("OTIO_SCHEMA",), ("tracks", "OTIO_SCHEMA")):
            yield f".otio a {kind[:20]!a} at {place}", changed(doc, place, kind)
    for value in (*WRONG, {"marked_range": 5}, {"marked_range": None, "OTIO_SCHEMA": "Marker.3"}):
        for key in ("markers", "effects"):
            yield f".otio one of {key} is {str(value)[:40]!a}", changed(doc, _first(key), [value])


def _told() -> Iterator[Place]:
    for key in ("metadata", "markers", "effects", "media_references", "source_range", "name", "enabled"):
        yield _first(key)
    for key in ("metadata", "markers", "children", "effects", "name", "global_start_time", "kind"):
        yield from (((key,)), ("tracks", key), ("tracks", "children", 0, key))


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _places(part, (*place, key))


def _first(*key: str) -> Place:
    return ("tracks", "children", 0, "children", 0, *key)


def edited(good: bytes, change: Callable[[Json], object]) -> bytes:
    """The file as a script leaves it."""
    doc = json.loads(good)
    change(doc)
    return json.dumps(doc).encode()


def changed(doc: Json, place: Place, value: Any) -> bytes:
    """The text of a document with another value at one place."""
    made = deepcopy(doc)
    inner: Any = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return json.dumps(made).encode()

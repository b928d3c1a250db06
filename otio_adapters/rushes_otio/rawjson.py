"""JSON that is edited without being understood: values nobody changed keep their exact text.

`1.10`, `1e-7` and 2^70 have no faithful Python or C++ value, so foreign values are never decoded. An object is
opened as a dict of raw values, the few keys that change are replaced, and the rest is written back as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from rushes_otio.errors import FileFault

MAX_BYTES = 512 * 1024 * 1024
MAX_DEPTH = 200
INDENT = 2

RawObject = dict[str, Raw]
_T = TypeVar("_T")

_LONG = 4096  # bytes; values up to here are parsed when the keys of an object are counted

_object = msgspec.json.Decoder(RawObject)
_ALL_BUT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")

# OTIO writes floats that JSON has no word for. They are carried as strings nobody else writes.
_NO_JSON = re.compile(rb'"(?:[^"\\]|\\.)*+"?|-?(?:NaN|Infinity|Inf)\b', re.DOTALL)
_MARK = "\ue000rushes:".encode()
_MARKED = re.compile(b'"' + _MARK + rb'(-?(?:NaN|Infinity|Inf))"')


def check(data: bytes, where: str) -> None:
    """FileFault unless `data` is UTF-8 of a size and depth that are safe to parse."""
    if len(data) > MAX_BYTES:
        raise FileFault(
            f"the file has {len(data):,} bytes; the limit is {MAX_BYTES:,}",
            where=where,
            remedy="split the film, or remove what other programs stored in its metadata",
        )
    try:
        if not data.isascii():  # costs nothing, where decoding makes a second copy of a large film
            data.decode()
    except UnicodeDecodeError as e:
        raise FileFault(
            f"byte {e.start} is not UTF-8", where=where, remedy="save the file as UTF-8 text"
        ) from None
    if depth(data) > MAX_DEPTH:
        raise FileFault(
            f"values are nested more than {MAX_DEPTH} levels deep; that is the limit",
            where=where,
            remedy="no editor writes such a file: get it again from its author",
        )


def depth(data: bytes) -> int:
    """How deep the brackets outside strings nest, counted up to one more than `MAX_DEPTH`.

    Works by peeling innermost pairs from the text reduced to its brackets, so its stack does not grow.
    """
    bare = re.sub(rb"\\.", b"", data, flags=re.DOTALL) if b"\\" in data else data
    quoted = bare.translate(None, _ALL_BUT_STRUCTURE).replace(b'""', b"")  # most strings hold no bracket
    kept = b"".join(quoted.split(b'"')[::2]).translate(_BRACES_AS_BRACKETS)
    for level in range(MAX_DEPTH + 1):
        peeled = kept.replace(b"[]", b"")
        if len(peeled) == len(kept):
            return level + kept.count(b"[")
        kept = peeled
    return MAX_DEPTH + 1


def shield(data: bytes) -> bytes:
    """`NaN` and infinities as marked strings, so that a strict parser reads the file. See `unshield`."""
    if b"NaN" not in data and b"Inf" not in data:
        return data

    def mark(found: re.Match[bytes]) -> bytes:
        text = found.group()
        return text if text.startswith(b'"') else b'"' + _MARK + text + b'"'

    return _NO_JSON.sub(mark, data)


def unshield(data: bytes) -> bytes:
    return _MARKED.sub(rb"\1", data) if _MARK in data else data


def open_object(raw: bytes | Raw, where: str) -> RawObject:
    """The values of a JSON object, undecoded. FileFault when it is no object or says a key twice (readers
    disagree on which one counts, so writing it back would silently lose one of the two).
    """
    try:
        opened = _object.decode(raw)
    except (msgspec.DecodeError, RecursionError) as e:
        raise FileFault(
            f"not a JSON object: {e}", where=where, remedy="write it as an object: {} when it is empty"
        ) from None
    keys = _keys_as_written(bytes(raw), opened)
    if len(keys) != len(opened):
        twice = next(k for k in keys if keys.count(k) > 1)
        raise FileFault(
            f"the key {twice!r} is there twice in one object",
            where=where,
            remedy="remove one of the two in a text editor",
        )
    return opened


def _keys_as_written(text: bytes, opened: RawObject) -> list[str]:
    # The longest first: what is left after it is short, also in a film of 10,000 shots.
    short = text
    for value in sorted(map(bytes, opened.values()), key=len, reverse=True):
        if len(value) <= _LONG:
            break
        short = _without(short, value)
    try:
        return _keys(short)
    except ValueError:  # a key has the very text of a long value
        return _keys(text)


def _without(text: bytes, value: bytes) -> bytes:
    """`text` with the first occurrence of a long value replaced by 0. Its beginning is searched for, because
    preparing to search for megabytes takes longer than comparing them.
    """
    at = text.find(value[:_LONG])
    while at >= 0 and not text.startswith(value, at):
        at = text.find(value[:_LONG], at + 1)
    return text if at < 0 else text[:at] + b"0" + text[at + len(value) :]


def _keys(text: bytes) -> list[str]:
    pairs = json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)
    return [key for key, _ in pairs]


def member(opened: RawObject, key: str, where: str) -> RawObject:
    """The object under `key`, opened; an empty one when it is missing or null."""
    raw = opened.get(key)
    return {} if raw is None or bytes(raw) == b"null" else open_object(raw, where)


def read(raw: bytes | Raw, kind: type[_T], where: str) -> _T:
    """A raw value decoded as a type; FileFault when it is something else."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as e:
        raise FileFault(f"unreadable value: {e}", where=where, remedy="correct it in a text editor") from None


def encode(value: object) -> Raw:
    """Any value as raw JSON. Raw values inside it are written as they are."""
    return Raw(msgspec.json.encode(value))


def patch(raw: bytes | Raw, changes: Mapping[str, Raw | None], where: str) -> Raw:
    """The object with some keys replaced or added (at the end); None removes a key."""
    opened = open_object(raw, where)
    for key, value in changes.items():
        if value is None:
            opened.pop(key, None)
        else:
            opened[key] = value
    return encode(opened)


def pretty(raw: bytes | Raw) -> bytes:
    """The text as it goes to disk: two spaces of indent, one value a line, nothing decoded, a final newline."""
    return msgspec.json.format(bytes(raw), indent=INDENT) + b"\n"

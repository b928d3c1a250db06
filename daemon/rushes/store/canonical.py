"""One way to write a value as bytes, so that equal values have equal digests on every machine, for ever."""

from __future__ import annotations

import hashlib
import json

from rushes_otio.errors import BadRequest

DEPTH_LIMIT = 64


def canonical(value: object) -> bytes:
    """JSON in UTF-8, keys sorted by code point, no spaces. Text is taken as it is (no Unicode normalisation).

    Only dicts with text keys, lists, tuples, text, integers, booleans and None: BadRequest for a decimal (its
    digits depend on who writes it: decimals are text here), anything else, or over `DEPTH_LIMIT` levels.
    """
    _check(value, "", DEPTH_LIMIT)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise BadRequest("the text holds half a character", remedy="type the text again") from error


def digest_of(value: object) -> str:
    """sha256 of `canonical(value)`, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: object, where: str, depth: int) -> None:
    if depth == 0:
        raise BadRequest(f"nested over {DEPTH_LIMIT} levels", where=where, remedy="use fewer levels")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise BadRequest(f"the key {key!r} is not text", where=where, remedy="write keys as text")
            _check(inner, f"{where}.{key}" if where else key, depth - 1)
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            _check(inner, f"{where}[{position}]", depth - 1)
    elif isinstance(value, float):
        raise BadRequest(f"{value!r} is a decimal number", where=where, remedy=f'write it as text: "{value!r}"')
    elif not (value is None or isinstance(value, str | int)):
        raise BadRequest(f"{type(value).__name__} has no place here", where=where, remedy="use text or integers")

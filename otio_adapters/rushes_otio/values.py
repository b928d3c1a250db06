"""What a good value of each field of the intent is: readers that normalise it or say what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from rushes_otio.ids import is_id

MAX_TEXT = 20_000
MAX_SEED = 2**63 - 1
MAX_SIDE = 16_384

_SIZE = re.compile(r"([1-9][0-9]{0,4})\s*[xX×]\s*([1-9][0-9]{0,4})")

Value = Any
Reader = Callable[[Value], Value]


class Expected(Exception):
    """Raised by a reader; its text is what a good value would have been."""


def text(value: Value) -> str:
    if not isinstance(value, str):
        raise Expected("text in quotes")
    if len(value) > MAX_TEXT:
        raise Expected(f"a text of at most {MAX_TEXT:,} characters")
    return value.strip()


def name(value: Value) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,80}", value):
        raise Expected("a name of letters, digits and _ . : / -")
    return value


def entry(value: Value) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\w{1,80}", value):
        raise Expected("the name of a library entry")
    return value


def seed(value: Value) -> str:
    # A string, because OpenTimelineIO clamps large integers without a word.
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,40}", value) or int(value) > MAX_SEED:
        raise Expected(f'digits in a string, from "0" to "{MAX_SEED}"')
    return str(int(value))


def steps(value: Value) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1000:
        raise Expected("a whole number from 1 to 1000")
    return value


def decimal(value: Value) -> str:
    """A decimal number in its one canonical spelling: `5.0`, `"5.00"` and `5` are all `"5"`."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
            raise Expected("a decimal number")
        number = Decimal(str(value).strip())
        if not number.is_finite() or abs(number.adjusted()) > 20:
            raise Expected("a decimal number of ordinary size")
    except InvalidOperation:
        raise Expected("a decimal number") from None
    plain = format(number, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def strength(value: Value) -> str:
    text = decimal(value)
    if not 0 <= Decimal(text) <= 1:
        raise Expected("a decimal number from 0 to 1")
    return text


def choice(*allowed: str) -> Reader:
    def read(value: Value) -> str:
        if value not in allowed:
            raise Expected("one of " + ", ".join(allowed))
        return str(value)

    return read


def path(value: Value) -> str:
    if not isinstance(value, str) or not value or len(value) > 4096 or "\0" in value:
        raise Expected("the path of a file")
    return value


def _object(value: Value, keys: Mapping[str, Reader], expected: str, needed: frozenset[str]) -> dict[str, Value]:
    if not isinstance(value, dict) or not needed <= set(value) or not set(value) <= set(keys):
        raise Expected(expected)
    return {key: keys[key](value[key]) for key in keys if key in value}


def keyframe(value: Value) -> dict[str, Value]:
    if isinstance(value, dict) and "image" in value:
        return _object(value, {"image": path}, '{"image": PATH}', frozenset({"image"}))
    return _object(
        value,
        {"model": name, "prompt": text},
        '{"image": PATH}, or {"model": NAME, "prompt": TEXT}',
        frozenset(),
    )


def _use(value: Value) -> str:
    if not is_id(value):
        raise Expected("the id of a use (eight characters, as rushes status shows them)")
    return str(value)


def _counted(value: Value) -> Value:
    """A frame number typed as text, as a number; anything else as it is."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value


def _at(value: Value) -> str | int:
    value = _counted(value)
    if value == "out" or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000_000):
        return value  # type: ignore[no-any-return]
    raise Expected('"out", or the number of a frame')


def boundary(value: Value) -> dict[str, Value]:
    expected = '{"image": PATH}, or {"from": USE, "at": "out" or a frame number}'
    if isinstance(value, dict) and "image" in value:
        return _object(value, {"image": path}, expected, frozenset({"image"}))
    found = _object(value, {"from": _use, "at": _at}, expected, frozenset({"from"}))
    return {"at": "out"} | found


def rows(keys: Mapping[str, Reader], expected: str, needed: str, most: int = 64) -> Reader:
    def read(value: Value) -> list[dict[str, Value]]:
        if not isinstance(value, list) or len(value) > most:
            raise Expected(f"a list of at most {most} of {expected}")
        return [_object(row, keys, f"a list of {expected}", frozenset({needed})) for row in value]

    return read


def weight(value: Value) -> str:
    text = decimal(value)
    if abs(Decimal(text)) > 10:
        raise Expected("a weight from -10 to 10")
    return text


def params(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict) or len(value) > 64 or any(not isinstance(k, str) for k in value):
        raise Expected("an object of at most 64 named values")
    return {k: _param(value[k]) for k in sorted(value)}


def _param(value: Value) -> Value:
    if isinstance(value, list) and len(value) <= 256:
        return [_param(v) for v in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else decimal(value)
    if value is None or isinstance(value, str | int):
        return value
    raise Expected("parameters that are text, whole numbers, decimals, true, false, null or lists of these")


def _size(value: Value) -> str:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Expected('a size like "1920x1080"')
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or not (16 <= width <= MAX_SIDE and 16 <= height <= MAX_SIDE):
        raise Expected(f'a size like "1920x1080": even numbers from 16 to {MAX_SIDE}')
    return f"{width}x{height}"


def _handles(value: Value) -> int:
    value = _counted(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1000:
        raise Expected("a whole number of frames from 0 to 1000")
    return value


_DELIVERY: dict[str, Reader] = {
    "size": _size,
    "codec": choice("prores", "dnxhr", "h264"),
    "handles": _handles,
}


def delivery(value: Value) -> dict[str, Value]:
    return _object(value, _DELIVERY, "an object with any of size, codec and handles", frozenset())

"""What the daemon says, looked at before anything relies on it: fields that are needed are there, and those that
are read are of the right kind. Fields that are not read here may hold anything: another version may have more.

A check says what is wrong with a value, "" where nothing is; a place in front of it names the part:
`.shots[3].take is no text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str]

MOST_ROWS = 100_000
"""Of any list. Twice a long feature has some thousand shots."""

DEEPEST = 20
"""Lists and objects in each other, in a value of an intent."""

_FAR = 10_000_000
"""No frame of a film is further away: it would be five days long."""

_RATE = re.compile("[1-9][0-9]{0,5}/[1-9][0-9]{0,5}")
_SPEED = re.compile("(-?[0-9]{1,6}([.][0-9]{1,12})?)?")


def _text(value: object) -> str:
    return "" if isinstance(value, str) else " is no text"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else " is neither true nor false"


def _number(value: object) -> str:
    """NaN and infinity are none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and -(2**53) < value < 2**53
    return "" if is_number else " is no number"


def _shallow(value: object, depth: int = 0) -> str:
    """Any value of an intent: who shows one goes into it without fear."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    is_deep = depth > DEEPEST or any(_shallow(part, depth + 1) for part in parts)
    return f" is nested deeper than {DEEPEST}" if is_deep else ""


def _whole(least: int, most: int) -> Check:
    def check(value: object) -> str:
        is_int = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return "" if is_int else f" is no whole number from {least} to {most}"

    return check


def _matching(pattern: re.Pattern[str], called: str) -> Check:
    return lambda value: "" if isinstance(value, str) and pattern.fullmatch(value) else f" is no {called}"


def _or_null(of: Check) -> Check:
    return lambda value: "" if value is None else of(value)


def _listed(of: Check) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, list) or len(value) > MOST_ROWS:
            return f" is no list of at most {MOST_ROWS}"
        return next((f"[{at}]{wrong}" for at, each in enumerate(value) if (wrong := of(each))), "")

    return check


def _pair(first: Check, second: Check) -> Check:
    def check(value: object) -> str:
        return (
            first(value[0]) or second(value[1]) if isinstance(value, list) and len(value) == 2 else " is no pair"
        )

    return check


def _mapped(of: Check) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, dict):
            return " is no object"
        return next((f".{key}{wrong}" for key, each in value.items() if (wrong := of(each))), "")

    return check


def _fields(needed: dict[str, Check], read: dict[str, Check] | None = None) -> Check:
    """An object. What is only `read` may be missing."""
    every = [*needed.items(), *(read or {}).items()]

    def check(value: object) -> str:
        if not isinstance(value, dict):
            return " is no object"
        missing = next((name for name in needed if name not in value), None)
        if missing is not None:
            return f" has no {missing}"
        found = ((name, of(value[name])) for name, of in every if name in value)
        return next((f".{name}{wrong}" for name, wrong in found if wrong), "")

    return check


_FRAME, _LENGTH, _JOB, _CHANNEL = _whole(-_FAR, _FAR), _whole(0, _FAR), _whole(0, 2**53), _whole(1, 1024)
_SIZE = _pair(_whole(1, 99_999), _whole(1, 99_999))
_TEXTS = _listed(_text)
_ERROR = _fields({"text": _text}, {"kind": _text, "where": _text, "remedy": _text})
_LEFT = {"seconds_left": _or_null(_number)}

_REASON = _fields({}, {"input": _text, "via": _or_null(_TEXTS), "was": _shallow, "now": _shallow})
_STATUS_ROW = _fields(
    {"shot": _text},
    {
        "name": _text,
        "scene": _text,
        "state": _text,
        "take": _or_null(_text),
        "uses": _TEXTS,
        "locked": _flag,
        "waiting": _or_null(_text),
        "reasons": _listed(_REASON),
        "fault": _or_null(_ERROR),
        "notes": _TEXTS,
    },
)
_JOB_ROW = _fields({"job": _JOB, "shot": _text}, {"state": _text, "name": _text})
_COUNTS = _mapped(_whole(0, _FAR))
_SCENE = _fields({}, {"scene": _text, "code": _text, "name": _text})
_STATUS = _fields({"shots": _listed(_STATUS_ROW)}, {"counts": _COUNTS, "scenes": _listed(_SCENE), "rate": _text})
_PROGRESS = _fields({"job": _JOB, "shot": _text}, {"stage": _text, "done": _number, "total": _number, **_LEFT})
_TAKE_SHOWN = {"shot": _text, "take": _text, "path": _text, "frames": _LENGTH, "size": _SIZE}
_SHOWING = _fields(_TAKE_SHOWN, {"zero": _FRAME, "footage": _or_null(_pair(_text, _FRAME))})
_JOB_EVENT = {"job": _JOB, "shot": _text}

_EVENTS: dict[str, Check] = {
    "state": _fields(
        {"status": _STATUS},
        {"jobs": _listed(_JOB_ROW), "progress": _listed(_PROGRESS), "paused": _flag, "watched": _flag},
    ),
    "shots": _fields({"rows": _listed(_STATUS_ROW)}, {"gone": _TEXTS, "counts": _COUNTS}),
    "queued": _fields({"jobs": _listed(_JOB_ROW)}, _LEFT),
    "progress": _PROGRESS,
    "preview": _fields({**_JOB_EVENT, "jpeg": _text}),
    "ready": _fields({**_JOB_EVENT, **_TAKE_SHOWN}, {"chosen": _flag}),
    "failed": _fields({**_JOB_EVENT, "error": _ERROR}, {"name": _text}),
    "dropped": _fields(_JOB_EVENT, {"name": _text, "how": _text, "because": _text}),
    "warned": _fields({"text": _text}),
    "unreadable": _fields({"error": _ERROR}),
    "watched": _fields({"on": _flag}),
    "queue_state": _fields({"paused": _flag}),
}

_ROW = _fields(
    {"key": _text, "kind": _text, "channel": _CHANNEL, "left": _FRAME, "right": _FRAME},
    {
        **dict.fromkeys(("use", "shot", "name", "path", "inside", "text"), _text),
        "first": _FRAME,
        "length": _LENGTH,
        "enabled": _flag,
        "speed": _matching(_SPEED, "speed"),
        "size": _or_null(_SIZE),
        "zero": _FRAME,
    },
)
_DISSOLVE = _fields(
    {"key": _text, "channel": _CHANNEL, "left": _FRAME, "right": _FRAME, "out": _text, "into": _text},
    {"kind": _text},
)
_TRACK = _fields({}, {"label": _text, "name": _text, "channel": _whole(0, 1024), "enabled": _flag})
_PULL = _fields(
    {
        "changed": _flag,
        "ids": _listed(_fields({"key": _text}, {"use": _text, "shot": _text})),
        "add": _listed(_ROW),
        "media": _listed(_SHOWING),
        "known": _TEXTS,
        "lacking": _LENGTH,
    },
    {
        "dissolves": _listed(_DISSOLVE),
        "rate": _matching(_RATE, "rate"),
        "size": _SIZE,
        "length": _LENGTH,
        "tracks": _listed(_TRACK),
        "scenes": _listed(_fields({"name": _text, "start": _FRAME})),
        "notes": _TEXTS,
    },
)
_TAKE = _fields({"take": _text}, {"path": _or_null(_text), "frames": _LENGTH, "size": _or_null(_SIZE)})
_NAMED = _fields({"name": _text}, {"kind": _text, "description": _text, "what": _text})
_LEVEL = _fields({}, {"level": _text, "name": _text, "value": _shallow})
_REFUSED = {"name": _text}

_ANSWERS: dict[str, Check] = {
    "daemon": _fields({}, {"version": _text}),
    "pull": _PULL,
    "media": _fields({"media": _listed(_SHOWING)}),
    "library": _fields({}, {"entries": _listed(_NAMED), "models": _listed(_NAMED), "cameras": _TEXTS}),
    "fork": _fields({"use": _text, "shot": _text}),
    "takes": _fields({}, {"takes": _listed(_TAKE)}),
    "show": _fields({}, {"own": _mapped(_shallow), "inherits": _mapped(_listed(_LEVEL)), "seed": _text}),
    "render": _fields(
        {},
        {
            "jobs": _listed(_shallow),
            "failed": _listed(_fields({**_REFUSED, "error": _text, "remedy": _text})),
            "skipped": _listed(_fields({**_REFUSED, "because": _text})),
        },
    ),
}


def wrong_event(body: dict[str, Any]) -> str:
    """What is wrong with a state or an event; "" where nothing is, and for types that are not known here."""
    return _said(_EVENTS.get(str(body.get("type"))), body)


def wrong_answer(command: str, result: object) -> str:
    """What is wrong with the result of a command, by its type."""
    return _said(_ANSWERS.get(command, _mapped(_shallow)), result)


def _said(check: Check | None, value: object) -> str:
    return check(value).strip() if check is not None else ""

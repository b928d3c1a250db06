"""How states, reasons and times read: rows and errors of the daemon as words for people. Plain Python, no Blender.

Nothing here is made harmless yet: whoever draws a text does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final, NamedTuple

Row = Mapping[str, Any]


class State(NamedTuple):
    """How a state of a shot is called, and the icon that stands for it."""

    word: str
    icon: str


STATES: Final[dict[str, State]] = {
    "fresh": State("Up to date", "CHECKMARK"),
    "stale": State("Out of date", "FILE_REFRESH"),
    "missing": State("Not rendered yet", "RADIOBUT_OFF"),
    "invalid": State("Cannot be rendered", "ERROR"),
    "queued": State("Waiting to render", "TIME"),
    "rendering": State("Rendering", "RENDER_ANIMATION"),
    "failed": State("Failed", "CANCEL"),
}
UNKNOWN: Final = State("Not in the film", "QUESTION")

_COUNTED: Final = ("rendering", "queued", "fresh", "stale", "missing", "invalid", "failed")

_CALLED: Final = {"missing": "not rendered"}
"""States that are called otherwise where they are counted: it is not their files that are missing."""

_INPUTS: Final = {
    "caption": "name in the prompt",
    "cast": "who is mentioned",
    "first_frame": "first frame",
    "last_frame": "last frame",
    "model.fingerprint": "files of the model",
    "keyframe.model": "model of the still",
    "delivery.size": "size",
    "delivery.codec": "codec",
    "delivery.handles": "handles",
}

_SHOWN: Final = 48
"""Characters of a value in a line of reasons."""

_SAME: Final = 3
"""So many words that did not change divide two changes of a text."""

_HUNKS: Final = 3
"""Changes of a text that are told."""


def state_of(row: Row) -> State:
    """The state that a row of `status` tells."""
    return STATES.get(str(row.get("state")), UNKNOWN)


def counts(found: Mapping[str, int]) -> str:
    """`2 rendering · 12 fresh · 3 stale · 1 not rendered`."""
    said = [f"{found[state]} {_CALLED.get(state, state)}" for state in _COUNTED if found.get(state)]
    return " · ".join(said) or "no shots"


def reasons(row: Row) -> list[str]:
    """Why a shot is stale, a line each."""
    return [_reason(reason) for reason in row.get("reasons") or ()]


def _reason(reason: Row) -> str:
    changed, was, now = str(reason.get("input", "")), reason.get("was"), reason.get("now")
    through = ", ".join(str(name) for name in reason.get("via") or ())
    if changed == "frames":
        return f"The cut shows {now} frames, the take has {was}"
    name = _INPUTS.get(changed, changed.replace("_", " "))
    if through:
        return f"{name}: comes from {through}" + (", which is to be rendered first" if now is None else "")
    if isinstance(was, Mapping | list) and isinstance(now, Mapping | list):
        return f"{name}: another one"
    if changed.endswith("fingerprint"):
        return f"The {name} changed"
    return f"{name}: {_change(value(was), value(now))}"


@lru_cache(256)
def _change(before: str, today: str) -> str:
    """What differs between two texts: the words that changed, with one beside them where they say little alone."""
    was, now = before.split(), today.split()
    hunks = _hunks(was, now)
    told = [f"{_with_word(was, a, b, c, d)} → {_with_word(now, c, d, a, b)}" for a, b, c, d in hunks[:_HUNKS]]
    return "; ".join(told) + ("; …" if len(hunks) > _HUNKS else "")


def _hunks(was: list[str], now: list[str]) -> list[tuple[int, int, int, int]]:
    """Where two lists of words differ, as slices of both. Differences with little between them are one."""
    found: list[tuple[int, int, int, int]] = []
    for tag, a, b, c, d in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if found and a - found[-1][1] < _SAME:
            a, c = found.pop()[::2]
        found.append((a, b, c, d))
    return found


def _with_word(text: list[str], first: int, last: int, other_first: int, other_last: int) -> str:
    """Words of a text; where one of the two sides has none, or both have one, with a word that both share."""
    least, most = sorted((last - first, other_last - other_first))
    if least == 0 and first:
        first -= 1  # "walks → walks slowly"
    elif most <= 1 and last < len(text):
        last += 1  # "red raincoat → green raincoat"
    return shorten(" ".join(text[first:last]).rstrip(",;.:") or "nothing")


def value(given: object) -> str:
    """A value of an intent or a recipe, on one line."""
    if given is None or given == "":
        return "nothing"
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, Mapping):
        if "image" in given:
            return PurePath(str(given["image"])).name
        if "from" in given:
            return "the end of another shot" if given.get("at") == "out" else "a frame of another shot"
        return ", ".join(f"{key} {value(part)}" for key, part in given.items())
    if isinstance(given, list | tuple):
        return ", ".join(value(part) for part in given)
    return " ".join(str(given).split())


def shorten(text: str, limit: int = _SHOWN) -> str:
    """`text` with at most `limit` characters, cut between words where that is possible."""
    if len(text) <= limit:
        return text
    room = text[: limit - 1]
    cut = room.rpartition(" ")[0]
    return (cut if len(cut) > limit // 2 else room).rstrip(" ,;.") + "…"


def fault(row: Row) -> tuple[str, str]:
    """What stands against rendering a shot, and what to do; both empty where nothing does."""
    found = row.get("fault") or {}
    return str(found.get("text") or ""), str(found.get("remedy") or "")


def time_left(seconds: float | None) -> str:
    """`40 s left`, `3 min left`, `1 h 20 min left`; "" while that is not known."""
    if seconds is None or not 0 <= seconds < 1e7:
        return ""
    if seconds < 60:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return (f"{hours} h {rest} min" if hours else f"{minutes} min") + " left"


def fraction(progress: Row) -> float:
    """How far a stage is, from 0 to 1; 0 while nobody knows how long it is."""
    done, total = progress.get("done") or 0, progress.get("total") or 0
    return min(1.0, max(0.0, done / total)) if total else 0.0


def rendering(progress: Row) -> str:
    """`motion 12/40`, as a progress bar says it."""
    stage = str(progress.get("stage") or "starting")
    total = progress.get("total") or 0
    return f"{stage} {progress.get('done') or 0}/{total}" if total else stage


def take_of(takes: list[dict[str, Any]], chosen: object) -> str:
    """`t002 of 4`."""
    if not chosen:
        return f"none of {len(takes)}" if takes else "no take yet"
    return f"{chosen} of {len(takes)}" if takes else str(chosen)


def inherited(told: Iterable[Row]) -> list[str]:
    """What other levels say about a text, a line each: `Scene SC010: …`, `@ida: …`."""
    return [f"{_level(row)}: {value(row.get('value'))}" for row in told]


def _level(row: Row) -> str:
    level, name = str(row.get("level") or ""), str(row.get("name") or "")
    return f"@{name}" if level == "character" else f"{level.capitalize()} {name}".strip()


def wrapped(text: str, room: float, most: int = 6, width_of: Callable[[str], float] = len) -> list[str]:
    """`text` in lines that are at most `room` wide, as `width_of` tells; at most `most` lines, the last one
    ending in … then."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and width_of(f"{line} {word}") <= room:
            line = f"{line} {word}"
            continue
        lines += [line] if line else []
        *full, line = _pieces(word, room, width_of)
        lines += full
        if len(lines) >= most:
            return [*lines[: most - 1], _ended(lines[most - 1], room, width_of)]
    return [*lines, line] if line else lines


def _pieces(word: str, room: float, width_of: Callable[[str], float]) -> list[str]:
    """A word, taken apart where it is wider than a line."""
    found = [""]
    for letter in word:
        if found[-1] and width_of(found[-1] + letter) > room:
            found.append("")
        found[-1] += letter
    return found


def _ended(line: str, room: float, width_of: Callable[[str], float]) -> str:
    while line and width_of(line + "…") > room:
        line = line[:-1]
    return line.rstrip(" ,;.") + "…"

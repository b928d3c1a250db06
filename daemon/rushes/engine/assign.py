"""`KEY=VALUE` as people type it, turned into the intent of a level.

Texts are taken as typed; dicts and lists are JSON, or dotted (`delivery.codec=dnxhr`); `KEY=` unsets. Paths are
relative to where the person is, and pictures from outside are copied beside the film.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.adding import use_of
from rushes_otio.errors import BadRequest, ShotFault
from rushes_otio.film import Film
from rushes_otio.ids import is_id
from rushes_otio.intent import FIELDS, near_fields, read_value
from rushes_otio.pointing import find_place, find_shot
from rushes_otio.setting import Level
from rushes_otio.text import printable

_ASSIGNMENT = re.compile(r"([A-Za-z_]+(?:\.[A-Za-z_][A-Za-z0-9_]*)?)=(.*)", re.DOTALL)
_STRUCTURED = frozenset({"keyframe", "first_frame", "last_frame", "references", "loras", "params", "delivery"})
_PATH_KEYS = frozenset({"image", "file"})
_LEVEL_NAMES = {"character": "library", "style": "library", "location": "library"}

Adopt = Callable[[Path], str]
"""Says how the film calls a file that a person named, copying it beside the film if need be."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """`root.part=text`; `part` is empty for a whole field."""

    root: str
    part: str
    text: str

    @property
    def field(self) -> str:
        return f"{self.root}.{self.part}" if self.part else self.root


def is_assignment(text: str) -> bool:
    """Whether an argument is `KEY=VALUE` and not a shot."""
    return _ASSIGNMENT.fullmatch(text) is not None


def parse(text: str, level: str) -> Assignment:
    """`KEY=VALUE` for a level; BadRequest, with near names, for a field that does not exist there."""
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise BadRequest(
            f"{printable(text, 80)!r} is no KEY=VALUE", remedy='for example prompt="a harbour at dawn"'
        )
    root, _, part = match[1].partition(".")
    kind = _LEVEL_NAMES.get(level, level)
    if root not in FIELDS or kind not in FIELDS[root].levels:
        raise BadRequest(
            f"there is no field {root!r} on a {level}", remedy="fields: " + ", ".join(near_fields(root, kind))
        )
    if part and root not in _STRUCTURED:
        raise BadRequest(f"{root} has no part {part!r}", remedy=f"set it whole: {root}=…")
    return Assignment(root, part, match[2])


class Assigner:
    """Applies assignments to the intent of one level of a film."""

    def __init__(self, film: Film, level: Level, adopt: Adopt, here: Path) -> None:
        """`here` is the folder that paths are relative to, where the film's own folder has no such file."""
        self._film = film
        self._level = level
        self._adopt = adopt
        self._here = here

    def apply(self, intent: dict[str, Raw], assignment: Assignment) -> dict[str, Raw]:
        """The intent with one assignment made. BadRequest for a value that the field cannot have."""
        changed = dict(intent)
        value = self._value(assignment, intent.get(assignment.root))
        if value is None:
            changed.pop(assignment.root, None)
            return changed
        kind = _LEVEL_NAMES.get(self._level.kind, self._level.kind)
        try:
            changed[assignment.root] = rawjson.encode(read_value(assignment.root, value, kind, self._film.where))
        except ShotFault as e:
            raise BadRequest(e.text, where=e.where, remedy=e.remedy) from None
        return changed

    def _value(self, given: Assignment, current: Raw | None) -> Any:  # noqa: ANN401
        """The new value of the whole field; None to unset it."""
        if given.part:
            return self._with_part(given, current)
        if given.text == "":
            return None
        if given.root in _STRUCTURED:
            return self._resolved(_json(given))
        if given.root == "steps" and given.text.isdecimal():
            return int(given.text)
        if given.root in ("plate", "mask") and not is_id(given.text):
            return self._adopt(self._here / given.text)
        return given.text

    def _with_part(self, given: Assignment, current: Raw | None) -> Any:  # noqa: ANN401
        before = msgspec.json.decode(current) if current is not None else {}
        whole = dict(before) if isinstance(before, dict) else {}
        if given.text == "":
            whole.pop(given.part, None)
            return whole or None
        if given.root in ("first_frame", "last_frame", "keyframe"):
            # A picture and a pointer exclude each other: setting one takes the other away.
            whole = {} if (given.part == "image") != ("image" in whole) else whole
        value = _scalar(given.text) if given.root == "params" else given.text
        return self._resolved({**whole, given.part: value})

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401
        """Paths as the film calls them, and shots that are pointed at by the id of their use."""
        if isinstance(value, list):
            return [self._resolved(row) for row in value]
        if not isinstance(value, dict):
            return value
        made = dict(value)
        for key in _PATH_KEYS & made.keys():
            if isinstance(made[key], str):
                made[key] = self._path(made[key])
        if isinstance(made.get("from"), str):
            made["from"] = self._use(made["from"])
        return made

    def _path(self, text: str) -> str:
        folder = Path(self._film.where).parent
        given = self._here / text
        inside = not Path(text).is_absolute() and not given.exists() and (folder / text).is_file()
        return text if inside else self._adopt(given)

    def _use(self, text: str) -> str:
        if is_id(text) and self._film.find_use(text):
            return text
        place = find_place(self._film, text)
        if place is not None:
            return use_of(self._film, *place)
        items = find_shot(self._film, text).items
        if len(items) > 1:
            uses = ", ".join(str(i.use) for i in items)
            raise BadRequest(f"{text} is used {len(items)} times in the cut", remedy=f"say which use: {uses}")
        return str(items[0].use)


def _json(given: Assignment) -> Any:  # noqa: ANN401
    try:
        return json.loads(given.text)
    except ValueError:
        raise BadRequest(
            f"{given.root} is {printable(given.text, 80)!r}, which is no JSON",
            remedy=f'write {given.root}=\'{{"…": "…"}}\', or one part: {given.root}.PART=VALUE',
        ) from None


def _scalar(text: str) -> Any:  # noqa: ANN401
    """A parameter as typed: true, false, null and whole numbers are those; all else is text."""
    if text in ("true", "false", "null") or re.fullmatch(r"-?[0-9]{1,18}", text):
        return json.loads(text)
    return text

"""A shot as a row of a spreadsheet: which of its cells people edit, and how text stays text there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec
from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.errors import FileFault
from rushes_otio.items import Item
from rushes_otio.schema import ShotBlock
from rushes_otio.tracks import Track

NOTE = "note"
"""The one editable column that is no field of the intent."""

EDITABLE = {
    "Prompt": "prompt",
    "Action": "action",
    "Negative": "negative",
    "Camera": "camera",
    "Style": "style",
    "Location": "location",
    "Model": "model",
    "Seed": "seed",
    "Note": NOTE,
}
"""Columns that may be changed, and what each of them sets on the shot."""

EXPORTED = "Exported"
"""The column of `mark`: it tells rows that nobody touched, also when the film has been changed since."""

# What a spreadsheet runs as a formula, or rounds as a number: a seed of 19 digits, an id such as 12345e67.
_MISTAKEN = re.compile(r"'*(?:[=+\-@\t\r\n＝＋－＠]|[0-9]{16,}\Z|[0-9]+[eE][0-9]+\Z)")


def guarded(text: str) -> str:
    """`text` as a cell that a spreadsheet leaves alone: with an apostrophe before it where it needs one."""
    return f"'{text}" if _MISTAKEN.match(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell: `guarded` taken back, whatever the text was."""
    return cell[1:] if cell.startswith("'") and _MISTAKEN.match(cell) else cell


def own_cells(block: ShotBlock, where: str) -> dict[str, str]:
    """What the shot itself sets, by the names in `EDITABLE`: nothing inherited, empty where it sets nothing.

    A value that is no text stands there as JSON; of an intent that cannot be read, nothing does.
    """
    try:
        intent = rawjson.open_object(block.intent, where)
    except FileFault:
        intent = {}
    cells = {name: _text(intent.get(name)) for name in EDITABLE.values()}
    return {**cells, NOTE: block.note}


def _text(raw: Raw | None) -> str:
    if raw is None:
        return ""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:  # a number that no computer holds, such as 1e400
        value = None
    return value if isinstance(value, str) else bytes(raw).decode()


def plain(text: str) -> str:
    """Without what spreadsheets change by themselves: how lines end, and spaces around a text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def mark(shot: str, cells: Mapping[str, str]) -> str:
    """Of the cells that people edit in a row: `#` and twelve hexadecimal digits."""
    texts = [shot, *(plain(cells[name]) for name in EDITABLE.values())]
    return f"#{hashlib.sha256(repr(texts).encode()).hexdigest()[:12]}"


def is_external(track: Track, item: Item) -> bool:
    """Whether an item is a row without a shot: picture that Rushes did not make."""
    return track.kind == "Video" and item.kind in ("Clip", "Stack") and item.block is None

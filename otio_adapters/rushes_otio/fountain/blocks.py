"""From the text of a script to its paragraphs, with the notes taken out and their line numbers kept.

Fountain's own notes are dropped by screenplain, so they are lifted out here, before it sees a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rushes_otio.errors import FileFault

MAX_CHARACTERS = 5_000_000
MAX_PARAGRAPHS = 50_000
MAX_PARAGRAPH = 5_000
"""A feature film has about 200,000 characters in 3,000 paragraphs; a whole page has 3,000 characters."""

# screenplain marks emphasis with U+E700..E706 and fails on a text that brings its own; the next one is ours.
_HIDDEN_LINE = "\ue708"
_HARMLESS: dict[int, str | None] = {
    **dict.fromkeys((*range(9), *range(11, 32), 127), " "),
    **dict.fromkeys(range(0xE700, 0xE710)),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
_BONEYARD = re.compile(r"/\*.*?\*/", re.DOTALL)
_NOTE = re.compile(r"\[\[(?P<body>(?:(?!\[\[|\]\]).)*)(?P<close>\]\])?", re.DOTALL)
_HEADING_LINE = re.compile(r"\s*(?:INT\.?/EXT|INT|EXT|EST|I/E)(?:\.\s*|\s+)\S")


@dataclass(frozen=True, slots=True)
class Note:
    """The inside of `[[…]]`."""

    text: str
    line: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Lines between blank lines, without notes, tabs expanded; no lines when only notes stood there."""

    line: int
    lines: tuple[str, ...]
    notes: tuple[Note, ...]


def blocks(text: str) -> Iterator[Block]:
    """The paragraphs of a script in order. FileFault over a limit, with the line in `where`."""
    if len(text) > MAX_CHARACTERS:
        raise FileFault(
            f"the script has {len(text):,} characters, more than {MAX_CHARACTERS:,}",
            remedy="split it into several scripts",
        )
    clean = "\n".join(text.removeprefix("\ufeff").splitlines()).translate(_HARMLESS)
    for count, (line, lines) in enumerate(_paragraphs(_without_boneyard(clean)), 1):
        if count > MAX_PARAGRAPHS:
            raise FileFault(
                f"the script has more than {MAX_PARAGRAPHS:,} paragraphs",
                where=f"line {line}",
                remedy="split it into several scripts",
            )
        yield _block(line, lines)


def unclosed_boneyard(text: str) -> int | None:
    """The line of a `/*` that is never closed: its text was meant to be cut, and is read."""
    tail = text.rpartition("*/")[2]
    start = tail.find("/*")
    return None if start < 0 else len(text[: len(text) - len(tail) + start + 1].splitlines())


def _without_boneyard(text: str) -> str:
    # Only up to the last close: an open one behind it would make the search quadratic.
    head, close, tail = text.rpartition("*/")
    return _BONEYARD.sub(lambda cut: _HIDDEN_LINE * cut[0].count("\n"), head + close) + tail


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, lines) of each paragraph. A heading in capitals is one by itself, blank line or not."""
    gathered: list[str] = []
    start = number = 1
    for line in [*text.split("\n"), ""]:
        alone = _HEADING_LINE.match(line) is not None
        if gathered and (alone or _is_blank(line)):
            yield start, gathered
            gathered = []
        if alone:
            yield number, [line]
        elif gathered or not _is_blank(line.strip()):
            start = start if gathered else number
            gathered.append(line)
        number += 1 + line.count(_HIDDEN_LINE)


def _is_blank(line: str) -> bool:
    # Fountain: a line of two spaces keeps a paragraph together.
    shown = line.replace(_HIDDEN_LINE, "")
    return not shown.strip() and shown != "  "


def _block(line: int, lines: list[str]) -> Block:
    text = "\n".join(lines)
    length = len(text) - text.count(_HIDDEN_LINE)
    if length > MAX_PARAGRAPH:
        raise FileFault(
            f"a paragraph has {length:,} characters, more than {MAX_PARAGRAPH:,}",
            where=f"line {line}",
            remedy="break it up with blank lines: every paragraph of action becomes a shot",
        )
    notes: list[Note] = []
    kept = _NOTE.sub(lambda found: _lift(found, line, notes), text)
    shown = [row.replace(_HIDDEN_LINE, "").expandtabs(4) for row in kept.split("\n")]
    return Block(line, tuple(row for row in shown if row.strip()), tuple(notes))


def _lift(found: re.Match[str], line: int, notes: list[Note]) -> str:
    """Moves one note into `notes`; what stays in the text. An unclosed note ends with its line."""
    before = found.string[: found.start()]
    at = line + before.count("\n") + before.count(_HIDDEN_LINE)
    body, rest = found["body"], ""
    if not found["close"]:
        body, _, rest = body.partition("\n")
    words = " ".join(body.replace(_HIDDEN_LINE, " ").split())
    notes.append(Note(words, at, closed=bool(found["close"])))
    return "\n" + rest if rest else ""

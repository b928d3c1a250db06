"""Reads a screenplay, from a text or from a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rushes_otio.errors import FileFault
from rushes_otio.fountain.blocks import blocks, unclosed_boneyard
from rushes_otio.fountain.build import build
from rushes_otio.fountain.elements import elements
from rushes_otio.fountain.notes import NOTE_FIELDS, read_notes
from rushes_otio.fountain.script import Script
from rushes_otio.intent import FIELDS
from rushes_otio.timing import Rate

MAX_BYTES = 5_000_000
"""A feature film's script has about 200,000."""

_OTHERS = {
    b"<?xml": "an XML file, perhaps from Final Draft",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a word processor's file",
    b"\xd0\xcf\x11\xe0": "a word processor's file",
    b"{\\rtf": "an RTF file",
}
_EXAMPLE = "write at least one paragraph, for example: INT. HARBOUR - NIGHT, a blank line, Mara looks out to sea."


def parse_script(text: str, rate: Rate, fields: frozenset[str] = NOTE_FIELDS) -> Script:
    """The scenes, shots and library of a Fountain script, with durations in frames at `rate`.

    `fields` are the intent fields that notes may set. What cannot be used becomes a warning; FileFault only
    for a text with nothing to film or over a limit, with the line in `where`.
    """
    if "\0" in text:
        raise FileFault("this is not a text", remedy="save the script as plain text, in UTF-8")
    paragraphs = [
        (found, read_notes(found.notes, rate, fields & FIELDS.keys())) for found in elements(blocks(text))
    ]
    script = build(paragraphs, rate)
    if not script.scenes:
        raise FileFault("no scene heading and no action was found in the script", where="line 1", remedy=_EXAMPLE)
    if line := unclosed_boneyard(text):
        warning = f"line {line}: a cut opened with /* is never closed with */; it was read as text"
        return replace(script, warnings=(warning, *script.warnings))
    return script


def read_script(path: Path, rate: Rate) -> Script:
    """`parse_script` of a file in UTF-8, or in Windows-1252 with a warning. FileFault names file and line."""
    text, warnings = _decoded(path, _content(path))
    try:
        script = parse_script(text, rate)
    except FileFault as fault:
        where = ", ".join(filter(None, (str(path), fault.where)))
        raise FileFault(fault.text, where=where, remedy=fault.remedy) from None
    return replace(script, warnings=(*warnings, *script.warnings))


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FileFault("there is no such script file", where=str(path), remedy="check the path")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileFault(
            f"the script cannot be read: {error.strerror}", where=str(path), remedy="check the path and its rights"
        ) from error
    if len(data) > MAX_BYTES:
        raise FileFault(
            f"the script has more than {MAX_BYTES:,} bytes",
            where=str(path),
            remedy="split it into several scripts",
        )
    return data


def _decoded(path: Path, data: bytes) -> tuple[str, tuple[str, ...]]:
    what = next((name for start, name in _OTHERS.items() if data.startswith(start)), "")
    if what or b"\0" in data:
        raise FileFault(
            f"this is {what or 'not a text file'}",
            where=f"{path}, line 1",
            remedy="export the script as Fountain (.fountain), or save it as plain text in UTF-8",
        )
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        warning = f"line {line}: not UTF-8, read as Windows-1252; if letters look wrong, save the script as UTF-8"
        return data.decode("cp1252", errors="replace"), (warning,)

"""What each paragraph of a script is. screenplain says; what a film has no use for is left out here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from screenplain.parsers.fountain import InputParagraph, parse_title_page
from screenplain.richstring import parse_emphasis
from screenplain.types import Action as ActionParagraph
from screenplain.types import Dialog, Slug

from rushes_otio.fountain.blocks import Block, Note


@dataclass(frozen=True, slots=True)
class Element:
    """A paragraph that carries nothing to film: transitions, sections, centred text, or notes alone."""

    line: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Title(Element):
    """The title page."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading(Element):
    """A scene heading as it is written, without the dot that forces it and without its number."""

    text: str


@dataclass(frozen=True, slots=True)
class Action(Element):
    """What is seen, on one line, emphasis removed."""

    text: str


@dataclass(frozen=True, slots=True)
class Speech(Element):
    """One cue and what is said. `seen` is false for a voice that has no face in the picture (V.O., O.S.)."""

    speaker: str
    words: int
    seen: bool


_TITLE_KEYS = frozenset(
    "Title Credit Author Authors Source Notes Draft Contact Copyright Date Revision Series Episode".split()
) | {"Draft date", "Written by", "Based on"}
_SCENE_NUMBER = re.compile(r"\s*#[\w\-.]+#\s*$")
_TRANSITION = re.compile(
    r"(?:FADE|CUT|SMASH CUT|MATCH CUT|JUMP CUT|DISSOLVE|WIPE|IRIS)(?: (?:IN|OUT|TO|FROM)\b.*)?"
    r"|(?:THE )?END|INTERCUT\b.*"
)
_OFF_SCREEN = re.compile(r"\([^()]*\b(?:V\.?O|O\.?S|O\.?C)\b", re.IGNORECASE)
_ABBREVIATION = re.compile(r"\b\w{1,3}\.$")
_INNER_UNDERSCORE = re.compile(r"(?<=\w)_(?=\w)")
_UNDERSCORE = "\ue709"  # keeps old_tom from being read as the start of underlining
_MOST_MARKS = 60  # emphasis in a line; the parser's time grows with the square of their number
_SPACES = re.compile(r" {3,}")


def elements(blocks: Iterable[Block]) -> Iterator[Element]:
    """One element for each block, in order; the first may be the title page."""
    for number, block in enumerate(blocks):
        title = _title(block) if number == 0 else None
        yield title or _element(block)


def _title(block: Block) -> Title | None:
    page: dict[str, list[str]] = parse_title_page(list(block.lines)) or {}
    if not _TITLE_KEYS.intersection(page):
        return None
    text = " ".join(str(parse_emphasis(line)) for line in page.get("Title", ()))
    return Title(block.line, block.notes, " ".join(text.split()))


def _element(block: Block) -> Element:
    lines = [_shield(line) for line in block.lines if not line.lstrip().startswith(("#", "="))]
    if not lines:
        return Element(block.line, block.notes)
    match _parse(lines):
        case Slug():
            return Heading(block.line, block.notes, _as_written(lines[0]))
        case Dialog() as dialog:
            return _speech(block, lines, dialog)
        case ActionParagraph() as action if not action.centered:
            return _action(block, action)
        case _:
            return Element(block.line, block.notes)


def _parse(lines: list[str]) -> object:
    found: list[object] = []
    InputParagraph(lines).update_list(found)
    return found[-1]


def _shield(line: str) -> str:
    calm = _INNER_UNDERSCORE.sub(_UNDERSCORE, _SPACES.sub("  ", line.lstrip()))
    many = calm.count("*") + calm.count("_") > _MOST_MARKS
    return calm.replace("*", "").replace("_", "") if many else calm


def _plain(text: object) -> str:
    return " ".join(str(text).replace(_UNDERSCORE, "_").split())


def _as_written(line: str) -> str:
    # screenplain's own heading is in capitals, and people recognise theirs.
    return _plain(parse_emphasis(_SCENE_NUMBER.sub("", line.removeprefix("."))))


def _action(block: Block, action: ActionParagraph) -> Element:
    shown = [_plain(line) for line in action.lines]
    text = " ".join(line for line in shown if line and not line.startswith("~"))
    if not any(c.isalnum() for c in text) or (_TRANSITION.fullmatch(text.rstrip(".:")) is not None):
        return Element(block.line, block.notes)
    return Action(block.line, block.notes, text)


def _speech(block: Block, lines: list[str], dialog: Dialog) -> Element:
    cue = _plain(dialog.character)
    name = cue.partition("(")[0].rstrip("^ ").strip()
    if not _is_name(name, forced=lines[0].startswith("@")):
        return _action(block, _parse(["!" + lines[0], *lines[1:]]))
    said = (_plain(text) for aside, text in dialog.blocks if not aside)
    words = sum(len(text.split()) for text in said)
    return Speech(block.line, block.notes, name, words, _OFF_SCREEN.search(cue) is None)


def _is_name(name: str, *, forced: bool) -> bool:
    """Whether a cue names somebody: `BANG!` above a line of action is no character, nor is `@mara looks up`."""
    words = name.split()
    if not any(c.isalnum() for c in name) or len(words) > 4 or len(name) > 40:
        return False
    if name[-1] in "!?:;,…" or (name[-1] == "." and not _ABBREVIATION.search(name)):
        return False
    return not (forced and len(words) > 1 and words[-1].islower())

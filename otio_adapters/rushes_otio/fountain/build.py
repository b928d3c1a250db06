"""From the paragraphs of a script to its scenes and shots.

How long a shot lasts. A page of script is about a minute of film and holds about 180 words, so action takes
a second for every three words: `words / 3`, at least 1.5 and at most 8 seconds. Dialogue below it adds
`spoken words / 2.5`, the pace of unhurried speech; dialogue alone lasts as long as it is spoken, at least
1.5 seconds. The sum, at most 600 seconds, is rounded to frames. A duration in a note replaces all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from rushes_otio.fountain.draft import Draft, Level, Shot
from rushes_otio.fountain.elements import Element, Speech
from rushes_otio.fountain.library import Library
from rushes_otio.fountain.notes import LONGEST, Definition, Settings, round_frames
from rushes_otio.fountain.script import Script, ScriptScene, ScriptShot
from rushes_otio.intent import FIELDS
from rushes_otio.text import printable
from rushes_otio.timing import Rate

ACTION_PACE = 3
SPEECH_PACE = Fraction(5, 2)
"""Words a second."""

SHORTEST = Fraction(3, 2)
LONGEST_ACTION = Fraction(8)
"""Seconds."""


def build(paragraphs: Sequence[tuple[Element, Settings]], rate: Rate) -> Script:
    """The script that the paragraphs make, each with what its notes say. No scenes where nothing is seen."""
    library = Library()
    library.define_all(_named(paragraphs))
    draft = Draft(library)
    for element, notes in paragraphs:
        draft.take(element, notes)
    _name_entries(draft, library)
    _refuse_first_continue(draft)
    library.seal()
    return _finish(draft, library, rate)


def _named(paragraphs: Sequence[tuple[Element, Settings]]) -> Iterator[Definition]:
    """Everybody who speaks and everything that notes name."""
    for element, notes in paragraphs:
        if isinstance(element, Speech):
            yield Definition("character", element.speaker, "", element.line)
        yield from notes.definitions


def _name_entries(draft: Draft, library: Library) -> None:
    """Puts library names where fields name a style or a place in words."""
    for line, fields in draft.settings():
        for kind in ("style", "location"):
            if kind in fields:
                fields[kind] = library.use(kind, fields[kind], line)


def _refuse_first_continue(draft: Draft) -> None:
    first = next((shot for scene in draft.scenes for shot in scene.shots), None)
    if first and first.settings.continues:
        first.settings.continues = False
        draft.warnings.append((first.line, "the first shot has no shot before it to continue from"))


def _finish(draft: Draft, library: Library, rate: Rate) -> Script:
    film = _linked(draft.film, library)
    scenes = tuple(_scene(level, library, rate) for level in draft.scenes)
    empty = [(s.line, f"nothing is seen in {printable(s.name, 60)!r}") for s in draft.scenes if not s.shots]
    found = sorted((*draft.warnings, *empty, *library.warnings))
    return Script(
        title=draft.title,
        scenes=scenes,
        characters=library.entries["character"],
        locations=library.entries["location"],
        styles=library.entries["style"],
        film_intent=film,
        warnings=(*(f"line {line}: {text}" for line, text in found), *_undescribed(library.undescribed())),
    )


def _scene(level: Level, library: Library, rate: Rate) -> ScriptScene:
    shots = tuple(_shot(shot, library, rate) for shot in level.shots)
    return ScriptScene(level.name, dict(_linked(level, library)), shots)


def _linked(level: Level, library: Library) -> dict[str, str]:
    return {key: _value(key, text, level.line, library) for key, text in level.fields.items()}


def _value(key: str, text: str, line: int, library: Library) -> str:
    return library.link(text, line) if FIELDS[key].composed else text


def _shot(shot: Shot, library: Library, rate: Rate) -> ScriptShot:
    notes = shot.settings
    intent = {key: _value(key, text, shot.line, library) for key, text in notes.fields.items()}
    prompt = intent.pop("prompt", "") or library.link(shot.prompt, shot.line)
    happens = "; ".join(filter(None, (intent.pop("action", ""), _speaking(shot.speakers))))
    return ScriptShot(
        prompt=prompt,
        frames=notes.frames or max(1, round_frames(_seconds(shot) * rate.fraction)),
        intent={**intent, **({"action": happens} if happens else {})},
        continues=notes.continues,
        note="; ".join(notes.words),
    )


def _seconds(shot: Shot) -> Fraction:
    seen = Fraction(shot.action_words, ACTION_PACE)
    action = min(max(seen, SHORTEST), LONGEST_ACTION) if shot.action_words else Fraction(0)
    return min(max(action + shot.spoken / SPEECH_PACE, SHORTEST), Fraction(LONGEST))


def _speaking(names: Sequence[str]) -> str:
    if not names:
        return ""
    *others, last = (f"@{name}" for name in names)
    return f"{', '.join(others)} and {last} speak" if others else f"{last} speaks"


def _undescribed(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield (
            f"nothing says what {', '.join(names[:10])} should look like; add a note such as"
            f" [[character: {names[0]} = a tall woman in a red coat]]"
        )

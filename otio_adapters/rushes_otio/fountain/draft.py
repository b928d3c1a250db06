"""Scenes and shots as they come up in a script. Nothing is linked yet: a name may be introduced further down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rushes_otio.fountain.elements import Action, Element, Heading, Speech, Title
from rushes_otio.fountain.headings import read_heading
from rushes_otio.fountain.library import Library
from rushes_otio.fountain.notes import Settings, Warned
from rushes_otio.intent import FIELDS, FILM, SCENE


@dataclass(slots=True)
class Shot:
    """`action_words` are seen, `spoken` words are heard; `speakers` are library names, each once."""

    line: int
    prompt: str
    action_words: int
    settings: Settings
    speakers: list[str] = field(default_factory=list)
    spoken: int = 0


@dataclass(slots=True)
class Level:
    """A scene, or the film above them: what is set there, as written."""

    kind: str  # as in the intent table: FILM or SCENE
    line: int
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    shots: list[Shot] = field(default_factory=list)


class Draft:
    """Takes the paragraphs in order."""

    def __init__(self, library: Library) -> None:
        self.title = ""
        self.film = Level(FILM, 1, "")
        self.scenes: list[Level] = []
        self.warnings: list[Warned] = []
        self._library = library
        self._ahead = Settings()  # what stands before the first action of a scene and belongs to a shot
        self._hour = ""

    def take(self, element: Element, notes: Settings) -> None:
        """The next paragraph and what its notes say."""
        self.warnings += notes.warnings
        match element:
            case Title(text=text):
                self.title = text
            case Heading():
                self._heading(element)
            case Action(line=line, text=text):
                self._shot(line, text, sum(any(c.isalnum() for c in word) for word in text.split()))
            case Speech():
                self._speech(element)
        self._set(notes)

    def settings(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The line and the fields of every level, to be changed in place."""
        for level in (self.film, *self.scenes):
            yield level.line, level.fields
            yield from ((shot.line, shot.settings.fields) for shot in level.shots)

    def _heading(self, heading: Heading) -> None:
        place = read_heading(heading.text)
        self._hour = self._hour if place.hour is None else place.hour
        scene = Level(SCENE, heading.line, heading.text)
        if any(c.isalnum() for c in place.name):
            scene.fields["location"] = place.name
        if light := ", ".join(filter(None, (self._hour, place.side))):
            scene.fields["prompt"] = light
        self.scenes.append(scene)

    def _shot(self, line: int, prompt: str, words: int) -> Shot:
        if not self.scenes:
            self.scenes.append(Level(SCENE, line, "Scene 1"))
        shot = Shot(line, prompt, words, self._ahead)
        self._ahead = Settings()
        self.scenes[-1].shots.append(shot)
        return shot

    def _speech(self, speech: Speech) -> None:
        name = self._library.appear("character", speech.speaker)
        opening = f"@{name} speaks." if speech.seen else "An establishing view."
        shots = self.scenes[-1].shots if self.scenes else []
        shot = shots[-1] if shots else self._shot(speech.line, opening, 0)
        shot.spoken += speech.words
        if speech.seen and name not in shot.speakers:
            shot.speakers.append(name)

    def _set(self, notes: Settings) -> None:
        """Gives `notes` to the shot they stand in or behind; before the first shot to the scene or the film."""
        level = self.scenes[-1] if self.scenes else self.film
        if level.shots:
            level.shots[-1].settings.add(notes)
            return
        for key, value in notes.fields.items():
            self._set_above(level, key, value, notes.line)
        self._ahead.add(Settings(frames=notes.frames, continues=notes.continues, words=notes.words))

    def _set_above(self, level: Level, key: str, value: str, line: int) -> None:
        if level.kind not in FIELDS[key].levels:
            said = f"{key} cannot be set on a {level.kind}; put it into a paragraph of action"
            self.warnings.append((line, said))
        elif key == "prompt" and key in level.fields:
            level.fields[key] += f", {value}"
        else:
            level.fields[key] = value

"""Inheritance: from film, scene, library and shot to one flat intent, each field with the level it came from.

Scalars: the nearest level wins. `params` merge key by key. Lists and texts of all levels are joined. Prompts
compose in a fixed order (style, location, film, scene, shot), mentions replaced by descriptions. Mentioning is
attaching: a shot that does not mention a character does not depend on her.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes_otio.errors import ShotFault
from rushes_otio.film import Film
from rushes_otio.intent import FIELDS, FILM, SCENE, SHOT, decode_intent
from rushes_otio.library import Entries, Entry
from rushes_otio.mentions import mentioned, replaced
from rushes_otio.schema import ShotBlock

COMPOSED = tuple(f.name for f in FIELDS.values() if f.composed)
_JOINED_LISTS = ("references", "loras")
DELIVERY = {"size": "1920x1080", "codec": "prores", "handles": 12}


@dataclass(slots=True)
class Resolved:
    """One shot's intent with nothing inherited left.

    `values` holds every field that is set, composed texts included, and `caption`: the shot's own words.
    `cast` are the library entries that the shot depends on, by name; `cast_of_prompt` those named in what the
    still shows. `parts` are the texts before mentions were replaced, to tell why a composed text changed.
    """

    values: dict[str, Any]
    origin: dict[str, str]
    cast: dict[str, Entry] = field(default_factory=dict)
    cast_of_prompt: frozenset[str] = frozenset()
    style: Entry | None = None
    location: Entry | None = None
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Base:
    """What a shot of one scene inherits before its own intent."""

    scalars: dict[str, Any]
    origin: dict[str, str]
    texts: dict[str, tuple[tuple[str, str], ...]]  # field -> (level, text)
    lists: dict[str, tuple[Any, ...]]


def compose(texts: list[str]) -> str:
    """Texts as one prompt: sentences one after the other, each ended by a full stop if it has no end."""
    said = [text for text in map(str.strip, texts) if text]
    return " ".join([*(t if t[-1] in ".!?,;:…" else t + "." for t in said[:-1]), *said[-1:]])


class Resolver:
    """Resolves shots of one film as it is now; levels that many shots share are read once."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.entries = Entries(film.block.library, film.where)
        self._bases: dict[str, _Base | ShotFault] = {}
        self._scenes = {scene.id: scene for scene in film.block.scenes}

    def resolve(self, block: ShotBlock) -> Resolved:
        """The shot's flat intent; ShotFault, with the remedy, for whatever makes the shot invalid."""
        where = shot_place(self.film, block)
        base = self._base(block.scene, where)
        own, unknown = decode_intent(block.intent, SHOT, where)
        resolved = Resolved(dict(base.scalars), dict(base.origin), unknown=tuple(unknown))
        for name, value in own.items():
            if name not in COMPOSED and name not in _JOINED_LISTS:
                _set(resolved.values, resolved.origin, name, value, SHOT)
        self._texts(resolved, base, own, where)
        self._lists(resolved, base, own)
        return resolved

    def delivery(self) -> dict[str, Any]:
        """The film's delivery with its defaults; ShotFault when it is malformed."""
        return {**DELIVERY, **self._base("", self.film.where).scalars.get("delivery", {})}

    def _base(self, scene_id: str, where: str) -> _Base:
        if scene_id not in self._bases:
            try:
                self._bases[scene_id] = self._read_base(scene_id)
            except ShotFault as fault:
                self._bases[scene_id] = fault
        base = self._bases[scene_id]
        if isinstance(base, ShotFault):
            raise ShotFault(base.text, where=base.where or where, remedy=base.remedy)
        return base

    def _read_base(self, scene_id: str) -> _Base:
        film, _ = decode_intent(self.film.block.intent, FILM, f"{self.film.where}: intent of the film")
        levels = [(FILM, film)]
        if scene_id:
            scene = self._scenes.get(scene_id)
            if scene is None:
                raise ShotFault(
                    f"the scene {scene_id!r} is not in the film",
                    remedy="add the scene's row again, or move the shot to a scene that exists",
                )
            where = f"{self.film.where}: intent of scene {scene.code}"
            levels.append((SCENE, decode_intent(scene.intent, SCENE, where)[0]))
        return _joined(levels)

    def _texts(self, resolved: Resolved, base: _Base, own: dict[str, Any], where: str) -> None:
        resolved.style = self._named(resolved, "style", where)
        resolved.location = self._named(resolved, "location", where)
        for name in COMPOSED:
            levels = base.texts.get(name, ())
            if own.get(name):
                levels = (*levels, (SHOT, own[name]))
            if levels:
                resolved.parts[name] = tuple(text for _, text in levels)
                resolved.origin[name] = " + ".join(level for level, _ in levels)
                self._attach(resolved, resolved.parts[name], where)
                if name == "prompt":
                    resolved.cast_of_prompt = frozenset(resolved.cast)
        self._compose(resolved, own)

    def _named(self, resolved: Resolved, name: str, where: str) -> Entry | None:
        wanted = resolved.values.pop(name, None)
        if wanted is None:
            return None
        entry = self.entries.get(wanted, where)
        if entry.kind != name:
            raise ShotFault(
                f"{name} is {wanted!r}, but the library has that name as a {entry.kind}",
                where=where,
                remedy=f'define it: rushes set FILM --{name} NAME description="…"',
            )
        resolved.values[name] = entry.in_prompt
        return entry

    def _attach(self, resolved: Resolved, texts: tuple[str, ...], where: str) -> None:
        for text in texts:
            for name in mentioned(text):
                entry = self.entries.get(name, where)
                resolved.cast[entry.name] = entry

    def _compose(self, resolved: Resolved, own: dict[str, Any]) -> None:
        for name in resolved.parts:
            resolved.values[name] = composed(resolved, name, resolved.cast, resolved.values)
        if "prompt" not in resolved.parts and (resolved.style or resolved.location):
            resolved.parts["prompt"] = ()
            resolved.values["prompt"] = composed(resolved, "prompt", {}, resolved.values)
        caption = "\n".join(self._spoken(own.get(name, "")) for name in ("prompt", "action")).rstrip()
        if caption:
            resolved.values["caption"] = caption

    def _spoken(self, text: str) -> str:
        """One line of text with names where the prompt has descriptions."""
        return " ".join(replaced(text, lambda name: self.entries.get(name, "").spoken).split())

    def _lists(self, resolved: Resolved, base: _Base, own: dict[str, Any]) -> None:
        attached = [e for e in (resolved.style, resolved.location, *resolved.cast.values()) if e]
        unique = {e.name: e for e in attached if e.references or e.loras}
        for name in _JOINED_LISTS:
            if not unique and name not in base.lists and name not in own:
                continue
            rows = [row for e in unique.values() for row in getattr(e, name)]
            rows += [*base.lists.get(name, ()), *own.get(name, ())]
            if rows:
                resolved.values[name] = rows
                resolved.origin[name] = " + ".join(
                    level
                    for level, has in (
                        ("library", any(getattr(e, name) for e in unique.values())),
                        ("film or scene", name in base.lists),
                        (SHOT, bool(own.get(name))),
                    )
                    if has
                )


def composed(resolved: Resolved, name: str, cast: Mapping[str, Entry | str], values: Mapping[str, Any]) -> str:
    """A composed text with mentions described as `cast` says, and style and location as `values` say.

    Called with the cast of an earlier recipe it answers what the text would be if only the cast had changed.
    """
    by_name = {key.casefold(): entry for key, entry in cast.items()}

    def describe(mention: str) -> str:
        entry = by_name.get(mention.casefold())
        return entry.in_prompt if isinstance(entry, Entry) else (entry or mention)

    texts = [replaced(part, describe) for part in resolved.parts[name]]
    if name == "prompt":
        texts = [values.get("style", ""), values.get("location", ""), *texts]
    return ", ".join(t for t in texts if t) if name == "negative" else compose(texts)


def shot_place(film: Film, block: ShotBlock) -> str:
    """How errors point at a shot: file, readable name and id."""
    return f"{film.where}: shot {block.name} ({block.shot})"


def _set(values: dict[str, Any], origin: dict[str, str], name: str, value: Any, level: str) -> None:  # noqa: ANN401
    if name == "params":
        values[name] = values.get(name, {}) | value
        origin.update({f"params.{key}": level for key in value})
    else:
        values[name] = value
        origin[name] = level


def _joined(levels: list[tuple[str, dict[str, Any]]]) -> _Base:
    scalars: dict[str, Any] = {}
    origin: dict[str, str] = {}
    texts: dict[str, tuple[tuple[str, str], ...]] = {}
    lists: dict[str, tuple[Any, ...]] = {}
    for level, intent in levels:
        for name, value in intent.items():
            if name in COMPOSED:
                texts[name] = (*texts.get(name, ()), (level, value)) if value else texts.get(name, ())
            elif name in _JOINED_LISTS:
                lists[name] = (*lists.get(name, ()), *value)
            else:
                _set(scalars, origin, name, value, level)
    return _Base(scalars, origin, {k: v for k, v in texts.items() if v}, lists)

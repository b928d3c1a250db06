"""The user's models.toml, changed by commands: an entry put at the end, taken out, or accepted.

The file is the person's own: comments, order and every other entry stay as they are. What a change would make of
the file is read back before it is written, so a file written in a way that is not understood here is left alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from rushes.generators.models import Model, Profile
from rushes.store.durable import write_atomic
from rushes.store.locks import hold
from rushes.store.places import Places
from rushes_otio.errors import BadRequest, FileFault

_SAID = {
    "source": "a folder, or the name of a repository on the Hub",
    "revision": "of the repository: the weights never change under a film",
    "quality": "used for this quality alone",
    "accepted": "its licence; rushes models accept does this",
    "rule": "how many frames it makes: a multiple of this, and one more",
    "multiple": "of its width and height, in pixels",
    "rate": "frames a second that it makes",
    "overlap": "frames that the pieces of a long shot share",
    "working_mib": "memory that a run takes beside the weights",
    "words": "the prompt that it is given",
    "negative": "put before the film's own",
}
"""What stands behind a key of a new entry."""

_LONG = 80
"""A line of so many characters gets no remark behind it."""

_HEADER = re.compile(r"\s*\[\[?(?P<name>[^\[\]]+)\]\]?\s*(#.*)?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEAD = """\
# The models that films may name. A film names a model; only this file says what that is.
# rushes models add writes here, and everything can be changed by hand.
"""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    models: dict[str, Model] = {}


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """The file and its lock."""

    places: Places

    @property
    def path(self) -> Path:
        """The file itself: where it is a link, as in a folder of dotfiles, what it leads to."""
        return Path(os.path.realpath(self.places.models))

    def read(self) -> dict[str, Model]:
        """Its entries; none where there is no file. FileFault."""
        return self._decoded(self._text())

    def add(self, name: str, model: Model, comment: str) -> None:
        """Put an entry at the end. BadRequest where the name is taken, FileFault where the file refuses it."""
        with self._changing() as (text, entries):
            if name in entries:
                raise taken(name)
            before = f"{text}\n" if text and not text.endswith("\n") else text or _HEAD
            self._write(f"{before}\n{written(name, model, comment)}", {**entries, name: model}, f"add {name}")

    def remove(self, name: str) -> Model:
        """Take an entry out, with the comment right above it. Returns what it was."""
        with self._changing() as (text, entries):
            model = _known(entries, name, self.path)
            rest = {other: entry for other, entry in entries.items() if other != name}
            self._write("".join(_without(text.splitlines(keepends=True), name)), rest, f"remove {name}")
        return model

    def accept(self, name: str) -> Model:
        """Note down that the licence of a model is accepted. Returns the entry as it is then."""
        with self._changing() as (text, entries):
            model = msgspec.structs.replace(_known(entries, name, self.path), accepted=True)
            if not entries[name].accepted:
                lines = list(_accepting(text.splitlines(keepends=True), name))
                self._write("".join(lines), {**entries, name: model}, f"accept {name}")
        return model

    @contextmanager
    def _changing(self) -> Iterator[tuple[str, dict[str, Model]]]:
        with hold(self.places, "models", 5.0, "the registry of models is being changed"):
            text = self._text()
            yield text, self._decoded(text)

    def _text(self) -> str:
        try:
            return self.path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise self._fault(error) from None

    def _decoded(self, text: str) -> dict[str, Model]:
        try:
            return msgspec.toml.decode(text, type=_File).models
        except msgspec.DecodeError as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> FileFault:
        return FileFault(
            f"the registry of models cannot be read: {error}",
            where=str(self.path),
            remedy='correct it; an entry looks like [models.wan] with generator = "diffusers"',
        )

    def _write(self, text: str, wanted: dict[str, Model], what: str) -> None:
        try:
            is_wanted = self._decoded(text) == wanted
        except FileFault:
            is_wanted = False
        if not is_wanted:
            raise FileFault(
                f"the registry is written in a way that this command cannot change ({what})",
                where=str(self.path),
                remedy="change it in a text editor; docs/models.md shows what an entry looks like",
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, text.encode(), label="models")


def taken(name: str) -> BadRequest:
    """What to say where a model of this name is registered."""
    return BadRequest(
        f"a model called {name!r} is registered already",
        remedy=f"give another with --name, or take that one out first: rushes models remove {name}",
    )


def _known(entries: dict[str, Model], name: str, path: Path) -> Model:
    if name not in entries:
        there = ", ".join(entries) or "none yet"
        raise BadRequest(
            f"no model called {name[:80]!r} is registered", where=str(path), remedy=f"registered: {there}"
        )
    return entries[name]


def written(name: str, model: Model, comment: str) -> str:
    """An entry as text, each key with what it means."""
    said = {"words": model.words, "draft": _profile(model.draft), "final": _profile(model.final)}
    found = {**msgspec.to_builtins(model), **said}
    fields = {key: found[key] for key in model.__struct_fields__ if key in found}
    unused = {"draft": "final", "final": "draft"}.get(model.quality)
    lines = [_line(key, value) for key, value in fields.items() if key != unused]
    return "".join(f"{line}\n" for line in (f"# {comment}", f"[models.{_key(name)}]", *lines))


def _profile(profile: Profile) -> dict[str, Any]:
    known = {"steps": profile.steps, "guidance": profile.guidance, "size": profile.size, "params": profile.params}
    return {key: value for key, value in known.items() if value not in ("", {})}


def _line(key: str, value: object) -> str:
    line = f"{key} = {_value(value)}"
    return f"{line:<40}  # {_SAID[key]}" if key in _SAID and len(line) < _LONG else line


def _value(value: object) -> str:
    """As TOML. Its strings are those of JSON, but for one character."""
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _without(lines: list[str], name: str) -> Iterator[str]:
    """All lines but those of an entry. Comments right above a table belong to it; an empty line ends them."""
    waiting: list[str] = []
    inside = False
    for line in lines:
        if line.lstrip().startswith("#"):
            waiting.append(line)
            continue
        if (table := _table(line)) is not None:
            inside = table[:2] == ["models", name]
        if not inside:
            yield from waiting
            yield line
        waiting = []
    if not inside:
        yield from waiting


def _accepting(lines: list[str], name: str) -> Iterator[str]:
    """All lines, but an entry's `accepted = false` is true."""
    inside = False
    for line in lines:
        if (table := _table(line)) is not None:
            inside = table == ["models", name]
        yield re.sub(r"^(\s*accepted\s*=\s*)false\b", r"\1true", line) if inside else line


def _table(line: str) -> list[str] | None:
    """The parts of the name of the table that a line begins; None for any other line."""
    found = _HEADER.fullmatch(line.rstrip("\r\n"))
    if found is None:
        return None
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+', found["name"])
    return [_unquoted(part) for part in parts]


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    try:
        return str(json.loads(part)) if part.startswith('"') else part
    except ValueError:
        return part

"""Prompts that come back from a spreadsheet: the rows of a table compared with the film, and set on its shots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rushes.engine.assign import Assigner, Assignment
from rushes.engine.studio import Desk
from rushes.engine.table import Row, about, read_table
from rushes.engine.undoing import Change, place, remembering
from rushes_otio.cells import EDITABLE, NOTE, is_external, own_cells, plain
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.setting import Level, intent_at, put_intent
from rushes_otio.text import printable
from rushes_otio.values import Expected
from rushes_otio.values import text as read_text

_COLUMN = {name: column for column, name in EDITABLE.items()}


@dataclass(frozen=True, slots=True)
class _Edit:
    """What a cell says, and where it stands."""

    row: int
    text: str


_Edits = dict[str, _Edit]  # by what they set


def set_prompts(desk: Desk, path: Path) -> tuple[Film, list[Change]]:
    """Set on the shots what the table at `path` says otherwise than the film; an emptied cell unsets.

    All of it or, with a BadRequest that names the row, nothing. It is one step for undo, which leaves notes as
    they are: they are no intent.
    """
    rows = read_table(path)
    with remembering(desk) as film, about(path):
        edits = _edits(film, rows)
        return film, [change for shot, cells in edits.items() for change in _set(desk, film, shot, cells)]


def _edits(film: Film, rows: list[Row]) -> dict[str, _Edits]:
    """What is to be changed, by shot."""
    found = {}
    for shot, said in _said(film, rows).items():
        own = own_cells(film.shots[shot].block, film.where)
        found[shot] = {name: edit for name, edit in said.items() if plain(edit.text) != plain(own[name])}
    return found


def _said(film: Film, rows: list[Row]) -> dict[str, _Edits]:
    """What the rows that somebody touched say, by shot. BadRequest where two of one shot say different things:
    which of them is the newer one, the film cannot tell."""
    found: defaultdict[str, _Edits] = defaultdict(dict)
    names = _names(film)
    for row in rows:
        shot = _shot(film, names, row)
        for name, text in row.cells.items() if shot and not row.as_exported else ():
            earlier = found[shot].setdefault(name, _Edit(row.number, text))
            if plain(text) != plain(earlier.text):
                raise BadRequest(
                    f"rows {earlier.row} and {row.number} are one shot, and differ in {_COLUMN[name]}",
                    remedy="write the same into both, or take one of them out",
                )
    return found


def _names(film: Film) -> Mapping[str, set[str]]:
    """Ids of shots by name; an empty one where an external clip has the name."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for shot in film.shots.values():
        names[_folded(shot.block.name)].add(shot.block.shot)
    for track in film.tracks:
        for item in track.items:
            if is_external(track, item):
                names[_folded(item.name)].add("")
    return names


def _folded(name: str) -> str:
    return name.strip().casefold()


def _shot(film: Film, names: Mapping[str, set[str]], row: Row) -> str:
    """The id of the shot that a row is about; empty for a row of something else that sets nothing."""
    if row.shot:
        if row.shot.casefold() in film.shots:
            return row.shot.casefold()
        raise BadRequest(
            f"row {row.number}: there is no shot {printable(row.shot, 40)!r} in the cut",
            remedy="correct its Shot ID, or take the row out",
        )
    found = names.get(_folded(row.name), set()) if row.name and row.shot is None else set()
    if len(found) > 1:
        raise BadRequest(
            f"row {row.number}: {len(found)} clips or more are called {printable(row.name, 40)!r}",
            remedy="add the column Shot ID of: rushes export FILM shots.csv",
        )
    if not any(found) and not row.is_blank:
        raise BadRequest(
            f"row {row.number} sets something, but {printable(row.name, 40)!r} is no shot",
            remedy='a clip becomes a shot by: rushes set FILM V1@120 prompt="…"',
        )
    return next(iter(found), "")


def _set(desk: Desk, film: Film, shot: str, edits: _Edits) -> list[Change]:
    before = own_cells(film.shots[shot].block, film.where)
    intent = {name: edit for name, edit in edits.items() if name != NOTE}
    if intent:
        _set_intent(desk, film, Level("shot", shot), intent)
    if NOTE in edits:
        film.patch_shot(shot, note=_note(edits[NOTE]))
    after = own_cells(film.shots[shot].block, film.where)
    where = place(film, Level("shot", shot))
    changed = [name for name in edits if before[name] != after[name]]
    return [Change(where, name, before[name] or None, after[name] or None) for name in changed]


def _set_intent(desk: Desk, film: Film, level: Level, edits: _Edits) -> None:
    assigner = Assigner(film, level, desk.files.adopt, desk.here)
    before = after = intent_at(film, level)
    for name, edit in edits.items():
        with _in_cell(edit, name):
            after = assigner.apply(after, Assignment(name, "", edit.text.strip()))
    if after != before:
        put_intent(film, level, after)


def _note(edit: _Edit) -> str:
    with _in_cell(edit, NOTE):
        try:
            return read_text(edit.text)
        except Expected as e:
            raise BadRequest(f"expected {e}", remedy="shorten it") from None


@contextmanager
def _in_cell(edit: _Edit, name: str) -> Iterator[None]:
    """What is wrong with a value names its cell."""
    try:
        yield
    except BadRequest as fault:
        text = f"row {edit.row}, {_COLUMN[name]}: {fault.text}"
        raise BadRequest(text, remedy=fault.remedy) from None

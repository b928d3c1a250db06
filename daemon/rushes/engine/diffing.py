"""`rushes diff`: two cuts of any format compared, and what their films inherit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from rushes.engine.cuts import open_cut
from rushes.store.durable import write_atomic
from rushes_otio.conforming.omitted import omitted_rows
from rushes_otio.conforming.returned import Cut
from rushes_otio.diffing.compare import Change, Difference, changed_fields, compare
from rushes_otio.diffing.marked import marked_up
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.library import KINDS
from rushes_otio.paths import is_relative
from rushes_otio.text import printable
from rushes_otio.timing import Rate

CUTS = ("old", "new")


def difference(old: Path, new: Path, rate: str) -> tuple[Difference, list[str]]:
    """Compare two cuts. `rate` is what EDLs are counted at; empty: what the other cut says, else 24. BadRequest
    when they run at different rates."""
    cuts, notes = _both(old, new, rate)
    if cuts[0].rate != cuts[1].rate:
        raise BadRequest(
            f"one cut runs at {cuts[0].rate} frames per second, the other at {cuts[1].rate}",
            where=str(new),
            remedy="export both from timelines of one rate; for an EDL, say --rate",
        )
    films = [_film_of(cut) for cut in cuts]
    found = compare(cuts[0], cuts[1], _names_gone(films[0]))
    if ".edl" in (old.suffix.lower(), new.suffix.lower()):
        heard = [change for change in found.changes if change.place.startswith("A")]
        found.changes = [change for change in found.changes if change not in heard]
        notes += ["an EDL may leave out the sound, so sound was not compared"] if heard else []
    if films[0] and films[1] and films[0].block.film == films[1].block.film:
        found.changes[:0] = _inherited(films[0], films[1])
    return found, notes


def shape(found: Difference, notes: list[str]) -> dict[str, Any]:
    """What `rushes diff --json` prints."""
    rows = [msgspec.to_builtins(change) for change in found.changes]
    return {"changes": rows, "same": found.same, "notes": notes}


def write_marked(found: Difference, out: Path) -> None:
    """Write the new cut with its changes as markers. BadRequest for a place that holds something else."""
    new = Path(found.matching.new.where)
    if out.suffix.lower() != ".otio":
        raise BadRequest("a marked-up cut is an .otio file", where=str(out), remedy=f"-o {out.stem}.otio")
    if any(
        os.path.realpath(out) == os.path.realpath(cut.where) for cut in (found.matching.old, found.matching.new)
    ):
        raise BadRequest("the marked-up cut would replace a cut", where=str(out), remedy="name another file")
    folder = Path(os.path.realpath(new)).parent
    text = marked_up(found, lambda url: f"{folder}/{url}" if is_relative(url) else url)
    write_atomic(out, text, label="export")


def _both(old: Path, new: Path, rate: str) -> tuple[list[Cut], list[str]]:
    """The cut that says its rate first: an EDL is counted as the other one is."""
    known = Rate.parse(rate) if rate else None
    cuts: dict[str, Cut] = {}
    notes: list[str] = []
    for side, path in sorted(
        zip(CUTS, (old, new), strict=True), key=lambda each: each[1].suffix.lower() == ".edl"
    ):
        cuts[side], told = open_cut(path, known or next((c.rate for c in cuts.values()), Rate(24, 1)))
        notes += [f"{path.name}: {note}" for note in told]
    return [cuts[side] for side in CUTS], notes


def _film_of(cut: Cut) -> Film | None:
    """The film that a cut is, where it is one whose block can be read."""
    if not cut.film:
        return None
    try:
        return Film(cut.data, cut.where)
    except RushesError:
        return None


def _names_gone(film: Film | None) -> dict[str, str]:
    if film is None:
        return {}
    try:
        return dict.fromkeys(omitted_rows(film), "")
    except RushesError:
        return {}


def _inherited(old: Film, new: Film) -> list[Change]:
    """Changes of what shots inherit: from the film, their scene, the library."""
    before, after = _levels(old), _levels(new)
    found = []
    for name in dict.fromkeys([*before, *after]):
        fields = changed_fields(before.get(name, msgspec.Raw(b"{}")), after.get(name, msgspec.Raw(b"{}")))
        if fields:
            found.append(Change("changed", "", "", printable(name, 80), ", ".join(fields)))
    return found


def _levels(film: Film) -> dict[str, msgspec.Raw]:
    levels = {"film": film.block.intent}
    levels |= {f"scene {scene.code or scene.name}": scene.intent for scene in film.block.scenes}
    for kind, plural in KINDS.items():
        levels |= {f"{kind} {name}": raw for name, raw in getattr(film.block.library, plural).items()}
    return levels

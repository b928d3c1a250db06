"""Timelines for other programs: `.otio`, `.edl`, `.xml`; and cuts that are frozen by name."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rushes.engine.studio import Desk
from rushes.export.otio import Lost, Outgoing, Shape
from rushes.limited.foreign import write_cut
from rushes.store.durable import fault_of, write_atomic
from rushes.store.manifests import remember
from rushes_otio import rawjson
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.nesting import unnested
from rushes_otio.resolve import Resolver

if TYPE_CHECKING:
    from rushes.limited.foreign import Program, Suffix

SUFFIXES = (".otio", ".edl", ".xml")
PROGRAMS = ("resolve", "premiere")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,79}")


def delivery_size(film: Film) -> tuple[int, int]:
    """Width and height of the film's pictures."""
    width, _, height = str(Resolver(film).delivery()["size"]).partition("x")
    return int(width), int(height)


def export_timeline(desk: Desk, film: Film, out: Path, size: tuple[int, int], shape: Shape) -> Lost:
    """Write the cut to `out` and remember what was sent; returns what the format does not hold."""
    outgoing = Outgoing(film, desk.places, size, shape)
    text = outgoing.timeline()
    lost = outgoing.lost
    if shape.suffix != ".otio":
        text, notes = unnested(rawjson.shield(text), film.rate, film.where, lambda _: True)
        lost += [("", note) for note in notes]
        with tempfile.TemporaryDirectory(prefix="rushes-") as folder:
            prepared = Path(folder) / desk.places.film.name  # which faults name
            prepared.write_bytes(rawjson.unshield(text))
            written = write_cut(prepared, cast("Suffix", shape.suffix), film.rate, cast("Program", shape.program))
        text, lost = written.text, [*lost, *written.lost]
    write_atomic(out, text, label="export")
    remember(desk.places, film.block.film, out.name, outgoing.sent)
    return lost


def freeze(desk: Desk, name: str) -> tuple[Path, Lost]:
    """Keep the cut as it is under a name, read-only. Its takes are never cleaned. BadRequest when the name is
    taken, or is none."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "the name of a frozen cut has letters, digits, spaces and _ . -",
            where=name,
            remedy="rushes freeze film.otio v3_locked",
        )
    folder = desk.places.frozen
    out = folder / f"{name}.otio"
    if out.exists():
        raise BadRequest(f"a cut is frozen as {name!r} already", where=str(out), remedy="choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise fault_of(error, folder) from error
    film = desk.read()
    lost = export_timeline(desk, film, out, delivery_size(film), Shape())
    out.chmod(0o444)
    return out, lost

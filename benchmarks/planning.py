"""Rows about reading, planning and saving films, against OpenTimelineIO's own read of the same file."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import opentimelineio as otio

from benchmarks.measure import Row, best_of
from benchmarks.sizes import film_of
from rushes.engine.changing import set_intent, shot_levels
from rushes.engine.orders import Order
from rushes.engine.studio import Desk
from rushes.engine.wishes import Wishes, worklist
from rushes_otio.film import Film


def rows(folder: Path, sizes: list[int], rounds: int) -> list[Row]:
    found: list[Row] = []
    cold: dict[int, float] = {}
    for shots in sizes:
        desk = film_of(folder, shots)
        found += _of_film(desk, shots, rounds, cold)
    for small, large in itertools.pairwise(sizes):
        name = f"status, cold: {large:,} shots against {small:,}"
        found.append(Row(name, large, cold[large] / cold[small], detail=f"{large // small} times the shots"))
    return found


def _of_film(desk: Desk, shots: int, rounds: int, cold: dict[int, float]) -> list[Row]:
    path = str(desk.places.film)

    def reference() -> object:
        return otio.adapters.read_from_file(path)

    def status() -> object:
        command = [sys.executable, "-m", "rushes.cli.main", "status", path, "--json"]
        return subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    def plan() -> object:
        return desk.plan(desk.read())

    read, cold[shots], planned = best_of([reference, status, plan], rounds)
    changed = _changed(desk, rounds)
    said = f"OTIO reads it in {read * 1000:.0f} ms"
    return [
        Row("status, cold process, against OTIO's read", shots, cold[shots] / read, _at(shots, 1.0), detail=said),
        Row("read and plan in a process, against OTIO's read", shots, planned / read),
        Row("one shot changed, to what is to be made", shots, changed / read, _at(shots, 1.5)),
        Row("save with one change, against OTIO's read", shots, _saving(desk, rounds) / read),
    ]


def _at(shots: int, target: float) -> float | None:
    """Targets are for films of 10,000 shots; start-up alone is longer than OTIO's read of a small one."""
    return target if shots >= 10_000 else None


def _changed(desk: Desk, rounds: int) -> float:
    """From reading the changed film to the list of what is to be made."""
    first = next(iter(desk.read().shots))
    set_intent(desk, lambda film: shot_levels(film, [first]), ["prompt=new"])
    shelf = desk.shelf()

    def work() -> object:
        found = worklist(desk.plan(desk.read()), Wishes(), shelf)
        assert [order for _, order in found.orders] == [Order()]
        return found

    return best_of([work], rounds)[0]


def _saving(desk: Desk, rounds: int) -> float:
    data = desk.places.film.read_bytes()

    def work() -> object:
        film = Film(data, "film.otio")
        film.patch_shot(next(iter(film.shots)), note="changed")
        return film.encode()

    def load() -> object:
        return Film(data, "film.otio")

    whole, loading = best_of([work, load], rounds)
    return whole - loading

"""Rows about pulls: an open timeline taken into its film, in this process and by the daemon."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import opentimelineio as otio

from benchmarks.measure import Row, best_of
from benchmarks.sizes import FRAMES, HANDLES, film_of
from rushes import starting
from rushes.client import Client
from rushes.connection import default_path
from rushes.engine.studio import Desk
from rushes.hosts.pulling import pull
from rushes.messages import commands
from rushes_otio.hosts import rows as hosts

STRIPS = 500
TURNS = 20


def rows(folder: Path, shots: int, rounds: int) -> list[Row]:
    folder.mkdir()
    return [*_pulls(folder, shots, rounds), *_pulls_by_daemon(folder)]


def _pulls(folder: Path, shots: int, rounds: int) -> list[Row]:
    """Against OpenTimelineIO's own read of the film; the film is read anew by each pull."""
    desk = film_of(folder, shots)
    same = _sequence(desk)
    pull(desk, commands.Pull(film="", sequence=same))
    assert not pull(desk, commands.Pull(film="", sequence=same))["changed"]
    moved = iter(_moving(same))

    def reference() -> object:
        return otio.adapters.read_from_file(str(desk.places.film))

    def unchanged() -> object:
        return pull(desk, commands.Pull(film="", sequence=same))

    def changed() -> object:
        return pull(desk, commands.Pull(film="", sequence=next(moved)))

    read, nothing, one = best_of([reference, unchanged, changed], rounds)
    said = f"OTIO reads it in {read * 1000:.0f} ms"
    return [
        Row("pull, nothing changed, against OTIO's read", shots, nothing / read, detail=said),
        Row("pull, one strip slipped, saved, against the same", shots, one / read, detail=said),
    ]


def _pulls_by_daemon(folder: Path) -> list[Row]:
    """From the command to its answer."""
    desk = film_of(folder, STRIPS)
    path, same = str(desk.places.film), _sequence(desk)
    moved = iter(_moving(same))
    with starting.linked(default_path(), "benchmark") as client:
        client.ask(commands.Pull(film=path, sequence=same))
        nothing = [_asked(client, commands.Pull(film=path, sequence=same)) for _ in range(TURNS)]
        one = [_asked(client, commands.Pull(film=path, sequence=next(moved))) for _ in range(TURNS)]
    starting.stop(default_path())
    return [
        Row("pull by the daemon, nothing changed, median", STRIPS, statistics.median(nothing), unit="ms"),
        Row("pull by the daemon, one strip slipped, median", STRIPS, statistics.median(one), unit="ms"),
    ]


def _asked(client: Client, command: commands.Pull) -> float:
    began = time.perf_counter()
    client.ask(command)
    return (time.perf_counter() - began) * 1000


def _sequence(desk: Desk) -> hosts.Sequence:
    """The film as a host shows it, end to end on one channel."""
    found = []
    for index, shot in enumerate(desk.read().shots.values()):
        block, left = shot.block, index * FRAMES
        file = f"{block.name}__{block.shot}_t001.mov"
        path = desk.places.film.with_suffix(".rushes") / "takes" / "SC010" / file
        found.append(
            hosts.Row(
                key=block.name,
                kind="movie",
                channel=2,
                left=left,
                right=left + FRAMES,
                use=block.use,
                shot=block.shot,
                path=str(path),
                length=FRAMES + HANDLES,
            )
        )
    return hosts.Sequence(rate="24/1", rows=found, known=[row.use for row in found])


def _moving(sequence: hosts.Sequence) -> Iterator[hosts.Sequence]:
    """The same, another strip slipped each time."""
    rows = list(sequence.rows)
    for index, row in enumerate(rows):
        rows[index] = msgspec.structs.replace(row, first=row.first + 3)
        yield msgspec.structs.replace(sequence, rows=list(rows))

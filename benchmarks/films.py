"""Rows about films of tiny models: rendered by the daemon, and by calling the pipeline for each of their shots."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.direct import RATE, Shot, Work
from benchmarks.measure import Row
from benchmarks.scripted import directly
from rushes import starting
from rushes.client import Client
from rushes.connection import default_path
from rushes.engine.changing import add_to_film, set_intent
from rushes.engine.newfilm import create_film
from rushes.engine.studio import Studio
from rushes.messages import commands
from rushes.store.places import Places, private
from rushes_otio.setting import Level

MODEL = "tiny"
WARMING = 2


def rows(folder: Path, model: str, work: Work, shots: int, rounds: int) -> list[Row]:
    """The model in the folder `model` is registered for this run's user."""
    folder.mkdir()
    _register(model, work)
    with starting.linked(default_path(), "benchmark") as client:
        _rendered(client, _film(folder / "warm", work, WARMING))
        turns = [_turn(client, folder, model, work, shots, turn) for turn in range(rounds)]
    starting.stop(default_path())
    ours, stages, nothing, direct = (min(times) * 1000 for times in zip(*turns, strict=True))
    said = (
        f"{ours / shots:.0f} ms a shot, its stages one by one {stages / shots:.0f}, against {direct / shots:.0f}"
    )
    return [
        Row(f"a film of {shots} shots by the daemon, against directly", None, ours / direct, 1.02, detail=said),
        Row("the same film again, nothing to make", None, nothing, unit="ms"),
    ]


def _turn(
    client: Client, folder: Path, model: str, work: Work, shots: int, turn: int
) -> tuple[float, float, float, float]:
    """Seconds: of a film, of its stages, of the film again, and of the script."""
    film = _film(folder / f"{turn}", work, shots)
    seconds, busy = _rendered(client, film)
    again, _ = _rendered(client, film)
    wanted = [Shot(model, f"wave {turn} {n}", n, str(folder / f"{turn}-{n}.mov")) for n in range(WARMING + shots)]
    return seconds, busy, again, sum(directly(wanted, work).after(WARMING).seconds)


def _register(model: str, work: Work) -> None:
    run = f'{{ steps = {work.steps}, guidance = "{work.guidance}", size = "{work.size[0]}x{work.size[1]}" }}'
    entry = {
        "generator": '"diffusers"',
        "source": f'"{model}"',
        "pipeline": '"WanPipeline"',
        "can": '["t2v"]',
        "max_frames": work.frames,
        "rule": 4,
        "multiple": 16,
        "rate": f'"{RATE}"',
        "dtype": '"float32"',
        "working_mib": 64,
        "words": '"{prompt}"',
        "final": run,
    }
    file = Places.of_user().models
    private(file.parent)
    file.write_text(
        "\n".join([f"[models.{MODEL}]", *(f"{name} = {value}" for name, value in entry.items())]) + "\n"
    )


def _film(folder: Path, work: Work, shots: int) -> str:
    folder.mkdir()
    path = folder / "film.otio"
    create_film(path, None, RATE)
    desk = Studio.of_user().desk(path)
    size = f"delivery.size={work.size[0]}x{work.size[1]}"
    set_intent(desk, lambda _: [Level("film")], [size, "delivery.handles=0", f"negative={work.negative}"])
    for number in range(shots):
        add_to_film(desk, "SC010", "", work.frames, [f"prompt=wave {folder.name} {number}", f"model={MODEL}"])
    return str(path)


def _rendered(client: Client, film: str) -> tuple[float, float]:
    """Seconds until every shot is made, and those that the stages say they took."""
    client.follow(film)
    began = time.perf_counter()
    jobs = [row["job"] for row in client.ask(commands.Render(film=film))["jobs"]]
    rows: list[dict[str, Any]] = [{"state": "asked"}] if jobs else []
    while any(row["state"] != "done" for row in rows):
        client.poll(0.01)
        rows = client.ask(commands.Jobs(jobs=jobs))["jobs"]
        assert not any(row["state"] == "failed" for row in rows), rows
    return time.perf_counter() - began, sum(row["seconds"] for row in rows)

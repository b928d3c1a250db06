"""Rows about the daemon: how quickly it answers, tells, and begins; what it costs when nothing happens."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import opentimelineio as otio

from benchmarks.measure import Row, best_of
from benchmarks.sizes import film_of
from rushes import starting
from rushes.client import Client
from rushes.connection import default_path
from rushes.engine.changing import add_to_film, set_intent
from rushes.engine.newfilm import create_film
from rushes.engine.studio import Desk, Studio
from rushes.messages import commands, events
from rushes.server.watching import DEBOUNCE_S
from rushes_otio.setting import Level

IDLE_S = 10.0
CHANGES = 20
SUBSCRIBERS = 10


def rows(folder: Path, shots: int, rounds: int) -> list[Row]:
    (folder / "daemon").mkdir()
    desk = film_of(folder / "daemon", shots)
    path = str(desk.places.film)
    (read,) = best_of([lambda: otio.adapters.read_from_file(path)], rounds)
    with _linked() as client:
        pid = int(client.ask(commands.Daemon())["pid"])
        found = [*_round_trips(client), *_of_film(client, pid, path, shots, read, rounds)]
        found.append(_idle(client, pid))
        found.append(_telling(client, folder / "telling"))
        found.append(_cost(client, folder / "cost"))
    starting.stop(default_path())
    return [*found, *_importing(rounds)]


@contextmanager
def _linked() -> Iterator[Client]:
    with starting.linked(default_path(), "benchmark") as client:
        yield client


def _round_trips(client: Client) -> list[Row]:
    direct = _median(lambda: client.ask(commands.Daemon()))
    pipe = subprocess.Popen([sys.executable, "-m", "rushes.pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert pipe.stdin is not None and pipe.stdout is not None
    stdin, stdout = pipe.stdin, pipe.stdout

    def ask() -> None:
        stdin.write(b'{"id": "x", "body": {"type": "daemon"}}\n')
        stdin.flush()
        while json.loads(stdout.readline())["body"]["type"] != "answer":
            pass

    ask()
    piped = _median(ask)
    stdin.close()
    pipe.wait()
    return [
        Row("a command and its answer, median", None, direct * 1000, unit="ms"),
        Row("the same through the pipe of a host, median", None, piped * 1000, unit="ms"),
    ]


def _median(work: Callable[[], object], times: int = 300) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _of_film(client: Client, pid: int, path: str, shots: int, read: float, rounds: int) -> list[Row]:
    client.request(commands.Status(film=path))
    (warm,) = best_of([lambda: client.request(commands.Status(film=path))], rounds)
    opened = _memory(pid)
    client.follow(path)
    client.ask(commands.Watch(film=path))
    client.poll(1.0)
    edited = min(_edited(client, path, number) for number in range(rounds))
    ids = [row["shot"] for row in client.ask(commands.Status(film=path))["shots"]]
    began = time.perf_counter()
    client.ask(commands.Set(film=path, shots=[ids[-1]], assignments=["prompt=new"]))
    asked = time.perf_counter() - began
    _until(client, events.Ready)
    client.ask(commands.Watch(film=path, on=False))
    for number in range(CHANGES):
        client.ask(commands.Set(film=path, shots=[ids[number]], assignments=[f"prompt=new {number}"]))
    client.poll(0.5)
    target = 1.5 if shots >= 10_000 else None
    said = f"OTIO reads it in {read * 1000:.0f} ms"
    return [
        Row("status, daemon warm, against OTIO's read", shots, warm / read, 0.5, detail=said),
        Row("a file edited, from the debounce to the job begun", shots, (edited - DEBOUNCE_S) / read, target),
        Row("set of one shot, until it is on disk", shots, asked / read),
        Row("memory of the daemon, the film open", shots, opened, unit="MiB"),
        Row(f"the same after {CHANGES} changes", shots, _memory(pid), unit="MiB"),
    ]


def _edited(client: Client, path: str, number: int) -> float:
    """Seconds from an editor's save to the first stage of the job."""
    file = Path(path)
    text = file.read_text()
    beside = file.with_suffix(".tmp")
    beside.write_text(text.replace(f"number {number + 2},", f"number {number + 2} again,", 1))
    time.sleep(0.5)
    began = time.perf_counter()
    beside.replace(file)
    _until(client, events.Progress)
    took = time.perf_counter() - began
    _until(client, events.Ready)
    return took


def _until(client: Client, kind: type) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(isinstance(told.body, kind) for told in client.poll(1.0)):
            return
    raise TimeoutError(f"no {kind.__name__} came")


def _idle(client: Client, pid: int) -> Row:
    """With the large film open, a client that follows it, and a worker that rests."""
    client.poll(1.0)
    before, deadline = _computing(pid), time.monotonic() + IDLE_S
    while time.monotonic() < deadline:
        client.poll(1.0)
    return Row(f"computing in {IDLE_S:.0f} s of doing nothing", None, (_computing(pid) - before) * 1000, unit="ms")


def _telling(client: Client, folder: Path) -> Row:
    """Renders of tiny shots, heard by ten clients: every `ready` must arrive at each of them."""
    desk = _tiny(folder, 40)
    path = str(desk.places.film)
    heard: list[dict[str, int]] = [{"all": 0, "ready": 0} for _ in range(SUBSCRIBERS)]
    threads = [threading.Thread(target=_listen, args=(path, 40, counts)) for counts in heard]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    began = time.perf_counter()
    client.ask(commands.Render(film=path))
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    rate = sum(counts["all"] for counts in heard) / seconds
    lost = SUBSCRIBERS * 40 - sum(counts["ready"] for counts in heard)
    said = f"{lost} of {SUBSCRIBERS * 40} ready events lost"
    return Row(f"events heard by {SUBSCRIBERS} clients, while it renders", None, rate, unit="/s", detail=said)


def _listen(path: str, ready: int, counts: dict[str, int]) -> None:
    with _linked() as client:
        client.follow(path)
        deadline = time.monotonic() + 60
        while counts["ready"] < ready and time.monotonic() < deadline:
            for told in client.poll(1.0):
                counts["all"] += isinstance(told.body, events.FilmEvent)
                counts["ready"] += isinstance(told.body, events.Ready)


def _cost(client: Client, folder: Path) -> Row:
    """Wall time of a render by the daemon less the time its worker says that the stages took, one by one."""
    shots = 20
    path = str(_tiny(folder, shots).places.film)
    client.follow(path)
    began = time.perf_counter()
    jobs = [row["job"] for row in client.ask(commands.Render(film=path))["jobs"]]
    while any(row["state"] != "done" for row in client.ask(commands.Jobs(jobs=jobs))["jobs"]):
        client.poll(0.01)
    wall = time.perf_counter() - began
    working = sum(row["seconds"] for row in client.ask(commands.Jobs(jobs=jobs))["jobs"])
    said = f"{wall / shots * 1000:.1f} ms a job, of stages that take {working / shots * 1000:.1f} ms one by one"
    return Row(
        "the daemon's cost a job on the animatic", None, (wall - working) / shots * 1000, 15, "ms", detail=said
    )


def _tiny(folder: Path, shots: int) -> Desk:
    folder.mkdir()
    path = folder / "film.otio"
    create_film(path, None, "24/1")
    desk = Studio.of_user().desk(path)
    set_intent(desk, lambda _: [Level("film")], ["delivery.size=64x64", "delivery.handles=0"])
    for number in range(shots):
        add_to_film(desk, "SC010", "", 2, [f"prompt=wave {folder.name} {number}"])
    return desk


def _importing(rounds: int) -> list[Row]:
    codes = ["import rushes.client", "pass"]
    works = [lambda c=c: subprocess.run([sys.executable, "-c", c], check=True) for c in codes]
    client, nothing = best_of(works, rounds * 2)
    return [Row("importing the client", None, (client - nothing) * 1000, 100, "ms")]


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _computing(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

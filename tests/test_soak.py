"""Ten clients, random commands, and a hand that kills workers and daemons: at the end everything agrees.

A small run is always made; RUSHES_SOAK=1 makes the long one, of 2,000 commands (minutes).
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import daemons
from daemons import workers
from rendering import Shoot, check_nothing_half_made, shoot
from rushes import starting
from rushes.client import Client
from rushes.messages import commands
from rushes.store.jobs import State
from rushes.store.takes import scan
from rushes_otio.errors import RushesError, Unreachable

CLIENTS = 10

LONG = pytest.mark.skipif(not os.environ.get("RUSHES_SOAK"), reason="takes minutes: set RUSHES_SOAK=1")


@pytest.fixture(autouse=True)
def with_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    yield
    daemons.stop()


@pytest.mark.parametrize(
    ("count", "seed"), [(150, 1), pytest.param(2000, 2, marks=[LONG, pytest.mark.slow])], ids=["small", "long"]
)
def test_whatever_happens_everything_agrees_at_the_end(tmp_path: Path, count: int, seed: int) -> None:
    films = []
    for number in range(3):
        folder = tmp_path / f"film{number}"
        folder.mkdir()
        films.append(shoot(folder, *[{"prompt": f"@mara, wave {n}"} for n in range(4)], mara="a woman"))
    over, faults = threading.Event(), []
    killing = threading.Thread(target=_kill, args=(random.Random(seed), over))
    killing.start()
    people = [
        threading.Thread(target=_person, args=(films, random.Random(seed * 100 + n), count // CLIENTS, faults))
        for n in range(CLIENTS)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=600)
    over.set()
    killing.join()
    assert faults == []
    _make_everything(films)
    for film in films:
        _agrees(film)
    daemons.stop()
    assert not workers()


def _kill(rng: random.Random, over: threading.Event) -> None:
    """Now and then the worker, seldom the daemon."""
    while not over.wait(rng.uniform(0.3, 1.5)):
        with suppress(OSError, Unreachable):
            found = workers()
            if rng.random() < 0.25:
                os.kill(daemons.pid(), signal.SIGKILL)
            elif found:
                os.kill(rng.choice(found), signal.SIGKILL)


def _person(films: list[Shoot], rng: random.Random, count: int, faults: list[str]) -> None:
    client: Client | None = None
    for _ in range(count):
        film, act = rng.choice(films), rng.choice(ACTS)
        try:
            client = client or daemons.client()
            act(client, film, rng)
            client.poll(0)
        except Unreachable:  # the daemon was killed; what may not be repeated is given up
            if client is not None:
                client.close()
            client = None
        except RushesError:
            continue  # two people at once: what one wants, the other has made impossible
        except Exception as error:
            faults.append(f"{act.__name__}: {type(error).__name__}: {error}")
    if client is not None:
        client.close()


def _any_shot(film: Shoot, rng: random.Random) -> str:
    return rng.choice([f"SH0{n}0" for n in range(1, 5)])


def _set(client: Client, film: Shoot, rng: random.Random) -> None:
    text = f"prompt=@mara, {rng.choice('abc')}"
    client.ask(commands.Set(film=str(film.path), shots=[_any_shot(film, rng)], assignments=[text]))


def _set_character(client: Client, film: Shoot, rng: random.Random) -> None:
    text = f"description=coat {rng.choice('ab')}"
    client.ask(commands.Set(film=str(film.path), character="mara", assignments=[text]))


def _render(client: Client, film: Shoot, rng: random.Random) -> None:
    shots = [] if rng.random() < 0.5 else [_any_shot(film, rng)]
    client.ask(commands.Render(film=str(film.path), shots=shots, another=int(bool(shots) and rng.random() < 0.3)))


def _takes(client: Client, film: Shoot, rng: random.Random) -> None:
    shot, path = _any_shot(film, rng), str(film.path)
    what = rng.choice(["choose", "circle", "lock", "unlock", "note"])
    if what in ("lock", "unlock"):
        client.ask(commands.Takes(film=path, shot=shot, lock=what == "lock"))
    elif what == "note":
        client.ask(commands.Takes(film=path, shot=shot, note="softer"))
    else:
        client.ask(commands.Takes(film=path, shot=shot, **{what: "t001"}))


def _queue(client: Client, film: Shoot, rng: random.Random) -> None:
    path = str(film.path)
    jobs = [row["job"] for row in client.ask(commands.Queue(film=path))["jobs"]]
    some = rng.sample(jobs, min(len(jobs), 2))
    act = rng.choice([commands.Cancel, commands.Reorder, commands.Retry])
    if some or act is commands.Retry:
        client.ask(act(film=path, jobs=some if act is not commands.Retry else []))


def _attend(client: Client, film: Shoot, rng: random.Random) -> None:
    path = str(film.path)
    shots = [shot for shot in film.film.shots if rng.random() < 0.5]
    client.ask(commands.Focus(film=path, playhead=shots[:1], selection=shots[1:]))
    client.ask(commands.Watch(film=path, on=rng.random() < 0.5))
    client.follow(path)


def _undo(client: Client, film: Shoot, rng: random.Random) -> None:
    client.ask(rng.choice([commands.Undo, commands.Redo])(film=str(film.path)))


def _look(client: Client, film: Shoot, rng: random.Random) -> None:
    client.ask(commands.Status(film=str(film.path)))
    client.ask(commands.Show(film=str(film.path), shot=_any_shot(film, rng)))


def _edit(client: Client, film: Shoot, rng: random.Random) -> None:
    """Another program, which knows no locks, saves what it read a moment ago."""
    text = film.path.read_text()
    beside = film.path.with_name(f"{rng.random()}.tmp")
    beside.write_text(text.replace("wave", rng.choice(["wave", "tide"])))
    beside.replace(film.path)


def _pause(client: Client, film: Shoot, rng: random.Random) -> None:
    client.ask(commands.Pause())
    client.ask(commands.Resume())


ACTS: list[Callable[[Client, Shoot, random.Random], None]] = [
    *(_set, _set, _set_character, _render, _render, _render, _takes, _queue, _attend, _undo, _look, _edit, _pause)
]


def _make_everything(films: list[Shoot]) -> None:
    """Unlock all, and render until nothing is left to do."""
    with daemons.client() as client:
        client.ask(commands.Resume())
        for film in films:
            path = str(film.path)
            for shot in film.film.shots.values():
                client.ask(commands.Takes(film=path, shot=shot.block.shot, lock=False))
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                stale = [name for name, state in film.states().items() if state != "fresh"]
                waiting = client.ask(commands.Queue(film=path))["jobs"]
                if not stale and not waiting:
                    break
                if stale and not waiting:
                    client.ask(commands.Render(film=path, shots=stale))
                client.poll(0.2)


def _agrees(film: Shoot) -> None:
    """The film, its takes and the queue."""
    assert set(film.states().values()) == {"fresh"}
    check_nothing_half_made(film)
    key = film.desk.places.key
    assert not film.studio.jobs.pending(key)
    done = [job for job in film.studio.jobs.latest(key).values() if job.state is State.RUNNING]
    assert not done
    left = [
        p.name for p in film.desk.places.folder.rglob("*") if ".part" in p.name or p.name.startswith(".rushes")
    ]
    assert left == []
    with daemons.client() as client:
        assert client.ask(commands.Render(film=str(film.path)))["jobs"] == []
    named = {(s.block.shot, s.block.chosen.take) for s in film.film.shots.values() if s.block.chosen}
    assert named <= {(take.shot, take.take) for take in scan(film.desk.places.takes)}
    assert starting.is_running(daemons.connection())

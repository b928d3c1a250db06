"""The daemon killed at every named point that it comes by: the next one goes on, nothing is lost or made twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import daemons
from daemons import workers
from rendering import Shoot, check_nothing_half_made, shoot
from rushes.messages import commands, events
from rushes.messages.answers import State
from rushes.store.failpoints import NAMES
from rushes.store.takes import scan
from rushes_otio.errors import RushesError, Unreachable

ONLY_IN_A_DAEMON = frozenset({"queue.replaced", "queue.cancelled", "queue.retried"})

STARTING = sorted(n for n in NAMES if n.partition(".")[0] in ("connection", "key"))
WORKING = sorted(
    ONLY_IN_A_DAEMON
    | {"queue.enqueued", "queue.started", "queue.finished", "film.before_rename", "film.after_rename"}
    | {"previous.half_written", "take.linked", "take.after_rename", "record.after_rename", "cache.output_named"}
    | {"database.before_commit", "database.after_commit"}
)
POINTS = (*STARTING, *WORKING)


@pytest.fixture(autouse=True)
def with_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    yield
    daemons.stop()


@pytest.mark.parametrize("point", STARTING)
def test_killed_while_it_starts(tmp_path: Path, point: str) -> None:
    process = daemons.start(failpoint=point)
    if point == "connection.after_rename":
        process.wait(timeout=20)
    assert process.wait(timeout=20) == -signal.SIGKILL
    film = shoot(tmp_path, {"prompt": "the sea"})
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        daemons.wait(client, daemons.is_ready())


@pytest.mark.parametrize("point", WORKING)
def test_killed_while_it_works(tmp_path: Path, point: str) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"}, {"prompt": "the land"}, frames=12)
    process = daemons.start(failpoint=point)
    with suppress(RushesError):
        _work(film)
    assert process.wait(timeout=30) == -signal.SIGKILL
    check_nothing_half_made(film)
    before = {(take.shot, take.take) for take in scan(film.desk.places.takes)}
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Resume())  # a pause outlives the daemon
        deadline = time.monotonic() + 30
        while client.ask(commands.Queue())["jobs"] and time.monotonic() < deadline:
            client.poll(0.1)
        client.ask(commands.Render(film=str(film.path)))
        while set(film.states().values()) != {"fresh"} and time.monotonic() < deadline:
            client.poll(0.1)
        assert set(film.states().values()) == {"fresh"}
        assert client.ask(commands.Render(film=str(film.path)))["jobs"] == []
        assert client.ask(commands.Queue())["jobs"] == []
    after = {(take.shot, take.take) for take in scan(film.desk.places.takes)}
    assert before <= after
    assert len({shot for shot, _ in after}) == 2
    check_nothing_half_made(film)
    assert not list(film.desk.places.folder.rglob("*.part*"))
    assert len(list(film.studio.places.cache.glob("work-*"))) == 0
    assert not workers()


def _work(film: Shoot) -> None:
    """Queue, cancel, retry, edit while it renders, render to the end: until the daemon dies under it."""
    path = str(film.path)
    with daemons.client() as client:
        client.follow(path)
        daemons.wait(client, lambda body: isinstance(body, State))
        client.ask(commands.Pause())
        jobs = [row["job"] for row in client.ask(commands.Render(film=path))["jobs"]]
        client.ask(commands.Cancel(film=path, jobs=jobs[:1]))
        client.ask(commands.Retry(film=path, jobs=jobs[:1]))
        client.ask(commands.Resume())
        client.ask(commands.Set(film=path, shots=["SH010"], assignments=["prompt=a storm"]))
        for _ in range(200):
            for told in client.poll(0.1):
                if isinstance(told.body, events.Unlinked):
                    raise Unreachable("it died, as it was told to")
            client.ask(commands.Set(film=path, shots=["SH020"], assignments=[f"prompt={time.monotonic()}"]))
            client.ask(commands.Render(film=path))


def test_a_restart_in_the_middle_makes_nothing_twice(tmp_path: Path) -> None:
    """A clean stop, in mid-render: the jobs are there, and the next daemon goes on by itself."""
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(4)], frames=24)
    film.set("delivery.size=640x360")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        daemons.wait(client, daemons.is_ready())
    assert not workers()
    assert film.studio.jobs.pending(film.desk.places.key)
    with daemons.daemon():
        deadline = time.monotonic() + 60
        while set(film.states().values()) != {"fresh"} and time.monotonic() < deadline:
            time.sleep(0.1)
    assert len(scan(film.desk.places.takes)) == 4

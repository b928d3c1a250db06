"""rushes.db: the queue keeps its promises, the index equals the files."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from processes import run
from rushes.store.canonical import digest_of
from rushes.store.db import Database
from rushes.store.index import TakeIndex, indexed
from rushes.store.jobs import TRANSITIONS, Event, Jobs, State
from rushes.store.takes import MadeBy, StageMark, TakeRecord, Window, scan, take_stem, write_record
from rushes.store.timings import Timings
from rushes_otio.errors import BadRequest

FILM = "/films/a.otio"

ADD = """
import os, signal, sys; from pathlib import Path
from rushes.store.db import Database; from rushes.store.jobs import Event, Jobs
jobs = Jobs(Database(Path(sys.argv[1])))
for n in range(5): print(jobs.add("/films/a.otio", f"shot{n}", "{}").id, flush=True)
claimed = jobs.step(1, Event.START)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state" / "rushes.db")
    yield made
    made.close()


PATHS = {  # events that bring a new job into each state
    State.QUEUED: [],
    State.RUNNING: [Event.START],
    State.DONE: [Event.START, Event.SUCCEED],
    State.FAILED: [Event.START, Event.FAIL],
    State.CANCELLED: [Event.CANCEL],
    State.PARKED: [Event.START, Event.CRASH] * 3,
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_state_takes_every_event_as_the_table_says(database: Database, state: State, event: Event) -> None:
    jobs = Jobs(database)
    job = jobs.add(FILM, "7kq3m9ab", "{}")
    for step in PATHS[state]:
        job = jobs.step(job.id, step)
    assert job.state is state
    if (state, event) in TRANSITIONS:
        moved = jobs.step(job.id, event, error="why", remedy="what to do")
        assert moved.state is TRANSITIONS[state, event]
        assert moved == jobs.get(job.id)
        assert (moved.error, moved.remedy) == ("why", "what to do")
    else:
        with pytest.raises(BadRequest) as refusal:
            jobs.step(job.id, event)
        assert state in refusal.value.text and jobs.get(job.id) == job


def test_the_third_crash_parks_and_a_retry_counts_anew(database: Database) -> None:
    jobs = Jobs(database)
    job = jobs.add(FILM, "7kq3m9ab", "{}")
    seen: list[tuple[State, int]] = []
    for _ in range(3):
        jobs.step(job.id, Event.START)
        crashed = jobs.recover(FILM)[0]
        seen.append((crashed.state, crashed.attempts))
    assert seen == [(State.QUEUED, 1), (State.QUEUED, 2), (State.PARKED, 3)]
    assert jobs.pending(FILM) == []
    assert jobs.step(job.id, Event.RETRY).attempts == 0


def test_jobs_wait_by_priority_then_order_of_asking(database: Database) -> None:
    jobs = Jobs(database)
    rest, selected, other = (jobs.add(FILM, shot, "{}") for shot in ("a", "b", "c"))
    jobs.add("/films/other.otio", "a", "{}", priority=9)
    jobs.prioritise({selected.id: 1})
    assert [job.id for job in jobs.pending(FILM)] == [selected.id, rest.id, other.id]
    assert jobs.films() == [FILM, "/films/other.otio"]
    started = jobs.step(rest.id, Event.START)
    assert started.pid == os.getpid()
    jobs.step(rest.id, Event.FAIL, error="no", result='{"name": "a"}')
    newer = jobs.add(FILM, "a", "{}")
    assert jobs.latest(FILM)["a"] == newer
    assert [(job.id, job.result) for job in jobs.some([newer.id, rest.id, 99])] == [
        (rest.id, '{"name": "a"}'),
        (newer.id, ""),
    ]


def test_of_several_that_start_a_job_one_succeeds(database: Database) -> None:
    ids = [Jobs(database).add(FILM, str(n), "{}").id for n in range(30)]
    started: list[int] = []

    def work(own: Database) -> None:
        for job in ids:
            with suppress(BadRequest):
                started.append(Jobs(own).step(job, Event.START).id)

    own = [Database(database.path), Database(database.path), database, database]
    threads = [threading.Thread(target=work, args=(each,)) for each in own]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == ids
    own[0].close(), own[1].close()


def test_a_killed_process_loses_no_job_it_was_told_of(tmp_path: Path) -> None:
    path = tmp_path / "state" / "rushes.db"
    status, told, _ = run(ADD, path)
    assert status == -signal.SIGKILL
    database = Database(path)
    jobs = Jobs(database)
    assert [job.id for job in jobs.pending(FILM)] == [int(line) for line in told.split()]
    assert [(job.state, job.attempts) for job in jobs.recover(FILM)] == [(State.QUEUED, 1)]
    assert jobs.recover(FILM) == []
    database.close()


def test_timings_are_the_median_of_the_last_runs(database: Database) -> None:
    timings = Timings(database)
    assert timings.estimate("animatic", "motion", 10) is None
    for _ in range(30):
        timings.note("animatic", "motion", 10, 100.0)
    for frames in (10, 20) * 10:
        timings.note("animatic", "motion", frames, frames * 0.5)
    timings.note("animatic", "motion", 1, 1000.0)
    assert timings.estimate("animatic", "motion", 100) == pytest.approx(50.0)
    assert timings.estimate("animatic", "encode", 100) is None


def a_take(takes: Path, shot: str, number: int) -> tuple[Path, TakeRecord]:
    stem = take_stem("SC010", "SH020", shot, f"t{number:03d}")
    made = TakeRecord(
        shot=shot,
        take=f"t{number:03d}",
        name="SH020",
        movie=f"{Path(stem).name}.mov",
        recipe={"prompt": f"take {number}"},
        seed=str(2**64 - number),
        n=number,
        asked={},
        stages={"motion": StageMark("a" * 64, "b" * 64), "encode": StageMark(digest_of([shot, number]), "c" * 64)},
        window=Window(48, "24/1", (1920, 1080)),
        codec="prores",
        frames_digest="d" * 64,
        generator=MadeBy("animatic", 1),
        made="2026-01-02T03:04:05Z",
    )
    write_record(takes / f"{stem}.json", made)
    (takes / f"{stem}.mov").write_bytes(b"movie")
    return takes / f"{stem}.mov", made


def test_an_index_made_from_the_files_equals_the_one_kept(database: Database, tmp_path: Path) -> None:
    index, takes = TakeIndex(database), tmp_path / "takes"
    for shot, number in itertools.product(("7kq3m9ab", "0000000a"), (1, 2, 999, 1000)):
        index.add(indexed(FILM, *a_take(takes, shot, number)))
    kept = [index.of_shot(FILM, shot) for shot in ("7kq3m9ab", "0000000a")]
    assert [row.take for row in kept[0]] == ["t001", "t002", "t999", "t1000"]
    empty = Database(tmp_path / "other" / "rushes.db")
    anew = TakeIndex(empty)
    assert anew.rebuild(FILM, scan(takes)) == []
    assert [anew.of_shot(FILM, shot) for shot in ("7kq3m9ab", "0000000a")] == kept
    found = anew.by_key(FILM, kept[0][1].key)
    assert found == kept[0][1] and anew.by_key("/films/b.otio", found.key) is None
    empty.close()


def test_a_rebuild_names_bad_records_and_drops_what_is_gone(database: Database, tmp_path: Path) -> None:
    index, takes = TakeIndex(database), tmp_path / "takes"
    movies = [a_take(takes, "7kq3m9ab", number)[0] for number in (1, 2, 3, 4)]
    index.rebuild(FILM, scan(takes))
    movies[0].unlink()
    movies[1].with_suffix(".json").write_text("{")
    movies[2].with_suffix(".json").write_bytes(movies[3].with_suffix(".json").read_bytes())
    faults = index.rebuild(FILM, scan(takes))
    assert len(faults) == 2 and "t002" in faults[0] and "t003" in faults[1]
    assert [row.take for row in index.of_shot(FILM, "7kq3m9ab")] == ["t004"]

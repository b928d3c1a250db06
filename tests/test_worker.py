"""The worker: real processes, real ffmpeg, and generators and workers that do what they should not."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from rushes.generators.base import Fields, KeyframeRequest, MotionRequest
from rushes.limited.environment import clean_environment
from rushes.media.frames import read_frame
from rushes.media.probe import probe
from rushes.stages.encode import EncodeSpec
from rushes.stages.finish import FinishSpec
from rushes.worker import protocol
from rushes.worker.inline import InlineWorkers
from rushes.worker.ledger import Ledger, Overdue, Patience
from rushes.worker.loading import Generators
from rushes.worker.protocol import (
    Cancelled,
    Done,
    Event,
    Failed,
    Film,
    Keyframe,
    Lost,
    Motion,
    Picture,
    Piece,
    Preview,
    Progress,
    Ready,
    Work,
)
from rushes.worker.supervisor import WorkerProcess, WorkerSettings
from rushes.worker.workers import Workers

FAKES = Path(__file__).with_name("worker_fakes.py")
FAKE = {"fake": "worker_fakes:Fake"}
SIZE = (64, 48)
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def environment() -> dict[str, str]:
    clean = clean_environment()
    return clean | {"PYTHONPATH": os.pathsep.join(filter(None, [clean.get("PYTHONPATH"), str(FAKES.parent)]))}


def settings(tmp_path: Path, **patience: float) -> WorkerSettings:
    return WorkerSettings(
        state=tmp_path / "state",
        generators=FAKE,
        environment=environment(),
        patience=Patience(**({"start": 20.0} | patience)),
    )


@contextmanager
def running(workers: Workers) -> Iterator[Workers]:
    """Whatever a test does, `stop` is quick."""
    try:
        yield workers
    finally:
        began = time.monotonic()
        workers.stop()
        assert time.monotonic() - began < 2


@dataclass
class Desk:
    """Makes requests that write into one folder, and collects what happens to them."""

    folder: Path
    made: int = 0

    def keyframe(self, prompt: str = "", seed: int = 7) -> Keyframe:
        request = KeyframeRequest(fields=Fields(prompt=prompt), seed=seed)
        return Keyframe(generator="fake", request=request, out=self.out("png"))

    def motion(self, prompt: str = "", frames: int = 12, seed: int = 7) -> Motion:
        request = MotionRequest(fields=Fields(prompt=prompt), seed=seed, rate="24/1", frames=frames)
        return Motion(generator="fake", request=request, out=self.out("motion"))

    def film(self, *pieces: Piece, frames: int, skip: int = 0, key: str = "ab" * 32) -> Film:
        encode = EncodeSpec(
            size=SIZE,
            rate="24/1",
            codec="prores",
            timecode="01:00:00:00",
            reel="7kq3m9ab",
            tags={"rushes_key": key},
        )
        finish = FinishSpec(size=SIZE, rate="24/1")
        return Film(
            pieces=pieces,
            rate="24/1",
            skip=skip,
            frames=frames,
            finish=finish,
            encode=encode,
            out=self.out("mov.part"),
        )

    def out(self, suffix: str) -> str:
        self.made += 1
        return str(self.folder / f"out{self.made}.{suffix}")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def until(workers: Workers, wanted: Callable[[list[Event]], bool], seconds: float = 20) -> list[Event]:
    """All events up to the moment when `wanted(events)`."""
    events: list[Event] = []
    deadline = time.monotonic() + seconds
    while not wanted(events):
        assert time.monotonic() < deadline, f"nothing more came after {events[-3:]}"
        events += workers.poll(0.05)
    return events


def last_events(events: list[Event]) -> dict[int, Event]:
    return {event.id: event for event in events if not isinstance(event, Ready | Progress | Preview)}


def answers(workers: Workers, *ids: int) -> list[Event]:
    """The last events of these requests, in that order."""
    events = until(workers, lambda seen: set(ids) <= last_events(seen).keys())
    return [last_events(events)[n] for n in ids]


def answer(workers: Workers, work: Work) -> Event:
    return answers(workers, workers.submit(work))[0]


def started(workers: Workers, request_id: int) -> None:
    until(workers, lambda events: any(isinstance(e, Progress) and e.id == request_id for e in events))


def stored(workers: Workers, work: Motion) -> str:
    assert isinstance(answer(workers, work), Done)
    return work.out


def sha(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def in_group(group: int) -> list[int]:
    """Processes of a process group that run, by /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def gone(group: int, seconds: float = 3) -> bool:
    deadline = time.monotonic() + seconds
    while in_group(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not in_group(group)


@pytest.mark.parametrize("place", ["process", "inline"])
def test_every_stage_is_made(place: str, tmp_path: Path, desk: Desk) -> None:
    chosen = WorkerProcess(settings(tmp_path)) if place == "process" else InlineWorkers(Generators(FAKE))
    with running(chosen) as workers:
        still, motion = desk.keyframe("print"), desk.motion(seed=100)
        for work, frames in ((still, 1), (motion, 12)):
            match answer(workers, work):
                case Done(digest=digest, size=size, frames=count):
                    assert (digest, size) == (sha(work.out), Path(work.out).stat().st_size)
                    assert count == frames
                case other:
                    pytest.fail(f"{other}")
        picture = Picture(generator="fake", motion=motion.out, frame=3, out=desk.out("png"))
        assert isinstance(answer(workers, picture), Done)

        film = desk.film(Piece("fake", motion.out, 2, 10), Piece("fake", motion.out, 0, 4), skip=6, frames=8)
        assert isinstance(answer(workers, film), Done)
        movie = probe(Path(film.out))
        assert (movie.frames, movie.size, movie.rate) == (8, SIZE, "24/1")
        greys = [int(read_frame(Path(film.out), n).mean()) for n in range(8)]
        assert greys == pytest.approx([108, 109, 110, 111, 100, 101, 102, 103], abs=1.5)

        again = desk.film(Piece("movie", film.out, 4, 4), frames=4)
        assert isinstance(answer(workers, again), Done)
        assert read_frame(Path(again.out), 0).mean() == pytest.approx(100, abs=2)


MISDEEDS: dict[str, tuple[type[Failed | Lost], str, str]] = {
    "raise": (Failed, "broken", "nothing but trouble"),
    "refuse": (Failed, "refused", "the prompt is empty"),
    "memory": (Failed, "memory", "not enough memory"),
    "exit": (Failed, "broken", "SystemExit"),
    "huge": (Failed, "limit", "67108864 are allowed"),
    "text": (Failed, "broken", "no PNG"),
    "abort": (Lost, "", "SIGABRT"),
    "segfault": (Lost, "", "SIGSEGV"),
    "quit": (Lost, "", "exit code 7"),
    "sleep": (Lost, "", "said nothing"),
    "hold": (Lost, "", "said nothing"),
}


def test_a_misdeed_costs_one_request_and_the_worker_comes_back(tmp_path: Path, desk: Desk) -> None:
    """The request behind it is made by the same worker, or is lost without blame."""
    with running(WorkerProcess(settings(tmp_path, silence=1.0))) as workers:
        assert isinstance(answer(workers, desk.keyframe()), Done)
        for misdeed, (kind, sort, words) in MISDEEDS.items():
            guilty, behind = workers.submit(desk.keyframe(misdeed)), workers.submit(desk.keyframe())
            event, next_event = answers(workers, guilty, behind)
            assert isinstance(event, kind), f"{misdeed}: {event}"
            if isinstance(event, Lost):
                assert words in event.why and not event.innocent, event
                assert isinstance(next_event, Lost) and next_event.innocent, next_event
            else:
                assert isinstance(event, Failed) and event.kind == sort and words in event.error
                assert isinstance(next_event, Done), next_event
        assert isinstance(answer(workers, desk.keyframe()), Done)


def test_a_card_that_stopped_costs_one_stage_and_the_worker(tmp_path: Path, desk: Desk) -> None:
    """Every later use of it would fail in that process."""
    with running(WorkerProcess(settings(tmp_path))) as workers:
        guilty, behind = workers.submit(desk.keyframe("card")), workers.submit(desk.keyframe())
        failed, lost = answers(workers, guilty, behind)
        assert isinstance(failed, Failed) and (failed.kind, failed.remedy[:12]) == ("device", "render again")
        assert "illegal memory access" in failed.error and "debugging" not in failed.error
        assert isinstance(lost, Lost) and lost.innocent
        assert isinstance(answer(workers, desk.keyframe()), Done)


def test_too_few_frames_are_no_output(tmp_path: Path, desk: Desk) -> None:
    with running(WorkerProcess(settings(tmp_path))) as workers:
        event = answer(workers, desk.motion("short"))
        assert isinstance(event, Failed) and "11 frames of 12" in event.error
        motion = stored(workers, desk.motion("good fewer"))
        film = desk.film(Piece("fake", motion, 0, 12), frames=12)
        event = answer(workers, film)
        assert isinstance(event, Failed) and event.kind == "broken" and "10 frames came of 12" in event.error
        assert not Path(film.out).exists()


def test_whoever_may_have_silenced_the_worker_is_suspected(desk: Desk) -> None:
    """A generator that holds the interpreter silences the other lane, whose deadline may come first."""
    ledger = Ledger(Patience(start=20, silence=60, cancel=0.5), now=0)
    film = desk.film(Piece("fake", "motion", 0, 1), frames=1)
    asked: list[Work] = [film, desk.keyframe(), desk.keyframe()]
    for number, work in enumerate(asked):
        ledger.add(work.numbered(number), now=1)
    assert ledger.next_deadline() == Overdue(20, "it was not ready after 20 s", frozenset())
    ledger.ready(now=5)
    ledger.heard(0, now=10)
    ledger.heard(1, now=20)
    due = ledger.next_deadline()
    assert due is not None and due.at == 70 and due.suspects == {0, 1}
    ledger.heard(1, now=50)
    due = ledger.next_deadline()
    assert due is not None and due.at == 70 and due.suspects == {0}
    assert ledger.cancel(2, now=51) and not ledger.cancel(2, now=52)
    due = ledger.next_deadline()
    assert due is not None and due.at == 51.5 and due.suspects == {2}


class Lying(WorkerSettings):
    """A worker that is told how to lie: `device` says how."""

    def command(self) -> list[str]:
        return [sys.executable, str(FAKES), self.generators["lie"]]


LIES: dict[str, tuple[type[Failed | Lost], str]] = {
    "garbage": (Lost, "no answer"),
    "endless line": (Lost, "no answer"),
    "another id": (Lost, "answered 99"),
    "a future answer": (Lost, "no answer"),
    "a loss": (Lost, "no answer"),
    "cancelled unasked": (Lost, "not its turn"),
    "another digest": (Failed, "digest"),
    "no file": (Failed, "cannot be read"),
    "a link": (Failed, "no regular file"),
    "fewer frames": (Failed, "frame count is 5, not 6"),
    "another key": (Failed, "its key is"),
    "another rate": (Failed, "its rate is 25, not 24"),
    "leaves": (Failed, "exit code 1"),
    "silent": (Failed, "not ready after 1.5 s"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_worker_that_lies_is_found_out_and_ended(lie: str, tmp_path: Path, desk: Desk) -> None:
    kind, words = LIES[lie]
    start = 1.5 if lie == "silent" else 20.0
    usual = settings(tmp_path, start=start)
    lying = Lying(usual.state, generators={"lie": lie}, environment=usual.environment, patience=usual.patience)
    film = desk.film(Piece("fake", "motion", 0, 6), frames=6)
    is_film = lie in ("fewer frames", "another key", "another rate")
    with running(WorkerProcess(lying)) as workers:
        event = answer(workers, film if is_film else desk.keyframe())
        assert isinstance(event, kind), event
        match event:
            case Failed():
                assert event.kind == ("start" if lie in ("leaves", "silent") else "lied")
                assert words in event.error and event.remedy, event
            case Lost():
                assert words in event.why and not event.innocent


def test_cancel_is_quick_everywhere(tmp_path: Path, desk: Desk) -> None:
    with running(WorkerProcess(settings(tmp_path))) as workers:
        motion = stored(workers, desk.motion("good slow", frames=2000))
        film = desk.film(Piece("fake", motion, 0, 2000), frames=2000)
        for work in (desk.keyframe("slow"), desk.motion("slow"), film):
            running_id, waiting_id = workers.submit(work), workers.submit(work)
            started(workers, running_id)
            asked = time.monotonic()
            for request_id in (waiting_id, running_id):
                workers.cancel(request_id)
            events = answers(workers, running_id, waiting_id)
            assert [type(event) for event in events] == [Cancelled, Cancelled]
            assert time.monotonic() - asked < 0.5
        assert not Path(film.out).exists()
        workers.cancel(12345)
        assert isinstance(answer(workers, desk.keyframe()), Done)


def test_libraries_that_take_long_to_import_keep_nobody_waiting(tmp_path: Path, desk: Desk) -> None:
    """Neither who cancels, nor a generator that is there already; and the process goes on importing."""
    (tmp_path / "libraries.py").write_text("import time\ntime.sleep(3)\nfrom worker_fakes import Fake\n")
    known = settings(tmp_path, silence=2.0)
    path = os.pathsep.join([known.environment["PYTHONPATH"], str(tmp_path)])
    slow = replace(
        known,
        generators=FAKE | {"slow": "libraries:Fake"},
        environment={**known.environment, "PYTHONPATH": path},
    )
    with running(WorkerProcess(slow)) as workers:
        workers.start()
        until(workers, lambda events: any(isinstance(event, Ready) for event in events))
        importing = workers.submit(msgspec.structs.replace(desk.keyframe(), generator="slow"))
        started(workers, importing)
        asked = time.monotonic()
        workers.cancel(importing)
        assert isinstance(answers(workers, importing)[0], Cancelled)
        assert isinstance(answer(workers, desk.keyframe()), Done)
        assert time.monotonic() - asked < 1
        again = workers.submit(msgspec.structs.replace(desk.keyframe(), generator="slow"))
        events = until(workers, lambda events: again in last_events(events))
        assert isinstance(last_events(events)[again], Done)
        assert "loading" in {event.stage for event in events if isinstance(event, Progress)}
        assert not any(isinstance(event, Ready) for event in events)


@LINUX
def test_a_cancel_that_is_ignored_ends_the_worker(tmp_path: Path, desk: Desk) -> None:
    """Also ffmpeg of the other lane, whose request may be made again without blame."""
    with running(WorkerProcess(settings(tmp_path))) as workers:
        motion = stored(workers, desk.motion("good slow", frames=2000))
        film = workers.submit(desk.film(Piece("fake", motion, 0, 2000), frames=2000))
        started(workers, film)
        stuck = workers.submit(desk.keyframe("hold"))
        started(workers, stuck)
        asked = time.monotonic()
        workers.cancel(stuck)
        event, other = answers(workers, stuck, film)
        assert isinstance(event, Cancelled) and time.monotonic() - asked < 0.8
        assert isinstance(other, Lost) and other.innocent and "cancel" in other.why
        assert isinstance(answer(workers, desk.keyframe()), Done)


def test_the_lanes_overlap_and_each_keeps_its_order(tmp_path: Path, desk: Desk) -> None:
    with running(WorkerProcess(settings(tmp_path))) as workers:
        motion = stored(workers, desk.motion("good slow", frames=30))
        films = [workers.submit(desk.film(Piece("fake", motion, 0, 30), frames=30)) for _ in range(2)]
        stills = [workers.submit(desk.keyframe("brief")) for _ in range(3)]
        events = until(workers, lambda seen: set(films + stills) <= last_events(seen).keys())
        order = [event.id for event in events if isinstance(event, Done)]
        assert [n for n in order if n in films] == films
        assert [n for n in order if n in stills] == stills
        assert order.index(stills[-1]) < order.index(films[0]) or order[-1] == films[-1]
        assert order.index(stills[0]) < order.index(films[0])
        ticks = [event for event in events if isinstance(event, Progress) and event.id == films[0]]
        assert 2 <= len(ticks) <= 12 and ticks[-1].total == 30


def test_a_device_has_one_worker_and_the_cpu_many(tmp_path: Path, desk: Desk) -> None:
    gpu = replace(settings(tmp_path), device="cuda:0")
    with running(WorkerProcess(gpu)) as first, running(WorkerProcess(gpu)) as second:
        first.start()
        (ready,) = until(first, bool)
        assert isinstance(ready, Ready) and {"python", "numpy", "pillow", "ffmpeg"} <= ready.environment.keys()
        assert isinstance(answer(first, desk.keyframe()), Done)
        refused = answer(second, desk.keyframe())
        assert isinstance(refused, Failed) and refused.kind == "refused"
        assert f"process {ready.pid}" in refused.error and refused.remedy
        for _ in range(2):
            with (
                running(WorkerProcess(settings(tmp_path))) as one,
                running(WorkerProcess(settings(tmp_path))) as two,
            ):
                assert isinstance(answer(one, desk.keyframe()), Done)
                assert isinstance(answer(two, desk.keyframe()), Done)
        assert isinstance(answer(first, desk.keyframe()), Done)
        first.stop()
        assert isinstance(answer(second, desk.keyframe()), Done)


@LINUX
def test_stop_leaves_nothing(tmp_path: Path, desk: Desk) -> None:
    workers = WorkerProcess(settings(tmp_path))
    workers.start()
    (ready,) = until(workers, bool)
    assert isinstance(ready, Ready)
    motion = stored(workers, desk.motion("good slow", frames=2000))
    film = workers.submit(desk.film(Piece("fake", motion, 0, 2000), frames=2000))
    started(workers, film)
    deadline = time.monotonic() + 5
    while len(in_group(ready.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    stuck = workers.submit(desk.keyframe("hold"))
    with running(workers):
        pass
    assert in_group(ready.pid) == []
    assert all(isinstance(event, Lost) and event.innocent for event in answers(workers, film, stuck))


PARENT = """
import sys, time
from pathlib import Path
sys.path[:0] = [{tests!r}]
import test_worker as t
desk = t.Desk(Path({folder!r}))
workers = t.WorkerProcess(t.settings(Path({folder!r})))
workers.start()
(ready,) = t.until(workers, bool)
motion = t.stored(workers, desk.motion("good slow", frames=2000))
film = workers.submit(desk.film(t.Piece("fake", motion, 0, 2000), frames=2000))
t.started(workers, film)
while len(t.in_group(ready.pid)) < 2:
    time.sleep(0.01)
workers.submit(desk.keyframe({misdeed!r}))
time.sleep(0.2)
print(ready.pid, flush=True)
time.sleep(3600)
"""


@LINUX
@pytest.mark.parametrize("misdeed", ["slow", "sleep", "hold"])
def test_a_killed_parent_leaves_no_worker_and_no_ffmpeg(misdeed: str, tmp_path: Path) -> None:
    script = PARENT.format(tests=str(FAKES.parent), folder=str(tmp_path), misdeed=misdeed)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert len(in_group(worker)) == 2
        parent.kill()
    try:
        assert gone(worker)
    finally:
        for pid in in_group(worker):
            os.kill(pid, signal.SIGKILL)


@LINUX
def test_a_closed_pipe_alone_ends_a_worker_that_hangs(tmp_path: Path, desk: Desk) -> None:
    """Without the kernel's help, as on macOS and Windows; and what is no request is refused as well."""
    own = settings(tmp_path)
    command = [part for part in own.command() if not part.startswith("--parent")]
    for last_line in (b"", b'{"type": "keyframe"}\n', b"not json\n"):
        with subprocess.Popen(
            command,
            env=dict(own.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as worker:
            assert worker.stdin is not None and worker.stdout is not None
            worker.stdin.write(protocol.line(desk.keyframe("sleep").numbered(1)))
            worker.stdin.flush()
            assert b"ready" in worker.stdout.readline()
            assert b"progress" in worker.stdout.readline()
            worker.stdin.write(last_line)
            worker.stdin.flush()
            if not last_line:
                worker.stdin.close()
            worker.wait(2)
            assert in_group(worker.pid) == []


def test_messages_go_over_the_wire_unchanged(desk: Desk) -> None:
    work: list[Work] = [
        desk.keyframe("a « b » \u2028 c\n"),
        desk.motion(),
        desk.film(Piece("fake", "p", 0, 1), frames=1),
    ]
    for message in work:
        raw = protocol.line(message)
        assert raw.count(b"\n") == 1 and protocol.read_request(raw) == message
    for bad in (b'{"type":"cancel","id":1,"more":1}', b'{"type":"film","id":1}', b"[]", b"\xff"):
        with pytest.raises(msgspec.DecodeError):
            protocol.read_request(bad)

"""Films rendered by a real daemon, its worker process, and real pipelines of tiny random models: made whole,
followed, stopped, killed, and made again bit for bit.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers", reason="the extra diffusers is not installed")

import torch

import daemons
from daemons import cli, wait, workers
from modelled import READ, register
from rendering import Shoot, check_nothing_half_made, nobody, rendered, shoot
from rushes.client import Client
from rushes.demo import script_text
from rushes.engine.newfilm import create_film
from rushes.engine.rendering import render_film
from rushes.engine.wishes import Wishes
from rushes.messages import commands
from rushes.messages.base import Body
from rushes.messages.events import Dropped, Failed, JobEvent, Preview, Progress, Ready
from rushes.store.places import Places
from rushes.store.takes import read_record
from rushes.worker.inline import InlineWorkers
from rushes.worker.ledger import Patience
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio.setting import Level
from tiny import TinyModels, lora

STOPS_S = 1.0
"""Within this a cancel is over; what was measured is printed."""

LONG = ({"prompt": "a harbour", "steps": 120}, {"prompt": "a storm", "steps": 120})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    torch.set_num_threads(1)
    return TinyModels(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def user_folders(tmp_path_factory: pytest.TempPathFactory, models: TinyModels) -> Iterator[Path]:
    """One user for these tests, so that they share a daemon: its worker imports torch only once."""
    top = tmp_path_factory.mktemp("user")
    with user(top):
        register_broken(models, top / "broken")
        with daemons.daemon():
            yield top
        assert not workers()


@contextmanager
def user(top: Path) -> Iterator[None]:
    """Be somebody whose state, config, cache and run lie in `top`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("state", "config", "cache"):
            patch.setenv(f"XDG_{name.upper()}_HOME", str(top / name))
        (top / "run").mkdir(mode=0o700, parents=True)
        patch.setenv("XDG_RUNTIME_DIR", str(top / "run"))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.delenv("RUSHES_NO_DAEMON", raising=False)
        yield


def register_broken(models: TinyModels, top: Path) -> None:
    """The model wan, and copies of its folder that will be broken."""
    text = ""
    for name in ("torn", "pickled", "gone"):
        copy = shutil.copytree(models.folder("wan_t2v"), top / name)
        with (copy / "transformer" / "config.json").open("a") as file:
            file.write(" " * len(name))  # other bytes: another model, which is loaded by itself
        register(models, "wan", source=str(copy), quality="draft")
        text += Places.of_user().models.read_text().replace("[models.wan]", f"[models.{name}]")
    register(models, "wan", max_frames=49)
    with Places.of_user().models.open("a") as file:
        file.write(text)


def break_them(top: Path) -> None:
    """As a download that was cut short, as somebody with other wishes, as a disk that is not connected."""
    weights = "transformer/diffusion_pytorch_model.safetensors"
    with (top / "torn" / weights).open("r+b") as file:
        file.truncate((top / "torn" / weights).stat().st_size // 2)
    (top / "pickled" / weights).write_bytes(pickle.dumps({"weights": [1.0] * 1000}))
    shutil.rmtree(top / "gone")


@dataclass
class Following:
    """A film of the daemon that runs, and who hears of it."""

    film: Shoot
    client: Client

    def render(self, *shots: str) -> dict[str, int]:
        """Ask for a render: the job of each shot."""
        asked = self.client.ask(commands.Render(film=str(self.film.path), shots=list(shots)))
        assert not asked["failed"], asked["failed"]
        return {row["name"]: row["job"] for row in asked["jobs"]}

    def hear(self, until: Callable[[Body], bool]) -> list[Body]:
        return wait(self.client, until, seconds=90)

    def ends(self, *jobs: int) -> tuple[dict[int, JobEvent], list[Body]]:
        """How these jobs ended, and everything that was heard until then."""
        heard: list[Body] = []
        found: dict[int, JobEvent] = {}
        while not found.keys() >= set(jobs):
            heard += self.hear(lambda body: isinstance(body, Ready | Failed | Dropped))
            found |= {body.job: body for body in heard if isinstance(body, Ready | Failed | Dropped)}
        return found, heard

    def stages(self, jobs: dict[str, int]) -> dict[str, list[str]]:
        """What ran for each shot, as the daemon tells it afterwards."""
        rows = self.client.ask(commands.Jobs(jobs=list(jobs.values())))["jobs"]
        return {row["name"]: [s for s, how in row["stages"].items() if how == "ran"] for row in rows}

    def cancel(self, job: int) -> None:
        """Cancel a job, and wait until that is told."""
        self.client.ask(commands.Cancel(film=str(self.film.path), jobs=[job]))
        self.hear(lambda body: isinstance(body, Dropped) and body.job == job)


@contextmanager
def following(film: Shoot) -> Iterator[Following]:
    with daemons.client() as client:
        client.follow(str(film.path))
        wait(client, lambda body: type(body).__name__ == "State")
        yield Following(film, client)


def doing(job: int, stage: str) -> Callable[[Body], bool]:
    """Whether a job is in the middle of `stage`."""
    least = 1 if stage == "denoising" else 0
    return lambda b: isinstance(b, Progress) and (b.job, b.stage) == (job, stage) and b.done >= least


def digests(film: Shoot, name: str) -> tuple[Any, str]:
    """Of the chosen take's motion and of its frames."""
    record = film.movie(name).with_suffix(".json")
    return film.chosen(name).motion, read_record(record).frames_digest


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, user_folders: Path) -> Shoot:
    """Two shots whose denoising takes a second each."""
    made = shoot(tmp_path_factory.mktemp("film"), *LONG, frames=48)
    made.set("model=wan")
    return made


@pytest.fixture(scope="module")
def quiet(film: Shoot, tmp_path_factory: pytest.TempPathFactory, models: TinyModels) -> Shoot:
    """A copy of the film, rendered by another user's daemon, which nobody disturbs."""
    top = tmp_path_factory.mktemp("quiet")
    (top / "film").mkdir()
    with user(top / "user"):
        copy = Shoot(Path(shutil.copy(film.path, top / "film")))
        register(models, "wan", max_frames=49)
        with daemons.daemon(), following(copy) as there:
            there.ends(*there.render().values())
        check_nothing_half_made(copy)
    return copy


def test_the_demo_film(tmp_path: Path, models: TinyModels) -> None:
    """Twelve shots, a still into a motion each, whichever models there are; then one character is changed."""
    with user(tmp_path / "user"):
        register(models, "wan-i2v", "sdxl", max_frames=33, rate="8/1")
        (tmp_path / "script.fountain").write_text(script_text())
        create_film(tmp_path / "film.otio", tmp_path / "script.fountain", "24/1")
        film = Shoot(tmp_path / "film.otio")
        film.set("delivery.size=160x96")
        with daemons.daemon(), following(film) as there:
            jobs = there.render()
            made, heard = there.ends(*jobs.values())
            assert len(jobs) == 12 and all(isinstance(end, Ready) for end in made.values()), made
            check_followed(heard)
            check_nothing_half_made(film)
            every = ["text", "keyframe", "motion", "finish", "encode"]
            ran = there.stages(jobs)
            assert ran.pop("SC020_SH050") == [s for s in every if s != "keyframe"], (
                "it goes on from the shot before"
            )
            assert all(stages == every for stages in ran.values()), ran
            assert there.render() == {}
            film.set("description=a tall boy", level=Level("character", "ida"))
            jobs = there.render()
            made, _ = there.ends(*jobs.values())
            assert jobs.keys() == {"SC010_SH040", "SC020_SH040", "SC020_SH050", "SC030_SH030"}
            assert all({"text", "motion"} <= set(stages) for stages in there.stages(jobs).values())
            assert there.render() == {}


def check_followed(heard: list[Body]) -> None:
    """Whoever waits is told what is done, how far it is, what it looks like and how long it takes."""
    steps = [body for body in heard if isinstance(body, Progress)]
    assert {"loading", "denoising", "decoding", "encode"} <= {step.stage for step in steps}
    job = next(step.job for step in steps if step.stage == "encode")
    denoised = [body for body in heard if isinstance(body, Progress | Preview) and body.job == job]
    first = next(n for n, body in enumerate(denoised) if isinstance(body, Preview))
    stages = [body.stage if isinstance(body, Progress) else "" for body in denoised]
    assert "denoising" in stages[first:] and "encode" in stages[first:]
    jpegs = [body.jpeg for body in heard if isinstance(body, Preview)]
    assert all(jpeg.startswith(b"\xff\xd8") and len(jpeg) < 65536 for jpeg in jpegs)
    ready = next(n for n, body in enumerate(heard) if isinstance(body, Ready))
    assert any(isinstance(body, Progress) and body.seconds_left for body in heard[ready:])


def test_a_cancel_is_over_at_once_and_leaves_no_trace(film: Shoot, quiet: Shoot, tmp_path: Path) -> None:
    """The process is free for the next job, whose take is that of a daemon which was never disturbed."""
    copy = Shoot(Path(shutil.copy(film.path, tmp_path / "film.otio")))
    took, kept = {}, set()
    with following(copy) as there:
        job = there.render("SH010")["SC010_SH010"]
        for stage in ("loading", "denoising", "decoding"):
            there.hear(doing(job, stage))
            kept |= set(workers())
            began = time.monotonic()
            there.cancel(job)
            job = there.render("SH010")["SC010_SH010"]
            there.hear(lambda body, job=job: isinstance(body, Progress) and body.job == job)
            took[stage] = time.monotonic() - began
        ends, _ = there.ends(job)
    print("at the next job after", {stage: f"{1000 * seconds:.0f} ms" for stage, seconds in took.items()})
    assert isinstance(ends[job], Ready) and set(workers()) == kept and len(kept) == 1
    assert max(took.values()) < STOPS_S
    assert digests(copy, "SH010") == digests(quiet, "SH010")


def test_a_worker_that_is_killed_costs_time_and_nothing_else(film: Shoot, quiet: Shoot, tmp_path: Path) -> None:
    copy = Shoot(Path(shutil.copy(film.path, tmp_path / "film.otio")))
    with following(copy) as there:
        job = there.render("SH020")["SC010_SH020"]
        there.hear(doing(job, "denoising"))
        (worker,) = workers()
        os.kill(worker, signal.SIGKILL)
        ends, heard = there.ends(job)
        assert isinstance(ends[job], Ready) and workers() not in ([], [worker])
    steps = {
        body.done
        for body in heard
        if isinstance(body, Progress) and (body.stage, body.total) == ("denoising", 120)
    }
    assert len(steps) >= 3, "it is told all the while"
    check_nothing_half_made(copy)
    assert digests(copy, "SH020") == digests(quiet, "SH020")


def test_a_worker_that_hangs_is_ended_as_the_last_resort(tmp_path: Path, user_folders: Path) -> None:
    """Stopped by a signal, it hears no cancel. Who waits is told at once, and the next shot has a new one."""
    film = shoot(tmp_path, {"prompt": "a wave", "steps": 60, "model": "wan"}, {"prompt": "a hill"}, frames=48)
    film.set("model=animatic", shot="SH020")
    with following(film) as there:
        job = there.render("SH010")["SC010_SH010"]
        there.hear(doing(job, "denoising"))
        (worker,) = workers()
        os.kill(worker, signal.SIGSTOP)
        began = time.monotonic()
        there.cancel(job)
        assert time.monotonic() - began < STOPS_S
        while worker in workers():
            assert time.monotonic() - began < 2 * Patience().cancel + 5
            time.sleep(0.02)
        print(f"ended after {time.monotonic() - began:.1f} s")
        job = there.render("SH020")["SC010_SH020"]
        ends, _ = there.ends(job)
        assert isinstance(ends[job], Ready) and worker not in workers()
    assert film.states() == {"SH010": "missing", "SH020": "fresh"}


def test_broken_weights_fail_their_shots_and_no_others(
    tmp_path: Path, user_folders: Path, models: TinyModels
) -> None:
    names = ("wan", "torn", "pickled", "gone", "wan")
    film = shoot(
        tmp_path, *[{"prompt": f"a wave {n}", "model": name} for n, name in enumerate(names)], mara="a woman"
    )
    other = lora(models.folder("sdxl"), tmp_path / "other.safetensors")
    film.set("prompt=@mara waits", shot="SH050")
    film.set(f'loras=[{{"file": "{other.name}", "weight": "1"}}]', level=Level("character", "mara"))
    with following(film) as there:
        there.client.ask(commands.Pause())
        jobs = there.render()
        break_them(user_folders / "broken")
        there.client.ask(commands.Resume())
        ends, _ = there.ends(*jobs.values())
        said = [ends[job] for job in jobs.values()]
    assert isinstance(said[0], Ready) and all(isinstance(end, Failed) and end.error.remedy for end in said[1:])
    texts = [end.error.text for end in said if isinstance(end, Failed)]
    for text, part in zip(texts, ("cut short", "pickle", "not there", "another kind of model"), strict=True):
        assert part in text
    film.set("model=nobody", shot="SH010")
    assert film.states()["SH010"] == "invalid"


def test_same_film_same_bits_and_takes_can_be_verified(quiet: Shoot, tmp_path: Path) -> None:
    """`takes --verify` for a take that another user made: as it is, and with one digit of its record changed."""
    film = Shoot(Path(shutil.copytree(quiet.path.parent, tmp_path / "copy"), quiet.path.name))
    record = film.movie("SH020").with_suffix(".json")
    kept = json.loads(record.read_text())
    last = "1" if kept["frames_digest"].endswith("0") else "0"
    record.write_text(json.dumps(kept | {"frames_digest": kept["frames_digest"][:-1] + last}))
    checks = [cli("takes", film.path, shot, "--verify", "--json") for shot in ("SH010", "SH020")]
    said = [process.communicate(timeout=90) for process in checks]
    assert [process.returncode for process in checks] == [0, 1], said
    assert [json.loads(out)["differs"] for out, _ in said] == [[], ["frames"]]


def test_two_models_by_turns_are_loaded_once_each(tmp_path: Path, user_folders: Path, models: TinyModels) -> None:
    """Their text encoders too, though these make room as soon as the words are made."""
    with user(tmp_path / "user"):
        register(models, "wan", "ltx", "sdxl", "wan-i2v")
        names = ("wan", "ltx", "wan-i2v") * 3
        film = shoot(tmp_path, *[{"prompt": f"a wave {n}", "model": name} for n, name in enumerate(names)])
        generators = Generators({**BUILT_IN, "diffusers": "modelled:Noted"})
        outcome = render_film(film.desk, Wishes(), nobody, InlineWorkers(generators))
    assert len(rendered(outcome)) == 9
    assert set(READ.values()) == {1}, READ

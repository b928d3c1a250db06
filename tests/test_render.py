"""What is rendered after a change, and what is not: the main job, with real stages and real files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rendering import HANDLES, Shoot, rendered, shoot
from rushes.engine.motion import pieces
from rushes.engine.rendering import render_film
from rushes.engine.wishes import Wishes
from rushes.media.frames import frames_digest
from rushes.media.probe import probe
from rushes.messages.events import FilmEvents, Progress
from rushes.store.index import TakeIndex
from rushes.store.locks import render_lock
from rushes.store.takes import read_record, scan
from rushes_otio.errors import Busy
from rushes_otio.schema import Scene
from rushes_otio.setting import Level

TALK = {"prompt": "@mara waits by the sea"}
EMPTY = {"prompt": "the sea, nobody there"}


def test_exactly_the_touched_shots_are_rendered(tmp_path: Path) -> None:
    """A prompt: one shot. A character: those who mention her. Nothing changed: nothing."""
    film = shoot(tmp_path, TALK, EMPTY, TALK, mara="a woman in a red coat")
    assert rendered(film.render()) == ["SH010", "SH020", "SH030"]
    assert rendered(film.render()) == []
    film.set("prompt=the sea at night", shot="SH020")
    assert rendered(film.render()) == ["SH020"]
    film.set("description=a woman in a blue coat", level=Level("character", "mara"))
    assert rendered(film.render()) == ["SH010", "SH030"]
    assert set(film.states().values()) == {"fresh"}


@pytest.mark.parametrize("change", ["delivery.codec=h264", "delivery.size=80x64", "fit=fit"])
def test_a_change_of_delivery_runs_no_picture_stage(tmp_path: Path, change: str) -> None:
    film = shoot(tmp_path, TALK, EMPTY, mara="a woman")
    film.render()
    motions = [film.chosen("SH010").motion, film.chosen("SH020").motion]
    film.set(change)
    outcome = film.render()
    assert rendered(outcome) == ["SH010", "SH020"]
    for made in outcome.rendered:
        assert made.stages == {"keyframe": "cached", "motion": "cached", "finish": "ran", "encode": "ran"}
    assert [film.chosen("SH010").motion, film.chosen("SH020").motion] == motions


def test_editing_the_cut_renders_nothing(tmp_path: Path) -> None:
    """Reordered, trimmed within the handles, shot and scene renamed: everything stays fresh."""
    film = shoot(tmp_path, TALK, EMPTY, mara="a woman")
    film.render()
    film.length("SH010", 6 + HANDLES)
    film.length("SH020", 3)
    with film.desk.changing() as cut:
        track = cut.video[0]
        track.items.reverse()
        track.place()
        cut.patch_block(scenes=[Scene(s.id, "SC999", "OTHER", s.intent) for s in cut.block.scenes])
        for shot_id, name in zip(list(cut.shots), ("B_SH010", "A_SH020"), strict=True):
            cut.patch_shot(shot_id, name=name)
    assert rendered(film.render()) == []


def test_an_older_take_can_be_chosen_and_its_intent_restored(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY)
    film.render()
    film.set("prompt=a storm", shot="SH010")
    film.render()
    film.decide("SH010", choose="t001")
    assert film.states() == {"SH010": "fresh"}
    assert (film.chosen("SH010").take, film.chosen("SH010").by) == ("t001", "hand")
    assert film.chosen("SH010").recipe["prompt"] == "a storm"
    film.decide("SH010", choose="t001", restore=True)
    assert film.chosen("SH010").recipe["prompt"] == EMPTY["prompt"]
    assert film.states() == {"SH010": "fresh"}


def test_a_recipe_that_was_made_before_is_found_and_not_made_again(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY)
    film.render()
    film.set("prompt=a storm", shot="SH010")
    film.render()
    film.set(f"prompt={EMPTY['prompt']}", shot="SH010")
    (made,) = film.render().rendered
    assert made.take == "t001"
    assert set(made.stages.values()) == {"cached"}


@pytest.mark.parametrize("codec", ["prores", "h264"])
def test_extending_keeps_every_old_frame(tmp_path: Path, codec: str) -> None:
    film = shoot(tmp_path, EMPTY)
    film.set(f"delivery.codec={codec}")
    film.render()
    old, had = film.movie("SH010"), 6 + HANDLES
    film.length("SH010", 6 + 14)
    outcome = film.render()
    new = film.movie("SH010")
    assert rendered(outcome) == ["SH010"]
    assert probe(new).frames == 6 + 14 + HANDLES
    assert frames_digest(new, 0, had) == frames_digest(old)
    assert [start for start, _ in pieces(film.chosen("SH010").motion)] == [0, had]
    assert rendered(film.render()) == []


def _chain(folder: Path, at: object = "out") -> Shoot:
    film = shoot(folder, EMPTY, {"prompt": "it goes on"}, {"prompt": "elsewhere"})
    film.set("first_frame.from=SH010", f"first_frame.at={at}", shot="SH020")
    film.render()
    return film


def test_what_continues_follows_its_upstream(tmp_path: Path) -> None:
    """A changed upstream picture, or a moved out-point, is rendered on; a changed codec upstream is not."""
    film = _chain(tmp_path)
    film.set("prompt=a storm", shot="SH010")
    assert film.states()["SH020"] == "stale"
    assert rendered(film.render()) == ["SH010", "SH020"]
    film.length("SH010", 5)
    assert film.states() == {"SH010": "fresh", "SH020": "stale", "SH030": "fresh"}
    assert rendered(film.render()) == ["SH020"]
    motion = film.chosen("SH020").motion
    film.set("delivery.codec=h264")
    film.render()
    assert film.chosen("SH020").motion == motion


def test_an_extension_leaves_those_who_continue_from_a_pinned_frame_fresh(tmp_path: Path) -> None:
    film = _chain(tmp_path, at=3)
    film.length("SH010", 30)
    assert rendered(film.render()) == ["SH010"]
    assert set(film.states().values()) == {"fresh"}


def test_naming_a_shot_renders_what_it_continues_from_first(tmp_path: Path) -> None:
    film = _chain(tmp_path)
    film.set("prompt=a storm", shot="SH010")
    film.set("prompt=changed too", shot="SH030")
    outcome = film.render("SH020")
    assert [row.name[-5:] for row in outcome.rendered] == ["SH010", "SH020"]
    assert film.states()["SH030"] == "stale"


def test_a_take_chosen_by_hand_is_not_replaced_from_upstream(tmp_path: Path) -> None:
    film = _chain(tmp_path)
    film.decide("SH020", choose="t001")
    film.set("prompt=a storm", shot="SH010")
    assert rendered(film.render()) == ["SH010", "SH020"]
    assert (film.chosen("SH020").take, film.block("SH020").waiting) == ("t001", "t002")
    again = film.render()
    assert not again.rendered
    assert "waits" in again.skipped[0].text
    film.decide("SH020", choose="t002")
    assert (film.block("SH020").waiting, film.states()["SH020"]) == (None, "fresh")


def test_locked_shots_are_never_rendered(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY, EMPTY)
    film.render()
    film.decide("SH010", lock=True)
    film.set("prompt=a storm", shot="SH010")
    outcome = film.render("SH010")
    assert not outcome.rendered
    assert outcome.skipped[0].text == "it is locked"


def test_variations_choose_nothing_and_differ(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY)
    film.render()
    outcome = film.render("SH010", another=2)
    assert [made.take for made in outcome.rendered] == ["t002", "t003"]
    assert film.chosen("SH010").take == "t001"
    digests = {frames_digest(film.movie("SH010", take)) for take in ("t001", "t002", "t003")}
    assert len(digests) == 3
    film.decide("SH010", choose="t003")
    film.set("camera=push in", shot="SH010")
    film.render()
    seeds = {t.take: read_record(t.record).seed for t in scan(film.desk.places.takes) if t.record}
    assert seeds[film.chosen("SH010").take] == seeds["t003"]  # a stale shot keeps its seed
    film.render("SH010")
    assert film.chosen("SH010").take == "t005"  # a fresh shot that is named is made once more


def test_take_numbers_never_repeat(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY)
    film.render()
    film.render("SH010")
    shutil.rmtree(film.desk.places.takes)
    film.render("SH010")
    assert film.chosen("SH010").take == "t003"


def test_an_invalid_shot_leaves_the_others_working(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "@maar waits"}, EMPTY, mara="a woman")
    outcome = film.render()
    assert [row.name[-5:] for row in outcome.rendered] == ["SH020"]
    assert "maar" in outcome.failed[0].text
    assert "mara" in outcome.failed[0].remedy


def test_the_same_recipe_gives_the_same_frames_in_another_process(tmp_path: Path) -> None:
    film = shoot(tmp_path, TALK, mara="a woman in a red coat")
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(film.path, copy / "film.otio")
    film.render()
    elsewhere = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "c"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "rushes.cli.main", "render", str(copy / "film.otio")]
    subprocess.run(command, env=elsewhere, check=True, capture_output=True, timeout=120)
    assert frames_digest(Shoot(copy / "film.otio").movie("SH010")) == frames_digest(film.movie("SH010"))


def test_a_film_can_be_moved(tmp_path: Path) -> None:
    """A path with a space, # and é: fresh, and the takes are found."""
    film = _chain(tmp_path)
    moved = tmp_path / "le film #1 é"
    moved.mkdir()
    for entry in (film.path, film.desk.places.folder):
        shutil.move(entry, moved / entry.name)
    film = Shoot(moved / "film.otio")
    assert set(film.states().values()) == {"fresh"}
    assert rendered(film.render()) == []
    film.set("prompt=a storm", shot="SH020")
    assert rendered(film.render()) == ["SH020"]  # starts from a frame of SH010, whose take has moved


def test_the_cache_may_be_lost(tmp_path: Path, user_folders: Path) -> None:
    """What was in it is made again, the same, also to extend a take."""
    film = _chain(tmp_path)
    motion = film.chosen("SH010").motion
    shutil.rmtree(user_folders / "cache")
    film = Shoot(film.path)
    film.length("SH010", 24)
    assert rendered(film.render()) == ["SH010", "SH020"]
    assert film.chosen("SH010").motion.startswith(motion)


def test_the_index_is_rebuilt_from_films_and_takes(tmp_path: Path, user_folders: Path) -> None:
    film = shoot(tmp_path, EMPTY, TALK, mara="a woman")
    film.render()
    film.render("SH010", another=1)
    key, ids = film.desk.places.key, list(film.film.shots)
    rows = [TakeIndex(film.studio.database).of_shot(key, shot) for shot in ids]
    film.studio.database.close()
    shutil.rmtree(user_folders / "state")
    film = Shoot(film.path)
    film.desk.shelf()
    assert [TakeIndex(film.studio.database).of_shot(key, shot) for shot in ids] == rows
    assert rendered(film.render()) == []


def test_one_film_is_rendered_by_one_process(tmp_path: Path) -> None:
    film = shoot(tmp_path, EMPTY)
    with render_lock(film.studio.places, film.desk.places.film), pytest.raises(Busy, match=str(os.getpid())):
        film.render()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """kill -9 of the worker in mid-render costs a stage; the render finishes and everything is fresh."""

    film = shoot(tmp_path, EMPTY, TALK, EMPTY, mara="a woman", frames=24)
    film.set("delivery.size=640x360")

    killed: list[int] = []

    def kill(event: FilmEvents) -> None:
        found = [pid for pid in _children("rushes.worker.main") if pid not in killed]
        if isinstance(event, Progress) and found and len(killed) < 2:
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    outcome = render_film(film.desk, Wishes(), kill)
    assert len(killed) == 2
    assert rendered(outcome) == ["SH010", "SH020", "SH030"]
    assert set(film.states().values()) == {"fresh"}
    time.sleep(0.2)
    assert not _children("rushes.worker.main")


def _children(name: str) -> list[int]:
    """Processes of this one whose command line holds `name`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if name in command and parent == os.getpid():
                found.append(int(entry.name))
    return found


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    film = shoot(tmp_path, *[EMPTY] * 8)

    def write(first: int) -> None:
        mine = Shoot(film.path)
        for number in range(first, 8, 2):
            mine.set(f"prompt=by {first}", shot=f"SC010_SH0{number + 1}0")

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [s.block.intent for s in film.film.shots.values()]
    assert [b"by %d" % (n % 2) in bytes(raw) for n, raw in enumerate(said)] == [True] * 8

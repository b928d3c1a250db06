"""Cleaning: what nothing needs is freed, what anything needs is not, also when killed, raced or misled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from cleaning import SEA, cleaned, files, freed, later, there, why, with_takes
from processes import run
from rendering import Shoot, rendered, shoot
from rushes.cli import clean as command
from rushes.engine.cleaning import Cleaning, clean, survey
from rushes.store.durable import temporary_beside
from rushes.store.held import HeldTakes
from rushes.store.locks import render_lock
from rushes.store.takes import scan
from rushes_otio.errors import BadRequest, Busy
from rushes_otio.schema import TakeMark


def test_what_anything_needs_stays_and_the_rest_goes(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 7)
    shot = film.block("SH010").shot
    film.decide("SH010", circle="t002")
    film.decide("SH010", approve="t003")
    with film.desk.changing() as cut:
        marks = {**cut.shots[shot].block.takes, "t004": TakeMark(note="the hands are right")}
        cut.patch_shot(shot, takes=marks, waiting="t005")
    HeldTakes(film.studio.database).say(film.desk.places.key, "blender", [(shot, "t006")])
    folder, states = film.movie("SH010").parent, film.states()
    before = files(folder)
    done = cleaned(film)
    assert freed(done) == ["t007", "t008"]
    assert why(done) == {
        "t001": "chosen",
        "t002": "circled",
        "t003": "approved",
        "t004": "has a note",
        "t005": "waits to be chosen",
        "t006": "held by blender",
    }
    after = files(folder)
    assert after == {file: data for file, data in before.items() if "t007" not in file and "t008" not in file}
    assert done.bytes == sum(map(len, before.values())) - sum(map(len, after.values()))
    assert film.states() == states
    assert rendered(film.render()) == []
    (made,) = film.render("SH010", another=1).rendered
    assert made.take == "t009"
    assert freed(cleaned(film)) == ["t009"]


def test_looking_changes_nothing_and_new_takes_stay(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    before = files(tmp_path)
    assert freed(survey(film.desk, later())) == ["t002"]
    assert why(survey(film.desk)) == {"t001": "chosen", "t002": "it is new"}
    os.utime(film.movie("SH010", "t002"), (0, 0))  # as copied from elsewhere, with the time it had there
    assert why(clean(film.desk, survey(film.desk)))["t002"] == "it is new"
    assert files(tmp_path) == before


def test_numbers_go_on_in_a_film_that_is_older_than_its_folder(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, SEA)
    film.render()
    older = film.path.read_bytes()
    film.render("SH010", "SH020", another=2)
    film.path.write_bytes(older)
    gone = film.block("SH020")
    with film.desk.changing() as cut:
        cut.remove(*cut.shots[gone.shot].uses[0])
        cut.patch_block(omitted=[gone])
    film.desk.places.previous.unlink()
    done = cleaned(film)
    assert sorted(freed(done)) == ["t002", "t002", "t003", "t003"]
    assert [row.keep for row in done.kept] == ["chosen", "chosen"]
    assert film.block("SH010").next_take == 4
    assert msgspec.json.decode(film.film.block.omitted[0])["next_take"] == 4
    (made,) = film.render("SH010", another=1).rendered
    assert made.take == "t004"


def test_shots_that_the_film_does_not_know_any_more(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    with film.desk.changing() as cut:
        cut.remove(*next(iter(cut.shots.values())).uses[0])
    assert why(survey(film.desk, later())) == {"t001": "named in previous.otio"}
    film.desk.places.previous.unlink()
    folder = film.desk.places.takes / "SC010"
    assert folder.is_dir()
    assert freed(cleaned(film)) == ["t001", "t002"]
    assert not folder.exists()


def test_nothing_is_freed_of_a_shot_that_is_rendered_or_is_to_be(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    job = film.studio.jobs.add(film.desk.places.key, film.block("SH010").shot, "{}")
    assert why(cleaned(film))["t002"] == "its shot is to be rendered"
    with film.studio.database.writing() as connection:
        connection.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
    seen = survey(film.desk, later())
    with render_lock(film.studio.places, film.path), pytest.raises(Busy, match=str(os.getpid())):
        clean(film.desk, seen)
    assert there(film) == ["t001", "t002"]


def test_a_take_that_is_chosen_in_the_same_moment_stays(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 2)
    shot = film.block("SH010").shot
    seen = survey(film.desk, later())
    assert freed(seen) == ["t002", "t003"]
    results: list[Cleaning] = []
    cleaner = threading.Thread(target=lambda: results.append(clean(Shoot(film.path).desk, seen)))
    with film.desk.changing() as cut:
        cleaner.start()
        time.sleep(0.2)
        chosen = cut.shots[shot].block.chosen
        assert chosen is not None
        cut.patch_shot(shot, chosen=msgspec.structs.replace(chosen, take="t002"))
    cleaner.join()
    assert freed(results[0]) == ["t003"]
    assert why(results[0])["t002"] == "chosen"
    assert there(film) == ["t001", "t002"]


def test_what_does_not_look_like_ours_is_never_touched(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 6)
    folder = film.movie("SH010").parent
    movie = {take: film.movie("SH010", take) for take in there(film)}
    movie["t002"].with_suffix(".json").unlink()
    movie["t003"].with_suffix(".json").write_bytes(b"{")
    shutil.copy(movie["t004"], movie["t004"].with_suffix(".mp4"))
    elsewhere = tmp_path / "other disk"
    elsewhere.mkdir()
    shutil.move(movie["t005"], elsewhere / "moved.mov")
    movie["t005"].symlink_to(elsewhere / "moved.mov")
    shutil.move(movie["t006"], folder / "renamed by hand.mov")
    shutil.move(movie["t006"].with_suffix(".json"), folder / "renamed by hand.json")
    shutil.copytree(folder, elsewhere / "scene")
    (film.desk.places.takes / "LINKED").symlink_to(elsewhere / "scene")
    shutil.copytree(folder, film.desk.places.takes / "archive" / "deeper")
    for file in (movie["t007"], movie["t007"].with_suffix(".json")):
        shutil.copy(file, film.desk.places.takes / file.name)
    before = files(tmp_path)
    done = cleaned(film)
    assert freed(done) == []
    assert why(done) == {
        "t001": "chosen",
        "t002": "it has no record",
        "t003": "its record cannot be read",
        "t004": "there are several files of it",
        "t007": "there are several files of it",
    }
    assert files(tmp_path) == before


@pytest.mark.parametrize("link", ["film.rushes", "film.rushes/takes"])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, link: str) -> None:
    film = with_takes(tmp_path, 1)
    shutil.move(tmp_path / link, tmp_path / "elsewhere")
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadRequest, match="link"):
        cleaned(film)
    assert there(film) == ["t001", "t002"]


KILLED = """
import os, signal, sys
from pathlib import Path
from rushes.engine.cleaning import clean, survey
from rushes.engine.studio import Studio

desk, left = Studio.of_user().desk(Path(sys.argv[1])), int(sys.argv[2])
seen = survey(desk, float(sys.argv[3]))

def die_at_removal(event, arguments):
    global left
    if event == "os.remove" and "takes" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die_at_removal)
clean(desk, seen)
"""


@pytest.mark.parametrize("removals", range(6))
def test_killed_in_between_no_half_take_is_left_and_the_next_run_ends_it(tmp_path: Path, removals: int) -> None:
    film = with_takes(tmp_path, 3)
    kept = film.movie("SH010").read_bytes()
    status, _, errors = run(KILLED, film.path, removals, later())
    assert status == -signal.SIGKILL, errors
    assert all(take.record for take in scan(film.desk.places.takes))
    assert film.states() == {"SH010": "fresh"}
    cleaned(film)
    assert [file.name[-9:] for file in film.movie("SH010").parent.iterdir() if file.suffix == ".mov"] == [
        "_t001.mov"
    ]
    assert len(list(film.movie("SH010").parent.iterdir())) == 2
    assert film.movie("SH010").read_bytes() == kept
    (made,) = film.render("SH010", another=1).rendered
    assert made.take == "t005"


def test_what_killed_renders_left_is_swept(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    folder = film.movie("SH010").parent
    part = folder / "x.mov.part"
    part.write_bytes(b"half")
    mine = temporary_beside(folder / "x.json")
    mine.write_bytes(b"of a process that lives")
    status, path, errors = run(
        "import sys; from pathlib import Path; from rushes.store.durable import temporary_beside;"
        "made = temporary_beside(Path(sys.argv[1]) / 'x'); made.touch(); print(made, end='')",
        folder,
    )
    assert (status, errors) == (0, "")
    assert set(cleaned(film).leftovers) == {part, Path(path)}
    assert mine.exists()


def test_the_command(tmp_path: Path) -> None:
    film = with_takes(tmp_path, 1)
    app = typer.Typer()
    command.register(app)
    for arguments, dry in ((["--json"], True), (["--json", "--yes"], False)):
        result = CliRunner().invoke(app, [str(film.path), *arguments])
        said = json.loads(result.stdout)
        assert result.exit_code == 0
        assert (said["film"], said["freed"], said["bytes"], said["dry_run"]) == (str(film.path), [], 0, dry)
        assert said["kept"] == [
            {"shot": film.block("SH010").shot, "take": "t001", "because": "chosen"},
            {"shot": film.block("SH010").shot, "take": "t002", "because": "it is new"},
        ]
    result = CliRunner().invoke(app, [str(tmp_path / "nothing.otio"), "--yes"])
    assert (result.exit_code, "no such file" in result.stderr) == (2, True)
    found = survey(film.desk, later())
    (row,) = found.shape("film.otio", dry_run=True)["freed"]
    movie = film.movie("SH010", "t002")
    assert (row["name"], row["take"], row["path"]) == ("SC010_SH010", "t002", str(movie))
    assert row["bytes"] == movie.stat().st_size + movie.with_suffix(".json").stat().st_size
    shown = command.lines(found.shape("film.otio", dry_run=True))
    assert shown[0].split()[0] == "SC010_SH010"
    assert shown[-1] == "free them: rushes clean film.otio --yes"
    assert [line.split() for line in shown[1:-2]] == [["kept:", "1", "chosen"]]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12 MB"), (999_600_000, "1.0 GB")],
)
def test_sizes_as_people_read_them(count: int, text: str) -> None:
    assert command.size(count) == text

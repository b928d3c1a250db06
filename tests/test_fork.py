"""A use made a shot of its own: the same pictures under another name, and from then on two ways."""

from __future__ import annotations

import hashlib
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemons import cli
from films import footage, items
from rendering import Shoot, check_nothing_half_made, rendered, shoot
from rushes.engine.cleaning import survey
from rushes.engine.forking import Fork, fork
from rushes.engine.plan import plan
from rushes.engine.undoing import redo, undo
from rushes.export.exporting import export_film
from rushes.media.frames import iter_frames
from rushes.media.probe import probe
from rushes.media.tags import read_tags
from rushes.store.index import TakeIndex
from rushes.store.takes import parse_take_name, read_record
from rushes_otio.errors import BadRequest, FileFault
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.resolve import Resolver

SEA, LAND = {"prompt": "the sea", "camera": "pan left"}, {"prompt": "the land"}

Json = dict[str, Any]


def edit(film: Shoot, change: Any) -> None:
    """As a program edits the film that loads it as JSON."""
    doc = json.loads(film.path.read_bytes())
    change(doc)
    film.path.write_bytes(json.dumps(doc).encode())


def copied(film: Shoot, at: int = 0, **intent: str) -> str:
    """Put a copy of a clip at the end of its track; the use of the copy. `intent` makes it say something else."""
    use = new_id()

    def change(doc: Json) -> None:
        clip = json.loads(json.dumps(items(doc)[at]))
        clip["metadata"]["rushes"]["use"] = use
        clip["metadata"]["rushes"]["intent"] |= intent
        items(doc).append(clip)

    edit(film, change)
    return use


def frames(movie: Path) -> str:
    """Digest of every decoded picture."""
    sha = hashlib.sha256()
    for frame in iter_frames(movie):
        sha.update(np.ascontiguousarray(frame).data)
    return sha.hexdigest()


def forked(film: Shoot, use: str) -> tuple[Fork, Film]:
    made = fork(film.desk, use)
    return made, film.film


@pytest.mark.parametrize("codec", ["prores", "dnxhr", "h264"])
def test_the_pictures_stay_and_the_identity_is_new(tmp_path: Path, codec: str) -> None:
    film = shoot(tmp_path, SEA)
    film.set("delivery.size=256x120", f"delivery.codec={codec}")
    film.render()
    use, old = copied(film), film.block("SH010")
    made, now = forked(film, use)
    assert (made.use, made.of, made.name, made.take) == (use, old.shot, "SC010_SH020", "t001")
    assert made.path is not None and parse_take_name(made.path.name) == (made.shot, "t001")
    first, second = film.movie("SH010"), film.movie("SH020")
    assert (second, frames(second)) == (made.path, frames(first))
    tags, before = read_tags(second), read_tags(first)
    assert tags is not None and before is not None
    assert (tags.shot, tags.take, tags.key) == (made.shot, "t001", before.key)
    assert json.loads(tags.json) == json.loads(before.json) | {"name": "SC010_SH020"}
    assert (probe(second).reel, probe(second).timecode) == (made.shot, "01:00:00:00")
    was, record = (read_record(movie.with_suffix(".json")) for movie in (first, second))
    assert (record.shot, record.take, record.name, record.movie) == (made.shot, "t001", "SC010_SH020", second.name)
    for field in ("recipe", "seed", "n", "stages", "pieces", "window", "frames_digest", "generator", "made"):
        assert getattr(record, field) == getattr(was, field)
    assert film.states() == {"SH010": "fresh", "SH020": "fresh"}
    assert now.shots[made.shot].items[0].name == "SC010_SH020"
    check_nothing_half_made(film)


def test_a_fork_goes_its_own_way_with_its_seed(tmp_path: Path) -> None:
    """What was rendered for the old shot is not made again for the new one: same seed, same stages."""
    film = shoot(tmp_path, SEA)
    film.render()
    film.render("SH010", another=2)
    film.decide("SH010", choose="t003")
    made, _ = forked(film, copied(film))
    seed = read_record(film.movie("SH010").with_suffix(".json")).seed
    film.set("delivery.codec=h264")
    outcome = film.render()
    assert rendered(outcome) == ["SH010", "SH020"]
    assert {row.stages["motion"] for row in outcome.rendered} == {"cached"}
    film.set("camera=static", shot="SH020")
    assert film.states() == {"SH010": "fresh", "SH020": "stale"}
    (row,) = film.render().rendered
    record = read_record(Path(row.path).with_suffix(".json"))
    assert (row.shot, row.take, record.seed, record.n) == (made.shot, "t003", seed, 2)
    assert row.stages["keyframe"] == "cached"
    assert film.chosen("SH010").take == "t004"
    film.render("SH020", another=1)
    seeds = [take.seed for take in film.desk.shelf().rows(made.shot)]
    assert seeds[:3] == [seed] * 3 and seeds[3] != seed


def test_uses_that_say_different_things_are_mended(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    use = copied(film, prompt="a storm")
    assert film.states() == {"SH010": "invalid"}
    made, now = forked(film, use)
    assert film.states() == {"SH010": "fresh", "SH020": "stale"}
    said = [Resolver(now).resolve(shot.block).values["prompt"] for shot in now.shots.values()]
    assert said == ["the sea", "a storm"]
    reasons = plan(now, film.desk.sources).shots[made.shot].reasons
    assert [(r.input, r.was, r.now) for r in reasons] == [("prompt", "the sea", "a storm")]
    assert rendered(film.render()) == ["SH020"]


def test_what_continues_from_the_use_goes_on_doing_so(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, LAND)
    use = copied(film)
    film.set(f"first_frame.from={use}", "first_frame.at=2", shot="SH020")
    film.render()
    made, now = forked(film, use)
    assert film.states() == {"SH010": "fresh", "SH020": "fresh", "SH030": "fresh"}
    assert plan(now, film.desk.sources).shots[film.block("SH020").shot].upstream == (made.shot,)
    film.set("prompt=a storm", shot="SH030")
    assert film.states()["SH020"] == "stale"
    assert rendered(film.render()) == ["SH020", "SH030"]


def test_the_movie_of_the_cut_is_what_it_was(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, LAND)
    film.render()
    uses = [copied(film), copied(film)]
    before, after = tmp_path / "before.mov", tmp_path / "after.mov"
    export_film(film.desk, before, lambda done, total: None)
    forked(film, uses[0])
    forked(film, "V1@18")
    lost = export_film(film.desk, after, lambda done, total: None)
    assert (frames(before), lost) == (frames(after), [])
    assert list(film.states()) == ["SH010", "SH020", "SH030", "SH040"]


def test_undo_makes_it_a_use_again_and_redo_a_shot(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    use, old = copied(film), film.block("SH010").shot
    made, _ = forked(film, use)
    film.set("prompt=a storm", shot="SH020")
    undo(film.desk, skip=False)
    label, now, _ = undo(film.desk, skip=False)
    assert (label, [item.use for item in now.shots[old].items][1]) == (f"fork {use}", use)
    assert (list(now.shots), film.states()) == ([old], {"SH010": "fresh"})
    redo(film.desk, skip=False)
    assert (list(film.film.shots), film.states()) == ([old, made.shot], {"SH010": "fresh", "SH020": "fresh"})
    undo(film.desk, skip=False)
    again, _ = forked(film, use)
    assert (again.name, again.shot != made.shot) == ("SC010_SH030", True)


def test_a_shot_without_a_take_and_one_that_shows_its_footage(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    edit(film, lambda doc: items(doc).append(footage("plate.mov")))
    film.set("prompt=fog", shot="V1@8")
    for at in (0, 1):
        copied(film, at)
    shown = [json.loads(bytes(item.raw)) for item in film.film.video[0].items]
    bare, _ = forked(film, shown[2]["metadata"]["rushes"]["use"])
    made, now = forked(film, shown[3]["metadata"]["rushes"]["use"])
    assert (bare.take, bare.path, made.take, made.name) == ("", None, "", "SH010")
    clip = json.loads(bytes(now.shots[made.shot].items[0].raw))
    assert clip["media_references"] == shown[1]["media_references"]
    assert (clip["source_range"], clip["metadata"]["rushes"]["shift"]) == (
        shown[1]["source_range"],
        shown[1]["metadata"]["rushes"]["shift"],
    )
    assert (len(now.shots), set(film.states().values())) == (4, {"missing"})


def test_what_was_decided_about_the_take_comes_along_and_no_more(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    film.render("SH010", another=1)
    film.decide("SH010", circle="t001", note="softer", lock=True)
    film.decide("SH010", approve="t002", circle="t002", choose="t002")
    made, now = forked(film, copied(film))
    block, clip = now.shots[made.shot].block, json.loads(bytes(now.shots[made.shot].items[0].raw))
    assert (block.locked, block.note, block.next_take, block.waiting) == (False, "softer", 2, None)
    assert {name: (mark.circled, mark.approved) for name, mark in block.takes.items()} == {"t001": (True, True)}
    media = clip["media_references"]
    assert {key: parse_take_name(m["target_url"]) for key, m in media.items()} == dict.fromkeys(
        ("DEFAULT_MEDIA", "t001"), (made.shot, "t001")
    )
    assert {row.keep for row in survey(film.desk, at=4e9).rows if row.shot == made.shot} == {"chosen"}


def test_what_cannot_be_forked_says_why_and_changes_nothing(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    edit(film, lambda doc: items(doc).append(footage("plate.mov")))
    only = film.film.video[0].items[0].use or ""
    for text in (only, "V1@0", "SH010", film.block("SH010").shot):
        with pytest.raises(BadRequest, match="shot of its own already"):
            fork(film.desk, text)
    with pytest.raises(BadRequest, match="no shot yet"):
        fork(film.desk, "V1@8")
    with pytest.raises(BadRequest, match="no shot is called"):
        fork(film.desk, "zzzzzzzz")
    film.render()
    use = copied(film)
    with pytest.raises(BadRequest, match="has 2 uses") as asked:
        fork(film.desk, "SH010")
    assert f"{use} (V1@54)" in asked.value.remedy
    held = film.path.read_bytes()
    record = film.movie("SH010").with_suffix(".json")
    text = record.read_bytes()
    record.unlink()
    with pytest.raises(FileFault, match="lost its record"):
        fork(film.desk, use)
    record.write_bytes(text)
    film.movie("SH010").rename(tmp_path / "away.mov")
    with pytest.raises(BadRequest, match="not in the film's folder"):
        fork(film.desk, use)
    assert film.path.read_bytes() == held


def test_a_fork_that_is_killed_leaves_the_film_as_it_was(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    use, held = copied(film), film.path.read_bytes()
    killed = cli("fork", film.path, use, RUSHES_FAILPOINT="take.linked")
    killed.communicate(timeout=60)
    assert (killed.returncode, film.path.read_bytes()) == (-signal.SIGKILL, held)
    check_nothing_half_made(film)
    forked(film, use)
    film.render()
    check_nothing_half_made(film)
    assert not [*tmp_path.rglob("*.tmp")]


def test_the_index_is_the_one_that_the_files_make(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    made, _ = forked(film, copied(film))
    index, key = TakeIndex(film.studio.database), film.desk.places.key
    rows = index.of_shot(key, made.shot)
    assert index.rebuild(key, [take for shot in film.film.shots for take in film.desk.shelf().takes(shot)]) == []
    assert index.of_shot(key, made.shot) == rows != []

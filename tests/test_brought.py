"""Work from elsewhere as takes, and takes made again bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rendering import Shoot, nobody, rendered, shoot
from rushes.engine.alone import Alone
from rushes.engine.bringing import bring
from rushes.engine.verifying import Verdict, verify
from rushes.media.frames import iter_frames
from rushes.media.probe import probe
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.store.locks import render_lock
from rushes.store.takes import read_record
from rushes.worker.inline import InlineWorkers
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio.errors import BadRequest, Busy


def comp(path: Path, frames: int, rate: str = "24/1", size: tuple[int, int] = (64, 64)) -> Path:
    """A movie whose frames count themselves in grey."""
    with Encoder(path, EncodeSpec(size, rate, "prores", "00:00:10:00", "A001", {})) as encoder:
        for n in range(frames):
            encoder.write(np.full((size[1], size[0], 3), 40 + 8 * (n % 25), np.uint8))
    return path


def alone(film: Shoot) -> Alone:
    return Alone(film.studio, InlineWorkers(Generators(BUILT_IN)), nobody)


def brought(film: Shoot, file: Path, shot: str = "SH010") -> str:
    with alone(film) as own:
        return bring(film.desk, film.block(shot).shot, file, own).take


def checked(film: Shoot, take: str = "", shot: str = "SH010") -> Verdict:
    with alone(film) as own:
        return verify(film.desk, film.block(shot).shot, take, own)


def greys(path: Path) -> list[int]:
    return [round(float(frame.mean())) for frame in iter_frames(path)]


def test_a_comp_is_a_take_in_the_cut_and_stands_when_the_codec_changes(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    film = shoot(tmp_path / "film", {"prompt": "a harbour"}, {"prompt": "a beach"})
    film.render()
    window = probe(film.movie("SH010")).frames
    assert brought(film, comp(tmp_path / "comp_v003.mov", window + 5)) == "t002"
    assert film.chosen("SH010").take == "t002" and film.chosen("SH010").by == "hand"
    assert film.states() == {"SH010": "fresh", "SH020": "fresh"}
    movie = probe(film.movie("SH010"))
    assert (movie.frames, movie.timecode, movie.size) == (window, "01:00:00:00", (64, 64))
    shown = greys(film.movie("SH010"))
    assert np.abs(np.array(shown) - (40 + 8 * np.arange(window))).max() <= 2
    (tmp_path / "comp_v003.mov").unlink()  # what the film rests on lies beside it, as any picture from outside
    film.set("delivery.codec=h264")
    assert rendered(film.render()) == ["SH010", "SH020"]
    assert probe(film.movie("SH010")).codec == "h264"
    assert np.abs(np.array(greys(film.movie("SH010"))) - shown).max() <= 3
    film.set("prompt=a harbour by night", shot="SH010")
    assert film.states()["SH010"] == "stale"
    film.render()
    assert greys(film.movie("SH010")) != shown, "who changes the shot's words wants them made"


def test_a_comp_at_another_rate_is_conformed_and_one_that_is_too_short_refused(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour"}, frames=12)
    take = brought(film, comp(tmp_path / "cloud.mov", 14, "16/1", (128, 96)))  # 14 frames at 16 are 20 at 24
    movie = probe(film.movie("SH010", take))
    assert (movie.frames, movie.rate, movie.size) == (16, "24/1", (64, 64))  # the cut's 12 and 4 of handle
    before = film.path.read_bytes()
    for bad, words in (
        (comp(tmp_path / "short.mov", 11), "11 frames, and the cut shows 12"),
        (tmp_path / "absent.mov", "no file"),
        (tmp_path / "paint.png", "is a picture"),
    ):
        if bad.suffix == ".png":
            bad.write_bytes(b"")
        with pytest.raises(BadRequest, match=words):
            brought(film, bad)
    assert film.path.read_bytes() == before
    film.length("SH010", 30)
    outcome = film.render()
    assert "came from elsewhere" in outcome.failed[0].text


def test_a_take_is_made_again_bit_for_bit_also_one_that_was_extended(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour", "camera": "push in"})
    film.render()
    assert checked(film) == Verdict("t001", True, [], {})
    film.length("SH010", 20)
    assert rendered(film.render()) == ["SH010"]
    assert checked(film).same and checked(film, "t001").same
    takes = film.desk.shelf()
    assert [t.take for t in takes.takes(film.block("SH010").shot)] == ["t001", "t002"], "nothing was kept"
    record = takes.find(film.block("SH010"), "t001").record
    assert record is not None
    spoiled = record.read_text().replace(read_record(record).frames_digest, "0" * 64)
    record.write_text(spoiled)
    assert checked(film, "t001") == Verdict("t001", False, ["frames"], {})
    brought(film, comp(tmp_path / "comp.mov", 40))
    with pytest.raises(BadRequest, match="made elsewhere"):
        checked(film)


def test_the_next_shot_goes_on_from_a_comp(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour"}, {"prompt": "a beach"})
    use = film.desk.plan(film.film).shots[film.block("SH010").shot].uses[0]
    film.set(f'first_frame={{"from": "{use}"}}', shot="SH020")
    film.render()
    brought(film, comp(tmp_path / "comp.mov", 10))
    assert film.states() == {"SH010": "fresh", "SH020": "stale"}
    assert rendered(film.render()) == ["SH020"]
    first = next(iter_frames(film.movie("SH020")))
    assert abs(float(first.mean()) - (40 + 8 * 6)) <= 12, (
        "it begins with the first frame of the comp that is not shown"
    )


def test_a_comp_whose_file_was_changed_is_not_finished_anew(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour"})
    film.render()
    file = comp(tmp_path / "film.rushes" / "comp.mov", 10)
    brought(film, file)
    comp(file, 10, size=(96, 64))
    film.set("delivery.codec=h264")
    outcome = film.render()
    assert "has changed" in outcome.failed[0].text


def test_a_take_chosen_by_hand_keeps_its_pictures_when_it_is_finished_anew(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour", "camera": "push in"})
    film.render()
    film.set("prompt=a mountain", shot="SH010")
    film.render()
    film.decide("SH010", choose="t001")
    chosen = list(iter_frames(film.movie("SH010")))
    film.set("delivery.codec=h264")
    assert rendered(film.render()) == ["SH010"]
    film.length("SH010", 20)
    assert rendered(film.render()) == ["SH010"]
    assert film.states() == {"SH010": "fresh"} and checked(film).same
    frames = np.stack(list(iter_frames(film.movie("SH010")))).astype(int)
    assert np.abs(frames[: len(chosen)] - np.stack(chosen)).mean() < 4, "not those of today's prompt"
    assert np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)).max() < 4, "and no cut where it was extended"


def test_nothing_is_brought_in_beside_a_render(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "a harbour"})
    file = comp(tmp_path / "comp.mov", 10)
    with render_lock(film.studio.places, film.path), pytest.raises(Busy, match="being rendered"):
        brought(film, file)
    assert brought(film, file) == "t001"

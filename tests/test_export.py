"""Movies of the cut: the source frame each frame shows; what an export replaces; the sheet and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cuts import (
    BLACK,
    LENGTH,
    SIZE,
    Colour,
    Cut,
    assert_shows,
    between,
    colour,
    dissolve,
    export,
    footage,
    gap,
    movie,
    seen,
)
from processes import children
from rushes.cli.main import app
from rushes.export.exporting import export_film
from rushes.media.probe import BT709, probe
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.errors import BadRequest, FileFault, RushesError
from rushes_otio.timing import Rate


def full_cut(folder: Path) -> tuple[Cut, list[Colour]]:
    """A cut with everything in it that can move a frame, and what each of its frames is to show."""
    cut = Cut(folder)
    cut.add_track()
    cut.put(cut.use("A", 3, 10), gap(4), cut.use("B", 0, 10), dissolve(2, 3), cut.use("C", 5, 10))
    cut.put(cut.use("A", 4, 5, 2.0), cut.use("B", 10, 16, -1.0), cut.use("C", 7, 4, 0.0))
    cut.put(cut.use("A", 0, 3, -1.0, -1.0), dissolve(2, 0))
    cut.put(gap(11), cut.use("C", 0, 4, enabled=False), cut.use("C", 20, 3), track=1)
    mix = [between(colour("B", 8 + n), colour("C", 3 + n), (n + 0.5) / 5) for n in range(5)]
    wanted: list[Colour] = [
        *(colour("A", n) for n in range(3, 13)),
        *[BLACK] * 4,
        colour("B", 0),
        *(colour("C", n) for n in range(20, 23)),
        *(colour("B", n) for n in range(4, 8)),
        *mix,
        *(colour("C", n) for n in range(8, 15)),
        *(colour("A", n) for n in (4, 6, 8, 10, 12)),
        *(colour("B", n) for n in range(25, 9, -1)),
        *[colour("C", 7)] * 4,
        colour("A", 0),
        *(between(colour("A", 1 + n), BLACK, (n + 0.5) / 2) for n in range(2)),
    ]
    return cut, wanted


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_every_frame_of_the_cut_shows_its_source_frame(tmp_path: Path, suffix: str) -> None:
    """Trims, a gap, an upper track with a disabled clip, a dissolve, warps, a freeze, a fade to black."""
    cut, wanted = full_cut(tmp_path)
    out = tmp_path / f"out{suffix}"
    assert export(cut.save(), out) == []
    assert_shows(out, wanted)
    found = probe(out)
    assert (found.frames, found.rate, found.size, found.colour) == (cut.film.length, "24/1", SIZE, BT709)
    assert (found.codec, found.pixel_format) == {
        ".mov": ("prores", "yuv422p10le"),
        ".mp4": ("h264", "yuv420p"),
    }[suffix]
    assert suffix == ".mp4" or found.timecode == "01:00:00:00"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.otio", "film.rushes", out.name]


def test_a_movie_to_watch_has_its_index_in_front(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 4))
    export(cut.save(), tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_footage_at_another_rate_runs_at_the_right_speed(tmp_path: Path) -> None:
    """25 frames a second in a film of 24: frame n of the cut shows frame n * 25 / 24 of the file."""
    movie(tmp_path / "footage.mov", "B", Rate(25, 1))
    cut = Cut(tmp_path, "A")
    cut.put(footage("footage.mov", 0, 30, Rate(25, 1)), footage("footage.mov", 12, 10, Rate(25, 1)))
    assert export(cut.save(), tmp_path / "out.mov") == []
    numbers = [n * 25 // 24 for n in range(30)] + [(12 + n) * 25 // 24 for n in range(10)]
    assert_shows(tmp_path / "out.mov", [colour("B", n) for n in numbers])


def test_what_cannot_be_shown_is_a_slate_and_is_said(tmp_path: Path) -> None:
    """Offline, outside the folder, no movie at all, never rendered, and a take that is too short."""
    (tmp_path / "film").mkdir()
    movie(tmp_path / "outside.mov", "B")
    (tmp_path / "film" / "playlist.mov").write_text("#EXTM3U\nfile:///etc/passwd\n")
    cut = Cut(tmp_path / "film", "A")
    names = ("gone.mov", str(tmp_path / "outside.mov"), "playlist.mov")
    cut.put(*(footage(name, 0, 2) for name in names))
    missing = add_shot(cut.film, cut.film.block.scenes[0], 2, {"prompt": "a storm"})
    cut.put(cut.use("A", LENGTH - 2, 4), {**footage("", 0, 2), "media_references": {}})
    cut.add_track("Audio")
    cut.film.insert(cut.film.tracks[1], 0, rawjson.encode(footage("sound.wav", 0, 8)))
    lost = dict(export(cut.save(), tmp_path / "out.mov"))
    assert "no file" in lost["gone.mov"] and "outside" in lost["outside.mov"]
    assert "playlist.mov" in lost and "no file" in lost["sound.wav"]
    assert "no media" in lost[missing.block.use]
    assert any(f"media of {LENGTH}" in what for what in lost.values())
    found = seen(tmp_path / "out.mov")
    assert len(found) == 14
    held = [colour("A", LENGTH - 2), *[colour("A", LENGTH - 1)] * 3]
    assert np.abs(np.subtract(found[8:12], held)).max() < 3
    assert all(max(shown) < 60 for shown in found[:8])  # slates are dark


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
def test_only_a_few_movies_are_open_at_once(tmp_path: Path) -> None:
    """A film may have more uses than a machine has room for processes, one for each movie from outside."""
    cut = Cut(tmp_path, "A")
    movie(tmp_path / "0.mov", "B", frames=2)
    for number in range(1, 9):
        (tmp_path / f"{number}.mov").hardlink_to(tmp_path / "0.mov")
    cut.put(*(footage(f"{n}.mov", 0, 1) for n in range(9)))
    running: list[int] = []
    before = len(children()) + 1  # the encoder

    def count(done: int, total: int) -> None:
        running.append(len(children()) - before)

    export_film(cut.save(), tmp_path / "out.mov", count)
    assert 1 <= max(running) <= 6
    assert len(children()) < before


def test_an_interrupted_export_leaves_the_earlier_one(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 10))
    out = tmp_path / "out.mp4"
    out.write_text("the earlier one")

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_film(cut.save(), out, interrupt)
    assert out.read_text() == "the earlier one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.otio", "film.rushes", "out.mp4"]


def test_an_export_replaces_nothing_but_an_export(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    movie(tmp_path / "footage.mov", "B")
    cut.put(cut.use("A", 0, 10), footage("footage.mov", 0, 2))
    desk = cut.save()
    (tmp_path / "other.rushes").mkdir()
    (tmp_path / "link.otio").symlink_to("film.otio")
    (tmp_path / "folder.mp4").mkdir()
    take = next((tmp_path / "film.rushes").rglob("*.mov"))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    names = ["cut.avi", "cut", "film.otio", "link.otio", "other.otio", "footage.mov", "folder.mp4", "no/cut.mp4"]
    for name in [*names, str(take), "film.rushes/new.mp4"]:
        with pytest.raises(BadRequest) as refused:
            export(desk, tmp_path / name)
        assert refused.value.remedy
    for suffix in (".mp4", ".png", ".otio"):
        with pytest.raises(FileFault):
            export(desk, tmp_path / ("x" * 249 + suffix))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_an_empty_cut_is_refused(tmp_path: Path) -> None:
    desk = Cut(tmp_path, "A").save()
    for suffix in (".mp4", ".png"):
        with pytest.raises(RushesError) as refused:
            export(desk, tmp_path / f"out{suffix}")
        assert refused.value.remedy


def test_the_contact_sheet_shows_the_middle_of_every_shot(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    cut.put(cut.use("A", 3, 10), cut.use("B", 0, 10), cut.use("C", 5, 10))
    add_shot(cut.film, add_scene(cut.film, "FOREST"), 6, {"prompt": "trees " * 60})
    lost = export(cut.save(), tmp_path / "sheet.png")
    assert len(lost) == 1
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width <= 2000
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    for name, middle in (("A", 8), ("B", 5), ("C", 10)):
        assert (np.abs(pixels - colour(name, middle)).max(axis=2) <= 3).sum() > 10_000


def test_the_command_says_where_the_export_is_and_what_is_lost(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 4), footage("gone.mov", 0, 2))
    cut.save()
    out = tmp_path / "out.mp4"
    done = CliRunner().invoke(app, ["export", str(cut.path), str(out), "--json"])
    shape = json.loads(done.stdout)
    assert (done.exit_code, shape["path"], [row["use"] for row in shape["lost"]]) == (0, str(out), ["gone.mov"])
    refused = CliRunner().invoke(app, ["export", str(cut.path), str(tmp_path / "out.avi"), "--json"])
    assert (refused.exit_code, set(json.loads(refused.stdout)["error"])) == (2, {"text", "where", "remedy"})

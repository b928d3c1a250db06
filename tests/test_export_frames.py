"""A shot's frames for compositing: the numbers of the files, the light in them, and that no half file is left."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from cuts import LENGTH, SIZE, Cut
from processes import children
from rushes.cli.main import app
from rushes.engine.studio import Desk
from rushes.export.frames import FIRST, Sequence, export_frames
from rushes.media.frames import iter_deep_frames
from rushes.stages.encode import Encoder, EncodeSpec
from rushes_otio.adding import add_shot
from rushes_otio.errors import BadRequest, MediaFault, RushesError

HALF = 2.0**-11
"""Half of the last place of a half float, relative; below, of the smallest normal number."""


def exported(desk: Desk, shot: str, pattern: Path) -> tuple[int, int, list[tuple[str, str]]]:
    told: list[tuple[int, int]] = []
    made = export_frames(desk, shot, pattern, lambda *progress: told.append(progress))
    assert told == [(n + 1, made.last - made.first + 1) for n in range(made.last - made.first + 1)]
    return made.first, made.last, made.lost


def light_in(path: Path) -> NDArray[np.float64]:
    """Red, green and blue of an EXR file, as the floats that are stored."""
    with av.open(str(path), format="exr_pipe") as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "gbrpf16le"  # half floats
    rows = [np.frombuffer(memoryview(p), "<f2").reshape(p.height, -1)[:, : p.width] for p in frame.planes]
    return np.dstack([rows[2], rows[0], rows[1]]).astype(np.float64)


def opto_electronic(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.709, item 1.2."""
    return np.where(light < 0.018, 4.5 * light, 1.099 * np.maximum(light, 0.018) ** 0.45 - 0.099)


def take_of(cut: Cut) -> Path:
    (take,) = cut.path.parent.glob("film.rushes/takes/*/*.mov")
    return take


def shot_of(cut: Cut) -> str:
    return next(iter(cut.film.shots.values())).block.name


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    return one_shot(tmp_path)


def one_shot(folder: Path) -> Cut:
    cut = Cut(folder, "A")
    cut.put(cut.use("A", 3, 10))
    cut.save()
    return cut


def test_the_light_is_that_of_the_take_in_half_floats(tmp_path: Path) -> None:
    """Every value of a 10-bit take, black to white, by the definition of BT.709 backwards."""
    cut = one_shot(tmp_path)
    wedge = np.linspace(0, 65535, SIZE[0]).round().astype(np.uint16)
    frame = np.repeat(np.tile(wedge, (SIZE[1], 1))[:, :, None], 3, 2)
    frame[40:, :, 0], frame[80:, :, 2] = 20000, 60000
    with Encoder(take_of(cut), EncodeSpec(SIZE, "24/1", "prores", "01:00:00:00", "", {})) as encoder:
        encoder.write(frame)
    (stored,) = iter_deep_frames(take_of(cut))
    assert len(np.unique(stored[:40])) > 230  # more than 8 bits of limited range hold
    exported(cut.save(), shot_of(cut), tmp_path / "light.%04d.exr")
    light = light_in(tmp_path / f"light.{FIRST}.exr")
    assert light.shape == (SIZE[1], SIZE[0], 3)
    value = stored / 65535
    exact = np.where(value < 0.081, value / 4.5, ((value + 0.099) / 1.099) ** (1 / 0.45))
    assert (np.abs(light - exact) <= np.maximum(exact, 2.0**-14) * HALF).all()
    assert np.abs(opto_electronic(light) - value).max() < 3e-4
    assert light.max() == 1 and light.min() == 0


def test_frame_1001_is_shot_frame_0_and_handles_are_there(tmp_path: Path, cut: Cut) -> None:
    """The use shows frames 3 to 12; a compositor gets all there are. A `%` in a folder's name is only a letter."""
    folder = tmp_path / "50 %02d"
    folder.mkdir()
    assert exported(cut.save(), shot_of(cut), folder / "sh.%05d.EXR") == (1001, 1000 + LENGTH, [])
    assert sorted(f.name for f in folder.iterdir()) == [f"sh.{1001 + n:05d}.EXR" for n in range(LENGTH)]
    reds = [
        opto_electronic(light_in(folder / f"sh.{1001 + n:05d}.EXR"))[20:-20].mean(axis=(0, 1))[0]
        for n in range(LENGTH)
    ]
    assert np.abs(np.array(reds) * 255 - [12 + 6 * n for n in range(LENGTH)]).max() < 2.9


def test_the_files_say_nothing_about_anybody(tmp_path: Path, cut: Cut) -> None:
    exported(cut.save(), shot_of(cut), tmp_path / "x%04d.exr")
    head = (tmp_path / "x1001.exr").read_bytes()[:1024]
    assert b"compression" in head and b"framesPerSecond" in head
    for private in (str(tmp_path), str(Path.home()), shot_of(cut), "film", "rushes"):
        assert private.encode() not in head


def test_an_export_replaces_whole_files_and_tells_of_others(tmp_path: Path, cut: Cut) -> None:
    for number in (1001, 1090, 1100):
        (tmp_path / f"a.{number}.exr").write_text("old")
    first, last, lost = exported(cut.save(), shot_of(cut), tmp_path / "a.%04d.exr")
    assert (tmp_path / "a.1001.exr").read_bytes()[:4] == b"v/1\x01"
    assert lost == [("", "2 other files of that name are there too: a.1090.exr and a.1100.exr")]
    assert (first, last) == (1001, 1036) and (tmp_path / "a.1100.exr").read_text() == "old"


def test_what_fails_leaves_the_old_frames_and_nothing_else(tmp_path: Path, cut: Cut) -> None:
    before = children()
    (tmp_path / "a.1001.exr").write_text("old")
    desk = cut.save()

    def interrupted(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_frames(desk, shot_of(cut), tmp_path / "a.%04d.exr", interrupted)
    whole = take_of(cut).read_bytes()
    take_of(cut).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaFault):
        export_frames(desk, shot_of(cut), tmp_path / "a.%04d.exr", lambda done, total: None)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.1001.exr", "film.otio", "film.rushes"]
    assert (tmp_path / "a.1001.exr").read_text() == "old" and children() == before


@pytest.mark.parametrize(
    "name",
    ["a.exr", "a.%d.exr", "a.%4d.exr", "a.%04d.dpx", "a.%04d", "%04d.%04d.exr", "a.%s.%04d.exr", "a.####.exr"],
)
def test_other_patterns_are_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="numbered EXR files") as raised:
        Sequence.of(Path("comp", name))
    assert "%04d" in raised.value.remedy


def test_requests_that_cannot_be_done_are_refused(tmp_path: Path, cut: Cut) -> None:
    missing = add_shot(cut.film, cut.film.block.scenes[0], 2, {"prompt": "a storm"}).block.name
    desk, shot = cut.save(), shot_of(cut)
    (tmp_path / "b.1003.exr").mkdir()
    cases = {
        "has no take yet": (missing, tmp_path / "a.%04d.exr"),
        "there is no folder": (shot, tmp_path / "nowhere" / "a.%04d.exr"),
        "never replaced": (shot, desk.places.takes / "a.%04d.exr"),
        "a folder has that name": (shot, tmp_path / "b.%04d.exr"),
        "nobody": ("nobody", tmp_path / "a.%04d.exr"),
    }
    for text, (name, pattern) in cases.items():
        with pytest.raises(RushesError, match=text) as raised:
            export_frames(desk, name, pattern, lambda done, total: None)
        assert raised.value.remedy
    assert not [f for f in tmp_path.iterdir() if f.is_file() and f.suffix == ".exr"]


def test_the_command(tmp_path: Path, cut: Cut) -> None:
    pattern = str(tmp_path / "c.%04d.exr")

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["export", str(cut.path), *words])
        return done.exit_code, done.stdout

    code, said = run(shot_of(cut), "--frames", pattern, "--json")
    assert (code, json.loads(said)) == (0, {"path": pattern, "lost": [], "frames": [1001, 1000 + LENGTH]})
    assert run(shot_of(cut), "--frames", pattern) == (0, pattern + "\n")
    code, said = run(shot_of(cut), "--frames", pattern, "--burn-in", "--json")
    assert code == 2 and "--burn-in" in json.loads(said)["error"]["text"]
    assert run(str(tmp_path / "cut.otio")) == (0, str(tmp_path / "cut.otio") + "\n")
    code, said = run(shot_of(cut), "--json")
    assert code == 2 and "--frames" in json.loads(said)["error"]["remedy"]

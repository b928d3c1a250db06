"""The contact sheet of a shot: which pictures stand on it, what is marked, and what cannot be drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from cuts import LENGTH, SIZE, Cut, colour, movie
from rushes.cli.main import app
from rushes.engine.studio import Desk
from rushes.export.candidates import CHOSEN, COLUMNS, PEN, THUMB, export_candidates
from rushes.export.sheet import GAP, MARGIN
from rushes_otio.adding import add_shot
from rushes_otio.errors import BadRequest
from rushes_otio.schema import TakeMark

TALL = round(THUMB * SIZE[1] / SIZE[0])
STILLS = {"k001": (200, 40, 40), "k002": (40, 200, 40), "k003": (40, 40, 200)}


@dataclass
class Shot:
    """A shot with three stills and three takes, of which the last is damaged."""

    cut: Cut
    name: str
    folder: Path

    @property
    def desk(self) -> Desk:
        return self.cut.save()

    def decide(self, **changes: object) -> None:
        shot = next(iter(self.cut.film.shots.values())).block.shot
        self.cut.film.patch_shot(shot, **changes)  # type: ignore[arg-type]

    def drawn(self) -> NDArray[np.int16]:
        out = self.cut.path.with_name("sheet.png")
        told: list[tuple[int, int]] = []
        export_candidates(self.desk, self.name, out, lambda *progress: told.append(progress))
        assert told == [(n, 6) for n in range(1, 7)]
        assert sorted(f.name for f in out.parent.iterdir()) == ["film.otio", "film.rushes", "sheet.png"]
        with Image.open(out) as sheet:
            assert sheet.mode == "RGB" and sheet.width < 2000
            return np.asarray(sheet).astype(np.int16)


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 3, 10))
    (first,) = tmp_path.glob("film.rushes/takes/*/*_t001.mov")
    movie(first.with_name(first.name.replace("t001", "t002")), "B")
    first.with_name(first.name.replace("t001", "t003")).write_bytes(b"broken")
    for name, shade in STILLS.items():
        still = first.with_name(first.name.replace("t001", name)).with_suffix(".png")
        Image.new("RGB", SIZE, shade).save(still)
    return Shot(cut, next(iter(cut.film.shots.values())).block.name, first.parent)


def found(sheet: NDArray[np.int16], shade: tuple[float, float, float], near: int = 4) -> NDArray[np.bool_]:
    return (np.abs(sheet - np.array(shade)) <= near).all(axis=2)


def place(sheet: NDArray[np.int16], shade: tuple[float, float, float]) -> tuple[int, int]:
    """Left and top of the picture of that colour, which is there once and whole."""
    rows, columns = np.nonzero(found(sheet, shade))
    assert len(rows) >= 0.98 * THUMB * TALL and np.ptp(columns) + 1 == THUMB
    return int(columns.min()), int(rows.min())


def test_every_candidate_is_there_stills_first(shot: Shot) -> None:
    """A still once, a take by its first and its middle frame side by side."""
    sheet = shot.drawn()
    stills = [place(sheet, shade) for shade in STILLS.values()]
    assert [x for x, _ in stills] == [MARGIN + n * (THUMB + GAP) for n in range(3)]
    takes = [place(sheet, colour(name, at)) for name in "AB" for at in (0, LENGTH // 2)]
    assert len({y for _, y in stills}) == 1 and len({y for _, y in takes}) == 1
    assert takes[0][1] > stills[0][1] + TALL
    xs = [x for x, _ in takes]
    assert xs == sorted(xs) and xs[1] - xs[0] < THUMB + GAP == xs[2] - xs[0] - (THUMB + GAP)
    assert sheet.shape[1] == 2 * MARGIN + COLUMNS * THUMB + (COLUMNS - 1) * GAP


def test_what_was_decided_is_marked(shot: Shot) -> None:
    plain = shot.drawn()
    _, top = place(plain, STILLS["k001"])
    below = top + TALL
    assert not found(plain[:below], CHOSEN, 0).any()  # of the stills; the take t001 is
    assert not found(plain, PEN, 0).any()
    still = next(shot.folder.glob("*k002.png")).relative_to(shot.cut.path.parent).as_posix()
    shot.decide(intent={"prompt": "a", "keyframe": {"image": still}}, takes={"t002": TakeMark(circled=True)})
    marked = shot.drawn()
    around = found(marked[:below], CHOSEN, 0)
    x, y = place(marked, STILLS["k002"])
    rows, columns = np.nonzero(around)
    assert columns.min() < x and columns.max() >= x + THUMB and rows.min() < y
    _, taken = np.nonzero(found(marked, PEN, 0))
    left, _ = place(marked, colour("B", 0))
    assert left - 20 < taken.min() and taken.max() < left + THUMB / 3


def test_sheets_that_cannot_be_drawn_are_refused(shot: Shot, tmp_path: Path) -> None:
    nothing = add_shot(shot.cut.film, shot.cut.film.block.scenes[0], 2, {"prompt": "a storm"}).block.name
    cases = {
        "no stills and no takes yet": (nothing, tmp_path / "a.png"),
        "no name for a sheet": (shot.name, tmp_path / "a.jpg"),
        "there is no folder": (shot.name, tmp_path / "nowhere" / "a.png"),
        "never replaced": (shot.name, shot.folder / "a.png"),
    }
    for text, (name, out) in cases.items():
        with pytest.raises(BadRequest, match=text) as raised:
            export_candidates(shot.desk, name, out, lambda done, total: None)
        assert raised.value.remedy
        assert not out.exists()


def test_the_command_lists_the_takes_too(shot: Shot, tmp_path: Path) -> None:
    shot.cut.save()
    out = tmp_path / "candidates.png"
    words = ["takes", str(shot.cut.path), shot.name, "--sheet", str(out)]
    done = CliRunner().invoke(app, [*words, "--json"])
    said = json.loads(done.stdout)
    assert (done.exit_code, said["sheet"], len(said["takes"])) == (0, str(out), 6)
    assert CliRunner().invoke(app, words).stdout.splitlines()[-1] == str(out)
    with Image.open(out) as sheet:
        assert sheet.format == "PNG"

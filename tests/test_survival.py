"""The table of docs/round-trip.md, made again: a film is exported, goes through what a program does to it, comes
back, and is conformed. Which clips are known again, and is any of them taken for another?
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import survival
from cuts import Cut, export, footage, gap
from rushes.engine.conforming import conform
from rushes.engine.studio import Desk
from rushes.export.exporting import Wanted, export_film
from rushes_otio.film import Film
from source_tree import ROOT

PAGE = ROOT / "docs" / "round-trip.md"
NAMES = "ABC"


@dataclass(frozen=True)
class Way:
    """One way out and back: the file, what it is shaped for, what happens to it, and how a reader calls that."""

    file: str
    wanted: Wanted
    damage: survival.Damage
    words: str
    left: str


RESOLVE = Wanted(program="resolve")
MARKED = Wanted(program="resolve", markers=True)

WAYS = (
    Way("cut.otio", Wanted(), survival.through_opentimelineio, "through OpenTimelineIO", "everything"),
    Way(
        "cut.otio", MARKED, survival.through_resolve, "Resolve's own metadata alone", "marker notes, names, files"
    ),
    Way("cut.otio", RESOLVE, survival.through_resolve, "the same, markers not asked for", "names, files"),
    Way("cut.otio", RESOLVE, survival.hostile_otio, "hostile: proxies, capitals, timecode from 0", "names, files"),
    Way("cut.otio", RESOLVE, survival.name_only, "transcoded, files renamed", "names"),
    Way("cut.otio", RESOLVE, survival.unmarked, "transcoded, files and clips renamed", "nothing"),
    Way("cut.edl", Wanted(), survival.plain, "as it is", "comments, reels, names, files"),
    Way("cut.edl", Wanted(program="premiere"), survival.plain, "for Premiere", "comments, names"),
    Way("cut.edl", Wanted(), survival.hostile_edl, "hostile: no comments, reels AX, proxies, capitals", "names"),
    Way("cut.edl", Wanted(), survival.reels_only, "names and comments gone", "reels"),
    Way("cut.edl", Wanted(), survival.comments_only, "names gone, reels AX", "comments"),
    Way("cut.xml", Wanted(), survival.plain, "as it is", "comments, names, files"),
    Way("cut.xml", Wanted(), survival.hostile_xml, "hostile: no comments, proxies, capitals", "names, files"),
    Way("cut.xml", Wanted(), survival.comments_only_xml, "files and clips renamed", "comments"),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Three shots with takes, used five times, one that was never rendered, footage and a gap."""
    folder = tmp_path_factory.mktemp("survival")
    cut = Cut(folder, NAMES)
    plate = footage("footage/plate.mov", 4, 12)
    cut.put(cut.use("A", 0, 10), cut.use("B", 2, 12), plate, cut.use("C", 0, 8), gap(6), cut.use("A", 14, 9))
    cut.put(cut.use("B", 20, 7))
    desk = cut.save()
    from rushes.engine.changing import add_to_film

    add_to_film(desk, "SC010", "", 24, ["prompt=a lighthouse"])
    return desk


@dataclass(frozen=True)
class Seen:
    known: int
    same_use: int
    proposed: int
    wrong: int
    clips: int


def way_and_back(desk: Desk, way: Way, folder: Path) -> Seen:
    """Export, damage, conform into a film of its own, and compare clip by clip."""
    sent = folder / way.file
    export_film(desk, sent, lambda done, total: None, way.wanted)
    sent.write_text(way.damage(sent.read_text(encoding="utf-8")), encoding="utf-8")
    out = desk.places.film.with_name(f"{folder.name}.otio")
    before = desk.places.film.read_bytes()
    result = conform(desk, sent, out, accept=False)
    assert desk.places.film.read_bytes() == before
    uses = [i for i in desk.read().video[0].items if i.kind == "Clip"]
    back = [i for i in Film(out.read_bytes(), str(out)).video[0].items if i.kind == "Clip"]
    out.unlink()
    assert len(uses) == len(back)
    pairs = list(zip(uses, back, strict=True))
    shots = [(a.block.shot if a.block else "", b.block.shot if b.block else "") for a, b in pairs]
    return Seen(
        known=sum(bool(a) and a == b for a, b in shots),
        same_use=sum(a.block is not None and a.use == b.use for a, b in pairs),
        proposed=len(result["proposed"]),
        wrong=sum(bool(b) and a != b for a, b in shots),
        clips=sum(bool(a) for a, _ in shots),
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.file[4:]} {way.words}")
def test_the_table_of_the_documentation(film: Desk, tmp_path: Path, way: Way) -> None:
    seen = way_and_back(film, way, tmp_path)
    marks_left = way.left != "nothing"
    assert seen.wrong == 0
    assert seen.known == (seen.clips if marks_left else 0)
    assert seen.same_use == seen.known
    assert seen.proposed == 0
    share = f"{100 * seen.known // seen.clips} %"
    row = f"| {way.file[4:]} | {way.words} | {way.left} | {share} | {seen.wrong} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_what_comes_back_as_it_was_sent_changes_nothing(film: Desk, tmp_path: Path) -> None:
    before = film.places.film.read_bytes()
    for name in ("cut.otio", "cut.xml", "cut.edl"):
        export(film, tmp_path / name)
        conform(film, tmp_path / name, None, accept=False)
        assert film.places.film.read_bytes() == before, name

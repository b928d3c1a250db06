"""Cuts for other programs: media of every kind, what Resolve is sent, frozen cuts, wishes, shot lists."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import opentimelineio as otio
import pytest
from typer.testing import CliRunner

from cuts import LENGTH, RATE, Cut, dissolve, footage, gap, movie
from odd_media import MEDIA, odd_clip, stack
from rushes.cli.main import app
from rushes.engine.cleaning import survey
from rushes.engine.conforming import conform
from rushes.export.cuts import freeze
from rushes.export.exporting import Wanted
from rushes.media.probe import probe
from rushes_otio import rawjson
from rushes_otio.adding import add_shot
from rushes_otio.errors import BadRequest
from rushes_otio.timing import Rate
from showing import back, clips_of, desk_of, sent


@pytest.mark.parametrize(
    ("suffix", "program"), [(".edl", ""), (".edl", "premiere"), (".xml", ""), (".otio", "resolve"), (".otio", "")]
)
def test_every_kind_of_media_can_be_exported(tmp_path: Path, suffix: str, program: str) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(*(odd_clip(name) for name in MEDIA), odd_clip("16 fps", 3, Rate(16, 1), 5))
    cut.put(odd_clip("before zero", -20), odd_clip("no range", 0), odd_clip("missing", 10**10))
    out, lost = sent(cut, f"out{suffix}", Wanted(program))
    told = dict(lost)
    again = clips_of(back(out))
    assert len(again) == len(MEDIA) + 4
    lengths = [c.source_range.duration.rescaled_to(24).value for c in again]
    assert sum(lengths) == pytest.approx(6 * (len(MEDIA) + 3) + 7.5, abs=0.5)
    if suffix != ".otio":
        assert "generator (Titler" in told["generator"] and "before zero" in told
        assert "rounded" in " ".join(what for name, what in lost if name == "16 fps")
    if suffix == ".edl" and not program:
        sequence = next(c for c in again if isinstance(c.media_reference, otio.schema.ImageSequenceReference))
        assert (sequence.media_reference.start_frame, sequence.media_reference.end_frame()) == (1041, 1046)


def resolve_cut(folder: Path) -> Cut:
    cut = Cut(folder, "AB")
    cut.add_track("Audio")
    add_shot(cut.film, cut.film.block.scenes[0], 20, {"prompt": "a storm"})
    movie(folder / "own footage.mov", "B")
    old = footage("file:///n/with%20space.mov", 0, 4)
    old |= {"OTIO_SCHEMA": "Clip.1", "media_reference": old.pop("media_references")["DEFAULT_MEDIA"]}
    several = footage("/n/big.mov", 3, 4)
    several["media_references"] = {
        "full": several["media_references"]["DEFAULT_MEDIA"],
        "proxy": MEDIA["no range"],
    }
    several["active_media_reference_key"] = "full"
    whole = odd_clip("16 fps") | {"source_range": None}
    cut.put(cut.use("A", 3, 10), footage("own footage.mov", 4, 6), old, several, whole, odd_clip("no range"))
    cut.put(*(odd_clip(name) for name in ("missing", "generator", "sequence")))
    inner = stack("inner", odd_clip("missing", 7), footage("own footage.mov", 0, 3))
    cut.put(stack("nest", inner, odd_clip("black"), cut.use("B", 0, 4) | {"metadata": {}}))
    cut.put(footage("own footage.mov", LENGTH - 2, 9), odd_clip("missing") | {"media_references": {}})
    cut.film.insert(cut.film.tracks[1], 0, rawjson.encode(odd_clip("missing", 5)))
    return cut


@pytest.mark.parametrize("markers", [False, True])
def test_resolve_finds_a_file_of_full_length_for_every_clip(tmp_path: Path, markers: bool) -> None:
    cut = resolve_cut(tmp_path)
    out, lost = sent(cut, "cut.otio", Wanted("resolve", markers))
    text = out.read_text()
    assert not re.search(r"MissingReference|GeneratorReference|file://|Clip\.1", text)
    clips = clips_of(otio.adapters.read_from_file(str(out)))
    assert len(clips) == 17
    for clip in clips:
        media = clip.media_reference
        assert list(clip.media_references()) == ["DEFAULT_MEDIA"] and clip.name == media.name
        inside, known = clip.source_range, media.available_range
        assert known.start_time <= inside.start_time and inside.end_time_exclusive() <= known.end_time_exclusive()
        if isinstance(media, otio.schema.ImageSequenceReference):
            assert clip.name == "p#1.[1001-1090].exr"
            continue
        assert media.target_url[0] == "/" and clip.name == Path(media.target_url).name
        if "/slates/" in media.target_url:
            assert frames_of(Path(media.target_url)) == pytest.approx(known.duration.value, abs=0.01)
    assert sum("slate" in what for _, what in lost) == 6 and sum("silence" in what for _, what in lost) == 1
    assert "/n/with space.mov" in text and str(tmp_path / "own footage.mov") in text
    notes = [m.metadata["Resolve_OTIO"]["Note"] for clip in clips for m in clip.markers]
    shots = [clip for clip in clips if clip.metadata.get("rushes", {}).get("shot")]
    wanted = [
        {"rushes": 1, "use": c.metadata["rushes"]["use"], "shot": c.metadata["rushes"]["shot"]} for c in shots
    ]
    assert [json.loads(note) for note in notes] == (wanted if markers else [])


def frames_of(path: Path) -> float:
    """The length of what stands for a clip."""
    if path.suffix == ".wav":
        with wave.open(str(path)) as file:
            return file.getnframes() / file.getframerate() * float(RATE)
    return probe(path).frames


def test_a_timeline_for_resolve_has_a_start(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 5) | {"metadata": {"odd": "NUMBERS"}})
    data = json.loads(cut.film.encode()) | {"global_start_time": None}
    text = json.dumps(data).replace('"NUMBERS"', "[1.10, 1e-7, 1180591620717411303424, NaN]")
    cut.path.write_text(text)
    out, _ = sent(desk_of(cut), "out.otio", Wanted("resolve"))
    assert "1.10" in out.read_text() and "NaN" in out.read_text()
    assert back(out).global_start_time == otio.opentime.RationalTime(0, 24)
    for name in ("out.edl", "out.xml"):
        assert len(clips_of(back(sent(desk_of(cut), name)[0]))) == 1


WAYS = {
    "a.otio": Wanted(),
    "b.otio": Wanted("resolve", markers=True),
    "c.edl": Wanted(),
    "d.edl": Wanted("premiere", markers=True),
    "e.xml": Wanted(markers=True),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_cut_that_comes_back_as_it_went_changes_nothing(tmp_path: Path, name: str) -> None:
    """Speeds that a format rounds or cannot say, dissolves whose cut it moves, footage beside shots."""
    cut = Cut(tmp_path)
    ramp = {"OTIO_SCHEMA": "TimeEffect.1", "metadata": {}, "name": "", "effect_name": "ramp"}
    cut.put(cut.use("A", 3, 10, 1.1), dissolve(2, 3), cut.use("B", 8, 10, 2.0), cut.use("C", 5, 9, 1 / 3))
    cut.put(dissolve(3, 2), cut.use("A", 10, 8, -1.5), dissolve(4, 1), cut.use("B", 9, 5, 0.0), gap(7))
    own = footage("/n/x.mov", 3, 9)
    own["media_references"]["DEFAULT_MEDIA"]["name"] = "x.mov"
    cut.put(cut.use("C", 3, 7, 1.5, 2.0), cut.use("A", 2, 9) | {"effects": [ramp]}, own)
    before = cut.film.encode()
    out, _ = sent(cut, name, WAYS[name])
    result = conform(desk_of(cut), out, None, accept=False)
    assert len(result["matched"]) == 7 and len(result["external"]) == 1 and result["proposed"] == []
    assert json.loads(desk_of(cut).read().encode())["tracks"] == json.loads(before)["tracks"]


def test_a_frozen_cut_stays_and_comes_back(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    cut.put(cut.use("A", 3, 10), cut.use("B", 0, 10), cut.use("C", 2, 10))
    desk = cut.save()
    path, lost = freeze(desk, "v1 locked")
    assert lost == [] and path.stat().st_mode & 0o777 == 0o444
    was = path.read_bytes()
    for name in ("v1 locked", "", "../out", "a/b", ".hidden", "x" * 81, "nul\0", "new\nline"):
        with pytest.raises(BadRequest) as refused:
            freeze(desk, name)
        assert refused.value.remedy
    order = [item.use for item in desk.read().video[0].items]
    timeline = json.loads(was)
    timeline["tracks"]["children"][0]["children"][:] = timeline["tracks"]["children"][0]["children"][:0:-1]
    later = tmp_path / "later.otio"
    later.write_text(json.dumps(timeline))
    assert [row["name"] for row in conform(desk, later, None, accept=False)["omitted"]] == ["SC010_SH010"]
    later.unlink()
    (kept,) = [row.keep for row in survey(desk, path.stat().st_ctime + 100_000).rows if "/A__" in str(row.path)]
    assert kept
    result = conform(desk, path, None, accept=False)
    assert [row["name"] for row in result["reinstated"]] == ["SC010_SH010"] and result["proposed"] == []
    assert [item.use for item in desk.read().video[0].items] == order
    assert path.read_bytes() == was


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.mp4", Wanted("resolve")),
        ("a.csv", Wanted("premiere")),
        ("a.png", Wanted(markers=True)),
        ("a.mov", Wanted(markers=True)),
        ("a.otio", Wanted(burn_in=True)),
        ("a.edl", Wanted(burn_in=True)),
        ("a.edl", Wanted("avid")),
    ],
)
def test_a_wish_that_a_file_cannot_fulfil_is_refused(tmp_path: Path, name: str, wanted: Wanted) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 5))
    with pytest.raises(BadRequest) as refused:
        sent(cut, name, wanted)
    assert refused.value.remedy and not (tmp_path / name).exists()


def test_a_shot_list_goes_out_and_back_in(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "")
    for name in "AB":
        add_shot(cut.film, cut.film.block.scenes[0], 5, {"prompt": f"shot {name} by the sea"})
    out, lost = sent(cut, "list.csv")
    assert lost == []
    before = cut.path.read_bytes()
    assert CliRunner().invoke(app, ["set", str(cut.path), "--from-csv", str(out)]).exit_code == 0
    assert cut.path.read_bytes() == before
    out.write_text(out.read_text("utf-8-sig").replace("shot A by the sea", "a storm at night"), "utf-8-sig")
    assert CliRunner().invoke(app, ["set", str(cut.path), "--from-csv", str(out)]).exit_code == 0
    prompts = [
        json.loads(bytes(i.raw))["metadata"]["rushes"]["intent"] for i in desk_of(cut).read().video[0].items
    ]
    assert [intent["prompt"] for intent in prompts] == ["a storm at night", "shot B by the sea"]

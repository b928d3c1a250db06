"""Exports: the source frame each frame of the movie shows, the timeline for other programs, the contact sheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest
from PIL import Image
from typer.testing import CliRunner

from rushes.cli.main import app
from rushes.engine.studio import Desk, Studio
from rushes.export.exporting import export_film
from rushes.media.frames import iter_frames
from rushes.media.probe import BT709, probe
from rushes.stages.encode import Encoder, EncodeSpec
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot, make_shot
from rushes_otio.build import film_from_cut, new_film, time_range
from rushes_otio.choosing import choose, mark_take
from rushes_otio.errors import BadRequest, FileFault, RushesError
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.schema import Chosen, TakeMark
from rushes_otio.timing import Rate

RATE = Rate(24, 1)
ZERO = RATE.shot_zero
SIZE = (256, 144)
LENGTH = 36
BLACK = (0, 0, 0)
BLUE = {"A": 40, "B": 120, "C": 200}

Json = dict[str, Any]
Colour = tuple[float, float, float]


def colour(name: str, number: int) -> Colour:
    """Red says which frame of a take it is, blue which take."""
    return (12 + 6 * number, 20, BLUE[name])


def between(left: Colour, right: Colour, part: float) -> Colour:
    red, green, blue = (a + (b - a) * part for a, b in zip(left, right, strict=True))
    return (red, green, blue)


def movie(path: Path, name: str, rate: Rate = RATE, codec: str = "prores", frames: int = LENGTH) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with Encoder(path, EncodeSpec(SIZE, str(rate), codec, "01:00:00:00", "", {})) as encoder:
        for number in range(frames):
            encoder.write(np.full((SIZE[1], SIZE[0], 3), colour(name, number), np.uint8))


def seen(path: Path) -> list[Colour]:
    return [tuple(frame[20:-20, 20:-20].mean(axis=(0, 1))) for frame in iter_frames(path)]  # type: ignore[misc]


def assert_shows(path: Path, wanted: list[Colour]) -> None:
    found = seen(path)
    assert len(found) == len(wanted)
    wrong = [
        (at, f, w)
        for at, (f, w) in enumerate(zip(found, wanted, strict=True))
        if np.abs(np.subtract(f, w)).max() > 2.9
    ]
    assert wrong == []


class Cut:
    """A film on disk with takes A, B and C, whose tracks a test fills item by item."""

    def __init__(self, folder: Path, names: str = "ABC") -> None:
        self.path = folder / "film.otio"
        self.film = new_film("The Film", RATE, str(self.path))
        self.film.patch_block(intent={"delivery": {"size": f"{SIZE[0]}x{SIZE[1]}"}})
        scene = add_scene(self.film, "BEACH")
        for name in names:
            shot = add_shot(self.film, scene, 10, {"prompt": f"shot {name} by the sea"}).block.shot
            take = f"film.rushes/takes/{scene.code}/{name}__{shot}_t001.mov"
            movie(folder / take, name)
            choose(self.film, shot, Chosen("t001", "hand", "0" * 64, {}), take, LENGTH)
        track = self.film.video[0]
        self.clips = dict(zip(names, [json.loads(bytes(i.raw)) for i in track.items], strict=True))
        while track.items:
            self.film.remove(track, 0)

    def use(self, name: str, first: int, frames: int, *scalars: float, enabled: bool = True) -> Json:
        """A use of a shot that shows `frames` frames from shot frame `first`, with time warps; 0 freezes."""
        clip: Json = json.loads(json.dumps(self.clips[name]))
        clip["metadata"]["rushes"]["use"] = new_id()
        clip["effects"] = [_warp(scalar) for scalar in scalars]
        return {**clip, "source_range": time_range(ZERO + first, frames, RATE), "enabled": enabled}

    def put(self, *items: Json, track: int = 0) -> None:
        for item in items:
            self.film.insert(self.film.video[track], len(self.film.video[track].items), rawjson.encode(item))

    def save(self) -> Desk:
        self.path.write_bytes(self.film.encode())
        return Studio.of_user().desk(self.path)

    def add_track(self, kind: str = "Video") -> None:
        data = json.loads(self.film.encode())
        data["tracks"]["children"].append({**data["tracks"]["children"][0], "kind": kind, "children": []})
        self.film = Film(json.dumps(data).encode(), str(self.path))


def _warp(scalar: float) -> Json:
    kind = "LinearTimeWarp.1" if scalar else "FreezeFrame.1"
    return {"OTIO_SCHEMA": kind, "metadata": {}, "name": "", "effect_name": "", "time_scalar": scalar}


def gap(frames: int) -> Json:
    return {"OTIO_SCHEMA": "Gap.1", "metadata": {}, "name": "", "source_range": time_range(0, frames, RATE)}


def dissolve(before: int, after: int) -> Json:
    times = {k: time_range(0, n, RATE)["duration"] for k, n in (("in_offset", before), ("out_offset", after))}
    kind = "SMPTE_Dissolve"
    return {"OTIO_SCHEMA": "Transition.1", "metadata": {}, "name": "", "transition_type": kind, **times}


def footage(url: str, start: int, frames: int, rate: Rate = RATE, available: int = LENGTH) -> Json:
    """An external clip whose media begins at frame 0 of `rate`, trimmed in the film's rate."""
    reference = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "metadata": {"odd": "kept"},
        "name": "",
        "available_range": time_range(0, available, rate),
        "target_url": url,
    }
    return {
        "OTIO_SCHEMA": "Clip.2",
        "metadata": {},
        "name": url.rpartition("/")[2],
        "source_range": time_range(start, frames, RATE),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": reference},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def export(desk: Desk, out: Path) -> list[tuple[str, str]]:
    return export_film(desk, out, lambda done, total: None)


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
    assert "playlist.mov" in lost and "A1" in lost[""]
    assert "no media" in lost[missing.block.use]
    assert any(f"media of {LENGTH}" in what for what in lost.values())
    found = seen(tmp_path / "out.mov")
    assert len(found) == 14
    held = [colour("A", LENGTH - 2), *[colour("A", LENGTH - 1)] * 3]
    assert np.abs(np.subtract(found[8:12], held)).max() < 3
    assert all(max(shown) < 60 for shown in found[:8])  # slates are dark


def test_only_a_few_movies_are_open_at_once(tmp_path: Path) -> None:
    """A film may have more uses than the system lets a program open files."""
    fds = Path("/proc/self/fd")
    if not fds.is_dir():
        pytest.skip("this system does not list open files")
    cut = Cut(tmp_path, "A")
    cut.put(*(cut.use("A", n % 20, 1) for n in range(40)))
    desk = cut.save()
    takes = str(tmp_path / "film.rushes")
    opened = []

    def count(done: int, total: int) -> None:
        opened.append(sum(takes in _target(fd) for fd in fds.iterdir()))

    export_film(desk, tmp_path / "out.mov", count)
    assert 1 <= max(opened) <= 8


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


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


# -- the timeline for other programs ------------------------------------------------------------------------------


def clips(timeline: otio.schema.Timeline) -> Iterator[otio.schema.Clip]:
    return (clip for clip in timeline.find_clips() if clip.metadata.get("rushes", {}).get("shot"))


def test_the_timeline_has_the_chosen_take_alone_at_its_absolute_path(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "AB")
    cut.put(cut.use("A", 3, 10), cut.use("B", 0, 8, 2.0), cut.use("A", 13, 5))
    shot = next(iter(cut.film.shots))
    mark_take(cut.film, shot, "t000", TakeMark(circled=True), "film.rushes/takes/old.mov", 10)
    before = [(i.source, i.use) for i in cut.film.video[0].items]
    export(cut.save(), tmp_path / "out.otio")
    made = list(clips(otio.adapters.read_from_file(str(tmp_path / "out.otio"))))
    assert len(made) == 3
    for clip, (source, use) in zip(made, before, strict=True):
        assert list(clip.media_references()) == ["DEFAULT_MEDIA"]
        assert Path(clip.media_reference.target_url).is_absolute()
        assert probe(Path(clip.media_reference.target_url)).frames == LENGTH
        assert clip.available_range() == otio.opentime.TimeRange(*_times(ZERO, LENGTH))
        assert source is not None and clip.source_range.start_time.value == source.start_time.value
        assert clip.metadata["rushes"]["use"] == use


def _times(start: int, frames: int) -> tuple[otio.opentime.RationalTime, otio.opentime.RationalTime]:
    return otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(frames, 24)


def test_a_shot_that_was_never_rendered_has_a_slate_of_full_length(tmp_path: Path) -> None:
    """Both halves of a bladed shot lie inside one slate, which is made once."""
    cut = Cut(tmp_path, "A")
    shot = add_shot(cut.film, cut.film.block.scenes[0], 20, {"prompt": "a storm"})
    clip = json.loads(bytes(cut.film.video[0].items[0].raw))
    cut.film.remove(cut.film.video[0], 0)
    right = json.loads(json.dumps(clip))
    right["metadata"]["rushes"]["use"] = new_id()
    cut.put({**clip, "source_range": time_range(ZERO, 8, RATE)})
    cut.put({**right, "source_range": time_range(ZERO + 8, 17, RATE)})
    lost = export(cut.save(), tmp_path / "out.otio")
    assert [use for use, _ in lost] == [shot.block.use, right["metadata"]["rushes"]["use"]]
    first, second = clips(otio.adapters.read_from_file(str(tmp_path / "out.otio")))
    slate = Path(first.media_reference.target_url)
    assert first.media_reference.target_url == second.media_reference.target_url
    assert first.available_range() == otio.opentime.TimeRange(*_times(ZERO, 25))
    assert (probe(slate).frames, probe(slate).size, probe(slate).timecode) == (25, SIZE, "01:00:00:00")
    made = slate.stat().st_mtime_ns
    export(Studio.of_user().desk(cut.path), tmp_path / "again.otio")
    assert slate.stat().st_mtime_ns == made
    assert [p.name for p in slate.parent.iterdir()] == [slate.name]


def foreign_cut(folder: Path) -> bytes:
    """Somebody's cut: numbers nobody decodes, a proxy, an image sequence, a nested stack, markers."""
    plain = footage("media/a.mov", 107, 20, available=300)
    plain["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": "m", "marked_range": time_range(110, 1, RATE)}]
    absolute, url = footage("/mnt/b.mov", 0, 5), footage("file:///mnt/c d.mov", 0, 5)
    windows = footage("C:\\media\\d.mov", 0, 5)
    sequence = footage("", 1001, 5)
    sequence["media_references"]["DEFAULT_MEDIA"] = {
        "OTIO_SCHEMA": "ImageSequenceReference.1",
        "available_range": time_range(1001, 50, RATE),
        "target_url_base": "plates/",
        "name_prefix": "p.",
        "name_suffix": ".exr",
        "start_frame": 1001,
        "frame_step": 1,
        "rate": 24.0,
        "frame_zero_padding": 4,
        "missing_frame_policy": "error",
    }
    inner = {"OTIO_SCHEMA": "Track.1", "name": "", "kind": "Video", "children": [footage("media/e.mov", 0, 5)]}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "nest", "source_range": time_range(0, 5, RATE), "children": [inner]}
    items = [plain, absolute, url, windows, sequence, stack]
    track = {"OTIO_SCHEMA": "Track.1", "name": "V", "kind": "Video", "children": items}
    tracks = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track], "markers": plain["markers"]}
    timeline = {"OTIO_SCHEMA": "Timeline.1", "name": "cut", "metadata": {"odd": "NUMBERS"}, "tracks": tracks}
    return json.dumps(timeline).replace('"NUMBERS"', "[1.10, 1e-7, 1180591620717411303424, NaN]").encode()


def test_what_is_foreign_stays_but_for_its_relative_paths(tmp_path: Path) -> None:
    path = tmp_path / "film.otio"
    path.write_bytes(film_from_cut(foreign_cut(tmp_path), str(path)).encode())
    assert export(Studio.of_user().desk(path), tmp_path / "out.otio") == []
    text = (tmp_path / "out.otio").read_text()
    assert text.replace(f'"{tmp_path}/', '"') == path.read_text()
    assert text.count(f'"{tmp_path}/') == 3


@pytest.mark.parametrize("index", [0, 4])
def test_a_shot_on_its_original_media_goes_back_to_its_times(tmp_path: Path, index: int) -> None:
    """Shot time is ours: another program must find the frames of the original where its file has them."""
    path = tmp_path / "film.otio"
    film = film_from_cut(foreign_cut(tmp_path), str(path))
    before = json.loads(bytes(film.video[0].items[index].raw))
    make_shot(film, film.video[0], index)
    assert json.loads(bytes(film.video[0].items[index].raw))["source_range"] != before["source_range"]
    path.write_bytes(film.encode())
    export(Studio.of_user().desk(path), tmp_path / "out.otio")
    after = _children(tmp_path / "out.otio")[index]
    for key in ("source_range", "markers"):
        assert after[key] == before[key]
    was, now = before["media_references"]["DEFAULT_MEDIA"], after["media_references"]["DEFAULT_MEDIA"]
    assert now["available_range"] == was["available_range"]
    assert now["OTIO_SCHEMA"] == was["OTIO_SCHEMA"]
    assert after["metadata"]["rushes"]["shot"] in film.shots


def _children(path: Path) -> list[Json]:
    text = path.read_text().replace("NaN", "null")
    found: list[Json] = json.loads(text)["tracks"]["children"][0]["children"]
    return found


def test_scenes_are_markers_from_their_first_to_their_last_clip(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(gap(7), cut.use("A", 0, 10), gap(3), cut.use("A", 2, 5))
    forest = add_scene(cut.film, "FOREST")
    add_shot(cut.film, forest, 6, {"prompt": "trees"})
    export(cut.save(), tmp_path / "out.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "out.otio"))
    stack, items = timeline.tracks, list(clips(timeline))
    beach, wood = stack.markers
    assert [m.name for m in stack.markers] == ["SC010 BEACH", "SC020 FOREST"]
    first, last = (item.transformed_time_range(item.trimmed_range(), stack) for item in items[:2])
    assert beach.marked_range == first.extended_by(last)
    assert wood.marked_range == items[2].transformed_time_range(items[2].trimmed_range(), stack)


# -- the contact sheet, and the command ---------------------------------------------------------------------------


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

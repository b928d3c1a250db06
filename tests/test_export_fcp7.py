"""FCP7 XML of a film: well-formed whatever is in it, and what editors rely on comes back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pytest

from cuts import LENGTH, RATE, ZERO, Cut, dissolve, footage, gap
from odd_media import hostile_cut
from rushes.engine.conforming import conform
from rushes_otio import rawjson
from rushes_otio.build import rational_time
from rushes_otio.film import Film
from showing import back, clips_of, desk_of, same_picture, sent


def test_an_xml_is_well_formed_whatever_metadata_says(tmp_path: Path) -> None:
    """Elements that the adapter writes itself are not there twice: readers would take the older ones."""
    out, _ = sent(hostile_cut(tmp_path), "cut.xml")
    root = ElementTree.fromstring(out.read_bytes())
    assert all(c.isprintable() or c == "\n" for c in "".join(root.itertext()))
    for clip in root.iterfind(".//clipitem"):
        assert [len(clip.findall(tag)) for tag in ("name", "in", "start", "file")] == [1, 1, 1, 1]
    assert len(root.findall(".//sequence/media/video/track")) == 1
    assert [round(c.duration().value) for c in clips_of(back(out))] == [5, 5, 9] * 3 + [5]


@pytest.mark.parametrize("folder", ["plain", "with # ? % %41 space é & 'q'"])
def test_paths_in_an_xml_are_percent_encoded_and_come_back(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    cut = Cut(tmp_path / folder, "A")
    urls = ["/n/100% #1?.mov", "C:\\media\\d 1.mov", "\\\\server\\share\\e.mov", "file:///mnt/c d%20e.mov"]
    cut.put(cut.use("A", 3, 10), *(footage(url, 0, 4) for url in [*urls, "https://host/f g.mov"]))
    out, _ = sent(cut, "cut.xml")
    paths = [each.text or "" for each in ElementTree.parse(out).iterfind(".//pathurl")]
    assert all(re.fullmatch(r"(file://localhost/|file:///|https://)[A-Za-z0-9/%._:~-]+", path) for path in paths)
    found = [clip.media_reference.target_url for clip in clips_of(back(out))]
    assert Path(found[0]).is_file()
    assert found[1:] == [
        urls[0],
        "C:/media/d 1.mov",
        "//server/share/e.mov",
        "/mnt/c d e.mov",
        "https://host/f%20g.mov",
    ]


def test_an_xml_keeps_what_editors_switch_retime_mark_and_mix(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    cut.add_track()
    cut.add_track("Audio")
    cut.put(cut.use("A", 2, 10), dissolve(5, 2), cut.use("B", 8, 10, 2.0), cut.use("C", 4, 8, 0.5))
    cut.put(
        cut.use("A", 4, 8, -1.0), dissolve(3, 2), cut.use("B", 6, 9), gap(4), cut.use("C", 0, 6, enabled=False)
    )
    cut.put(gap(3), footage("/n/x.mov", 4, 5), footage("/n/x.mov", 4, 5), gap(10), dissolve(3, 4), track=1)
    cut.put(cut.use("C", 6, 20), dissolve(2, 3), gap(9), cut.use("C", 8, 3), track=1)
    sound = footage("/n/s.wav", 7, 30, available=100)
    cut.film.insert(cut.film.tracks[2], 0, rawjson.encode(sound))
    data = json.loads(cut.film.encode())
    data["global_start_time"] = rational_time(ZERO + 240, RATE)
    cut.film = Film(json.dumps(data).encode(), str(cut.path))
    assert same_picture(cut, "cut.xml") == []
    again = back(tmp_path / "cut.xml")
    assert again.global_start_time.value == ZERO + 240
    assert [clip.enabled for clip in clips_of(again)].count(False) == 1
    assert [track.kind for track in again.tracks] == ["Video", "Video", "Audio"]
    assert clips_of(again)[-1].source_range == otio.opentime.TimeRange(
        otio.opentime.RationalTime(7, 24), otio.opentime.RationalTime(30, 24)
    )
    assert [marker.name for marker in again.tracks.markers] == ["SC010 BEACH"]
    fades = [c for t in again.tracks for c in t if isinstance(c, otio.schema.Transition)]
    offsets = [(fade.in_offset.value, fade.out_offset.value) for fade in fades]
    assert offsets == [(5, 2), (3, 2), (0, 7), (5, 0)]  # beside gaps the clip goes on instead
    items = ElementTree.parse(tmp_path / "cut.xml").findall(".//clipitem")
    assert all(item.find("file") is not None and item.find("in") is not None for item in items)


def test_what_is_switched_off_and_the_names_of_tracks_survive_an_xml(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.add_track()
    cut.put(cut.use("A", 0, 5, enabled=False))
    cut.put(cut.use("A", 5, 5), track=1)
    data = json.loads(cut.film.encode())
    data["tracks"]["children"][1] |= {"enabled": False, "name": "Über 2"}
    cut.film = Film(json.dumps(data).encode(), str(cut.path))
    out, lost = sent(cut, "cut.xml")
    again = back(out)
    assert lost == [] and [track.enabled for track in again.tracks] == [True, False]
    assert [clip.enabled for clip in clips_of(again)] == [False, True]
    assert again.tracks[1].name == "Über 2"
    before = desk_of(cut).read().encode()
    conform(desk_of(cut), out, None, accept=False)
    after = json.loads(desk_of(cut).read().encode())
    assert after["tracks"] == json.loads(before)["tracks"]


def test_clips_of_one_file_count_from_one_beginning(tmp_path: Path) -> None:
    """The file is written once. Whose range is not stated, or another one, still shows its own frames."""
    cut = Cut(tmp_path, "A")
    clips = [footage("/n/x.mov", start, 5, available=LENGTH) for start in (100, 40, 300)]
    for clip in clips[:2]:
        clip["media_references"]["DEFAULT_MEDIA"]["available_range"] = None
    cut.put(*clips, *clips)
    assert same_picture(cut, "cut.xml") == []


def test_an_xml_has_the_chosen_media_alone(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    clip = footage("/n/full.mov", 3, 5)
    proxy = {**clip["media_references"]["DEFAULT_MEDIA"], "target_url": "/n/proxy.mov"}
    clip["media_references"] = {"DEFAULT_MEDIA": proxy, "full": clip["media_references"]["DEFAULT_MEDIA"]}
    cut.put(clip | {"active_media_reference_key": "full"})
    out, lost = sent(cut, "cut.xml")
    assert lost == [] and [clip.media_reference.target_url for clip in clips_of(back(out))] == ["/n/full.mov"]
    assert "proxy" not in out.read_text()

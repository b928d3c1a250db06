"""EDLs of a film: what they show, frame by frame, what is told, and that no text becomes a line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import opentimelineio as otio
import pytest

from cuts import RATE, ZERO, Cut, Json, dissolve, footage, gap
from odd_media import hostile_cut, stack
from rushes.export.exporting import Wanted
from rushes_otio import rawjson
from rushes_otio.adding import add_scene, add_shot
from rushes_otio.build import new_film, time_range
from rushes_otio.choosing import choose
from rushes_otio.film import Film
from rushes_otio.formats.reading import read_cut
from rushes_otio.formats.writing import write_cut
from rushes_otio.schema import Chosen
from rushes_otio.timing import SMPTE_RATES, Rate
from showing import back, clips_of, same_picture, sent, shown, timeline_of, who

TIMECODE = r"\d\d:\d\d:\d\d:\d\d"
EDL_LINES = re.compile(
    rf"TITLE: .*|FCM: NON-DROP FRAME||\d{{3,}}  \S{{1,8}} +V +(C|D +\d{{3}}) +{TIMECODE}( {TIMECODE}){{3}}"
    rf"|M2   \S{{1,8}} +-?\d+\.\d+ +{TIMECODE}|\* .*"
)


FREEZE = "its freeze frame is a speed of 0, which not every program reads"


def test_an_edl_counts_from_the_film_and_says_who_each_event_is(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "AB")
    cut.put(cut.use("A", 3, 10), gap(14), cut.use("B", 0, 8))
    out, lost = sent(cut, "cut.edl")
    a, b = (item.block for item in cut.film.video[0].items if item.block)
    folder = tmp_path / "film.rushes/takes/SC010"
    assert lost == []
    assert out.read_text().split("\n") == [
        "TITLE: The Film",
        "FCM: NON-DROP FRAME",
        "",
        f"001  {a.shot} V     C        01:00:00:03 01:00:00:13 01:00:00:00 01:00:00:10",
        f"* FROM CLIP NAME:  A__{a.shot}_t001.mov",
        f"* FROM CLIP: {folder}/A__{a.shot}_t001.mov",
        f"* RUSHES USE {a.use} SHOT {a.shot}",
        f"002  {b.shot} V     C        01:00:00:00 01:00:00:08 01:00:01:00 01:00:01:08",
        f"* FROM CLIP NAME:  B__{b.shot}_t001.mov",
        f"* FROM CLIP: {folder}/B__{b.shot}_t001.mov",
        f"* RUSHES USE {b.use} SHOT {b.shot}",
        "",
    ]
    clips = clips_of(otio.adapters.read_from_file(str(out)))
    assert [clip.metadata["cmx_3600"]["reel"] for clip in clips] == [a.shot, b.shot]


@pytest.mark.parametrize("suffix", [".edl", ".xml"])
@pytest.mark.parametrize("rate", SMPTE_RATES, ids=str)
def test_frame_counts_come_back_exact_at_every_rate(tmp_path: Path, rate: Rate, suffix: str) -> None:
    """Timecode is non-drop: an hour of 29.97 counts 108,000 frames, whichever format says it."""
    film = new_film("rates", rate, str(tmp_path / "film.otio"))
    scene = add_scene(film, "S")
    for number, frames in enumerate((1, 61, 18_000, 7)):
        shot = add_shot(film, scene, frames, {"prompt": "p"}).block.shot
        choose(film, shot, Chosen("t001", "hand", "0" * 64, {}), f"takes/{number}__{shot}_t001.mov", frames)
    prepared = film.encode()
    written = write_cut(prepared, suffix, rate, "")
    again = timeline_of(read_cut(tmp_path / f"c{suffix}", written.text, rate).text)
    assert ";" not in "".join(re.findall(r"[\d:;]{11}", written.text.decode()))
    assert again.global_start_time.strictly_equal(otio.opentime.RationalTime(rate.shot_zero, float(rate)))
    assert [c.source_range.start_time.value for c in clips_of(again)] == [rate.shot_zero] * 4
    assert [c.source_range.duration.value for c in clips_of(again)] == [1, 61, 18_000, 7]
    assert {c.source_range.duration.rate for c in clips_of(again)} == {float(rate)}


def test_an_edl_shows_the_frames_of_dissolves_and_speeds(tmp_path: Path) -> None:
    """Every frame: who is seen, which frame of the file, how far the dissolve is."""
    cut = Cut(tmp_path)
    cut.put(
        cut.use("A", 3, 10), dissolve(2, 3), cut.use("B", 8, 10, 2.0), dissolve(3, 1), cut.use("C", 10, 9, -1.0)
    )
    cut.put(dissolve(2, 2), cut.use("A", 8, 12, -2.0), dissolve(0, 4), cut.use("B", 12, 9), dissolve(4, 0))
    cut.put(cut.use("C", 5, 6, 0.0), gap(7), cut.use("A", 20, 4, 0.5), cut.use("A", 20, 1, -1.0))
    assert same_picture(cut, "cut.edl") == []
    assert same_picture(cut, "premiere.edl", Wanted("premiere")) == []


def test_the_source_out_of_an_event_is_what_it_runs_through(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    for scalars in ((2.0,), (0.5,), (-1.0,), (0.0,), (1.5, 2.0), (0.37,)):
        cut.put(cut.use("A", 1, 10, *scalars))
    out, lost = sent(cut, "cut.edl")
    text = out.read_text()
    ins_and_outs = re.findall(rf"^\d{{3}} .* 01:00:00:01 ({TIMECODE})", text, re.MULTILINE)
    assert ins_and_outs == [RATE.timecode(ZERO + 1 + n) for n in (20, 5, 10, 1, 30, 4)]
    assert re.findall(r"^M2 +\w{8} +(\S+)", text, re.MULTILINE) == [
        "048.0",
        "012.0",
        "-024.0",
        "000.0",
        "072.0",
        "008.880000",
    ]
    warps = [clip.effects[0].time_scalar for clip in clips_of(back(out))]
    assert warps == pytest.approx([2.0, 0.5, -1.0, 0.0, 3.0, 0.37]) and lost == []


def test_the_picture_of_a_cut_made_at_random_survives(tmp_path: Path) -> None:
    """Cuts of clips at whole speeds, dissolves and gaps on one track, through both formats and back."""
    cut, compared = Cut(tmp_path), 0
    for seed in range(60):
        random = Random(seed)
        while cut.film.video[0].items:
            cut.film.remove(cut.film.video[0], 0)
        cut.put(*_at_random(cut, random))
        text = cut.film.encode()
        for suffix in (".edl", ".xml"):
            written = write_cut(text, suffix, RATE, "")
            again = timeline_of(read_cut(Path(f"c{suffix}"), written.text, RATE).text)
            if not {what for _, what in written.lost} - {FREEZE}:
                assert shown(again) == shown(timeline_of(text)), (seed, suffix)
                compared += 1
    assert compared > 60


def _at_random(cut: Cut, random: Random) -> list[Json]:
    items: list[Json] = []
    for _ in range(random.randint(2, 7)):
        scalars = random.choice([(), (), (2.0,), (-1.0,), (-2.0,), (0.0,)])
        items.append(cut.use(random.choice("ABC"), 2 * random.randint(4, 8), random.randint(6, 12), *scalars))
        if random.random() < 0.5:
            items.append(dissolve(random.randint(0, 3), random.randint(1, 3)))
        elif random.random() < 0.3:
            items.append(gap(random.randint(1, 30)))
    return items[:-1] if items[-1]["OTIO_SCHEMA"].startswith("Transition") else items


def test_fades_that_an_edl_does_not_hold_are_told(tmp_path: Path) -> None:
    """At the head, at the tail, beside a gap, and into a file that has nothing before the in-point."""
    cut = Cut(tmp_path)
    items = [dissolve(0, 3), cut.use("A", 3, 10), dissolve(2, 2), gap(5), dissolve(2, 2), cut.use("B", 3, 10)]
    items += [dissolve(4, 1), footage("/n/x.mov", 2, 10), dissolve(3, 0)]
    cut.put(*items)
    out, lost = sent(cut, "cut.edl")
    a, b = (item.use for item in cut.film.video[0].items if item.use)
    assert sorted(lost) == sorted([(a, "its fade"), (b, "its fade"), ("x.mov", "its fade")])
    assert " D " not in out.read_text()
    assert [round(c.duration().value) for c in clips_of(back(out))] == [10, 10, 10]


def test_video_tracks_are_flattened_and_what_is_hidden_is_told(tmp_path: Path) -> None:
    """Also the retimed clip that goes on behind a shorter one: its second part begins where it has got to."""
    cut = Cut(tmp_path)
    for _ in range(3):
        cut.add_track()
    cut.put(
        cut.use("A", 2, 15, 2.0), cut.use("B", 0, 8), cut.use("C", 0, 20, -1.0), dissolve(2, 2), cut.use("A", 9, 9)
    )
    cut.put(gap(5), cut.use("C", 7, 4), gap(6), cut.use("C", 9, 8), gap(6), cut.use("B", 11, 6), track=1)
    cut.put(gap(6), cut.use("A", 0, 1, enabled=False), track=2)
    cut.put(cut.use("B", 4, 40), track=3)
    data = json.loads(cut.film.encode())
    data["tracks"]["children"][3]["enabled"] = False
    cut.film = Film(json.dumps(data).encode(), str(cut.path))
    lost = dict(same_picture(cut, "cut.edl"))
    first, second, third, fourth = ([i.use or "" for i in t.items if i.use] for t in cut.film.video)
    assert lost.pop(third[0]) == "it is switched off"
    assert lost.pop(fourth[0]) == "it is on a track that is switched off"
    part, whole = "an upper track hides part of it", "an upper track hides it"
    assert lost == {first[0]: part, first[1]: whole, first[2]: part}
    assert second[0] not in lost


def test_a_dissolve_under_another_track_is_told_and_others_stay(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    cut.add_track()
    cut.put(cut.use("A", 0, 10), dissolve(2, 2), cut.use("B", 5, 10), dissolve(3, 3), cut.use("C", 5, 10))
    cut.put(gap(11), cut.use("C", 0, 2), track=1)
    out, lost = sent(cut, "cut.edl")
    assert ("", "a transition on V1, under another track") in lost
    assert len(re.findall(r" D +006 ", out.read_text())) == 1 and " D    004 " not in out.read_text()


def test_nested_stacks_are_taken_apart_and_sound_is_told(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "AB")
    back_to_front = footage("/n/y.mov", 1, 9) | {"effects": cut.use("A", 0, 1, -1.0)["effects"]}
    nest = stack("nest", footage("/n/x.mov", 4, 6), gap(2), back_to_front)
    blur = {"OTIO_SCHEMA": "Effect.1", "metadata": {}, "name": "", "effect_name": "Blur"}
    cut.put(cut.use("A", 3, 10), nest | {"source_range": time_range(1, 12, RATE), "effects": [blur]})
    warped = stack("slow", footage("/n/z.mov", 0, 9))
    warped["effects"] = cut.use("A", 0, 1, 0.5)["effects"]
    cut.put(warped, cut.use("B", 0, 4))
    cut.add_track("Audio")
    cut.add_track("Subtitles")
    for track in cut.film.tracks[1:]:
        cut.film.insert(track, 0, rawjson.encode(footage("/n/s.wav", 0, 9)))
    out, lost = sent(cut, "cut.edl")
    told = "; ".join(what for _, what in lost)
    for what in (
        "slow",
        "a gap stands for it",
        "sound: 1 clips",
        "Subtitles",
        "effects and markers of the nested",
    ):
        assert what in told
    assert [(who(c)[:1], c.source_range.start_time.value) for c in clips_of(back(out))] == [
        ("A", ZERO + 3),
        ("x", 5),
        ("y", 5),
        ("B", ZERO),
    ]
    xml, lost = sent(cut, "cut.xml")
    assert [who(c)[:1] for c in clips_of(back(xml))] == ["A", "x", "y", "B", "s"]
    assert not any("sound" in what for _, what in lost)


def test_more_events_than_three_digits_are_told(tmp_path: Path) -> None:
    film = Cut(tmp_path, "A")
    film.put(*(footage(f"/n/{n}.mov", n, 1, available=2000) for n in range(1001)))
    written = write_cut(film.film.encode(), ".edl", RATE, "")
    assert ("", "it has 1001 events; some programs read no more than 999") in written.lost
    assert len(clips_of(timeline_of(read_cut(Path("c.edl"), written.text, RATE).text))) == 1001


@pytest.mark.parametrize("program", ["", "premiere"])
def test_no_text_becomes_a_line_of_an_edl(tmp_path: Path, program: str) -> None:
    cut = hostile_cut(tmp_path)
    out, lost = sent(cut, "cut.edl", Wanted(program))
    text = out.read_bytes().decode()
    assert [each for each in text.splitlines() if not EDL_LINES.fullmatch(each)] == []
    assert text.isprintable() is False and all(c.isprintable() for c in text.replace("\n", ""))
    events = [int(each[:3]) for each in text.splitlines() if each[:1].isdigit()]
    assert sorted(set(events)) == list(range(1, 11)) and len(events) == 13
    assert len([each for each in text.splitlines() if each.startswith("M2")]) == 0
    assert any("its path" in what for _, what in lost)
    assert len(clips_of(back(out))) == 10


def test_an_edl_of_gaps_alone_is_written_and_told(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    for items in ([], [gap(30)]):
        cut.put(*items)
        out, lost = sent(cut, "cut.edl")
        assert out.read_text() == "TITLE: The Film\nFCM: NON-DROP FRAME\n\n"
        assert lost == [("", "there is no picture in the cut: it has no events")]
        xml, lost = sent(cut, "cut.xml")
        assert lost == [] and clips_of(back(xml)) == []

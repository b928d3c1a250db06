"""Cuts that come back changed: what an editor did is taken over, who each clip is stays known."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cuts import RATE, ZERO, Cut, Json, dissolve, export, footage, gap, movie
from rushes.engine.changing import set_intent, shot_levels
from rushes.engine.conforming import conform
from rushes.engine.diffing import difference
from rushes.engine.keptcuts import name_of
from rushes.engine.studio import Desk
from rushes.engine.undoing import redo, undo
from rushes.export.exporting import Wanted, export_film
from rushes.store.takes import MadeBy, StageMark, TakeRecord, Window, write_record
from rushes_otio import rawjson
from rushes_otio.build import time_range
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.pointing import find_shot
from survival import through_resolve

LENGTH = 36


def film_at(folder: Path, *items: Json, cut: Cut | None = None) -> Desk:
    folder.mkdir(exist_ok=True)
    cut = cut or Cut(folder)
    cut.put(*items)
    desk = cut.save()
    for shot in desk.read().shots.values():
        record(desk, shot.block.shot, "t001")
    return desk


def record(desk: Desk, shot: str, take: str) -> Path:
    """The record beside a take, and the take where there is none yet: a copy of the first one."""
    first = next(desk.places.takes.rglob(f"*__{shot}_t001.mov"))
    path = first.with_name(first.name.replace("t001", take))
    if path != first:
        movie(path, "C", frames=LENGTH)
    block = desk.read().shots[shot].block
    made = TakeRecord(
        shot=shot, take=take, name=block.name, movie=path.name, recipe=block.chosen.recipe if block.chosen else {},
        seed="1", n=0, asked={}, stages={"motion": StageMark("0" * 64, take.encode().hex().ljust(64, "0"))},
        window=Window(LENGTH, str(RATE), (256, 144)), codec="prores", frames_digest="",
        made="2026-01-01T00:00:00Z", generator=MadeBy("animatic", 1),
    )  # fmt: skip
    write_record(path.with_suffix(".json"), made)
    return path


def sent(desk: Desk, name: str = "sent.otio") -> Json:
    out = desk.places.film.with_name(name)
    export(desk, out)
    found: Json = json.loads(out.read_text())
    return found


def returned(desk: Desk, timeline: Json, *, accept: bool = False, name: str = "back.otio") -> dict[str, Any]:
    path = desk.places.film.with_name(name)
    path.write_text(json.dumps(timeline))
    return conform(desk, path, None, accept=accept)


def video(timeline: Json, track: int = 0) -> list[Json]:
    items: list[Json] = timeline["tracks"]["children"][track]["children"]
    return items


def drop_metadata(timeline: Json) -> Json:
    timeline["metadata"] = {}
    for track in timeline["tracks"]["children"]:
        for item in track["children"]:
            item["metadata"] = {}
    return timeline


def cut_at(clip: Json, frame: int) -> tuple[Json, Json]:
    """A blade: two clips of everything, `frame` frames into the clip."""
    left, right = copy.deepcopy(clip), copy.deepcopy(clip)
    start, length = (clip["source_range"][key]["value"] for key in ("start_time", "duration"))
    left["source_range"] = time_range(start, frame, RATE)
    right["source_range"] = time_range(start + frame, length - frame, RATE)
    return left, right


def shown(desk: Desk, track: int = 0) -> list[tuple[str, int, int]]:
    """Shot name (or clip name), first shot frame and length of each clip."""
    film = desk.read()
    return [
        (
            i.block.name if i.block else i.name,
            round(i.source.start_time.value) - (ZERO if i.block else 0),
            round(i.length),
        )
        for i in film.video[track].items
        if i.kind == "Clip" and i.source
    ]


def uses(desk: Desk) -> list[str]:
    return [i.use or "" for t in desk.read().video for i in t.items if i.kind == "Clip"]


@pytest.mark.parametrize("kept", ["metadata", "names"])
def test_a_blade_and_a_copy_are_further_uses(tmp_path: Path, kept: str) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut=cut)
    a, b = uses(desk)
    timeline = sent(desk)
    items = video(timeline)
    left, right = cut_at(items[0], 12)
    items[:] = [left, items[1], right, copy.deepcopy(items[1])]
    result = returned(desk, timeline if kept == "metadata" else drop_metadata(timeline))
    now = uses(desk)
    names = [name for name, _, _ in shown(desk)]
    assert shown(desk) == [(names[0], 0, 12), (names[1], 4, 10), (names[0], 12, 8), (names[1], 4, 10)]
    assert now[2] == a, "the half that holds the out-point goes on as the old use"
    assert b in (now[1], now[3])
    assert len(set(now)) == 4
    assert {row["of"] for row in result["new"]} == {a, b}
    assert {row["by"] for row in result["matched"]} == {"use" if kept == "metadata" else "token"}


def test_the_same_cut_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut=cut)
    timeline = sent(desk)
    items = video(timeline)
    items[:] = [*cut_at(items[0], 12), items[1], copy.deepcopy(items[1])]
    returned(desk, timeline)
    before = desk.places.film.read_bytes()
    assert returned(desk, timeline)["new"] == []
    assert desk.places.film.read_bytes() == before


def test_what_is_left_out_is_kept_and_comes_back(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut=cut)
    set_intent(desk, lambda film: shot_levels(film, [film.video[0].items[1].block.shot]), ["prompt=a storm"])  # type: ignore[union-attr]
    before, whole = desk.places.film.read_bytes(), sent(desk)
    shorter = copy.deepcopy(whole)
    gone = video(shorter).pop(1)
    result = returned(desk, shorter)
    shot = gone["metadata"]["rushes"]["shot"]
    assert [row["shot"] for row in result["omitted"]] == [shot]
    assert shot not in desk.read().shots
    again = returned(desk, drop_metadata(whole))
    assert [row["shot"] for row in again["reinstated"]] == [shot]
    assert desk.places.film.read_bytes() == before, "with its intent, its take and its use, as it was"


def test_footage_stays_external_whatever_it_is_called(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
    name = desk.read().video[0].items[0].block.name  # type: ignore[union-attr]
    timeline = sent(desk)
    foreign = footage(f"plates/{name}.mov", 0, 10)
    foreign["source_range"] = time_range(ZERO, 10, RATE)
    foreign["media_references"]["DEFAULT_MEDIA"]["available_range"] = time_range(ZERO, 40, RATE)
    video(timeline).append(foreign)
    result = returned(desk, timeline)
    assert len(result["matched"]) == 1
    assert [row["name"] for row in result["external"]] == [f"{name}.mov"]
    (proposal,) = result["proposed"]
    assert proposal["by"] == "name"
    assert "none of the marks" in proposal["because"]
    accepted = returned(desk, timeline, accept=True)
    assert len(accepted["matched"]) == 2
    assert not accepted["proposed"]


def test_words_about_a_shot_are_no_marks(tmp_path: Path) -> None:
    """Editors write what a clip was, or is to match, in comments and metadata."""
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
    timeline = sent(desk)
    file = video(timeline)[0]["name"]
    stock = footage("stock/harbour.mov", 0, 10)
    stock["metadata"] = {"shotgrid": {"note": f"match the grade of {file}"}}
    video(timeline).append(stock)
    assert len(returned(desk, timeline)["matched"]) == 1
    export(desk, tmp_path / "sent.edl")
    event = "009  STOCK1   V     C        01:00:10:00 01:00:10:10 01:00:01:06 01:00:01:16\n"
    text = (tmp_path / "sent.edl").read_text() + f"{event}* FROM CLIP NAME:  stock.mov\n* COMMENT: was {file}\n"
    (tmp_path / "back.edl").write_text(text)
    assert len(conform(desk, tmp_path / "back.edl", None, accept=False)["matched"]) == 1


def test_another_file_under_the_marks_of_a_shot_is_said(tmp_path: Path) -> None:
    """A copy under another name is the shot; a longer file cannot be a copy."""
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 0, 9), cut=cut)
    timeline = sent(desk)
    first, second = (clip["media_references"]["DEFAULT_MEDIA"] for clip in video(timeline))
    video(timeline)[0]["name"] = video(timeline)[1]["name"] = "real_shoot"
    first["target_url"] = second["target_url"] = "/stock/real_shoot.mov"
    second["available_range"] = time_range(ZERO, 500, RATE)
    result = returned(desk, timeline)
    assert len(result["matched"]) == 1
    assert any("1 clips show files that are no takes" in note for note in result["notes"])
    (proposal,) = result["proposed"]
    assert "longer" in proposal["because"]


def test_position_alone_only_proposes(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut.use("C", 0, 9), cut=cut)
    middle = desk.read().video[0].items[1].block
    assert middle
    timeline = sent(desk)
    stranger = footage("elsewhere/X0001.mxf", 90, 10, available=500)
    video(timeline)[1] = stranger
    result = returned(desk, timeline)
    (proposal,) = result["proposed"]
    assert (proposal["by"], proposal["shot"], proposal["place"]) == ("position", middle.shot, "V1@20")
    assert [row["shot"] for row in result["omitted"]] == [middle.shot]
    accepted = returned(desk, timeline, accept=True)
    assert [row["shot"] for row in accepted["matched"]].count(middle.shot) == 1
    assert not accepted["omitted"]
    undo(desk, skip=False)
    assert middle.shot not in desk.read().shots
    undo(desk, skip=False)
    assert uses(desk)[1] == middle.use


def test_marks_that_contradict_each_other_only_propose(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut=cut)
    timeline = sent(desk)
    first, second = video(timeline)
    first["media_references"] = second["media_references"]
    result = returned(desk, timeline)
    assert len(result["matched"]) == 1
    (proposal,) = result["proposed"]
    assert proposal["shot"] == second["metadata"]["rushes"]["shot"], "the picture is what is seen"
    assert "contradict" in proposal["because"]


class TestTakes:
    def test_a_take_that_the_editor_switched_is_chosen(self, tmp_path: Path) -> None:
        cut = Cut(tmp_path)
        desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 0, 9), cut=cut)
        shot = video(timeline := sent(desk))[0]["metadata"]["rushes"]["shot"]
        record(desk, shot, "t002")
        media = video(timeline)[0]["media_references"]["DEFAULT_MEDIA"]
        media["target_url"] = media["target_url"].replace("t001", "t002")
        (row,) = returned(desk, timeline)["switched"]
        assert (row["was"], row["take"]) == ("t001", "t002")
        chosen = desk.read().shots[shot].block.chosen
        assert chosen
        assert (chosen.take, chosen.by) == ("t002", "hand")

    def test_a_take_that_the_film_replaced_meanwhile_is_not_taken_back(self, tmp_path: Path) -> None:
        from rushes.engine.choosing import Decisions, decide

        cut = Cut(tmp_path)
        desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 0, 9), cut=cut)
        timeline = sent(desk)
        shot = video(timeline)[0]["metadata"]["rushes"]["shot"]
        record(desk, shot, "t002")
        decide(desk, shot, Decisions(choose="t002"))
        result = returned(desk, timeline)
        assert (result["switched"], result["proposed"]) == ([], [])
        assert desk.read().shots[shot].block.chosen.take == "t002"  # type: ignore[union-attr]

    def test_without_what_was_sent_it_is_only_proposed(self, tmp_path: Path) -> None:
        cut = Cut(tmp_path)
        desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
        timeline = sent(desk)
        shutil.rmtree(desk.places.exports)
        shot = video(timeline)[0]["metadata"]["rushes"]["shot"]
        record(desk, shot, "t002")
        media = video(timeline)[0]["media_references"]["DEFAULT_MEDIA"]
        media["target_url"] = media["target_url"].replace("t001", "t002")
        (proposal,) = returned(desk, timeline)["proposed"]
        assert (proposal["take"], proposal["was"]) == ("t002", "t001")
        assert returned(desk, timeline, accept=True)["switched"]

    def test_a_renamed_copy_is_known_by_its_content(self, tmp_path: Path) -> None:
        cut = Cut(tmp_path)
        desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
        timeline = drop_metadata(sent(desk))
        (clip,) = video(timeline)
        media = clip["media_references"]["DEFAULT_MEDIA"]
        copied = tmp_path / "online" / "A001.mov"
        copied.parent.mkdir()
        shutil.copy(media["target_url"], copied)
        clip["name"] = media["name"] = "A001.mov"
        media["target_url"] = str(copied)
        assert [row["by"] for row in returned(desk, timeline)["matched"]] == ["content"]


def test_clips_in_a_nested_stack_are_taken_out_of_it(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut.use("C", 0, 9), cut=cut)
    before = shown(desk)
    timeline = sent(desk)
    items = video(timeline)
    title = footage("titles/end.mov", 0, 30)
    tracks = [
        {**timeline["tracks"]["children"][0], "children": items[:2]},
        {**timeline["tracks"]["children"][0], "name": "V2", "children": [title]},
    ]
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "compound", "metadata": {}, "children": tracks}
    stack |= {"source_range": time_range(5, 22, RATE), "effects": [], "markers": [], "enabled": True}
    timeline["tracks"]["children"][0]["children"] = [stack, items[2]]
    result = returned(desk, timeline)
    assert shown(desk) == [(before[0][0], 5, 15), (before[1][0], 4, 7), before[2]]
    assert shown(desk, 1) == [("end.mov", 5, 22)]
    assert result["omitted"] == []


def test_undo_brings_the_cut_back_and_keeps_what_was_done_since(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), footage("plate.mov", 3, 9), cut=cut)
    before, cut_before = desk.places.film.read_bytes(), name_of(desk.read())
    timeline = sent(desk)
    items = video(timeline)
    items[:] = [items[1], *cut_at(items[0], 7)]
    returned(desk, timeline)
    after = name_of(desk.read())
    undo(desk, skip=False)
    assert desk.places.film.read_bytes() == before
    redo(desk, skip=False)
    assert name_of(desk.read()) == after
    shot = find_shot(desk.read(), items[0]["metadata"]["rushes"]["shot"]).block.shot
    record(desk, shot, "t002")
    from rushes.engine.choosing import Decisions, decide

    decide(desk, shot, Decisions(choose="t002"))
    undo(desk, skip=False)
    assert name_of(desk.read()) == cut_before
    assert desk.read().shots[shot].block.chosen.take == "t002"  # type: ignore[union-attr]


def test_a_shot_that_still_shows_footage_goes_out_and_comes_back(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, footage("plate.mov", 10, 9), cut.use("A", 0, 20), cut=cut)
    movie(tmp_path / "plate.mov", "B", frames=LENGTH)
    set_intent(desk, lambda film: shot_levels(film, ["V1@0"]), ["prompt=a lighthouse"])
    before = desk.places.film.read_bytes()
    for name in ("sent.otio", "sent.xml", "sent.edl"):
        export(desk, tmp_path / name)
        result = conform(desk, tmp_path / name, None, accept=False)
        assert len(result["matched"]) == 2, name
        assert desk.places.film.read_bytes() == before, name
    timeline = drop_metadata(sent(desk))
    video(timeline)[0]["source_range"] = time_range(12, 6, RATE)
    returned(desk, timeline)
    assert shown(desk)[0][1:] == (2, 6), "two frames trimmed off the head, in shot time"


def test_a_cut_of_less_than_the_film_knows_loses_nothing(tmp_path: Path) -> None:
    """An EDL has no sound, no markers' comments and no effects: what the film has of them stays."""
    cut = Cut(tmp_path)
    clip = cut.use("A", 0, 20)
    clip["effects"] = [{"OTIO_SCHEMA": "Effect.1", "name": "grade", "effect_name": "LUT", "metadata": {"n": 1.10}}]
    marker = {"OTIO_SCHEMA": "Marker.2", "name": "fix", "comment": "her hand", "color": "RED", "metadata": {}}
    clip["markers"] = [marker | {"marked_range": time_range(ZERO + 5, 1, RATE)}]
    cut.put(clip)
    cut.add_track("Audio")
    cut.film.insert(cut.film.tracks[1], 0, rawjson.encode(footage("a.wav", 0, 20)))
    desk = film_at(tmp_path, cut=cut)
    before = desk.places.film.read_bytes()
    export(desk, tmp_path / "sent.edl")
    result = conform(desk, tmp_path / "sent.edl", None, accept=False)
    assert desk.places.film.read_bytes() == before
    assert any("no sound" in note for note in result["notes"])


def test_dissolves_go_through_an_edl_and_back(tmp_path: Path) -> None:
    """There the cut lies at their beginning; and there is no gap at the head, only a later timecode."""
    cut = Cut(tmp_path)
    cut.put(gap(7), cut.use("A", 2, 20), dissolve(3, 5), cut.use("B", 9, 10), dissolve(4, 4))
    desk = film_at(tmp_path, cut.use("C", 6, 12), cut=cut)
    before = desk.places.film.read_bytes()
    for name in ("sent.edl", "sent.xml", "sent.otio"):
        export(desk, tmp_path / name)
        conform(desk, tmp_path / name, None, accept=False)
        assert desk.places.film.read_bytes() == before, name


def test_an_edit_in_an_otio_file_is_taken_over_whole(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), gap(4), cut.use("B", 4, 10), cut=cut)
    timeline = sent(desk)
    first = video(timeline)[0]
    first |= {"enabled": False, "effects": [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 2.0}]}
    first["metadata"]["other"] = {"n": 1e-7}
    video(timeline)[1]["source_range"] = time_range(0, 9, RATE)
    returned(desk, timeline)
    text = desk.places.film.read_text()
    item = desk.read().video[0].items[0]
    assert (item.enabled, item.warps) == (False, (2.0,))
    assert "1e-07" in text
    assert desk.read().video[0].items[1].length == 9
    found, _ = difference(desk.places.previous, desk.places.film, "")
    assert {c.kind for c in found.changes} == {"retimed", "disabled", "moved"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("cut.edl", "001  AX V C 00:00 garbage\n", "EDL"),
        ("cut.xml", "<xmeml><sequence></xmeml>", "XML"),
        ("cut.xml", "<fcpxml version='1.10'/>", "FCPXML"),
        ("cut.otio", "{}", "timeline"),
        ("cut.aaf", "no", "AAF"),
        ("cut.drp", "no", "kind"),
    ],
)
def test_a_cut_that_cannot_be_read_changes_nothing(tmp_path: Path, name: str, text: str, says: str) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
    before = desk.places.film.read_bytes()
    (tmp_path / name).write_text(text)
    with pytest.raises(RushesError) as raised:
        conform(desk, tmp_path / name, None, accept=True)
    assert says in raised.value.text
    assert raised.value.remedy
    assert desk.places.film.read_bytes() == before


def test_another_rate_or_another_folder_is_refused(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
    timeline = sent(desk)
    other = json.loads(json.dumps(timeline).replace('"rate": 24.0', '"rate": 25.0').replace('"24/1"', '"25/1"'))
    with pytest.raises(BadRequest, match="25/1"):
        returned(desk, other)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "back.otio").write_text(json.dumps(timeline))
    with pytest.raises(BadRequest, match="beside it"):
        conform(desk, tmp_path / "back.otio", tmp_path / "elsewhere" / "out.otio", accept=False)


def test_a_conformed_film_may_be_a_film_of_its_own(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut.use("B", 4, 10), cut=cut)
    timeline, before = sent(desk), desk.places.film.read_bytes()
    video(timeline).pop(0)
    (tmp_path / "back.otio").write_text(json.dumps(timeline))
    conform(desk, tmp_path / "back.otio", tmp_path / "trial.otio", accept=False)
    assert desk.places.film.read_bytes() == before
    trial = Film((tmp_path / "trial.otio").read_bytes(), "trial")
    assert (len(trial.shots), len(trial.block.omitted)) == (1, 1)


def test_a_film_that_a_newer_program_saved_is_read_as_what_it_can_be(tmp_path: Path) -> None:
    """Marker.3 has colours as numbers; OpenTimelineIO 0.18 refuses the whole file for it."""
    import opentimelineio as otio

    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 20), cut=cut)
    timeline = sent(desk)
    colour = {"OTIO_SCHEMA": "Color.1", "r": 0.9, "g": 0.1, "b": 0.0, "a": 1.0, "name": ""}
    marker = {
        "OTIO_SCHEMA": "Marker.3",
        "name": "fix",
        "color": colour,
        "metadata": {"n": 1.10},
        "comment": "hand",
    }
    video(timeline)[0]["markers"] = [marker | {"marked_range": time_range(ZERO + 5, 1, RATE)}]
    for metadata in (timeline["metadata"], {}):
        result = returned(desk, timeline | {"metadata": metadata})
        assert any("Marker.3 as Marker.2" in note for note in result["notes"])
        (clip,) = otio.adapters.read_from_file(str(desk.places.film)).find_clips()
        assert [(m.name, m.color, m.comment) for m in clip.markers] == [("fix", "RED", "hand")]
    newest = json.dumps(timeline).replace("Marker.3", "Marker.9")
    desk.places.film.with_name("newest.otio").write_text(newest)
    with pytest.raises(RushesError, match=r"Marker\.9 is newer"):
        difference(desk.places.film, desk.places.film.with_name("newest.otio"), "")


def test_what_stood_in_for_a_clip_without_a_file_is_taken_out_again(tmp_path: Path) -> None:
    """Resolve wants a file for every clip. Titles and offline footage come back as they were, trims taken over."""
    cut = Cut(tmp_path)
    title = footage("x", 0, 20)
    title["name"] = "END TITLE"
    title["media_references"]["DEFAULT_MEDIA"] = {
        "OTIO_SCHEMA": "GeneratorReference.1", "name": "Title", "generator_kind": "title",
        "parameters": {"text": "The End"}, "metadata": {"odd": 1.10}, "available_range": None,
    }  # fmt: skip
    offline = footage("y", 40, 12)
    missing = {"OTIO_SCHEMA": "MissingReference.1", "name": "A009C002", "metadata": {}, "available_range": None}
    offline["media_references"]["DEFAULT_MEDIA"] = missing
    desk = film_at(tmp_path, cut.use("A", 0, 20), title, offline, copy.deepcopy(title), cut=cut)
    before = [json.loads(bytes(item.raw)) for item in desk.read().video[0].items]
    out = tmp_path / "sent.otio"
    export_film(desk, out, lambda done, total: None, Wanted(program="resolve"))
    timeline = json.loads(through_resolve(out.read_text()))
    returned(desk, timeline)
    after = [json.loads(bytes(item.raw)) for item in desk.read().video[0].items]
    for item in after:
        item["metadata"].pop("Resolve_OTIO", None)
    assert after == before
    first, *_ = [c for c in video(timeline) if "slate__" in c["name"]]
    first["source_range"] = time_range(ZERO + 4, 9, RATE)
    returned(desk, timeline)
    item = desk.read().video[0].items[1]
    assert (item.name, item.length, item.source.start_time.value if item.source else None) == ("END TITLE", 9, 4)
    assert b"The End" in bytes(item.raw)

"""Cuts that come back changed: what the editor did is taken over, and nothing that the film knew is lost."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from cuts import LENGTH, RATE, ZERO, Cut, dissolve, export, footage, gap, movie
from returning import cut_at, drop_metadata, film_at, record, returned, sent, shown, video
from rushes.engine.changing import set_intent, shot_levels
from rushes.engine.conforming import conform
from rushes.engine.diffing import difference
from rushes.engine.keptcuts import name_of
from rushes.engine.undoing import redo, undo
from rushes.export.exporting import Wanted, export_film
from rushes_otio import rawjson
from rushes_otio.build import time_range
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.pointing import find_shot
from survival import through_resolve


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

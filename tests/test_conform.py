"""Cuts that come back changed: who each clip is stays known, and what is not sure is only proposed."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from cuts import RATE, ZERO, Cut, export, footage
from returning import cut_at, drop_metadata, film_at, record, returned, sent, shown, uses, video
from rushes.engine.changing import set_intent, shot_levels
from rushes.engine.conforming import conform
from rushes.engine.undoing import undo
from rushes_otio.build import time_range


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

"""A host's timeline pulled into a film on disk: the answer as JSON, what is saved and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuts import BLACK, LENGTH, RATE, ZERO, Cut, assert_shows, colour, dissolve, export, footage, gap, movie, seen
from returning import film_at
from rushes.engine.forking import fork
from rushes.engine.studio import Desk
from rushes.engine.undoing import undo
from rushes.hosts.pulling import pull
from rushes.messages import commands
from rushes_otio import rawjson
from rushes_otio.adding import add_shot, make_shot
from rushes_otio.choosing import choose
from rushes_otio.errors import BadRequest
from rushes_otio.hosts.rows import Dissolve, Making, Row, Sequence
from rushes_otio.schema import Chosen

Json = dict[str, Any]


class Timeline:
    """What a host keeps: rows, dissolves and the uses that it was given."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.rate = str(RATE)
        self.rows: list[Row] = []
        self.dissolves: list[Dissolve] = []
        self.known: list[str] = []

    def pull(self, *makings: Making, bring: bool = False) -> Json:
        """What the daemon answers, after a way through JSON in both directions."""
        sequence = Sequence(rate=self.rate, rows=self.rows, dissolves=self.dissolves, known=self.known)
        command = commands.Pull(
            film=str(self.desk.places.film), sequence=sequence, make=list(makings), bring=bring
        )
        sent = msgspec.json.decode(msgspec.json.encode(command), type=commands.Pull)
        answer: Json = json.loads(json.dumps(pull(self.desk, sent)))
        for said in answer["ids"]:
            row = self.row(said["key"])
            row.use, row.shot = said["use"], said["shot"]
        return answer

    def push(self) -> Json:
        answer = self.pull(bring=True)
        self.rows += msgspec.convert(answer["add"], list[Row])
        self.dissolves += msgspec.convert(answer["dissolves"], list[Dissolve])
        self.known = answer["known"]
        return answer

    def row(self, key: str) -> Row:
        return next(row for row in self.rows if row.key == key)

    @property
    def text(self) -> bytes:
        return self.desk.places.film.read_bytes()


def opened(desk: Desk) -> Timeline:
    timeline = Timeline(desk)
    timeline.push()
    return timeline


def items(desk: Desk) -> list[tuple[str, str, int, int]]:
    """Clips of the film's first track: kind, shot's name, first frame in the shot, frames."""
    found = []
    for item in desk.read().video[0].items:
        name = item.block.name if item.block else item.name
        first = round(item.source.start_time.value) - ZERO if item.source else 0
        found.append((item.kind, name, first, round(item.length)))
    return found


def test_an_empty_timeline_is_offered_the_whole_film_and_changes_nothing(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    movie(tmp_path / "sea.mov", "C")
    desk = film_at(
        tmp_path,
        cut.use("A", 2, 20), dissolve(4, 4), cut.use("B", 6, 16), gap(5), cut.use("C", 0, 8, 2.0),
        cut.use("C", 0, 8, -1.0), footage("sea.mov", 3, 9), cut.use("C", 4, 6, 0.0, enabled=False),
        cut=cut,
    )  # fmt: skip
    timeline = Timeline(desk)
    timeline.push()  # the footage gets an id to be called by
    before, stamp = timeline.text, desk.places.film.stat()
    timeline.rows, timeline.dissolves, timeline.known = [], [], []
    answer = timeline.push()
    assert (answer["changed"], answer["rate"], answer["size"], answer["length"]) == (False, "24/1", [256, 144], 72)
    assert answer["tracks"] == [
        {"label": "V1", "kind": "Video", "channel": channel, "name": "V1", "enabled": True}
        for channel in (1, 2, 3, 4, 5)
    ]
    assert answer["scenes"] == [{"name": "SC010 BEACH", "start": 0, "frames": 72}]
    first, second, *_ = timeline.rows
    rows = [(row.channel, row.left, row.right, row.first, row.speed, row.enabled) for row in timeline.rows]
    assert rows == [
        (1, 0, 24, 2, "1", True), (2, 16, 36, 2, "1", True), (1, 41, 49, 0, "2", True), (1, 49, 57, 7, "-1", True),
        (1, 57, 66, 3, "1", True), (1, 66, 72, 4, "0", False),
    ]  # fmt: skip
    assert [(d.channel, d.left, d.right, d.out, d.into) for d in timeline.dissolves] == [
        (5, 16, 24, first.key, second.key)
    ]
    assert all(Path(row.path).is_file() for row in timeline.rows)
    assert (first.length, first.size) == (LENGTH, (256, 144))
    assert {showing["shot"] for showing in answer["media"]} == {row.shot for row in timeline.rows if row.shot}
    again = timeline.pull()
    assert (again["changed"], again["lacking"], again["ids"], again["known"]) == (False, 0, [], timeline.known)
    assert (timeline.text, desk.places.film.stat()) == (before, stamp)
    timeline.dissolves[0].kind = "wipe"
    assert timeline.pull()["changed"] is True
    assert Timeline(desk).pull(bring=True)["dissolves"] == [msgspec.to_builtins(timeline.dissolves[0])]


def test_what_the_host_lacks_is_counted_and_drawn_only_when_it_is_to_be_brought_in(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    cut.add_track("Audio")
    desk = film_at(tmp_path, cut.use("A", 2, 20), footage("nowhere.mov", 0, 10), cut=cut)
    with desk.changing() as film:
        add_shot(film, film.block.scenes[0], 20, {"prompt": "a gull"})
        film.insert(film.tracks[1], 0, rawjson.encode({**footage("", 0, 10), "media_references": {}}))
    timeline, slates = Timeline(desk), tmp_path / "film.rushes" / "slates"
    counted = timeline.pull()
    assert (counted["lacking"], counted["add"], counted["dissolves"], counted["media"]) == (3, [], [], [])
    assert (counted["known"], slates.exists()) == ([], False)
    brought = timeline.push()
    assert (brought["lacking"], len(brought["add"]), len(brought["media"])) == (3, 3, 2)
    assert len(list(slates.iterdir())) == 2
    assert timeline.pull()["lacking"] == 0


def test_a_blade_keeps_the_use_with_the_out_point_and_is_told(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("B", 6, 16), cut=cut)
    timeline = opened(desk)
    whole = timeline.rows[0]
    half = msgspec.structs.replace(whole, key="half", left=12, first=14)
    whole.right = 12
    timeline.rows.append(half)
    answer = timeline.pull()
    assert [(row["key"], row["shot"]) for row in answer["ids"]] == [(whole.key, whole.shot)]
    assert answer["changed"] is True
    assert [row["shot"] for row in answer["new"]] == [whole.shot]
    assert items(desk) == [
        ("Clip", "SC010_SH010", 2, 12),
        ("Clip", "SC010_SH010", 14, 8),
        ("Clip", "SC010_SH020", 6, 16),
    ]
    assert half.use == timeline.known[0] != whole.use
    with pytest.raises(BadRequest, match="nothing to undo"):
        undo(desk, skip=False)
    assert timeline.pull()["changed"] is False


def test_what_two_uses_of_a_deleted_shot_were_they_are_again(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("A", 10, 9), cut.use("B", 6, 16), cut=cut)
    timeline = opened(desk)
    before, rows = items(desk), timeline.rows
    timeline.rows = rows[2:]
    gone = timeline.pull()
    assert [row["name"] for row in gone["omitted"]] == ["SC010_SH010"]
    timeline.rows = [rows[1], rows[0], rows[2]]
    back = timeline.pull()
    assert [row["name"] for row in back["reinstated"]] == ["SC010_SH010"]
    assert back["ids"] == []
    assert items(desk) == before


def test_takes_are_known_by_their_files_and_bad_ids_are_none(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("B", 6, 16), cut=cut)
    timeline = opened(desk)
    take = Path(timeline.rows[1].path)
    known, row = timeline.rows[0].shot, Row(key="dragged", kind="movie", channel=1, left=50, right=60)
    change = msgspec.structs.replace
    timeline.rows += [
        change(row, path=str(take), first=4, length=LENGTH),
        change(row, key="other", left=70, right=80, path="/x/sea.mov", use="../../etc", shot="zzzzzzzz"),
        change(row, key="copy", channel=2, path="/x/y.mov", use="nope", shot=known),
    ]
    answer = timeline.pull()
    told = {row["key"]: row["shot"] for row in answer["ids"]}
    assert told == {"dragged": timeline.rows[1].shot, "other": "", "copy": timeline.rows[0].shot}
    assert answer["external"] == 1
    assert items(desk)[2:] == [
        ("Gap", "", -ZERO, 14),
        ("Clip", "SC010_SH020", 4, 10),
        ("Gap", "", -ZERO, 10),
        ("Clip", "", -ZERO, 10),
    ]
    assert timeline.pull()["changed"] is False


def test_strips_without_a_picture_hide_nothing_and_become_shots_when_asked(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 0, 12), cut=cut)
    timeline = opened(desk)
    timeline.rows += [
        Row(key="title", kind="text", channel=5, left=0, right=12, text="A gull\nflies up"),
        Row(key="grade", kind="other", channel=6, left=0, right=12),
        Row(key="board", kind="color", channel=1, left=20, right=30, name="Color"),
    ]  # fmt: skip
    answer = timeline.pull()
    assert (answer["external"], [row["key"] for row in answer["ids"]]) == (1, ["board"])
    assert answer["length"] == 30
    export(desk, tmp_path / "out.mov")
    slate = seen(tmp_path / "out.mov")[20:]
    assert_shows(tmp_path / "out.mov", [colour("A", n) for n in range(12)] + [BLACK] * 8 + slate)
    made = timeline.pull(
        Making(key="title", name="GULLS", scene="THE SKY"),
        Making(key="board", prompt="waves", action="they break"),
    )
    sky, waves = (desk.read().shots[timeline.row(key).shot].block for key in ("title", "board"))
    assert (sky.name, json.loads(bytes(sky.intent))) == ("GULLS", {"prompt": "A gull\nflies up"})
    assert json.loads(bytes(waves.intent)) == {"prompt": "waves", "action": "they break"}
    assert [scene.name for scene in desk.read().block.scenes] == ["BEACH", "THE SKY"]
    assert {showing["shot"] for showing in made["media"]} == {sky.shot, waves.shot}
    before = timeline.text
    assert timeline.pull()["changed"] is False  # the title is a shot now, and stays
    for key in ("grade", "board", "nothing"):
        with pytest.raises(BadRequest):
            timeline.pull(Making(key=key), Making(key="title"))
    assert timeline.text == before


def test_a_host_that_still_shows_the_footage_counts_from_its_first_frame(tmp_path: Path) -> None:
    """A shot made of footage: the row is told where the shot begins in it; and when the film has a take already, a
    host that has not swapped yet is understood."""
    cut = Cut(tmp_path)
    movie(tmp_path / "sea.mov", "C")
    desk = film_at(tmp_path, footage("sea.mov", 9, 12), cut=cut)
    with desk.changing() as film:
        make_shot(film, film.video[0], 0)
    timeline = opened(desk)
    row = timeline.rows[0]
    assert (row.path, row.first, row.zero) == (str(tmp_path / "sea.mov"), 9, 9)
    row.left, row.first = 2, 11
    assert timeline.pull()["changed"] is True
    assert items(desk) == [("Gap", "", -ZERO, 2), ("Clip", "sea", 2, 10)]
    with desk.changing() as film:
        shot = next(iter(film.shots))
        take = f"film.rushes/takes/sea__{shot}_t001.mov"
        movie(tmp_path / take, "A")
        choose(film, shot, Chosen("t001", "hand", "0" * 64, {}), take, LENGTH)
    assert timeline.pull()["changed"] is False
    row.path, row.first = str(tmp_path / take), 2  # swapped
    assert timeline.pull()["changed"] is False
    row.first = 5
    timeline.pull()
    assert items(desk)[1:] == [("Clip", "sea", 5, 10)]


def test_a_use_that_was_forked_meanwhile_stays_forked(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("A", 10, 9), cut=cut)
    timeline = opened(desk)
    forked = fork(desk, timeline.rows[1].use)
    timeline.rows[1].right += 3
    answer = timeline.pull()
    assert [(row["key"], row["shot"]) for row in answer["ids"]] == [(timeline.rows[1].key, forked.shot)]
    assert (answer["omitted"], len(desk.read().shots)) == ([], 2)


def test_what_is_no_timeline_of_the_film_changes_nothing(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut=cut)
    timeline = opened(desk)
    before = timeline.text
    timeline.rate = "25/1"
    with pytest.raises(BadRequest, match="25/1") as refused:
        timeline.pull()
    assert "24/1" in refused.value.remedy
    assert Timeline(desk).pull()["rate"] == "24/1"  # an empty one is told what to be
    timeline.rate = "24/1"
    timeline.rows.append(msgspec.structs.replace(timeline.rows[0], left=90, right=95))
    with pytest.raises(BadRequest, match="two rows"):
        timeline.pull()
    assert timeline.text == before


def test_what_lies_in_the_way_or_before_the_beginning_is_told(tmp_path: Path) -> None:
    """A film whose place is taken goes after the end, its sound with it; strips before the film's first frame are
    left out."""
    cut = Cut(tmp_path)
    cut.add_track("Audio")
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("B", 0, 10), cut=cut)
    with desk.changing() as film:
        film.insert(film.tracks[1], 0, rawjson.encode(gap(20)))
        film.insert(film.tracks[1], 1, rawjson.encode(footage("waves.wav", 0, 10)))
    timeline = Timeline(desk)
    timeline.rows = [
        Row(key="mine", kind="movie", channel=2, left=0, right=25, path="/x/mine.mov", length=100),
        Row(key="early", kind="movie", channel=3, left=-30, right=0, path="/x/mine.mov", length=100),
    ]
    answer = timeline.push()
    assert "before the film's first frame" in " ".join(answer["notes"])
    added = {(row["channel"], row["left"], row["right"]) for row in answer["add"]}
    assert added == {(2, 25, 45), (2, 45, 55), (1, 45, 55)}
    assert [track["channel"] for track in answer["tracks"]] == [2, 1]
    assert timeline.pull()["changed"] is False


def test_absurd_strips_are_taken_or_refused_in_good_time_and_fill_no_disk(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut=cut)
    timeline = opened(desk)
    sea = Row(key="sea", kind="movie", channel=2, left=0, right=10, path=f"/x/{'a' * 4000}.mov", first=10_000_000)
    timeline.rows += [
        sea,
        Row(key="top", kind="movie", channel=1024, left=0, right=9, path="/x/\0\u202e.mov"),
        Row(key="long", kind="color", channel=3, left=0, right=9_000_000),
        *(Row(key=f"m{n}", kind="meta", channel=4, left=0, right=9, inside=f"m{(n + 1) % 40}") for n in range(40)),
        Row(key="in", kind="movie", channel=1, left=0, right=9, path="/x/y.mov", inside="m3"),
    ]
    timeline.pull(Making(key="long", prompt="for ever"))
    assert Timeline(desk).pull(bring=True)["lacking"] == 5
    slates = [file.stat().st_size for file in (tmp_path / "film.rushes" / "slates").iterdir()]
    assert len(slates) == 4 and sum(slates) < 100_000_000
    assert timeline.pull()["changed"] is False  # what begins hours into a file stays there
    before = timeline.text
    timeline.rows += [msgspec.structs.replace(sea, key=f"{n}", use="") for n in range(20_000 - len(timeline.rows))]
    with pytest.raises(BadRequest, match="layers"):
        timeline.pull()
    assert timeline.text == before

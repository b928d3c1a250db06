"""What a host's editor undoes and redoes: which shot a use is, and whether it is one."""

from __future__ import annotations

import json
from pathlib import Path

from cuts import Cut, movie
from returning import film_at
from rushes.engine.forking import fork
from rushes.engine.studio import Desk
from rushes_otio.hosts.rows import Making, Row
from test_pull import Timeline, opened


def settled(timeline: Timeline) -> None:
    """What the editor's undo said is in the film, which has no other opinion and no more to say."""
    said = [(row.use, row.shot) for row in timeline.rows]
    timeline.known = timeline.pull()["known"]
    for row in timeline.rows:
        row.told = None
    again = timeline.pull()
    assert (again["changed"], again["ids"], again["lacking"]) == (False, [], 0)
    assert [(row.use, row.shot) for row in timeline.rows if row.shot] == [each for each in said if each[1]]


def shots(desk: Desk) -> list[str]:
    return list(desk.read().shots)


def test_a_fork_is_undone_and_redone(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut.use("A", 10, 9), cut=cut)
    timeline = opened(desk)
    row, of = timeline.rows[1], timeline.rows[1].shot
    forked = fork(desk, row.use)
    timeline.pull()
    assert row.shot == forked.shot
    row.shot, row.told = of, forked.shot
    settled(timeline)
    assert shots(desk) == [of]
    assert [bytes(raw).count(forked.shot.encode()) > 0 for raw in desk.read().block.omitted] == [True]
    row.shot, row.told = forked.shot, of
    settled(timeline)
    assert shots(desk) == [of, forked.shot]
    assert (desk.read().shots[forked.shot].block.name, desk.read().block.omitted) == (forked.name, [])


def test_a_shot_made_of_footage_is_undone_and_redone(tmp_path: Path) -> None:
    cut = Cut(tmp_path)
    desk = film_at(tmp_path, cut.use("A", 2, 20), cut=cut)
    movie(tmp_path / "sea.mov", "A")
    timeline = opened(desk)
    row = Row(key="sea", kind="movie", channel=4, left=0, right=10, path=str(tmp_path / "sea.mov"), length=48)
    timeline.rows.append(row)
    for is_named in (False, True):  # with no use, as a strip is that no pull has seen, and with one
        if is_named:
            timeline.known = timeline.pull()["known"]
        before = row.use
        timeline.known = timeline.pull(Making(key="sea", prompt="a calm sea"))["known"]
        use, shot = row.use, row.shot
        assert len(shots(desk)) == 2
        row.use, row.shot, row.told = before, "", shot if before else None
        settled(timeline)
        assert (row.shot, len(shots(desk))) == ("", 1)
        assert not before or row.use == before
        told = "" if row.use == use else None
        row.use, row.shot, row.told = use, shot, told
        settled(timeline)
        assert json.loads(bytes(desk.read().shots[shot].block.intent)) == {"prompt": "a calm sea"}
        timeline.rows.remove(row)
        timeline.pull()
        row.use = row.shot = ""
        timeline.rows.append(row)

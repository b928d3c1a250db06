"""A film's cut as a host's rows and back: whatever an editor does there is in the film, and nothing else."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from host_films import whole_films
from hosted import Host, seen_in, timeline_of
from rushes_otio.adding import add_shot
from rushes_otio.film import Film
from rushes_otio.hosts.lanes import lanes_of
from rushes_otio.hosts.naming import give_uses


def opened(film: Film) -> tuple[Film, Host]:
    """A film, and a host into which it was brought."""
    host = Host(str(film.rate))
    host.push(film)
    return film, host


@given(whole_films())
def test_what_was_brought_in_and_not_touched_changes_nothing(film: Film) -> None:
    give_uses(film)
    before = film.encode()
    film, host = opened(film)
    assert film.encode() == before
    taken = host.pull(film)
    assert (taken.changed, taken.offer.channels) == (False, {})
    assert film.encode() == before
    assert {row.use for row in host.rows} == set(taken.lanes.by_use)


@given(whole_films())
def test_what_hosts_put_above_a_clip_lies_beneath_the_next_track(film: Film) -> None:
    """An effect for each retimed clip, one for each dissolve over both of its clips' own."""
    _, host = opened(film)
    lanes = lanes_of(film)
    lowest = [row.channel - lanes.by_use[row.use].roll for row in host.rows if row.kind == "movie"]
    taken = [(row.channel, row.left, row.right) for row in (*host.rows, *host.dissolves)]
    top = {row.key: row.channel for row in host.rows}
    for row in sorted(host.rows, key=lambda each: each.left):
        if row.kind != "movie" or row.speed in ("1", "-1", ""):
            continue
        there = {channel for channel, left, right in taken if left < row.right and row.left < right}
        effect = next(channel for channel in count(row.channel + 1) if channel not in there)
        taken.append((effect, row.left, row.right))
        top[row.key] = effect
    for row in host.rows:
        own = row.channel - lanes.by_use[row.use].roll
        assert top[row.key] < min((each for each in lowest if each > own), default=1 << 10)
    assert all(dissolve.channel > max(top[dissolve.out], top[dissolve.into]) for dissolve in host.dissolves)


EDITS = (
    "move",
    "move",
    "trim_head",
    "trim_tail",
    "slip",
    "blade",
    "copy",
    "delete",
    "mute",
    "wrap",
    "bring",
    "pull",
)


@given(whole_films(odd=False), st.data())
def test_whatever_an_editor_does_is_in_the_film_after_one_pull(film: Film, data: st.DataObject) -> None:
    film, host = opened(film)
    for _ in range(data.draw(st.integers(1, 8))):
        _edit(film, host, data)
    host.pull(film)
    after = film.encode()
    film = Film(after, film.where)
    again = host.pull(film)
    assert (again.changed, again.offer.channels) == (False, {})
    assert film.encode() == after
    uses = [item.use for track in film.tracks for item in track.items if item.use]
    assert len(set(uses)) == len(uses)
    _assert_as_in_the_host(film, host)


def _edit(film: Film, host: Host, data: st.DataObject) -> None:
    rows = [row for row in host.rows if row.kind != "meta"]
    edit, number = data.draw(st.sampled_from(EDITS)), data.draw(st.integers(-12, 20))
    if edit == "pull":
        host.pull(film)
    elif edit == "bring":
        host.bring(
            data.draw(st.sampled_from(["movie", "sound", "image", "color"])), data.draw(st.integers(1, 9)), 10
        )
    elif edit == "cut_meta":
        host.cut_meta(number)
    elif rows:
        row = data.draw(st.sampled_from(rows))
        more = (data.draw(st.integers(-2, 3)),) if edit == "move" else ()
        needs = edit in ("move", "trim_head", "trim_tail", "slip", "blade")
        getattr(host, edit)(row, *((number,) if needs else ()), *more)


def _assert_as_in_the_host(film: Film, host: Host) -> None:
    """Every row is its own shot, at its place, shows the same frames as fast, and hides what it hid."""
    told = timeline_of(film)
    for row in host.unwrapped():
        left, right, first, speed, enabled, shot = told.pop(row.use)
        assert shot == host.truth[row.key]
        assert (left, right, enabled) == (row.left, row.right, row.enabled), row
        if row.kind in ("movie", "sound"):
            assert (first, speed or "1") == (row.first, row.speed or "1"), row
    assert told == {}
    for row in host.unwrapped():
        at = (row.left + row.right) // 2
        assert host.uppermost(at) in ("?", seen_in(film, at)), at


@given(whole_films(odd=False), st.data())
def test_what_the_film_gained_meanwhile_stays_and_is_offered_until_it_is_brought_in(
    film: Film, data: st.DataObject
) -> None:
    """Also to a host that never brings it in; and what is deleted there and comes back by undo is the same
    again."""
    film, host = opened(film)
    scene = film.block.scenes[0]
    shot = add_shot(film, scene, 20, {"prompt": "a gull"})
    use = shot.items[0].use
    for _ in range(data.draw(st.integers(0, 3))):
        _edit(film, host, data)
        assert use in host.pull(film).offer.channels
    assert shot.block.shot in film.shots
    host.push(film)
    after = film.encode()
    assert (host.pull(film).changed, film.encode()) == (False, after)
    row = next(row for row in host.rows if row.use == use)
    host.delete(row)
    gone = host.pull(film)
    assert (shot.block.shot in film.shots, gone.offer.channels) == (False, {})
    host.rows.append(row)
    back = host.pull(film)
    assert [row["shot"] for row in back.done.reinstated] == [shot.block.shot]
    assert (row.use, row.shot) == (use, shot.block.shot)
    assert timeline_of(film) == timeline_of(Film(after, film.where))

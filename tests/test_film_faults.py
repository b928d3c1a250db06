"""What is wrong in one shot makes that shot invalid, with a remedy, and leaves the others alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from films import PLAIN, edited, film_of, footage, items, planned, render, sources, time, uses
from rushes.engine.recipe import Sources
from rushes.generators.registry import Registry
from rushes.store.db import Database
from rushes.store.digests import FileDigests
from rushes.store.mentioned import MentionedFiles
from rushes.store.places import FilmPlaces
from rushes_otio.film import Film

Json = dict[str, Any]

NEAR = {"characters": {"mara": {}, "marta": {}, "bob": {"description": 5}}, "styles": {"noir": {}, "NOIR": {}}}


@pytest.mark.parametrize(
    ("intent", "text", "remedy"),
    [
        ({"prompt": 5}, "prompt is '5'; expected text", "set prompt again"),
        ({"prompt": "@marra waits"}, "@marra is not in the library", "@mara or @marta"),
        ({"prompt": "@xyzzy"}, "@xyzzy is not in the library", "write @@ for a plain @"),
        ({"prompt": "@bob"}, "description is '5'; expected text", "set description again"),
        ({"style": "noir"}, "has 'noir' twice", "rename one of the two"),
        ({"style": "mara"}, "style is 'mara', but the library has that name as a character", "define it"),
        ({"model": "wam"}, "no model called 'wam' is registered", "use wan"),
        ({"seed": 2**70}, "seed is '1180591620717411303424'; expected digits in a string", "set seed again"),
        ({"keyframe": {"image": "no.png"}}, "there is no file 'no.png'", "no.png"),
        ({"first_frame": {"from": "0000000a"}}, "the use 0000000a, which is not in the cut", "first_frame="),
        ({"loras": []}, "loras cannot be set on a shot", "film, library"),
        ([], "the intent is no JSON object", '{"prompt": "…"}'),
    ],
)
def test_an_invalid_shot_says_why_beside_a_healthy_one(intent: Json, text: str, remedy: str) -> None:
    known = sources(wan="final")
    film = render(film_of({"prompt": "a"}, {"prompt": "a pier"}, **NEAR), known)
    broken = edited(film, lambda doc: items(doc)[0]["metadata"]["rushes"].update(intent=intent))
    invalid, healthy = planned(broken, known)
    assert (invalid.state, healthy.state) == ("invalid", "fresh")
    assert invalid.fault is not None
    assert text in invalid.fault.text and remedy in invalid.fault.remedy
    assert invalid.fault.where.startswith("film.otio")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda clip: clip["metadata"]["rushes"].update(scene="gone"), "the scene 'gone' is not in the film"),
        (lambda clip: clip["source_range"].update(start_time=time(86400.5)), "starts or ends between two frames"),
        (lambda clip: clip["source_range"].update(duration=time(25, 25.0)), ""),
        (lambda clip: clip["source_range"].update(duration=time(24, 25.0)), "starts or ends between two frames"),
        (
            lambda clip: clip["source_range"].update(start_time=time(86390)),
            "shows 10 frames before the shot's first",
        ),
        (lambda clip: clip["metadata"]["rushes"]["chosen"]["recipe"].pop("model"), "chosen take is damaged"),
    ],
)
def test_a_clip_that_no_take_can_fill_is_invalid_alone(change: Any, text: str) -> None:
    film = render(film_of({"prompt": "a pier"}, {"prompt": "a boat"}, frames=24))
    invalid, healthy = planned(edited(film, lambda doc: change(items(doc)[0])))
    assert healthy.state == "fresh"
    assert invalid.state == ("invalid" if text else "fresh")
    if invalid.fault:
        assert text in invalid.fault.text and "film.otio: " in invalid.fault.where and invalid.fault.remedy


def test_uses_that_say_different_things_are_both_named() -> None:
    film = render(film_of({"prompt": "a pier"}, {"prompt": "a boat"}))

    def copy(doc: Json, **changes: object) -> None:
        clip = json.loads(json.dumps(items(doc)[0]))
        clip["metadata"]["theirs"] = "1e400"
        clip["metadata"]["rushes"] |= {"use": "0000000a", **changes}
        items(doc).append(clip)

    same = edited(film, copy)
    assert [s.state for s in planned(Film(same.encode().replace(b'"1e400"', b"1e400"), "film.otio"))] == [
        "fresh"
    ] * 2
    invalid, healthy = planned(edited(film, lambda doc: copy(doc, intent={"prompt": "a pier at night"}, note="x")))
    assert (invalid.state, healthy.state) == ("invalid", "fresh")
    assert invalid.fault is not None
    assert invalid.fault.text == f"its uses {uses(film)[0]} and 0000000a say different things: intent, note"
    assert "rushes fork" in invalid.fault.remedy


def circle(*points_at: int) -> Film:
    """A film whose shot n continues from shot `points_at[n]`; a last one stands apart."""
    film = film_of(*({"prompt": str(n)} for n in range(len(points_at) + 1)))
    ids = uses(film)

    def link(doc: Json) -> None:
        for clip, target in zip(items(doc), points_at, strict=False):
            clip["metadata"]["rushes"]["intent"]["first_frame"] = {"from": ids[target]}

    return edited(film, link)


@pytest.mark.parametrize(
    ("points_at", "groups"),
    [
        ((1, 0), [{0, 1}]),
        ((1, 2, 0), [{0, 1, 2}]),
        ((0,), [{0}]),
        ((1, 2, 1), [{1, 2}]),
        ((1, 0, 3, 2, 0), [{0, 1}, {2, 3}]),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_circle_names_all_its_members_whatever_their_order(
    points_at: tuple[int, ...], groups: list[set[int]], backwards: bool
) -> None:
    film = circle(*points_at)
    names = [s.block.name for s in film.shots.values()]
    if backwards:
        film = edited(film, lambda doc: items(doc).reverse())
    by_name = {s.block.name: s for s in planned(film)}
    for number, name in enumerate(names):
        shot = by_name[name]
        group = next((g for g in groups if number in g), None)
        if group:
            assert shot.state == "invalid" and shot.fault
            text = shot.fault.text.partition("circle: ")[2]
            assert set(text.split(", ")) == {names[n] for n in group}
    assert by_name[names[-1]].state == "missing"


def test_circles_that_share_a_shot_are_one() -> None:
    film = circle(1, 0, 1)
    ids = uses(film)

    def also(doc: Json) -> None:
        items(doc)[1]["metadata"]["rushes"]["intent"]["last_frame"] = {"from": ids[2]}

    for change in (lambda d: None, lambda d: items(d).reverse()):
        found = planned(edited(edited(film, also), change))
        circles = {s.fault.text for s in found if s.fault}
        assert sum(s.state == "invalid" for s in found) == 3 and len(circles) == 1


def test_an_escaped_key_does_not_hide_an_edge() -> None:
    film = circle(1)
    hidden = Film(film.encode().replace(b'"from"', b'"\\u0066rom"'), "film.otio")
    first, second = planned(hidden)
    assert first.upstream == (second.block.shot,)


def test_a_path_outside_the_roots_is_refused_with_the_line_that_allows_it(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    for name in ("secret.png", "film/near.png"):
        (tmp_path / name).write_bytes(b"png")
    database = Database(tmp_path / "rushes.db")
    folder, settings = FilmPlaces.of(tmp_path / "film" / "film.otio"), tmp_path / "settings.toml"

    def known(*roots: str) -> Sources:
        return Sources(Registry({}), MentionedFiles(folder, list(roots), FileDigests(database), settings))

    film = film_of(
        {"plate": "../secret.png"}, {"plate": str(tmp_path / "film/near.png")}, {"plate": "https://a/b.png"}
    )
    out, near, remote = planned(film, known())
    assert (out.state, near.state, remote.state) == ("invalid", "missing", "invalid")
    assert out.fault and out.fault.remedy == f'allow it in {settings}: roots = ["{tmp_path}"]'
    assert remote.fault and "no file of this machine" in remote.fault.text
    assert planned(film, known(str(tmp_path)))[0].state == "missing"


def test_footage_that_is_offline_makes_what_continues_from_it_invalid() -> None:
    film = film_of({"prompt": "a", "first_frame": {"from": "0000000f"}}, {"prompt": "b"})

    def add(doc: Json) -> None:
        clip = footage("plate.mov")
        clip["metadata"]["rushes"] = {"use": "0000000f"}
        clip["media_references"]["DEFAULT_MEDIA"]["OTIO_SCHEMA"] = "MissingReference.1"
        items(doc).append(clip)

    invalid, healthy = planned(edited(film, add), PLAIN)
    assert (invalid.state, healthy.state) == ("invalid", "missing")
    assert invalid.fault and invalid.fault.remedy == "relink the footage in the cut"


def test_a_number_that_no_computer_holds_spoils_its_shot_only() -> None:
    film = render(film_of({"prompt": "a pier", "theirs": 5}, {"prompt": "a boat"}))
    invalid, healthy = planned(Film(film.encode().replace(b'"theirs": 5', b'"theirs": 1e400'), "film.otio"))
    assert (invalid.state, healthy.state) == ("invalid", "fresh")
    assert invalid.fault and "the intent is unreadable" in invalid.fault.text and invalid.fault.remedy

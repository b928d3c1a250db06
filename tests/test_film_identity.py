"""What other programs keep in a film survives every save: value by value, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from films import RATE, WHERE, ZERO, clips, edited, film_of, footage, items, planned, shot_ids, take
from rushes_otio.adding import add_scene, make_shot, use_of
from rushes_otio.build import film_from_cut
from rushes_otio.film import Film
from rushes_otio.setting import Level, put_intent

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
STRING = st.builds(lambda text, ascii_only: json.dumps(text, ensure_ascii=ascii_only), TEXT, st.booleans())
NUMBER = st.one_of(
    st.sampled_from(["1.10", "1e-7", "1E+05", "-0", "-0.0", "1180591620717411303424", "1e400", "0.1e-399"]),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
SCALAR = st.one_of(STRING, NUMBER, st.sampled_from(["null", "true", "false", "{}", "[]", "[{}]", '"\\u00e9\\/"']))


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(inner, max_size=3).map(lambda parts: "[" + ",\n ".join(parts) + "]")
    pairs = st.lists(st.tuples(STRING, inner), max_size=3)
    objects = pairs.map(lambda p: '{"OTIO_SCHEMA": "Weird.7"' + "".join(f", {k} : {v}" for k, v in p) + "}")
    return lists | objects


FOREIGN = st.recursive(SCALAR, _containers, max_leaves=8)

TIMELINE = ("metadata", "theirs")
BLOCK = ("metadata", "rushes", "theirs")
SCENE = ("metadata", "rushes", "scenes", 0, "theirs")
ENTRY = ("metadata", "rushes", "library", "characters", "mara", "theirs")
PROPS = ("metadata", "rushes", "library", "props")
TRACK = ("tracks", "children", 0, "theirs")
FIRST = ("tracks", "children", 0, "children", 0)
CLIP = (*FIRST, "theirs")
CLIP_META = (*FIRST, "metadata", "theirs")
SHOT = (*FIRST, "metadata", "rushes", "theirs")
INTENT = (*FIRST, "metadata", "rushes", "intent", "theirs")
EFFECT = (*FIRST, "effects", 0)
MEDIA = (*FIRST, "media_references", "DEFAULT_MEDIA", "metadata", "theirs")
PLACES = (TIMELINE, BLOCK, SCENE, ENTRY, PROPS, TRACK, CLIP, CLIP_META, SHOT, INTENT, EFFECT, MEDIA)


def with_foreign(values: list[str]) -> bytes:
    """A film with foreign values at `PLACES`, as text that no JSON library has touched."""
    doc = json.loads(film_of({"prompt": "@mara"}, {}, characters={"mara": {}}).encode())
    items(doc)[0]["effects"].append(None)
    items(doc).append(footage("plate.mov"))
    for number, place in enumerate(PLACES):
        inner = doc
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = f"<{number}>"
    text = json.dumps(doc, indent=4)
    for number, value in enumerate(values):
        text = text.replace(f'"<{number}>"', value)
    return text.encode()


def at(data: bytes, place: tuple[str | int, ...]) -> bytes:
    """The text at a place of a file, its white space aside."""
    raw = Raw(data)
    for key in place:
        raw = msgspec.json.decode(raw, type=list[Raw] if isinstance(key, int) else dict[str, Raw])[key]
    return compact(bytes(raw))


def compact(data: bytes | str) -> bytes:
    return msgspec.json.format(data.encode() if isinstance(data, str) else data, indent=-1)


@given(st.lists(FOREIGN, min_size=len(PLACES), max_size=len(PLACES)))
def test_every_foreign_value_outlives_every_edit(values: list[str]) -> None:
    data = with_foreign(values)
    film = Film(data, WHERE)
    assert film.encode() == data
    first, second = shot_ids(film)
    put_intent(film, Level("film"), {"camera": Raw(b'"static"')})
    put_intent(film, Level("scene", film.block.scenes[0].id), {"prompt": Raw(b'"rain"')})
    put_intent(film, Level("style", "noir"), {"description": Raw(b'"grainy"')})
    add_scene(film, "CAVE")
    film.patch_shot(first, note="hers")
    film.patch_shot(second, locked=True)
    make_shot(film, film.video[0], 2)
    saved = film.encode()
    assert [at(saved, place) for place in PLACES] == [compact(value) for value in values]
    assert Film(saved, WHERE).encode() == saved


@given(FOREIGN)
def test_media_that_is_replaced_by_a_take_is_kept_whole(value: str) -> None:
    values = ["null"] * len(PLACES)
    values[PLACES.index(MEDIA)] = value
    film = Film(with_foreign(values), WHERE)
    for shot in planned(film):
        take(film, shot)
    kept = (*FIRST, "media_references", "original", "metadata", "theirs")
    assert at(film.encode(), kept) == compact(value)
    second = next(c for c in json.loads(film.encode())["tracks"]["children"][0]["children"][1:])
    assert list(second["media_references"]) == ["DEFAULT_MEDIA"]  # an empty slot is not worth keeping


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Inf", "-Infinity"])
def test_numbers_that_json_has_no_word_for_survive(word: str) -> None:
    data = with_foreign([f'{{"a": [{word}, "{word} \\" {word}"]}}'] * len(PLACES))
    film = Film(data, WHERE)
    film.patch_block(rate=str(RATE))
    film.patch_shot(shot_ids(film)[0], locked=True)
    saved = film.encode()
    assert saved.count(word.encode()) == data.count(word.encode())
    assert saved.count(b'\\" ' + word.encode()) == len(PLACES)
    assert Film(saved, WHERE).encode() == saved


def test_ten_thousand_clips_are_identical_after_load_and_save() -> None:
    one = film_of({"prompt": "a pier", "seed": "7"}, {"prompt": "a boat"})
    number = iter(range(10_000_000, 99_999_999))

    def grow(doc: dict[str, Any]) -> None:
        first = items(doc)[0]
        for _ in range(9_998):
            block = {**first["metadata"]["rushes"], "use": str(next(number)), "shot": str(next(number))}
            items(doc).append({**first, "metadata": {"rushes": block, "x": 1180591620717411303424}})

    data = edited(one, grow).encode()
    film = Film(data, WHERE)
    assert len(film.shots) == 10_000
    assert film.encode() == data
    changed = shot_ids(film)[5_000]
    film.patch_shot(changed, note="look again")
    before, after = json.loads(data), json.loads(film.encode())
    differing = [a for a, b in zip(clips(before), clips(after), strict=True) if a != b]
    assert [clip["metadata"]["rushes"]["shot"] for clip in differing] == [changed]


def test_the_otio_library_reads_what_is_written() -> None:
    film = edited(film_of({"prompt": "a"}, {"prompt": "b"}), lambda doc: items(doc).append(footage("plate.mov")))
    make_shot(film, film.video[0], 2)
    for shot in planned(film):
        take(film, shot)
    use_of(film, film.video[0], 0)
    timeline = otio.adapters.read_from_string(film.encode().decode(), "otio_json")
    assert timeline.duration() == otio.opentime.RationalTime(film.length, 24)
    for clip, item in zip(timeline.find_clips(), film.video[0].items, strict=True):
        assert clip.source_range.start_time.value == ZERO == clip.available_range().start_time.value
        assert clip.source_range.duration.value == item.length
        assert clip.available_range().duration.value >= item.length + 12
        assert clip.metadata["rushes"]["shot"] == item.block.shot
    again = Film(otio.adapters.write_to_string(timeline, "otio_json").encode(), WHERE)
    assert [vars_of(s) for s in planned(again)] == [vars_of(s) for s in planned(film)]


def vars_of(shot: Any) -> tuple[Any, ...]:
    return shot.state, shot.reasons, shot.recipe, shot.needed, shot.have


@pytest.mark.parametrize(
    "name",
    ["resolve/effects.resolve_native.otio", "otio/ElFuente_4096x2160_60fps_10bit_420_remix1.otio"],
)
def test_a_real_cut_keeps_everything_when_clips_become_shots(samples: Path, name: str) -> None:
    data = (samples / name).read_bytes()
    film = film_from_cut(data, WHERE)
    track, moved = film.video[0], []
    for _ in range(3):
        index = next(i for i, item in enumerate(track.items) if item.kind == "Clip" and not item.block)
        shot = make_shot(film, track, index)
        put_intent(film, Level("shot", shot.block.shot), {"prompt": Raw('"a pier at dawn, zoë"'.encode())})
        moved.append(f"/tracks/children/{film.tracks.index(track)}/children/{index}/")
    made = Film(film.encode(), WHERE)
    assert [s.state for s in planned(made)] == ["missing"] * 3
    after = set(leaves(json.loads(film.encode())))
    missing = [leaf for leaf in leaves(json.loads(data)) if leaf not in after]
    assert [path for path, _ in missing if not (path.startswith(tuple(moved)) and path.endswith(TIMES))] == []
    otio.adapters.read_from_string(film.encode().decode(), "otio_json")


TIMES = ("_time/value", "_time/rate", "duration/value", "duration/rate")
"""What is written anew in a clip that becomes a shot: its times, in shot time."""


def leaves(value: Any, path: str = "") -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            # Clip.1 keeps one reference, Clip.2 several by name.
            yield from leaves(
                inner, f"{path}/{key}".replace("media_reference/", "media_references/DEFAULT_MEDIA/")
            )
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{index}")
    else:
        yield path, value if value != "Clip.1" else "Clip.2"

"""Films that are broken, malicious or from the future: one clear error, never a crash, never a long wait."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from films import WHERE, film_of, footage, items, render, sources, time_range, transition, warp
from rushes.engine.plan import plan
from rushes_otio.adding import make_shot, use_of
from rushes_otio.build import film_from_cut
from rushes_otio.errors import FileFault, RushesError
from rushes_otio.film import Film

Json = dict[str, Any]


KNOWN = sources({"a.png": "a picture"})


def rich() -> bytes:
    """A film with something of everything: rendered, continued, footage, transition, speed, scenes, library."""
    film = film_of(
        {"prompt": "@mara", "references": [{"image": "a.png"}], "params": {"shift": 5.0}},
        {"prompt": "a pier", "camera": "static"},
        characters={"mara": {"description": "a tall woman"}},
        film={"delivery": {"size": "640x360"}, "style": "noir"},
        styles={"noir": {"description": "grainy"}},
    )
    doc = json.loads(render(film, KNOWN).encode())
    first, second = items(doc)
    again = {"from": first["metadata"]["rushes"]["use"], "at": "out"}
    second["metadata"]["rushes"]["intent"]["first_frame"] = again
    second["metadata"]["rushes"]["takes"] = {"t001": {"circled": True, "approved": False, "note": "yes"}}
    second["effects"].append(warp("LinearTimeWarp.1", 2.0))
    copy = json.loads(json.dumps(first))
    copy["metadata"]["rushes"]["use"] = "0000000a"
    items(doc)[:] = [first, transition(6, 6), second, footage("plate.mov"), copy]
    return json.dumps(doc).encode()


RICH = rich()


def fault(data: bytes, read: Callable[[bytes, str], Film] = Film) -> FileFault:
    started = clock.perf_counter()
    with pytest.raises(FileFault) as raised:
        read(data, WHERE)
    assert clock.perf_counter() - started < 5
    assert raised.value.where.startswith(WHERE) and raised.value.text and raised.value.remedy
    return raised.value


def test_a_file_that_ends_early_is_refused_wherever_it_ends() -> None:
    Film(RICH, WHERE)
    for cut in range(0, len(RICH) - 1, len(RICH) // 200):
        assert "JSON" in fault(RICH[:cut]).text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"<xmeml/>", "not JSON"),
        (b"[]", "not an OpenTimelineIO timeline"),
        (b"{}", "not an OpenTimelineIO timeline"),
        (b"\xef\xbb\xbf" + RICH, "not JSON"),
        (RICH.replace(b"pier", b"pi\xe9r"), "is not UTF-8"),
        (RICH.replace(b"pier", b"\\ud800"), "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "200 levels"),
        (b'{"a":' * 100_000, "200 levels"),
        (RICH[:-1] + b', "x": ' + b"[" * 150 + b"]" * 150 + b"}", ""),
        (RICH[:-1] + b', "x": ' + b"[" * 201 + b"]" * 201 + b"}", "200 levels"),
        (b'{"a": nan, "' + b'\\"' * 1_000_000, "not JSON"),
        (RICH + b"{}", "not JSON"),
    ],
)
def test_what_is_no_film_at_all(data: bytes, says: str) -> None:
    if not says:
        assert Film(data, WHERE).encode() == data
    else:
        assert says in fault(data).text


def test_a_key_that_is_there_twice_is_not_silently_lost() -> None:
    long = "x" * 5000
    twice = RICH.replace(
        b'"OTIO_SCHEMA": "Timeline.1"', f'"{long}": "{long}", "OTIO_SCHEMA": "Timeline.1"'.encode()
    )
    film = Film(twice.replace(b'"global_start_time"', b'"n\\u0061me": "b", "global_start_time"'), WHERE)
    film.patch_block(rate="25/1")
    with pytest.raises(FileFault, match="'name' is there twice") as raised:
        film.encode()
    assert raised.value.where == WHERE and raised.value.remedy
    Film(twice, WHERE).patch_block(rate="25/1")


BLOCK = ("metadata", "rushes")
CLIP = ("tracks", "children", 0, "children", 0)
SHOT = (*CLIP, "metadata", "rushes")
SOURCE = (*CLIP, "source_range")
MEDIA = (*CLIP, "media_references", "DEFAULT_MEDIA")
FADE = ("tracks", "children", 0, "children", 1)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ((*SOURCE, "duration", "rate"), float("nan"), "$.source_range.duration.rate"),
        ((*SOURCE, "duration", "rate"), 0, "source_range.duration.rate is 0"),
        ((*SOURCE, "start_time", "rate"), -24.0, "source_range.start_time.rate is -24"),
        ((*SOURCE, "start_time", "rate"), 1e-300, "source_range.start_time.rate"),
        ((*SOURCE, "start_time", "value"), 1e300, "source_range.start_time.value"),
        ((*SOURCE, "duration", "value"), -1, "source_range.duration is -1; a duration is 0 or more"),
        ((*SOURCE, "duration", "value"), 10_000_001, "10,000,001 frames; the limit is 10,000,000"),
        ((*SOURCE, "duration"), {"rate": 0.5, "value": 9_000_000}, "the limit is 10,000,000"),
        ((*SOURCE, "duration", "value"), 10**400, "$.source_range.duration.value"),
        ((*MEDIA, "available_range"), time_range(0, -5), "available_range.duration is -5"),
        ((*MEDIA, "OTIO_SCHEMA"), "ExternalReference.2", "ExternalReference.2 is newer"),
        ((*FADE, "in_offset", "rate"), 0, "in_offset.rate is 0"),
        ((*FADE, "out_offset", "value"), 1e9, "out_offset is 1,000,000,000 frames"),
        ((*CLIP, "effects"), [warp("LinearTimeWarp.1", 1e308)], "effects.time_scalar"),
        ((*CLIP, "effects"), [warp("LinearTimeWarp.1", -1e9)] * 90, "effects.time_scalar"),
        ((*CLIP, "OTIO_SCHEMA"), "Clip.99", "Clip.99 is newer than this Rushes reads (Clip.2)"),
        ((*SHOT, "name"), 5, "$.metadata.rushes.name"),
        ((*SHOT, "shot"), "../../x", "$.metadata.rushes.shot"),
        ((*SHOT, "use"), "0000000a\n", "$.metadata.rushes.use"),
        ((*SHOT, "chosen", "take"), "../t001", "$.metadata.rushes.chosen.take"),
        ((*SHOT, "chosen", "motion"), "5:abc", "$.metadata.rushes.chosen.motion"),
        ((*SHOT, "takes"), {"t1": {}}, "$.metadata.rushes.takes"),
    ],
)
def test_a_clip_nobody_can_use_is_named(place: tuple[str | int, ...], value: object, says: str) -> None:
    data = json.dumps(put(json.loads(RICH), place, value)).encode()
    found = fault(data)
    item = 2 if place[:4] == FADE[:4] and place[4] == 1 else 1
    assert says in found.text and f"V1 item {item}" in found.where
    if item == 1 and "$" not in says:
        assert "BEACH" in found.where or "SC010_SH010" in found.where


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ((*BLOCK, "rate"), "23/1", "the rate '23/1' has no SMPTE timecode"),
        ((*BLOCK, "rate"), "9" * 9999 + "/1", "no SMPTE timecode"),
        ((*BLOCK, "rate"), 24, "$.rate"),
        ((*BLOCK, "v"), 2, "version 2; this Rushes reads up to version 1"),
        ((*BLOCK, "v"), True, "the film has no version"),
        ((*BLOCK, "scenes"), {}, "$.scenes"),
        ((*BLOCK, "library"), [], "$.library"),
        (BLOCK, None, "the timeline has no rushes block"),
        (BLOCK, 7, "not a JSON object"),
        (("OTIO_SCHEMA",), "Timeline.2", "Timeline.2 is newer"),
        (("OTIO_SCHEMA",), "SerializableCollection.1", "not a Timeline"),
        (("tracks", "OTIO_SCHEMA"), "Stack.3", "Stack.3 is newer"),
        (("tracks", "children", 0, "OTIO_SCHEMA"), "Track.2", "Track.2 is newer"),
        (("global_start_time", "rate"), 0, "global_start_time.rate is 0"),
        (("global_start_time",), "01:00:00:00", "$.global_start_time"),
    ],
)
def test_a_film_nobody_can_use_says_which_field(place: tuple[str | int, ...], value: object, says: str) -> None:
    doc = json.loads(RICH)
    if value is None:
        del doc["metadata"]["rushes"]
    else:
        put(doc, place, value)
    assert says in fault(json.dumps(doc).encode()).text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["global_start_time"].update(rate=12.5), "the rate 12.5 has no SMPTE timecode"),
        (lambda d: d["global_start_time"].update(rate=float("nan")), "$.global_start_time.rate"),
        (lambda d: items(d)[0]["markers"].append({"OTIO_SCHEMA": "Marker.3"}), "Marker.3 is newer"),
        (lambda d: (d.pop("global_start_time"), items(d).clear()), "its rate is unknown"),
    ],
)
def test_a_cut_that_cannot_become_a_film(change: Callable[[Json], object], says: str) -> None:
    doc = json.loads(RICH)
    del doc["metadata"]["rushes"]
    change(doc)
    assert says in fault(json.dumps(doc).encode(), film_from_cut).text


def put(doc: Json, place: tuple[str | int, ...], value: object) -> Json:
    inner: Any = doc
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = deepcopy(value)  # hypothesis hands one object out many times
    return doc


NASTY = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 2**70, 1e308, 1e-300, 0.5, float("nan"), 10**9, "", "out", "k001", "t001"]
    ),
    st.sampled_from(["@nobody @", "../../etc/passwd", "\u202e\x1b[2J", "9" * 5000, "24/0", [], {}, [[]], [None]]),
    st.sampled_from(
        [{"from": "0000000a"}, {"from": 5, "at": -1}, {"image": "x"}, {"model": {"name": 5}}, "Clip.1"]
    ),
    st.text(max_size=5),
    st.integers(),
)


def everywhere(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if place:
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from everywhere(part, (*place, key))


PLACES = list(everywhere(json.loads(RICH)))
OURS = [p for p in PLACES if "rushes" in p]


@settings(max_examples=400)
@given(
    st.lists(
        st.tuples(st.sampled_from(OURS) | st.sampled_from(PLACES), NASTY | st.just(...)), min_size=1, max_size=3
    )
)
def test_whatever_stands_in_a_film_it_is_a_film_or_an_error(
    changes: list[tuple[tuple[str | int, ...], Any]],
) -> None:
    doc = json.loads(RICH)
    for place, value in changes:
        try:
            put(doc, place, value) if value is not ... else remove(doc, place)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    data = json.dumps(doc).replace("1e-300", "1e400").encode()
    try:
        film = Film(data, WHERE)
    except FileFault as found:
        assert found.where.startswith(WHERE) and found.remedy
        return
    for shot in plan(film, KNOWN).shots.values():
        assert shot.state != "invalid" or (shot.fault and shot.fault.where and shot.fault.remedy)
    for track in film.tracks:
        for index in range(len(track.items)):
            for edit in (make_shot, use_of):
                try:
                    edit(film, track, index)
                except RushesError as refused:
                    assert refused.remedy
    try:
        Film(film.encode(), WHERE)
    except FileFault as found:
        assert "twice" in found.text or "object" in found.text


def remove(doc: Json, place: tuple[str | int, ...]) -> None:
    inner: Any = doc
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]

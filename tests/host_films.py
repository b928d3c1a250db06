"""Films of everything that a timeline may hold, for hypothesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

import films
from films import Json, film_of, time_range, transition, warp
from rushes_otio.adding import make_shot
from rushes_otio.film import Film
from rushes_otio.ids import ALPHABET
from rushes_otio.tracks import Track

RATES = (24.0, 24.0, 25.0, 48.0, 23.976)

_numbers = st.integers(0, 60)
_lengths = st.integers(1, 60)


def gap(frames: float) -> Json:
    return {
        "OTIO_SCHEMA": "Gap.1", "metadata": {"theirs": frames}, "name": "", "effects": [], "markers": [],
        "enabled": True, "source_range": time_range(0, frames),
    }  # fmt: skip


@st.composite
def effects(draw: st.DrawFn) -> list[Json]:
    kind = draw(st.sampled_from(["", "", "", "speed", "freeze", "ramp", "back", "blur"]))
    speeds = {"speed": [2.0, 0.5, 1.25, 3.7], "back": [-1.0, -2.0, -0.5]}
    if kind in speeds:
        return [warp("LinearTimeWarp.1", draw(st.sampled_from(speeds[kind])))]
    schemas = {"freeze": ("FreezeFrame.1", 0.0), "ramp": ("TimeEffect.1", None), "blur": ("Effect.1", None)}
    return [warp(*schemas[kind])] if kind else []


@st.composite
def footage(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(["sea", "sky", "hill"]))
    clip = films.footage(f"{name}.mov", 0, draw(_lengths))
    rate, start = draw(st.sampled_from(RATES)), draw(st.sampled_from([0, 900, 86400]))
    media = clip["media_references"]["DEFAULT_MEDIA"]
    media["available_range"] = draw(st.sampled_from([time_range(start, 300, rate), None]))
    clip["source_range"] = time_range(start * 24 / rate + draw(_numbers), draw(_lengths))
    clip["effects"], clip["enabled"] = draw(effects()), draw(st.sampled_from([True, True, False]))
    clip["metadata"] = {"theirs": {"name": name}}
    clip["markers"] = draw(st.sampled_from([[], [_marker(start)]]))
    if draw(st.integers(0, 9)) == 0:
        clip["media_references"]["DEFAULT_MEDIA"] = {"OTIO_SCHEMA": "MissingReference.1"}
    return clip


def _marker(at: int) -> Json:
    span = time_range(at, 1)
    return {"OTIO_SCHEMA": "Marker.2", "name": "look", "color": "RED", "marked_range": span, "metadata": {}}


@st.composite
def stacks(draw: st.DrawFn) -> Json:
    layers = draw(
        st.lists(st.lists(st.one_of(footage(), _gaps()), min_size=1, max_size=3), min_size=1, max_size=2)
    )
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "name": "inner", "metadata": {}, "enabled": True}
    tracks = [track | {"children": items} for items in layers]
    return {
        "OTIO_SCHEMA": "Stack.1", "name": "compound", "children": tracks, "metadata": {"theirs": 1}, "effects": [],
        "markers": [], "enabled": True, "source_range": time_range(0, draw(_lengths)),
    }  # fmt: skip


def _gaps() -> st.SearchStrategy[Json]:
    return _lengths.map(gap)


@st.composite
def whole_films(draw: st.DrawFn, *, odd: bool = True) -> Film:
    """A film of a few tracks. An `odd` one has what hosts do not know: stacks, parts of frames."""
    film = film_of(*[{"prompt": f"shot {number}"} for number in range(4)], frames=48)
    doc = json.loads(film.encode())
    shots = doc["tracks"]["children"][0].pop("children")
    for number, shot in enumerate(shots):
        if number % 2:
            media = shot["media_references"]["DEFAULT_MEDIA"]
            block = shot["metadata"]["rushes"]
            path = f"film.rushes/takes/{block['name']}__{block['shot']}_t001.mov"
            media |= {"OTIO_SCHEMA": "ExternalReference.1", "target_url": path}
            block["chosen"] = {"take": "t001", "by": "render", "motion": "0" * 64, "recipe": {}}
    names = _Names()
    first = doc["tracks"]["children"][0]
    kinds = draw(st.lists(st.sampled_from(["Video", "Video", "Audio"]), min_size=1, max_size=4))
    doc["tracks"]["children"] = [
        first
        | {
            "kind": kind,
            "name": f"{kind} {number}",
            "enabled": draw(st.sampled_from([True, True, True, False])),
            "children": draw(_items(shots if kind == "Video" else [], odd, names)),
        }
        for number, kind in enumerate(["Video", *kinds])
    ]
    made = Film(json.dumps(doc).encode(), film.where)
    for track, index in draw(st.permutations(list(_pieces(made))))[:2]:
        make_shot(made, track, index)
    return Film(made.encode(), film.where)


def _pieces(film: Film) -> Iterator[tuple[Track, int]]:
    """Footage at the film's rate, of which shots can be made."""
    for track in film.video:
        for index, item in enumerate(track.items):
            known = item.default_media.available_range if item.default_media else None
            at_rate = known is None or known.start_time.is_at(24.0)
            if item.kind == "Clip" and item.block is None and item.length >= 1 and at_rate:
                yield track, index


class _Names:
    """Ids that are the same whenever an example is run again."""

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        self._count += 1
        number = self._count * 7919
        return "zz" + "".join(ALPHABET[(number >> shift) % 32] for shift in range(25, -5, -5) if shift >= 0)


@st.composite
def _items(draw: st.DrawFn, shots: list[Json], odd: bool, names: _Names) -> list[Json]:
    kinds = [footage(), footage(), _gaps()]
    if shots:
        kinds += [_uses(shots, names), _uses(shots, names)]
        kinds += [stacks()] if odd else []
    if odd:
        kinds += [st.sampled_from([0.5, 10.25]).map(gap)]
    items: list[Json] = []
    for item in draw(st.lists(st.one_of(*kinds), max_size=6)):
        if items and draw(st.integers(0, 2)) == 0:
            items.append(transition(draw(st.integers(0, 12)), draw(st.integers(0, 12))))
        items.append(item)
    return items


@st.composite
def _uses(draw: st.DrawFn, shots: list[Json], names: _Names) -> Json:
    clip: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(shots))))
    clip["metadata"]["rushes"]["use"] = names.next()
    clip["source_range"] = time_range(films.ZERO + draw(_numbers), draw(_lengths))
    clip["effects"], clip["enabled"] = draw(effects()), draw(st.sampled_from([True, True, False]))
    clip["metadata"]["theirs"] = {"seen": True}
    return clip

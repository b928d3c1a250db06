"""The format as it is published: its schema, its page, and a film of version 1 that must be read for ever."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import opentimelineio as otio
import pytest

from films import items, planned, sources
from rushes_otio import json_schema
from rushes_otio.errors import FileFault
from rushes_otio.film import Film
from rushes_otio.intent import FIELDS, read_value
from rushes_otio.items import MAX_FRAMES, MAX_RATE, MAX_SPEED, MIN_RATE
from rushes_otio.rawjson import MAX_BYTES, MAX_DEPTH
from rushes_otio.timing import SMPTE_RATES
from rushes_otio.tracks import MOST_ITEMS
from rushes_otio.values import MAX_SEED, MAX_TEXT
from test_intent import REFUSED

DOCS = Path(__file__).parents[1] / "docs"
DATA = Path(__file__).parent / "data"
PAGE = (DOCS / "film-format.md").read_text(encoding="utf-8")
FROZEN = (DATA / "v1.otio").read_bytes()

FILES = ["mara.png", "boat.png", "still.png", "noir.safetensors", "plate.mov"]
KNOWN = sources({name: name for name in [*(f"refs/{f}" for f in FILES), "footage/harbour.mov"]}, wan="final")
VALIDATOR = jsonschema.Draft202012Validator(json_schema.film_schema())


def example(language: str) -> str:
    found = re.search(f"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


# -- version 1 -----------------------------------------------------------------------------------------------


def test_the_frozen_film_is_loaded_and_saved_as_it_is() -> None:
    film = Film(FROZEN, "v1.otio")
    assert film.encode() == FROZEN
    film.patch_block(rate=film.block.rate)  # the whole file is put together anew
    for shot_id, shot in film.shots.items():
        film.patch_shot(shot_id, name=shot.block.name)
    assert film.changed and film.encode() == FROZEN


def test_the_frozen_film_means_what_it_meant() -> None:
    """Were this to fail after a release, every film out there would ask to be rendered again."""
    meant = json.loads((DATA / "v1.resolved.json").read_bytes())
    for shot in planned(Film(FROZEN, "v1.otio"), KNOWN):
        golden = meant.pop(shot.block.shot)
        assert shot.recipe and shot.resolved
        model = {k: v for k, v in shot.recipe["model"].items() if k != "fingerprint"}  # the generator's, not ours
        assert {**shot.recipe, "model": model} == golden["recipe"]
        assert shot.resolved.origin == golden["origin"]
        assert shot.needed == golden["needed"]
        assert {r.input for r in shot.reasons} <= {"model.fingerprint", "first_frame", "last_frame"}
    assert meant == {}


def test_a_film_of_the_next_version_is_left_alone() -> None:
    with pytest.raises(FileFault, match="version 2; this Rushes reads up to version 1") as raised:
        Film(FROZEN.replace(b'"v": 1', b'"v": 2'), "v1.otio")
    assert "install a newer Rushes" in raised.value.remedy


# -- the schema ----------------------------------------------------------------------------------------------


def test_the_published_schema_is_the_one_that_the_types_make() -> None:
    command = [sys.executable, "-m", "rushes_otio.json_schema"]
    made = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"}
    )
    assert (DOCS / "film-format.schema.json").read_bytes() == made.stdout, "run: " + " ".join(command[1:])
    VALIDATOR.check_schema(json_schema.film_schema())


@pytest.mark.parametrize("text", [FROZEN, example("json")], ids=["frozen", "page"])
def test_films_follow_the_schema(text: bytes | str) -> None:
    VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("use", "x"),
        ("shot", "../../x"),
        ("locked", "yes"),
        ("chosen", {}),
        ("takes", {"t1": {}}),
        ("next_take", 0),
    ],
)
def test_what_a_film_is_refused_for_the_schema_refuses_too(path: str, value: Any) -> None:
    doc = json.loads(FROZEN)
    items(doc)[0]["metadata"]["rushes"][path] = value
    assert not VALIDATOR.is_valid(doc)
    with pytest.raises(FileFault):
        Film(json.dumps(doc).encode(), "film.otio")


GOOD: dict[str, list[object]] = {
    "prompt": ["@mara waits", ""],
    "style": ["noir", "zoë_2"],
    "model": ["wan", "Org/wan-2.1:14B"],
    "seed": ["0", str(MAX_SEED)],
    "keyframe": [{"image": "a.png"}, {"model": "wan"}, {"prompt": "still"}],
    "first_frame": [{"image": "a.png"}, {"from": "0000000a"}, {"from": "0000000a", "at": 0}],
    "plate": ["a.mov"],
    "strength": [0, 0.5, "1"],
    "references": [[], [{"image": "a.png"}, {"image": "b.png", "as": "face"}]],
    "loras": [[{"file": "a.safetensors"}, {"file": "a.safetensors", "weight": -0.5}]],
    "steps": [1, 20.0, 1000],
    "guidance": [5, 5.0, "5.00", -1],
    "params": [{}, {"a": [1, 0.5, None, True, "x"]}],
    "interpolation": ["blend"],
    "fit": ["fit"],
    "delivery": [{}, {"size": "640 x 360", "codec": "h264", "handles": "12"}],
}


@pytest.mark.parametrize("name", GOOD)
def test_schema_and_readers_agree_about_values(name: str) -> None:
    """The schema may be looser about a value, never stricter; and it refuses whatever is of a wrong type."""
    validator = jsonschema.Draft202012Validator(json_schema.VALUES[name])
    for value in GOOD[name]:
        read_value(name, value, next(iter(FIELDS[name].levels)), "")
        validator.validate(value)
    for value in REFUSED.get(name, []):
        same_type = {type(good) for good in GOOD[name]} | ({int, float} if name == "guidance" else set())
        assert type(value) in same_type or not validator.is_valid(value)


def test_every_field_of_the_intent_has_a_schema() -> None:
    assert json_schema.VALUES.keys() == FIELDS.keys()


# -- the page ------------------------------------------------------------------------------------------------


def test_the_example_is_a_film() -> None:
    text = example("json")
    first, second = planned(Film(text.encode(), "film.otio"))
    assert second.state == "missing" and second.upstream == (first.block.shot,)
    assert {r.input for r in first.reasons} <= {"model.fingerprint"}
    timeline = otio.adapters.read_from_string(text, "otio_json")
    assert timeline.duration() == otio.opentime.RationalTime(96, 24)


def test_the_script_on_the_page_does_what_it_says(tmp_path: Path) -> None:
    film = tmp_path / "film.otio"
    film.write_text(example("json"), encoding="utf-8")
    subprocess.run([sys.executable, "-c", example("python")], cwd=tmp_path, check=True)
    _, second = planned(Film(film.read_bytes(), "film.otio"))
    assert second.resolved and second.resolved.values["caption"] == "Mara leaves the pier"


def test_the_page_names_every_field_and_every_limit() -> None:
    for field in FIELDS.values():
        row = re.search(rf"^\|[^|\n]*`{field.name}`[^|\n]*\|([^|\n]*)\|", PAGE, re.MULTILINE)
        assert row, field.name
        assert {level.strip() for level in row[1].split(",")} == {
            "lib" if x == "library" else x for x in field.levels
        }
    for block in ("FilmBlock", "ShotBlock"):
        for key in json_schema.film_schema()["$defs"][block]["properties"]:
            assert f"| `{key}` |" in PAGE
    limits = [
        f"{MAX_FRAMES:,}",
        f"{MOST_ITEMS:,}",
        f"{MAX_RATE:,}",
        f"{MIN_RATE}",
        f"{MAX_SPEED:,}",
        f"{MAX_DEPTH} levels",
        f"{MAX_TEXT:,}",
    ]
    assert all(limit in PAGE for limit in [*limits, f"{MAX_BYTES // 2**20} MiB", str(MAX_SEED)])
    assert all(f"`{rate}`" in PAGE for rate in SMPTE_RATES)

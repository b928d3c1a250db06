"""The panel in every state, in a real Blender: what it says and offers, what is asked while it is drawn, and
what an edited field sends."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import pumping
from layouts import Recorded, drawn
from telling import SHOTS, SHOWN, Told, link, row, strips, told_film

PANELS = ("film", "film_notes", "film_options", "shot", "intent", "intent_look", "intent_continuity")


@pytest.fixture
def addon(scene: bpy.types.Scene) -> Iterator[Any]:
    import rushes_blender

    rushes_blender.register()
    yield rushes_blender
    rushes_blender.unregister()


@pytest.fixture
def told(scene: bpy.types.Scene, addon: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    told = told_film(scene, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    link(told)
    return told


def panel(name: str) -> Recorded:
    found = drawn(f"RUSHES_PT_{name}")
    assert found is not None, f"{name} is not there"
    return found


def test_without_a_film_one_can_be_made_or_linked(scene: bpy.types.Scene, addon: Any) -> None:
    assert panel("film").buttons == ["rushes.make_film", "rushes.link_film", "rushes.new_film"]
    assert [name for name in PANELS if drawn(f"RUSHES_PT_{name}")] == ["film"]


def test_of_a_strangers_film_only_the_path_is_shown(scene: bpy.types.Scene, addon: Any, tmp_path: Path) -> None:
    from rushes_blender import running
    from rushes_blender.strips import compat

    scene["rushes_film"] = str(tmp_path / "theirs\u202e.otio")
    strips(scene)
    scene.sequence_editor.active_strip = compat.strips_all(scene)[0]
    found = panel("film")
    assert "theirs·.otio" in found.text.replace("\n", "")
    assert found.operators == [("rushes.link_film", {"filepath": str(tmp_path / "theirs\u202e.otio")})]
    assert [name for name in PANELS if drawn(f"RUSHES_PT_{name}")] == ["film"]
    running.refollow()
    assert not running.session().followed


def test_where_rushes_is_not_installed_the_panel_says_what_helps(
    scene: bpy.types.Scene, addon: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rushes_blender import running, scenes

    for name in ("PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    scenes.link(scene, str(tmp_path / "film.otio"))
    running.refollow()
    pumping.pump_until(lambda: running.session().link_state == "off")
    found = panel("film")
    assert "not found" in found.text
    assert "pip install rushes" in found.text.replace("\n", " ")
    assert drawn("RUSHES_PT_shot") is None


def test_a_fresh_film_offers_what_can_be_done(told: Told) -> None:
    found = panel("film")
    assert found.texts[0] == "harbour"
    assert "3 fresh" in found.texts
    assert found.greyed == ["rushes.regenerate_stale"]
    assert {"rushes.push", "rushes.pull", "rushes.watch", "rushes.freeze", "rushes.unlink_film"} <= set(
        found.buttons
    )
    assert not found.pressed
    assert "rushes.standard_view" not in found.buttons
    told.say(type="watched", on=True)
    told.film.to_bring = 3
    told.scene.view_settings.view_transform = "Filmic"
    found = panel("film")
    assert found.pressed == ["rushes.watch"]
    assert "3 shots to bring in" in found.texts
    assert "view transform is Filmic" in found.text.replace("\n", " ")
    assert "rushes.standard_view" in found.buttons
    assert panel("film_options").properties == ["auto_pull", "rushes_states"]
    assert told.scene.rushes.auto_pull
    told.scene.rushes.auto_pull = False
    assert not told.scene.rushes.auto_pull


def test_a_shot_says_how_it_is_and_why(told: Told) -> None:
    told.select(SHOTS[1])
    reasons = [{"input": "@ida", "was": "red raincoat", "now": "green raincoat", "via": []}]
    told.say(type="shots", rows=[row(SHOTS[1], state="stale", reasons=reasons, locked=True, waiting="t003")])
    pumping.pump_until(lambda: "t002 of 3" in panel("shot").texts)
    found = panel("shot")
    assert found.texts[:3] == ["SC010_bb", "Out of date", "SC010 Harbour"]
    assert "@ida: red raincoat → green raincoat" in found.texts
    assert ("rushes.choose_take", {"take": "t003"}) in found.operators
    assert found.pressed == ["rushes.lock"]
    assert {
        "rushes.regenerate", "rushes.another", "rushes.previous_take", "rushes.next_take", "rushes.compare_take",
        "rushes.reveal_take",
    } <= set(found.buttons)  # fmt: skip
    fault = {"text": "the disk\u202e is full", "where": "", "remedy": "free some space"}
    told.say(type="shots", rows=[row(SHOTS[1], state="failed", fault=fault, uses=["a", "b"])])
    found = panel("shot")
    assert {"Failed", "the disk· is full", "free some space", "Used 2 times"} <= set(found.texts)
    assert "rushes.make_unique" in found.buttons


def test_what_renders_shows_how_far_it_is(told: Told, tmp_path: Path) -> None:
    from rushes_blender.panel import previews

    told.select(SHOTS[0])
    told.say(type="queued", jobs=[{"job": 1, "shot": SHOTS[0]}, {"job": 2, "shot": SHOTS[1]}], seconds_left=200)
    told.say(type="progress", job=1, shot=SHOTS[0], name="a", stage="motion", done=10, total=40, seconds_left=185)
    assert {"1 rendering · 1 queued · 1 fresh"} <= set(panel("film").texts)
    assert panel("shot").texts[1] == "Rendering"
    assert panel("film").progress == [(0.25, "SC010_aa: motion 10/40")]
    assert "1 waiting · 3 min left" in panel("film").texts
    assert ("rushes.cancel", {"whole_film": True}) in panel("film").operators
    assert panel("shot").progress == [(0.25, "motion 10/40")]
    for number in range(9):
        jpeg = base64.b64encode(b"\xff\xd8" + bytes([number]) * 64).decode()
        told.say(type="preview", job=1, shot=SHOTS[0], name="a", jpeg=jpeg)
        pumping.pump_until(lambda: previews.keep(0.0) or len(list(previews.folder().glob("rushes_preview_*"))) > 0)
    assert previews.icon(told.path, SHOTS[0]) >= 0
    assert previews.icon(told.path, SHOTS[1]) == 0
    assert 1 <= len(list(previews.folder().glob("rushes_preview_*"))) <= previews.KEPT
    panel("shot")
    previews.unregister()
    assert not list(previews.folder().glob("rushes_preview_*"))


def test_the_intent_shows_what_is_own_and_what_is_inherited(told: Told) -> None:
    told.select(SHOTS[0])
    found = panel("intent")
    assert found.properties == ["prompt", "action"]
    assert {"Scene SC010: dusk", "@ida: a girl"} <= set(found.texts)
    found = panel("intent_look")
    assert found.properties == ["camera", "model", "style", "location", "seed"]
    assert found.placeholders == {"model": "draft (film)", "seed": "4711"}
    assert found.buttons == ["rushes.roll_seed", "rushes.lock_seed"]
    assert panel("intent_continuity").buttons == ["rushes.continue_from_before"]
    fields = bpy.context.scene.rushes
    assert (fields.prompt, fields.camera, fields.model) == ("@ida under the lamp", "static", "")


def test_a_field_that_is_edited_is_set_and_undone(told: Told) -> None:
    told.select(SHOTS[0], SHOTS[2])
    bpy.ops.ed.undo_push(message="Before")
    bpy.context.scene.rushes.prompt = "a storm"
    bpy.ops.ed.undo_push(message="Prompt")
    assert bpy.context.scene.rushes.prompt == "a storm"
    told.tell(show={**SHOWN, "own": {**SHOWN["own"], "prompt": "a storm"}})
    (sent,) = told.wait("set", 1)
    assert (sent["shots"], sent["assignments"]) == ([SHOTS[0]], ["prompt=a storm"])
    bpy.context.scene.rushes.prompt = "a storm"
    bpy.context.scene.rushes.camera = "push in"
    assert [body["shots"] for body in told.wait("set", 3)[1:]] == [[SHOTS[0]], [SHOTS[2]]]
    assert {body["assignments"][0] for body in told.asked("set")[1:]} == {"camera=push in"}
    bpy.ops.ed.undo_push(message="Camera")
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert [body["assignments"][0] for body in told.wait("set", 6)[3:]] == [
        "camera=static", "camera=static", "prompt=@ida under the lamp",
    ]  # fmt: skip
    told.select(SHOTS[0])
    assert f"Prompt and action of SC010_{SHOTS[0][:2]}" not in panel("intent").texts


def test_several_shots_are_counted_and_the_prompt_is_the_active_ones(told: Told) -> None:
    told.select(*SHOTS)
    told.say(type="shots", rows=[row(SHOTS[1], state="stale")])
    assert "3 shots: 2 fresh · 1 stale" in panel("shot").texts
    assert "Prompt and action of SC010_aa" in panel("intent").texts
    assert ("rushes.apply_to_selected", {"field": "prompt"}) in panel("intent").operators


def test_a_text_of_several_lines_stays_until_it_is_edited(told: Told) -> None:
    told.tell(show={**SHOWN, "own": {"prompt": "dusk\nand \u202efog"}})
    told.select(SHOTS[0])
    assert bpy.context.scene.rushes.prompt == "dusk and ·fog"
    bpy.context.scene.rushes.prompt = "dusk and ·fog"
    time.sleep(0.05)
    assert not told.asked("set")


def test_strips_of_no_shot_can_become_one(told: Told) -> None:
    from rushes_blender.strips import compat

    assert panel("shot").buttons == ["rushes.new_shot_here"]
    strip = next(strip for strip in compat.strips_all(told.scene) if strip.name == "strip3")
    told.scene.sequence_editor.active_strip = strip
    assert panel("shot").buttons == ["rushes.make_shot", "rushes.new_shot_here"]
    assert drawn("RUSHES_PT_intent") is None
    strip["rushes_shot"] = "zzzzzzzz"
    assert "The film has no shot zzzzzzzz" in panel("shot").texts


def test_drawing_asks_nothing_and_survives_odd_rows(told: Told) -> None:
    told.select(SHOTS[0])
    time.sleep(0.3)
    pumping.pump_until(lambda: told.asked("takes"))
    before = len(told.answers.with_name("answers.json.asked").read_text())
    odd: dict[str, Any] = {"state": 7, "reasons": [{}], "fault": {}, "uses": None}
    for more in ({}, odd):
        told.say(type="shots", rows=[{"shot": SHOTS[0], **more}])
        for name in PANELS:
            found = drawn(f"RUSHES_PT_{name}")
            assert found is None or "cannot be drawn" not in found.text
    assert len(told.answers.with_name("answers.json.asked").read_text()) == before


def test_only_strips_in_sight_have_bands(told: Told) -> None:
    from rushes_blender.panel import bands, overlay
    from rushes_blender.strips import compat, marks

    for index in range(496):
        left = 200 + 24 * index
        strip = compat.new_effect(told.scene.sequence_editor, f"n{index}", "COLOR", 2 + index % 3, left, left + 24)
        marks.mark(strip, f"{index:08d}", SHOTS[index % 3])
    view = overlay.View(0, 24 * 600, 0, 8, 16000, 400)
    found = list(overlay.strips_in_sight(told.scene, view, told.film))
    shapes = bands.rectangles(found, 1.0), bands.labels(found, 1.0)
    assert len(found) == 499
    assert len(shapes[0]) == 2 * 499
    near = overlay.View(0, 48, 0, 8, 1600, 400)
    assert {strip.state for strip in overlay.strips_in_sight(told.scene, near, told.film)} == {"fresh"}
    assert len(list(overlay.strips_in_sight(told.scene, near, told.film))) == 2


def test_mentions_are_proposed_by_the_field(told: Told) -> None:
    from rushes_blender.panel import properties

    search = properties.propose_mentions
    assert search(told.scene.rushes, bpy.context, "the sea and @i") == [("the sea and @ida", "character: a girl")]

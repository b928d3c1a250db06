"""The extension, with Blender as the judge: built, validated, installed into an empty profile, enabled, used,
disabled and removed; and our rules for its manifest, which are to be Blender's own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filming import ROOT, FilmOnDisk, Shop

MODULE = "bl_ext.user_default.rushes"

USE = """
import json, sys
import bpy
sys.path.append({tests!r})
from pumping import pump_until
from {module} import running

def names():
    return sorted(n for n in dir(bpy.types) if n.startswith("RUSHES_"))

on = names()
session = running.session()
if hasattr(bpy.context.workspace, "sequencer_scene"):
    bpy.context.workspace.sequencer_scene = bpy.context.scene
bpy.ops.rushes.link_film(filepath={film!r})
pump_until(lambda: session.film({film!r}).is_known)
child = session.link_state
states = {{shot: row["state"] for shot, row in session.film({film!r}).rows.items()}}
bpy.ops.preferences.addon_disable(module={module!r})
bpy.ops.wm.save_userpref()
left = [bpy.app.timers.is_registered(running._tick), session.link_state, names()]
print("FOUND " + json.dumps([on, child, states, left]), flush=True)
"""


@pytest.fixture
def blender(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is this Blender, with a profile in which nothing was ever done."""
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "profile"))
    path = tmp_path / "blender"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "tests/blender/as_blender.py"}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def manifest_rules() -> ModuleType:
    """The module that holds them. It needs nothing that is not in this Python."""
    spec = importlib.util.spec_from_file_location("manifest_rules", ROOT / "daemon/rushes/hosts/manifest.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def said(program: Path, *words: str) -> str:
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_installed_enabled_used_disabled_and_removed(
    blender: Path, rushes_daemon: Path, shop: Shop, film: Callable[..., FilmOnDisk], tmp_path: Path
) -> None:
    words = ("-m", "rushes.cli.main", "install", "blender", "--blender", blender, "--json")
    (one,), (again,) = (shop.ask(*words)["installed"] for _ in range(2))
    assert (one["enabled"], one["next"], Path(one["where"]).parts[-2:]) == (True, "", ("user_default", "rushes"))
    assert (again["enabled"], one["was"], bool(again["was"])) == (True, "", True)
    own = tmp_path / "profile/extensions/.user/user_default/rushes/command.json"
    assert json.loads(own.read_text()) == {"python": str(shop.python)}
    own.write_text(json.dumps({"python": str(shop.installed)}))
    path = os.path.realpath(film("a red sky", "a door").path)
    code = USE.format(tests=str(ROOT / "tests/blender"), module=MODULE, film=path)
    line = next(x for x in said(blender, "--background", "--python-expr", code).splitlines() if x[:6] == "FOUND ")
    on, child, states, left = json.loads(line.removeprefix("FOUND "))
    assert any(name.startswith("RUSHES_PT_") for name in on)
    assert (child, sorted(states.values())) == ("linked", ["fresh", "fresh"])
    assert left == [False, "off", []]
    assert "rushes" in said(blender, "--command", "extension", "list")
    said(blender, "--command", "extension", "remove", "rushes")
    assert not Path(one["where"]).exists()


def test_blender_finds_the_zip_and_the_index_sound(blender: Path, shop: Shop, tmp_path: Path) -> None:
    made = shop.ask("-m", "rushes.cli.main", "install", "blender", "--zip", tmp_path / "ours", "--json")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    Path(made["zip"]).rename(theirs / Path(made["zip"]).name)
    (archive,) = theirs.iterdir()
    assert "Success" in said(blender, "--command", "extension", "validate", str(archive))
    said(blender, "--command", "extension", "server-generate", "--repo-dir", str(theirs))
    assert json.loads((theirs / "index.json").read_text()) == json.loads(Path(made["index"]).read_text())


TEXTS = (
    "| |rushes|Rushes|a_b|a__b|_a|b_|1.2.3|1.2|1.2.3-rc.1+x|01.2.3|4.2.0|4.x.0|..|add-on|Ends.|Ends (so)| led|"
    "a\nb|a\x7fb|2026 Me|2026-2027 Me|2026|2026- Me|Me|Sequencer|Pipeline|Movies|files|network|gpu|linux-x64|ü|²"
)
texts = st.sampled_from([*TEXTS.split("|"), "x" * 64, "x" * 65])
values = (
    texts
    | st.lists(texts | st.integers(0, 1), max_size=3)
    | st.dictionaries(texts, texts | st.integers(0, 1), max_size=2)
    | st.sampled_from([None, 5, True])
)


@settings(max_examples=300)
@given(data=st.data())
def test_our_rules_are_those_of_blender(manifest_rules: ModuleType, data: st.DataObject) -> None:
    """They find a manifest sound where Blender's own validator does; left out are the keys for which they are
    stricter."""
    import tomllib

    manifest: dict[str, Any] = tomllib.loads(
        (ROOT / "blender_addon/rushes_blender/blender_manifest.toml").read_text()
    )
    keys = sorted(set(manifest_rules.FIELDS) - {"wheels", "type"})
    for key in data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True)):
        manifest[key] = data.draw(values)
        if manifest[key] is None:
            del manifest[key]
    ours = manifest_rules.faults(manifest)
    assert bool(ours) == bool(_faults_by_blender(manifest)), ours


def _faults_by_blender(manifest: dict[str, Any]) -> Any:
    from bl_pkg.cli import blender_ext

    found = blender_ext.pkg_manifest_is_valid_or_error_all(manifest, from_repo=False, strict=True)
    if found or "tags" not in manifest:
        return found
    scripts = Path(blender_ext.__file__).parents[3]
    tags = next(scripts.rglob("extensions/tags.py"))
    return blender_ext.pkg_manifest_tags_valid_or_error(
        blender_ext.pkg_manifest_tags_load_valid_map_from_python(str(tags)), "add-on", manifest["tags"]
    )

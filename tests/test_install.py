"""`rushes install blender`: the extension that it builds, the Blenders it finds, and programs that misbehave."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from blender_programs import blender
from rushes.cli.main import app
from rushes.hosts import blenders
from rushes.hosts.blenders import Blender, Machine, Mute
from rushes.hosts.extension import Extension, bundled, read
from rushes.hosts.installing import in_blender, install
from rushes.hosts.manifest import faults
from rushes.store.alive import exists
from rushes_otio.errors import FileFault
from source_tree import ROOT

SOURCE = ROOT / "blender_addon" / "rushes_blender"


def run(*words: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["install", *map(str, words)])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def said(*words: str | Path, code: int = 0) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(run("blender", *words, "--json", code=code).stdout)
    return shape


def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path / "source"))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A user with no Blender at all."""
    machine = Machine("linux", {"PATH": str(tmp_path / "bin")}, tmp_path / "home", tmp_path / "root")
    monkeypatch.setenv("PATH", machine.env["PATH"])
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    return machine


# ---- the extension


def test_the_zip_is_the_same_wherever_it_is_made(tmp_path: Path) -> None:
    source = copied(tmp_path)
    for junk in ("__pycache__/a.cpython-311.pyc", ".idea/b", "panel/c.pyc"):
        (source / junk).parent.mkdir(exist_ok=True)
        (source / junk).touch()
    os.utime(source / "__init__.py", (0, 0))
    (source / "__init__.py").chmod(0o600)
    assert read(source).zipped() == bundled().zipped()
    with zipfile.ZipFile(bundled().publish(tmp_path / "out")) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {"__init__.py", "LICENSE", "blender_manifest.toml", "panel/__init__.py"} <= {*archive.namelist()}
        assert archive.testzip() is None


def test_the_index_offers_the_zip(tmp_path: Path) -> None:
    answer = said("--zip", tmp_path / "out")
    data = Path(answer["zip"]).read_bytes()
    (entry,) = json.loads(Path(answer["index"]).read_text())["data"]
    assert entry["archive_url"] == f"./{Path(answer['zip']).name}"
    assert (entry["archive_size"], entry["archive_hash"]) == (len(data), f"sha256:{sha256(data).hexdigest()}")


def test_the_extension_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (bundled().id, bundled().version) == ("rushes", project["version"])
    assert bundled().files["LICENSE"].lstrip().startswith(b"GNU GENERAL PUBLIC LICENSE")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("id", "_rushes", "letters, digits and single underscores"),
        ("version", "1.2", "a version like 1.2.3"),
        ("tagline", "Ends with a full stop.", "a letter, a digit or a bracket is expected at the end"),
        ("tagline", "x" * 65, "at most 64 characters are expected, these are 65"),
        ("name", "Rushes\x1b", "without control characters"),
        ("blender_version_min", "4.2", "three numbers like 4.2.0"),
        ("copyright", ["Rushes"], "'2026 Name'"),
        ("permissions", {"gpu": "Draw"}, "'gpu' is none of files, network"),
        ("permissions", ["files"], "a dict is expected"),
        ("tags", ["Movies"], "'Movies' is no tag of Blender's"),
        ("wheels", ["./wheels/zmq.whl"], "without wheels"),
        ("license", [], "at least one"),
        ("maintainer", None, "it is missing"),
    ],
)
def test_a_bad_manifest_is_explained(key: str, value: object, fault: str) -> None:
    manifest = {**bundled().manifest, key: value}
    if value is None:
        del manifest[key]
    (found,) = faults(manifest)
    assert found.startswith(f"{key}: ")
    assert fault in found


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    source = copied(tmp_path)
    manifest = source / "blender_manifest.toml"
    manifest.write_text(manifest.read_text().replace('"0.1.0"', '"new"').replace("network =", "internet ="))
    with pytest.raises(FileFault, match=r"version: .*; permissions: 'internet'"):
        read(source)
    manifest.write_text("id = ")
    with pytest.raises(FileFault, match="no TOML"):
        read(source)
    manifest.unlink()
    with pytest.raises(FileFault, match="is missing"):
        read(source)


# ---- where Blenders are


@pytest.mark.parametrize(
    ("platform", "settings", "program"),
    [
        ("linux", ".config/blender", "opt/blender-5.0.1-linux-x64/blender"),
        ("darwin", "Library/Application Support/Blender", "Applications/Blender.app/Contents/MacOS/Blender"),
        (
            "win32",
            "AppData/Roaming/Blender Foundation/Blender",
            "Program Files/Blender Foundation/Blender 5.0/blender.exe",
        ),
    ],
)
def test_blenders_are_found_where_each_system_keeps_them(
    tmp_path: Path, platform: str, settings: str, program: str
) -> None:
    home, root = tmp_path / "home", tmp_path / "root"
    (home / settings / "4.5").mkdir(parents=True)
    (home / settings / "cache").mkdir()
    (root / program).parent.mkdir(parents=True)
    (root / program).touch(0o755)
    machine = Machine(platform, {}, home, root)
    assert blenders.known(machine) == [Blender((4, 5), home / settings / "4.5" / "extensions")]
    assert machine.programs() == [root / program]


def test_a_program_on_the_path_counts_once_and_its_word_before_a_folder(tmp_path: Path, user: Machine) -> None:
    program = blender(tmp_path / "bin", (4, 5))
    (tmp_path / "bin" / "blender-4.5").symlink_to(program)
    (tmp_path / "bin" / "blender-thumbnailer").touch(0o755)
    for version in ("4.5", "3.6"):
        (user.settings() / version).mkdir(parents=True)
    found, mute = blenders.all_of(user)
    assert (mute, [(b.label, b.program) for b in found]) == ([], [("3.6", None), ("4.5", program), ("4.5", None)])


@pytest.mark.parametrize("manner", ["is mute", "talks nonsense"])
def test_a_program_that_is_no_blender_is_named(tmp_path: Path, manner: str) -> None:
    answer = blenders.ask(blender(tmp_path / "bin", manner=manner))
    assert isinstance(answer, Mute)
    assert answer.because in ("it ended with code 139: Segmentation fault", "it does not answer as Blender does")


# ---- installing


def test_it_is_installed_enabled_and_told_which_python(tmp_path: Path) -> None:
    program = blender(tmp_path / "here")
    answer = said("--blender", program)
    (one,) = answer["installed"]
    assert (one["version"], one["was"], one["enabled"], one["next"]) == ("5.0", "", True, "")
    assert read(Path(one["where"])) == bundled()
    own = tmp_path / "here/extensions/.user/user_default/rushes/command.json"
    assert json.loads(own.read_text()) == {"python": sys.executable} == {"python": answer["python"]}
    assert "restart Blender" in run("blender", "--blender", program).stdout


@pytest.mark.parametrize(
    ("manner", "because"),
    [
        ("hangs", "it took longer than 1 s"),
        ("fails", "it ended with code 1: Error: no repository of that name"),
        ("loses the files", "it ended with code 9"),
        ("does nothing", "Blender did not enable it"),
    ],
)
def test_the_files_are_there_whatever_blender_does(tmp_path: Path, manner: str, because: str) -> None:
    """And what a person still has to do is said."""
    found = Blender((5, 0), tmp_path / "here/extensions", blender(tmp_path / "here", manner=manner))
    (one,) = install(bundled(), [found], seconds=1).installed
    assert (one.enabled, one.next.endswith(f"({because})")) == (False, True), one
    assert "tick" in one.next
    assert read(Path(one.where)) == bundled()
    if manner == "hangs":
        child, deadline = int((tmp_path / "here/child").read_text()), time.monotonic() + 5
        while exists(child) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not exists(child)


def test_an_older_copy_is_replaced_as_a_whole(tmp_path: Path) -> None:
    found = Blender((4, 2), tmp_path / "extensions")
    (one,) = install(Extension({**bundled().manifest, "version": "0.0.9"}, _older()), [found]).installed
    (Path(one.where) / "__pycache__").mkdir()
    (again,) = install(bundled(), [found]).installed
    assert (again.was, again.where) == ("0.0.9", one.where)
    assert read(Path(again.where)) == bundled()
    assert [path.name for path in Path(again.where).parent.iterdir()] == ["rushes"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """As somebody who works on the add-on has it."""
    source, folder = copied(tmp_path), tmp_path / "extensions/user_default/rushes"
    before = read(source)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(source)
    install(Extension(bundled().manifest, _older()), [Blender((4, 2), tmp_path / "extensions")])
    assert (folder.is_symlink(), read(source)) == (False, before)


def test_one_that_cannot_be_written_to_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad, good = Blender((4, 2), tmp_path / "file/extensions"), Blender((4, 5), tmp_path / "extensions")
    report = install(bundled(), [bad, good])
    assert [one.version for one in report.installed] == ["4.5"]
    assert [(one.version, bool(one.error), bool(one.remedy)) for one in report.failed] == [("4.2", True, True)]


def test_an_old_blender_is_named_and_passed_over(tmp_path: Path, user: Machine) -> None:
    (user.settings() / "2.93").mkdir(parents=True)
    (user.settings() / "4.2").mkdir()
    answer = said()
    assert [one["version"] for one in answer["installed"]] == ["4.2"]
    assert answer["passed"] == [{"what": "Blender 2.93", "because": "the add-on needs 4.2 or later"}]
    assert "no program of this version was found" in answer["installed"][0]["next"]


def test_no_blender_at_all_says_what_to_do(tmp_path: Path, user: Machine) -> None:
    error = said(code=2)["error"]
    assert "--zip" in error["remedy"]
    error = said("--blender", blender(tmp_path / "old", (3, 4)), code=2)["error"]
    assert "Blender 3.4: the add-on needs 4.2 or later" in error["text"]
    assert "no program" in said("--blender", tmp_path / "nowhere", code=2)["error"]["text"]
    assert "install blender" in run(code=2).stderr


def test_doctor_says_which_have_it(user: Machine) -> None:
    assert in_blender(user).detail == "the add-on is not installed: rushes install blender"
    for version in ("4.5", "5.0", "5.1"):
        (user.settings() / version).mkdir(parents=True)
    install(bundled(), blenders.known(user)[:2])
    assert in_blender(user).detail == "the add-on is installed for 4.5, 5.0"
    (user.settings() / "5.0/extensions/user_default/rushes/__init__.py").write_text("")
    assert in_blender(user).detail.endswith("that for 5.0 is not of this Rushes: rushes install blender")
    assert in_blender(user).ok


def _older() -> dict[str, bytes]:
    """The files of a version that had one more."""
    files = {**bundled().files, "gone.py": b""}
    files["blender_manifest.toml"] = files["blender_manifest.toml"].replace(b'"0.1.0"', b'"0.0.9"', 1)
    return files

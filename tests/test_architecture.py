"""The shape of the code: who may import whom, no circles, no file that has grown beyond reading."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from source_tree import ADDON, ROOT, imports, modules, package_folders

LINES = 350

GENERATORS = {
    f"rushes.generators.{name}"
    for name in "asking base cards downloads folders gpus hub installed loras models needs registry routing "
    "rungs safetensors_files templates traits weights".split()
}
"""What is known of generators and models without importing one that makes pictures."""

ARROWS: dict[str, set[str]] = {
    "rushes_otio": set(),
    "rushes": set(),
    "rushes.demo": set(),
    "rushes_blender": set(),
    "rushes.version": set(),
    "rushes.messages": {"rushes_otio.errors", "rushes_otio.hosts.rows"},
    "rushes.media": {"rushes_otio"},
    "rushes.limited": {"rushes", "rushes_otio", "rushes.media"},
    "rushes.store": {"rushes_otio"},
    "rushes.generators": {"rushes_otio", "rushes.store.canonical", "rushes.limited"},
    "rushes.stages": {
        "rushes_otio",
        "rushes.store.canonical",
        "rushes.media",
        "rushes.generators.base",
        "rushes.generators.cards",
        "rushes.generators.traits",
    },
    "rushes.worker": {
        "rushes",
        "rushes_otio",
        "rushes.store.locks",
        "rushes.store.places",
        "rushes.media",
        "rushes.stages",
        "rushes.limited",
        "rushes.generators.base",
        "rushes.generators.cards",
    },
    "rushes.engine": {
        "rushes_otio",
        "rushes.messages",
        "rushes.connection",
        "rushes.limited",
        "rushes.store",
        "rushes.media",
        "rushes.stages",
        *GENERATORS,
        "rushes.worker",
    },
    "rushes.export": {
        "rushes_otio",
        "rushes.limited",
        "rushes.store.durable",
        "rushes.store.manifests",
        "rushes.store.mentioned",
        "rushes.store.places",
        "rushes.store.takes",
        "rushes.media",
        "rushes.stages",
        "rushes.generators.base",
        "rushes.engine.plan",
        "rushes.engine.studio",
    },
    "rushes.hosts": {
        "rushes",
        "rushes_otio",
        "rushes.export",
        "rushes.limited",
        "rushes.media",
        "rushes.messages",
        "rushes.store",
        "rushes.engine",
    },
    "rushes.protocol": {"rushes.messages"},
    "rushes.connection": {"rushes_otio.errors", "rushes.store.places"},
    "rushes.following": {"rushes.protocol"},
    "rushes.client": {
        "rushes_otio.errors",
        "rushes.messages",
        "rushes.protocol",
        "rushes.connection",
        "rushes.following",
        "rushes.store.alive",
    },
    "rushes.starting": {
        "rushes",
        "rushes_otio",
        "rushes.client",
        "rushes.connection",
        "rushes.messages",
        "rushes.store.alive",
    },
    "rushes.pipe": {
        "rushes_otio.errors",
        "rushes.client",
        "rushes.connection",
        "rushes.messages",
        "rushes.protocol",
        "rushes.starting",
    },
    "rushes.server": {
        "rushes_otio",
        "rushes.messages",
        "rushes.protocol",
        "rushes.connection",
        "rushes.version",
        "rushes.engine",
        "rushes.hosts",
        "rushes.store",
    },
    "rushes.cli": {
        "rushes_otio",
        "rushes.messages",
        "rushes.protocol",
        "rushes.connection",
        "rushes.client",
        "rushes.starting",
        "rushes.pipe",
        "rushes.store.places",
        "rushes.engine",
        "rushes.export",
        "rushes.hosts",
        "rushes.demo",
    },
}
"""Layer by layer, from the bottom up, what it may import of ours: a package with all that is in it, or one module.
`rushes` itself holds nothing. Generators are reached by name, through their protocol, never imported."""

ONE_DOOR: dict[str, str] = {
    "ffmpeg": "rushes.media.ffmpeg",
    "imageio_ffmpeg": "rushes.media.ffmpeg",
    "av": "rushes.media",
    "sqlite3": "rushes.store",
    "watchdog": "rushes.server.watching",
    "screenplain": "rushes_otio.fountain",
    "opentimelineio": "rushes_otio.formats",
    "otio_cmx3600_adapter": "rushes_otio.formats",
    "otio_fcp_adapter": "rushes_otio.formats",
    "otio_aaf_adapter": "rushes_otio.formats",
    **dict.fromkeys(("torch", "diffusers", "transformers", "accelerate", "peft"), "rushes.generators.diffusers"),
    "safetensors": "rushes.generators.diffusers",
    "huggingface_hub": "rushes.generators.downloads",
    "typer": "rushes.cli",
    "rich": "rushes.cli",
    **dict.fromkeys(("bpy", "blf", "gpu", "gpu_extras", "mathutils"), "rushes_blender"),
}
"""Libraries that only one module or package of ours may import, so that one place changes when they do."""

MINE = tuple(folder.name for folder in package_folders())
TEXT = {".py", ".md", ".toml", ".txt", ".fountain", ".json", ".otio", ".sh", ""}


def test_every_package_of_the_wheel_is_there_and_is_one_we_know() -> None:
    assert all((folder / "__init__.py").is_file() for folder in package_folders())
    assert {_layer(name) for name in modules()} == set(ARROWS), "a new layer needs its row in ARROWS"


def test_arrows_go_down_only() -> None:
    ours = [found for found in imports() if found.target.split(".")[0] in MINE]
    wrong = [
        str(found)
        for found in ours
        if _layer(found.importer) != _layer(found.target)
        and not any(_lies_in(found.target, allowed) for allowed in ARROWS.get(_layer(found.importer), ()))
    ]
    assert ours
    assert wrong == []


def test_the_addon_needs_blender_and_the_standard_library_only() -> None:
    allowed = {"bpy", "blf", "gpu", "gpu_extras", "bl_ui", "mathutils", ADDON, *sys.stdlib_module_names}
    ours = [found for found in imports() if _layer(found.importer) == ADDON]
    assert ours
    assert [str(found) for found in ours if found.target.split(".")[0] not in allowed] == []


def test_layers_have_no_circle() -> None:
    """The table itself: no two layers may reach each other."""
    _assert_no_circle({layer: {_layer(name) for name in allowed} for layer, allowed in ARROWS.items()})


def test_modules_have_no_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for found in imports():
        if found.runs and found.target in graph:
            graph[found.importer].add(found.target)
    _assert_no_circle(graph)


@pytest.mark.parametrize("library", ONE_DOOR)
def test_a_library_is_imported_in_one_place(library: str) -> None:
    strays = [
        str(found)
        for found in imports()
        if _lies_in(found.target, library) and not _lies_in(found.importer, ONE_DOOR[library])
    ]
    assert strays == []


def test_no_file_is_too_long_to_read() -> None:
    files = [*modules().values(), *(ROOT / "benchmarks").rglob("*.py")]
    lengths = {_short(file): len(_read(file).splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_nothing_is_left_unfinished() -> None:
    assert _found(r"\b(TODO|FIXME|XXX|HACK)\b", _shipped()) == []


def test_no_path_of_somebodys_machine_is_written_down() -> None:
    assert _found(r"\.\./shared|(?<![\w.~])/(work|root|home/[a-z]+)/", _shipped()) == []


def test_tests_use_fakes_and_no_mock_library() -> None:
    tests = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    assert _found(r"unittest\.mock|import mock|MagicMock|monkeypatch\.setattr\(|mocker\b", tests) == []


def _layer(name: str) -> str:
    """`rushes_otio`, or a package directly inside `rushes`."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "rushes" else parts[0]


def _lies_in(name: str, place: str) -> bool:
    """Whether `name` is `place` or stands inside it; the empty package `rushes` holds only itself."""
    return name == place or (place != "rushes" and name.startswith(f"{place}."))


def _assert_no_circle(graph: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("imports in a circle: " + " → ".join(reversed(error.args[1])))


def _shipped() -> Iterator[Path]:
    """The text files of the repository, tests aside."""
    for component in ("otio_adapters", "daemon", "blender_addon", "benchmarks", "docs", "examples", ".ci"):
        yield from (f for f in (ROOT / component).rglob("*") if f.is_file() and f.suffix in TEXT)
    yield from (f for f in ROOT.iterdir() if f.is_file() and f.suffix in TEXT and not f.name.startswith(".git"))


def _found(pattern: str, files: Iterator[Path] | list[Path]) -> list[str]:
    """`file:line: text` of every line that holds `pattern`."""
    looked_for = re.compile(pattern)
    return [
        f"{_short(file)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(_read(file).splitlines(), 1)
        if looked_for.search(line)
    ]


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _short(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()

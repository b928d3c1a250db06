"""What importing costs: no torch anywhere, no numpy where a film is only read."""

from __future__ import annotations

import json

import pytest

from processes import run
from source_tree import ADDON, modules

TRIES = """
import importlib, json, sys

class Watch:
    '''First in line to find a module, it finds none: it only writes down who was looked for.'''
    tried = {}
    def find_spec(self, name, path=None, target=None):
        if name in sys.argv[2].split():
            self.tried.setdefault(name, current)
        return None

sys.meta_path.insert(0, Watch())
for current in sys.argv[1].split():
    importlib.import_module(current)
print(json.dumps(Watch.tried))
"""

GPU = "torch diffusers transformers accelerate"
PIXELS = "numpy PIL av"


def tried(imported: list[str], libraries: str) -> dict[str, str]:
    """Which of `libraries` a fresh Python looks for while it imports those modules, and in which module. They
    count whether they are installed or not, and also where an ImportError would be caught."""
    status, output, errors = run(TRIES, " ".join(imported), libraries)
    assert status == 0, errors
    found: dict[str, str] = json.loads(output)
    return found


def test_the_watch_sees_what_is_imported() -> None:
    assert tried(["json", "sqlite3"], "sqlite3 torch") == {"sqlite3": "sqlite3"}
    assert tried(["rushes.generators.base"], "numpy") == {"numpy": "rushes.generators.base"}


@pytest.mark.parametrize(
    "entry", ["rushes.cli.main", "rushes.worker.main", "rushes.server.main", "rushes.client", "rushes.pipe"]
)
def test_an_entry_point_looks_for_no_torch(entry: str) -> None:
    assert tried([entry], GPU) == {}


def test_no_module_looks_for_torch() -> None:
    """But for the generator that is made of it, which workers import at first use, and what only Blender can."""
    left_out = ("rushes.generators.diffusers", ADDON)
    everything = sorted(name for name in modules() if not name.startswith(left_out))
    assert "rushes.store.db" in everything
    assert tried(everything, GPU) == {}


def test_the_film_model_needs_no_pixels() -> None:
    assert tried([name for name in sorted(modules()) if name.startswith("rushes_otio")], PIXELS) == {}


def test_status_is_light() -> None:
    assert tried(["rushes.engine.answering"], f"{PIXELS} zmq sqlite3 rich typer screenplain") == {}


def test_the_client_needs_zmq_and_msgspec_only() -> None:
    others = f"{PIXELS} opentimelineio platformdirs filelock typer rich sqlite3 watchdog"
    assert tried(["rushes.client"], others) == {}
    assert tried(["rushes.client"], "zmq") == {"zmq": "rushes.client"}


def test_the_command_line_starts_light() -> None:
    """Commands import what they need when they run, so that --help answers at once."""
    assert tried(["rushes.cli.main"], f"{PIXELS} zmq opentimelineio") == {}

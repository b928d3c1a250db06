"""What every test gets: user folders of its own, and the same examples on every run of CI."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

collect_ignore = [] if find_spec("bpy") else ["blender"]  # those run inside Blender: make test-blender

hypothesis.settings.register_profile("here", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds this test's state, config, cache and run: no test sees those of the user or of another
    test. Processes that a test starts inherit them."""
    top = tmp_path_factory.mktemp("user")
    for name in ("state", "config", "cache"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(top / name))
    monkeypatch.setenv("RUSHES_NO_DAEMON", "1")  # the tests of the daemon take it away
    run = top / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    return top


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of timelines written by other programs, which is not part of the repository: RUSHES_SAMPLES names
    it, else it lies beside the checkout. Without it the tests that ask for it are skipped."""
    beside = Path(__file__).parents[2] / "shared" / "samples"
    folder = Path(os.environ.get("RUSHES_SAMPLES") or beside)
    if not folder.is_dir():
        pytest.skip(f"no samples in {folder}: name their folder in RUSHES_SAMPLES")
    return folder

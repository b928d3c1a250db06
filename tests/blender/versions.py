"""Runs the tests of this folder in real Blenders: every version that this machine can have, or one.

    python tests/blender/versions.py [--one] [ARGUMENTS OF PYTEST]

Each version is the module bpy in an environment of its own, .blender/VERSION, made anew when it is out of date. It
needs exactly the Python that this Blender was built with. Where there are cores for it, several run at once, or as
many as RUSHES_BLENDERS says; each is told about when it has ended. Standard library only.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".blender"
TESTS = ROOT / "tests" / "blender"

VERSIONS = {"4.2.23": "3.11", "4.5.15": "3.11", "5.0.1": "3.11", "5.1.2": "3.13", "5.2.3": "3.13"}
"""Of bpy on the package index, and the Python that each is built for."""

ONE = ("5.0.1", "5.2.3")
"""In the order of preference, where one is enough."""

LIMIT_S = 900

_one_at_a_time = Lock()
"""Held while an environment is made, for apt-get bears no other beside it, and while a version is told about."""

PACKAGES = (
    "libx11-6 libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libice6 libgl1 "  # every version
    "libxxf86vm1 libgomp1"  # 4.2
)
"""What bpy loads that a bare Debian or Ubuntu lacks."""

NONE = "there is no Python 3.11 or 3.13 here that runs; RUSHES_NO_BLENDER=1 leaves the tests in Blender out"


class Unavailable(Exception):
    """This version cannot be had here; the text says why."""


@dataclass(frozen=True)
class Version:
    """One bpy, and the Python it goes with."""

    name: str
    python: str

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, arguments: list[str], shown: bool) -> tuple[int, str]:
        """How pytest ended there, and what it printed where that was not shown at once. It is kept in a file, for
        a process that is left over would hold a pipe open."""
        environment = {**os.environ, "RUSHES_PYTHON": sys.executable}
        command = [str(self.program), "-m", "pytest", "-p", "no:cacheprovider", str(TESTS), *arguments]
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as kept:
            out = None if shown else kept
            try:
                process = subprocess.run(
                    command, env=environment, cwd=ROOT, timeout=LIMIT_S, stdout=out, stderr=out
                )
                status, fault = process.returncode, ""
            except subprocess.TimeoutExpired:
                status, fault = 1, f"it took longer than {LIMIT_S} s"
            kept.seek(0)
            return status, kept.read() + fault

    def prepare(self) -> None:
        """Make the environment if need be. Unavailable says what is missing."""
        stamp = self.folder / ".made"
        if stamp.is_file() and stamp.read_text() == self._recipe():
            return
        python = shutil.which(self.python) or ""
        print(f"Blender {self.name}: making {self.folder}", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        _do(python, "-m", "venv", self.folder)
        pip = (self.program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _do(*pip, f"bpy=={self.name}")
        _do(*pip, "-c", ROOT / "constraints.txt", "pytest", "hypothesis")
        self._import()
        stamp.write_text(self._recipe())

    def _import(self) -> None:
        fault = self._imported()
        if not fault:
            return
        if "cannot open shared object" not in fault:
            raise Unavailable(fault)
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")
        if not as_root:
            raise Unavailable(f"as root, run: apt-get install {PACKAGES}")
        _do("apt-get", "-q", "update")
        _do("apt-get", "-qy", "install", "--no-install-recommends", *PACKAGES.split())
        if fault := self._imported():
            raise Unavailable(fault)

    def _imported(self) -> str:
        """What `import bpy` says when it fails."""
        code = "import os, bpy; os._exit(0)"
        done = subprocess.run([self.program, "-c", code], capture_output=True, text=True, timeout=120)
        return (done.stderr.strip() or f"import bpy ended with code {done.returncode}") if done.returncode else ""

    def _recipe(self) -> str:
        constraints = (ROOT / "constraints.txt").read_bytes()
        return f"{self.name} {self.python} {sha256(constraints).hexdigest()}"


def main(arguments: list[str]) -> int:
    if os.environ.get("RUSHES_NO_BLENDER"):
        print("RUSHES_NO_BLENDER is set: the tests in Blender are left out")
        return 0
    if arguments[:1] == ["--one"]:
        return _one(arguments[1:])
    versions = list(_versions(tuple(VERSIONS)))
    with ThreadPoolExecutor(_at_once()) as pool:
        tried = pool.map(lambda version: _tried(version, arguments), versions)
        statuses = {version.name: status for version, status in zip(versions, tried, strict=True)}
    for name in sorted(set(VERSIONS) - set(statuses)):
        print(f"Blender {name:<7} left out: no Python {VERSIONS[name]} here")
    return int(not statuses or any(statuses.values()))


def _one(arguments: list[str]) -> int:
    for version in _versions(ONE):
        version.prepare()
        print(f"Blender {version.name}, Python {VERSIONS[version.name]}", flush=True)
        status, said = version.run(arguments, shown=True)
        if said:
            print(said)
        return status
    print(NONE, file=sys.stderr)
    return 1


def _at_once() -> int:
    """A Blender, its daemon and what that renders keep two cores busy."""
    return max(1, int(os.environ.get("RUSHES_BLENDERS") or (os.cpu_count() or 1) // 2))


def _tried(version: Version, arguments: list[str]) -> int:
    """Run the tests, and say in one line how that ended, after all that they printed where they failed."""
    began = time.monotonic()
    try:
        with _one_at_a_time:
            version.prepare()
        status, said = version.run(arguments, shown=False)
    except Unavailable as fault:
        status, said = 1, str(fault)
    word, last = "FAILED" if status else "ok    ", (said.splitlines() or [""])[-1]
    told = f"Blender {version.name:<7} {word} {last}; {time.monotonic() - began:.0f} s in all"
    with _one_at_a_time:
        print(f"{said}\n{told}" if status and last != said else told, flush=True)
    return status


def _versions(names: tuple[str, ...]) -> Iterator[Version]:
    """Those of these for which a Python is here."""
    for name in names:
        if python := _python(VERSIONS[name]):
            yield Version(name, python)


def _python(version: str) -> str:
    """The first Python of that version that really runs: pyenv puts shims on the path for those it does not."""
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for candidate in (f"python{version}", *map(str, reversed(pyenv)), sys.executable):
        asking = [candidate, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"]
        try:
            done = subprocess.run(asking, capture_output=True, text=True, timeout=30)
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return ""


def _do(*words: object) -> None:
    command = [str(word) for word in words]
    if subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}).returncode:
        raise Unavailable(f"failed: {shlex.join(command)}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as fault:
        sys.exit(f"{fault}; RUSHES_NO_BLENDER=1 leaves the tests in Blender out")

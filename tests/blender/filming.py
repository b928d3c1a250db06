"""Real small films beside a Blender, whose Python does not have `rushes`: made and changed by another one's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

LIMIT_S = 60


@dataclass(frozen=True)
class Shop:
    """The `rushes` of another Python, run from this checkout."""

    python: Path
    folder: Path
    """Where the command `rushes` is put, and films are kept to be copied."""

    @property
    def command(self) -> Path:
        """The program `rushes`, as a user has it on the path."""
        return self.program("rushes", f'PYTHONPATH={_packages()} exec "{self.python}" -m rushes.cli.main "$@"')

    @property
    def installed(self) -> Path:
        """The Python as it is where `rushes` is installed, not run from a checkout."""
        return self.program("python", f'PYTHONPATH={_packages()} exec "{self.python}" "$@"')

    def program(self, name: str, line: str) -> Path:
        """A program that runs this line of a shell."""
        path = self.folder / "bin" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{line}\n")
            path.chmod(0o755)
        return path

    def ask(self, *words: object, env: dict[str, str] | None = None) -> Any:
        """What this Python program prints as JSON."""
        run = subprocess.run(
            [str(self.python), *map(str, words)],
            env={**os.environ, "PYTHONPATH": _packages(), **(env or {})},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        assert run.returncode == 0, f"{words} -> {run.returncode}: {run.stderr}{run.stdout}"
        return json.loads(run.stdout)

    def made(self, wanted: dict[str, Any]) -> Path:
        """The folder of a film that nobody works on, made when it is asked for first."""
        text = json.dumps(wanted, sort_keys=True)
        name = f"film{sum(ord(c) * i for i, c in enumerate(text, 1))}"
        folder = self.folder / name
        if not folder.exists():
            state = {f"XDG_{k}_HOME": str(self.folder / f"{name}-{k}") for k in ("STATE", "CONFIG", "CACHE")}
            shots = self.ask(ROOT / "tests" / "blender" / "making_films.py", folder, text, env=state)
            (folder / "shots.json").write_text(json.dumps(shots))
        return folder


@dataclass
class FilmOnDisk:
    """One of a test's own."""

    path: Path
    shop: Shop = field(repr=False)
    shots: list[dict[str, Any]]
    """In cut order: shot, name, use, take (or null), path (of the take, or empty)."""

    def rushes(self, command: str, *words: str) -> Any:
        """The answer of `rushes COMMAND FILM WORDS --json`."""
        return self.shop.ask("-m", "rushes.cli.main", command, self.path, *words, "--json")

    def set(self, shot: str, *assignments: str) -> None:
        self.rushes("set", shot, *assignments)

    def states(self) -> dict[str, str]:
        """By shot id."""
        return {row["shot"]: row["state"] for row in self.rushes("status")["shots"]}


def new_film(shop: Shop, folder: Path, wanted: dict[str, Any]) -> FilmOnDisk:
    """A copy of a film like that in `folder`, with its takes."""
    made = shop.made(wanted)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    shots = json.loads((folder / "shots.json").read_text())
    for shot in shots:
        shot["path"] = shot["path"] and str(folder / shot["path"])
    return FilmOnDisk(folder / "film.otio", shop, shots)


def _packages() -> str:
    return os.pathsep.join(str(ROOT / name) for name in ("otio_adapters", "daemon", "blender_addon", "tests"))

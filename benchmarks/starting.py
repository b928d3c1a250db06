"""Rows about how long a command takes to begin, against importing the libraries that it stands on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Row, best_of
from benchmarks.sizes import film_of


def rows(folder: Path, rounds: int) -> list[Row]:
    small = str(film_of(folder, 10).places.film)
    libraries = [n for n in ("opentimelineio", "zmq", "typer", "rich") if importlib.util.find_spec(n)]
    program = [sys.executable, "-m", "rushes.cli.main"]
    commands = [
        [sys.executable, "-c", f"import {', '.join(libraries)}"],
        [*program, "--help"],
        [*program, "status", small],
    ]
    works = [lambda c=c: subprocess.run(c, stdout=subprocess.DEVNULL, check=True) for c in commands]
    imports, helped, status = best_of(works, rounds * 2)
    said = f"importing {', '.join(libraries)} takes {imports * 1000:.0f} ms"
    return [
        Row("rushes --help, against importing its libraries", None, helped / imports, 1.5, detail=said),
        Row("rushes status of 10 shots, against the same", None, status / imports, 1.5),
    ]

"""`python -m benchmarks [GROUP …]`: rows as a table, and as JSON in benchmarks/results.

Groups: planning, comparing, starting, rendering, daemon, generation, blender. Without any, all but the last two.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Row

RESULTS = Path(__file__).parent / "results"
GROUPS = ("planning", "comparing", "starting", "rendering", "daemon", "generation", "blender")


def main() -> None:
    """Measure, print, write. A slow row is a finding and no failure: the exit code is 0."""
    arguments = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer rounds, films up to 1,000 shots")
    arguments.add_argument("--shots", default="", help="sizes of films, like 100,1000,10000")
    arguments.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    asked = arguments.parse_args()
    if unknown := set(asked.groups) - set(GROUPS):
        arguments.error(f"no such group: {', '.join(sorted(unknown))}")
    sizes = [int(n) for n in (asked.shots or ("100,1000" if asked.quick else "100,1000,10000")).split(",")]
    rounds = 2 if asked.quick else 5
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        for name in ("STATE", "CACHE", "CONFIG"):
            os.environ[f"XDG_{name}_HOME"] = f"{folder}/{name}"
        os.environ["XDG_RUNTIME_DIR"] = folder
        found = _measured(asked.groups or GROUPS[:-2], Path(folder), sizes, rounds)
    _print(found)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{'-'.join(asked.groups) or 'latest'}.json"
    machine = {"platform": platform.platform(), "python": platform.python_version(), "cpus": os.cpu_count()}
    rows = [{**asdict(row), "verdict": row.verdict} for row in found]
    path.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def _measured(groups: Sequence[str], folder: Path, sizes: list[int], rounds: int) -> list[Row]:
    # The user's folders are set before anything of Rushes is imported.
    from benchmarks import blender, comparing, daemon, generation, planning, rendering, starting

    works: dict[str, Callable[[], list[Row]]] = {
        "planning": lambda: planning.rows(folder, sizes, rounds),
        "comparing": lambda: comparing.rows(folder, max(sizes), rounds),
        "starting": lambda: starting.rows(folder, rounds),
        "rendering": lambda: rendering.rows(folder, 20, max(2, rounds - 2)),
        "daemon": lambda: daemon.rows(folder, max(sizes), rounds),
        "generation": lambda: generation.rows(folder, max(2, rounds - 2)),
        "blender": lambda: blender.rows(folder, max(sizes), rounds),
    }
    return [row for group in groups for row in works[group]()]


def _print(found: list[Row]) -> None:
    print(f"{'row':<60} {'shots':>6} {'value':>9} {'target':>8}  verdict")
    for row in found:
        target = "" if row.target is None else f"{'≥' if row.least else '≤'} {row.target:g}"
        shots = f"{row.shots:,}" if row.shots else ""
        value = f"{row.value:.2f} {row.unit}"
        print(f"{row.name:<60} {shots:>6} {value:>9} {target:>8}  {row.verdict}  {row.detail}")


if __name__ == "__main__":
    main()

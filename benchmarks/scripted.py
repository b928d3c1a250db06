"""Runs the script `benchmarks.direct` as a child, and keeps what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.direct import Shot, Work, order


@dataclass
class Direct:
    """What the script says: seconds until it had loaded, then of each shot, by the clock and of the processor."""

    loading: float
    seconds: list[float]
    computing: list[float]
    digests: list[str]

    def after(self, warming: int) -> Direct:
        """Without the first shots."""
        return Direct(self.loading, self.seconds[warming:], self.computing[warming:], self.digests[warming:])


def directly(shots: list[Shot], work: Work) -> Direct:
    began = time.perf_counter()
    with _script() as script:
        assert script.stdin and script.stdout
        script.stdin.write(order(work, shots))
        script.stdin.close()
        script.stdout.readline()
        loading = time.perf_counter() - began
        told = [json.loads(line) for line in script.stdout]
    seconds, computing, digests = ([each[name] for each in told] for name in ("seconds", "computing", "digest"))
    return Direct(loading, seconds, computing, digests)


@contextmanager
def _script() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.direct", "render"]
    offline, pipe = {**os.environ, "HF_HUB_OFFLINE": "1"}, subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=offline) as script:
        yield script

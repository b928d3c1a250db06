"""What a limited child takes away from itself before it opens anything foreign.

Linux holds to all of it. macOS has no limit of address space, Windows none at all: there the parent's patience
is what remains.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from rushes.limited.tasks import Limits

MOST_FILES = 32
"""Open files. A movie takes one, the libraries of a task a few while they are loaded."""

_PR_SET_PDEATHSIG = 1


def confine(limits: Limits) -> None:
    """From now on: so much memory and computing, few open files, no byte written to a file, no core dump."""
    if sys.platform == "win32":
        return
    import resource

    ceilings = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_NOFILE: MOST_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, wanted in ceilings.items():
        allowed = resource.getrlimit(kind)[1]
        ceiling = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
        with contextlib.suppress(ValueError, OSError):  # a limit that this system does not know
            resource.setrlimit(kind, (ceiling, ceiling))
    allow_computing(limits.computing)


def allow_computing(seconds: int) -> None:
    """So many seconds more, counted from now, whatever was used before."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = round(used.ru_utime + used.ru_stime + 0.5) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def die_with_parent(parent: int) -> None:
    """Linux: be killed when the *thread* that started this process ends. Elsewhere the child ends when it writes
    to a pipe that nobody reads. A parent that ended before this call is not our parent any more.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)

"""Named places where a test has the process killed, as a power cut or `kill -9` would.

`RUSHES_FAILPOINT=film.half_written` ends the process at that place, with no clean-up. Any other value does
nothing. `NAMES` lists every place, so that a test can visit all of them.
"""

from __future__ import annotations

import os
import signal

WRITE_LABELS = ("film", "previous", "record", "connection", "key")
"""What `durable.write_atomic` is used for."""

WRITE_STEPS = ("before_write", "half_written", "before_rename", "after_rename")

PUBLISH_LABELS = ("take",)
"""What `durable.publish` is used for."""

PUBLISH_STEPS = ("before_sync", "before_rename", "linked", "after_rename")

CACHE_STEPS = ("before_output", "output_named", "sidecar_named")

QUEUE_STEPS = ("enqueued", "started", "finished", "replaced", "cancelled", "retried")

DATABASE_STEPS = ("before_commit", "after_commit")

NAMES = frozenset(
    [f"cache.{step}" for step in CACHE_STEPS]
    + [f"queue.{step}" for step in QUEUE_STEPS]
    + [f"database.{step}" for step in DATABASE_STEPS]
    + [f"{label}.{step}" for label in WRITE_LABELS for step in WRITE_STEPS]
    + [f"{label}.{step}" for label in PUBLISH_LABELS for step in PUBLISH_STEPS]
)

_asked = os.environ.get("RUSHES_FAILPOINT", "")
_CHOSEN = _asked if _asked in NAMES else None


def reach(name: str) -> None:
    """Die here if the environment asks for it."""
    if name == _CHOSEN:
        _die()


def _die() -> None:
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)

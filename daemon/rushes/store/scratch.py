"""A folder for what is in the making, of this process alone."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

from rushes.store import alive
from rushes.store.places import private

_NAMED = re.compile(rf"work-({alive.MARK})-\d+")
_counter = itertools.count()


def scratch_folder(cache: Path) -> Path:
    """A new one in the user's cache folder. Those that killed processes left are removed."""
    for left in private(cache).glob("work-*"):
        named = _NAMED.fullmatch(left.name)
        if named and alive.is_gone(named[1]):
            shutil.rmtree(left, ignore_errors=True)
    return private(cache / f"work-{alive.mark()}-{next(_counter)}")

"""What goes wrong while Blender draws or asks: printed to the console, and once, for it would go wrong many times
a second."""

from __future__ import annotations

import traceback

_said: set[str] = set()


def say_once() -> None:
    """Print the exception that is being handled, unless it was printed before."""
    said = traceback.format_exc()
    if said not in _said:
        _said.add(said)
        traceback.print_exc()

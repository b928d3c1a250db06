"""Which Rushes this is."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version of the installed distribution; "0+source" where it runs from its sources."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("rushes")
    except PackageNotFoundError:
        return "0+source"

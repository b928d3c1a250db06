"""The edge between commands and people: what is printed where, and how errors leave.

One JSON object on stdout with --json; progress and remarks always on stderr. Text from films passes `printable`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

from rushes_otio.errors import RushesError
from rushes_otio.text import printable

FilmPath = Annotated[Path, typer.Argument(metavar="FILM", help="The film: an .otio file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
NoDaemon = Annotated[bool, typer.Option("--no-daemon", help="Run the engine in this process.")]

INTERRUPTED = 130

P = ParamSpec("P")
R = TypeVar("R")


def command(run: Callable[P, R]) -> Callable[P, R]:
    """A command whose errors are printed once, with the remedy, and become its exit code."""

    @functools.wraps(run)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except RushesError as error:
            fail(error, as_json=bool(kwargs.get("json")))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("interrupted; what was finished is in the film, the rest is as it was")
            raise typer.Exit(INTERRUPTED) from None

    return wrapped


def fail(error: RushesError, *, as_json: bool) -> None:
    """Print an error: what, where, and what to do about it."""
    if as_json:
        emit({"error": error.as_dict()})
        return
    say(f"error: {printable(error.text, 2000)}")
    if error.where:
        say(f"   at: {printable(error.where, 2000)}")
    if error.remedy:
        say(f"   do: {printable(error.remedy, 2000)}")


def emit(shape: dict[str, Any]) -> None:
    """One JSON object on stdout."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(shape).decode() + "\n")


def say(text: str) -> None:
    """A line for a person on stderr."""
    sys.stderr.write(text + "\n")


def show(text: str) -> None:
    """A line of the answer on stdout."""
    sys.stdout.write(text + "\n")


def shown(value: object, limit: int = 60) -> str:
    """A value of a recipe or an intent as a person reads it."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return printable(value, limit)
    if isinstance(value, dict):
        return printable(", ".join(f"{k}: {shown(v, 24)}" for k, v in value.items()), limit)
    return printable(str(value), limit)

"""Whether what a command has set is still there: what somebody else has set since is not taken back."""

from __future__ import annotations

from typing import Any

from .. import running
from . import swaps

Json = dict[str, Any]


def question(body: Json) -> Json | None:
    """A `show` whose answer says what a `set` has set; None for other commands."""
    shot = next(iter(body.get("shots") or _shots(body)), "") if body.get("type") == "set" else ""
    return {"type": "show", "film": body["film"], "shot": shot} if shot else None


def _shots(body: Json) -> list[str]:
    """Those that a `set` is of which names none itself: those of a scene, or all."""
    film = running.session().film(body["film"])
    rows = film.rows.items() if film is not None else ()
    return [shot for shot, row in rows if "whole_film" in body or row.get("scene") == body.get("scene")]


def values(body: Json, shown: Json) -> dict[str, object]:
    """By field that a `set` sets, what the film says there, by the answer to its question."""
    fields = [assignment.partition("=")[0].partition(".")[0] for assignment in body.get("assignments", ())]
    level = "film" if "whole_film" in body else "scene" if body.get("scene") else ""
    if not level:
        return {name: shown.get("own", {}).get(name) for name in fields}
    told = shown.get("inherits", {})
    return {name: [each for each in told.get(name, ()) if each.get("level") == level] for name in fields}


def is_chosen(body: Json) -> bool:
    """Whether the take that `body` has chosen still is, as far as is known; True for other commands."""
    film, shot, take = running.session().film(body["film"]), body.get("shot", ""), body.get("choose")
    if body.get("type") != "takes" or not take or film is None:
        return True
    chosen = swaps.expected.take(body["film"], shot) or film.rows.get(shot, {}).get("take")
    return not chosen or chosen == take

"""What a sequence tells a film: what of it is news, and whether a row is still about the same strip."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = dict[str, Any]

_OF_THE_TAKE = {"path", "length", "size"}
"""What a swap changes in a row: no news for the film, which told it."""


def digest(sequence: Json) -> str:
    """Of all that a pull tells a film, but which takes are shown, and what is known."""
    rows = [_without_take(row) if row.get("use") and row.get("shot") else row for row in sequence["rows"]]
    told = {**sequence, "rows": rows, "known": []}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def is_same_strip(before: Json | None, now: Json | None) -> bool:
    """Whether two rows of one key are of one strip. The path of a shot's medium changes with each take."""
    if before is None or now is None:
        return False
    names = ["kind", "use", "shot"] + ([] if before.get("shot") else ["path"])
    return all(before.get(name) == now.get(name) for name in names)


def _without_take(row: Json) -> Json:
    return {name: value for name, value in row.items() if name not in _OF_THE_TAKE}

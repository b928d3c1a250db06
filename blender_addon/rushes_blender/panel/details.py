"""What `show` tells of shots: asked once for each that a person looks at, and again when the film says something
new of it. Plain Python, no Blender.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Result = dict[str, Any]
Done = Callable[[Result | None, Result | None], None]
Ask = Callable[[Result, Done], object]
Key = tuple[str, str]

MOST = 64
"""Shots that are remembered: further selected ones are read when they are looked at."""


@dataclass
class Detail:
    """One shot: what it sets itself, and what it inherits. `fault` says why nothing is known of it."""

    row: object = None
    asked: int = 0
    answered: int = 0
    is_known: bool = False
    own: Result = field(default_factory=dict)
    inherits: dict[str, list[Result]] = field(default_factory=dict)
    seed: str = ""
    fault: str = ""

    def inherited(self, name: str) -> list[Result]:
        """What counts of what other levels say about a field: all of a composed text, and of anything else the
        nearest one."""
        told = [row for row in self.inherits.get(name) or [] if isinstance(row, Mapping)]
        return told if name in COMPOSED else told[:1]


OLDER = "Rushes is older than this add-on: pip install -U rushes"

COMPOSED = frozenset({"prompt", "action", "negative"})
"""The texts of all levels are put together. Of other fields the nearest level counts, which comes first."""


class Details:
    """Of all films. `ask` sends a command; `changed` is called when an answer came."""

    def __init__(self, ask: Ask, changed: Callable[[], None]) -> None:
        self._ask = ask
        self._changed = changed
        self._known: OrderedDict[Key, Detail] = OrderedDict()

    def of(self, path: str, shot: str) -> Detail | None:
        """What is known of a shot by now. Asks nothing, so it can be called while drawing."""
        found = self._known.get((path, shot))
        return found if found is not None and found.is_known else None

    def fault(self, path: str, shot: str) -> str:
        """Why nothing is known of a shot, "" while that is only not known yet."""
        found = self._known.get((path, shot))
        return found.fault if found is not None else ""

    def keep(self, path: str, shots: Iterable[str], rows: Mapping[str, Result]) -> None:
        """Have these shots known, as of what the film says of them now. A row that came again is a new object,
        even where it says the same: the shot's recipe changed."""
        for shot in list(shots)[:MOST]:
            detail = self._known.setdefault((path, shot), Detail())
            self._known.move_to_end((path, shot))
            row = rows.get(shot)
            if row is not None and row is not detail.row and detail.asked == detail.answered:
                detail.row = row
                self.refresh(path, shot)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def refresh(self, path: str, shot: str) -> None:
        """Ask once more. Of several answers only the last one counts."""
        detail = self._known.setdefault((path, shot), Detail())
        detail.asked += 1
        self._ask({"type": "show", "film": path, "shot": shot}, partial(self._came, detail, detail.asked))

    def assume(self, path: str, shot: str, name: str, value: object) -> None:
        """Say that a field has this value until the answer comes, so that it does not flicker back."""
        detail = self.of(path, shot)
        if detail is not None:
            detail.own = {key: kept for key, kept in detail.own.items() if key != name}
            if value not in ("", None):
                detail.own[name] = value

    def forget(self) -> None:
        """Nothing is known any more."""
        self._known.clear()

    def _came(self, detail: Detail, number: int, result: Result | None, error: Result | None) -> None:
        if number != detail.asked:
            return
        detail.answered = number
        detail.fault = str((error or {}).get("text") or "")
        if result is not None and "own" not in result:
            detail.fault = OLDER
        elif result is not None:
            detail.own = _mapping(result.get("own"))
            detail.inherits = _mapping(result.get("inherits"))
            detail.seed = str(result.get("seed") or "")
            detail.is_known = True
        self._changed()


def _mapping(given: object) -> Result:
    return dict(given) if isinstance(given, Mapping) else {}

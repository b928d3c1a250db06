"""What a film has told a scene of its strips, for as long as the file is open.

Ids are written on strips in no step of the editor's undo, such as on the second half of a blade. Blender's undo
can bring back a strip as it was before that: what it lost is given back. An id that belongs to a step, such as
that of a shot that was just made, is not: its undo is what the editor wants, and the film is told so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_Who = tuple[str, str]
"""Use and shot."""


@dataclass
class _Of:
    """One scene. `ids` are what rows were given in no step, by the key, use and shot that they had; `told` the
    shots that film and scene last agreed on, by use, "" for none; `uses` all that were given."""

    ids: dict[tuple[str, str, str], _Who] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    uses: dict[str, None] = field(default_factory=dict)


class Given:
    """By scene. Rows are those of a snapshot."""

    def __init__(self) -> None:
        self._of: dict[Hashable, _Of] = {}

    def remember(self, scene: Hashable, rows: dict[str, Json], ids: Iterable[Json], made: Collection[str]) -> None:
        """`ids` were written on strips, which by then were as `rows`, by key, say. Those of the keys in `made`
        belong to a step."""
        of = self._of.setdefault(scene, _Of())
        for each in ids:
            now = each.get("use", ""), each.get("shot", "")
            if each["key"] not in made:
                of.ids[each["key"], *_who(rows[each["key"]])] = now
            of.uses[now[0]] = None

    def agree(self, scene: Hashable, rows: Iterable[Json]) -> None:
        """The film has the scene's cut now, in which these are of these shots."""
        told = self._of.setdefault(scene, _Of()).told
        told.update(who for row in rows if (who := _who(row))[0])

    def uses(self, scene: Hashable) -> list[str]:
        """All uses that strips of the scene were given: known to it, whatever Blender's undo says."""
        return [use for use in self._scene(scene).uses if use]

    def told(self, scene: Hashable, row: Json) -> Json:
        """The row; with the shot that its use was, where the editor has made it another one by undo or redo."""
        use, shot = _who(row)
        told = self._scene(scene).told.get(use, shot)
        return row if told == shot else {**row, "told": told}

    def lost(self, scene: Hashable, rows: Iterable[Json]) -> list[Json]:
        """The ids of the rows that lost what they were given in no step: where the strip has none since, or bears
        the use of another one, and what it was given is borne by none."""
        of, found = self._scene(scene), list[Json]()
        if not of.ids:
            return found
        rows = list(rows)
        borne = Counter(_who(row)[0] for row in rows)
        for row in rows:
            use, shot = _who(row)
            given = of.ids.get((row["key"], use, shot))
            if given is None or not _is_free(use, given[0], borne):
                continue
            found.append({"key": row["key"], "use": given[0], "shot": given[1]})
            borne.update({given[0]: 1})
            borne.subtract({use: 1})
        return found

    def clear(self) -> None:
        self._of.clear()

    def _scene(self, scene: Hashable) -> _Of:
        return self._of.get(scene, _Of())


def _who(row: Json) -> _Who:
    return row.get("use", ""), row.get("shot", "")


def _is_free(use: str, given: str, borne: Counter[str]) -> bool:
    """Whether a strip that bears `use` may be given `given`."""
    return given == use or (not borne[given] and (not use or borne[use] > 1))

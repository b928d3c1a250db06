"""Ids that a film gave to strips in no step of the editor's undo, such as to the second half of a blade.

Blender's undo can bring back a strip as it was before that. Then it bears the id of the strip that it was cut
from, would get a third one, and what continues from the second would have lost it. So what was given is remembered
here, for as long as the file is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import bpy

from ..strips import marks

Json = dict[str, Any]
_Was = tuple[str, str, str]
"""A strip's name, and the use and shot that it bore."""


@dataclass
class Given:
    """By scene."""

    _ids: dict[Hashable, dict[_Was, tuple[str, str]]] = field(default_factory=dict)
    _uses: dict[Hashable, dict[str, None]] = field(default_factory=dict)

    def remember(self, scene: Hashable, rows: dict[str, Json], ids: Iterable[Json]) -> None:
        """`ids` were written on strips, which by then were as `rows`, by key, say."""
        found = self._ids.setdefault(scene, {})
        for each in ids:
            row = rows[each["key"]]
            was = (each["key"], row.get("use", ""), row.get("shot", ""))
            found[was] = (each.get("use", ""), each.get("shot", ""))
            self._uses.setdefault(scene, {})[found[was][0]] = None

    def uses(self, scene: Hashable) -> list[str]:
        """All uses that the scene was given like that: known to it, whatever Blender's undo says."""
        return [use for use in self._uses.get(scene, {}) if use]

    def put_back(self, scene: Hashable, strips: list[bpy.types.Strip]) -> int:
        """Mark again those of the scene's strips that lost their id: where two bear one use, and what one of them
        was given is borne by none. How many."""
        found = self._ids.get(scene, {})
        borne = Counter(marks.use_of(strip) for strip in strips) if found else Counter[str]()
        count = 0
        for strip in strips if found else ():
            use = marks.use_of(strip)
            given = found.get((strip.name, use, marks.shot_of(strip)))
            if use and given is not None and borne[use] > 1 and not borne[given[0]]:
                marks.mark(strip, *given)
                borne.update({use: -1, given[0]: 1})
                count += 1
        return count

    def clear(self) -> None:
        self._ids.clear()
        self._uses.clear()

"""The shot list: a table for spreadsheets of everything that is seen in the cut, with what each shot itself sets.

The prompts may be changed there; rushes.engine.prompts takes them back.
"""

from __future__ import annotations

import csv
import io
import math

from rushes.engine.plan import Plan
from rushes_otio.cells import EDITABLE, EXPORTED, guarded, is_external, mark, own_cells
from rushes_otio.cut import speed
from rushes_otio.film import Film
from rushes_otio.items import Item
from rushes_otio.tracks import Track

COLUMNS = (
    "Shot",
    "Shot ID",
    "Use ID",
    "Scene",
    "Track",
    "Record In",
    "Record Out",
    "Source In",
    "Source Out",
    "Frames",
    "State",
    "Take",
    "Locked",
    *EDITABLE,
    EXPORTED,
)

_Cells = dict[str, str]


def shot_list(film: Film, plan: Plan) -> str:
    """The list as CSV with CRLF line ends: a row for each use of a shot, track by track and then in time, and for
    each external clip on a video track. An out-point is the frame after the last one, as in an EDL.
    """
    out = io.StringIO(newline="")
    rows = csv.DictWriter(out, COLUMNS, restval="")
    rows.writeheader()
    scenes = {scene.id: scene.code for scene in film.block.scenes}
    for track in film.tracks:
        for item in track.items:
            if item.block is not None or is_external(track, item):
                cells = {**_named(film, plan, scenes, item), **_placed(film, track, item)}
                rows.writerow({name: guarded(text) for name, text in cells.items()})
    return out.getvalue()


def _named(film: Film, plan: Plan, scenes: dict[str, str], item: Item) -> _Cells:
    """What a row says of its shot, the same for all uses, or the name of an external clip."""
    if item.block is None:
        return {"Shot": item.name, "Use ID": item.use or "", "State": "external"}
    block = film.shots[item.block.shot].block
    own = own_cells(block, film.where)
    return {
        "Shot": block.name,
        "Shot ID": block.shot,
        "Use ID": item.use or "",
        "Scene": scenes.get(block.scene, ""),
        "State": plan.shots[block.shot].state,
        "Take": block.chosen.take if block.chosen else "",
        "Locked": "yes" if block.locked else "",
        **{column: own[name] for column, name in EDITABLE.items()},
        EXPORTED: mark(block.shot, own),
    }


def _placed(film: Film, track: Track, item: Item) -> _Cells:
    """Where an item stands, and what it shows of its source."""
    zero = film.global_start.frames_at(float(film.rate)) if film.global_start else 0
    record, end = round(zero + item.start), round(zero + item.start + item.length)
    placed = {
        "Track": track.label,
        "Record In": _timecode(film, record),
        "Record Out": _timecode(film, end),
        "Frames": str(end - record),
    }
    media = item.default_media
    source = item.source or (media.available_range if media else None)
    if source is None:
        return placed
    first = round(source.start_time.frames_at(float(film.rate)))
    last = first + math.floor(max(0, end - record - 1) * speed(item) + 1e-6)
    return {**placed, "Source In": _timecode(film, first), "Source Out": _timecode(film, last + 1)}


def _timecode(film: Film, frame: int) -> str:
    return film.rate.timecode(frame) if frame >= 0 else f"-{film.rate.timecode(-frame)}"

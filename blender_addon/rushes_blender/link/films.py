"""What is known of one film, and how what the daemon says changes it."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..texts import error_text, printable

Json = dict[str, Any]

MOST_NOTES = 50
MOST_JPEG = 4 << 20
"""Bytes of a preview in base64: it is a small picture."""

_OPEN = ("queued", "running")


@dataclass
class Film:
    """One film that is followed. `path` is real and absolute. Until `is_known`, the daemon has not said anything
    of it.

    `rows` are the shots as `rushes status --json` has them, by shot; `order` is the cut's. `showings` say what
    each shot shows now: rows of `media`. `progress` and `previews` are of shots that are being made.
    """

    path: str
    is_known: bool = False
    rows: dict[str, Json] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    scenes: list[Json] = field(default_factory=list)
    rate: str = ""
    jobs: dict[int, Json] = field(default_factory=dict)
    progress: dict[str, Json] = field(default_factory=dict)
    previews: dict[str, bytes] = field(default_factory=dict)
    showings: dict[str, Json] = field(default_factory=dict)
    watched: bool = False
    paused: bool = False
    seconds_left: float | None = None
    fault: Json | None = None
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    to_bring: int = 0
    library: Json = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """The take of each shot for which `media` was asked, so that it is asked once."""

    # -- what the daemon says --------------------------------------------------------------------------------

    def hear(self, body: Json) -> set[str]:
        """Take in a state or an event, whose shape was looked at before. The shots that show something else now.
        Types that are not known are passed over."""
        heard = _HEARD.get(str(body.get("type")))
        return heard(self, body) or set() if heard else set()

    def unsettled(self) -> list[str]:
        """Shots whose chosen take is not the one that they are known to show, for `media` to be asked; each is
        named once for each take."""
        found = [shot for shot, row in self.rows.items() if self._is_unsettled(shot, _take(row))]
        self.asked.update((shot, _take(self.rows[shot])) for shot in found)
        return found

    def show(self, showings: list[Json]) -> set[str]:
        """Take in rows of `media`. The shots that show something else now."""
        return {row["shot"] for row in showings if self._show(row)}

    def note(self, text: str) -> None:
        """Something that a person should see."""
        if text and text not in self.notes:
            self.notes.append(text)

    # -- the kinds -------------------------------------------------------------------------------------------

    def _state(self, body: Json) -> None:
        status = body["status"]
        self.rows = {row["shot"]: row for row in status["shots"]}
        self.order = list(self.rows)
        self.counts, self.scenes = status.get("counts", {}), status.get("scenes", [])
        self.rate = status.get("rate", "")
        self.jobs = {row["job"]: row for row in body.get("jobs", []) if row.get("state", "queued") in _OPEN}
        self.progress = {row["shot"]: row for row in body.get("progress", [])}
        making = {row["shot"] for row in self.jobs.values()}
        self.previews = {shot: jpeg for shot, jpeg in self.previews.items() if shot in making}
        self.paused, self.watched = bool(body.get("paused")), bool(body.get("watched"))
        self.seconds_left = self.seconds_left if self.jobs else None
        self.fault, self.is_known = None, True
        self.asked.clear()

    def _shots(self, body: Json) -> None:
        self.rows.update((row["shot"], row) for row in body.get("rows", []))
        for shot in body.get("gone", []):
            self.rows.pop(shot, None)
        self.order = list(self.rows)
        self.counts = body.get("counts") or self.counts
        self.fault = None

    def _queued(self, body: Json) -> None:
        self.jobs.update((row["job"], row) for row in body["jobs"])
        self.seconds_left = body.get("seconds_left")

    def _progress(self, body: Json) -> None:
        self.progress[body["shot"]] = body
        self.seconds_left = body.get("seconds_left")
        if body["job"] in self.jobs:
            self.jobs[body["job"]]["state"] = "running"

    def _preview(self, body: Json) -> None:
        with suppress(ValueError):  # it is no base64: the one before stays
            if len(body["jpeg"]) <= MOST_JPEG:
                self.previews[body["shot"]] = base64.b64decode(body["jpeg"], validate=True)

    def _ready(self, body: Json) -> set[str]:
        self._ended(body)
        if not body.get("chosen"):
            return set()
        before = self.showings.get(body["shot"], {})
        return self.show([{**body, "zero": 0, "footage": before.get("footage")}])

    def _failed(self, body: Json) -> None:
        self._ended(body)
        self.note(f"{printable(body.get('name') or body['shot'], 80)}: {error_text(body['error'])}")

    def _dropped(self, body: Json) -> None:
        self._ended(body)
        if body.get("because"):
            how = printable(body.get("how", ""), 40)
            self.note(f"{printable(body.get('name') or body['shot'], 80)}: {how}: {printable(body['because'])}")

    def _warned(self, body: Json) -> None:
        self.note(printable(body["text"]))

    def _unreadable(self, body: Json) -> None:
        self.fault = fault_of(body["error"])

    def _watched(self, body: Json) -> None:
        self.watched = bool(body["on"])

    # -- within ----------------------------------------------------------------------------------------------

    def _ended(self, body: Json) -> None:
        self.jobs.pop(body["job"], None)
        self.progress.pop(body["shot"], None)
        self.previews.pop(body["shot"], None)
        if not self.jobs:
            self.seconds_left = None

    def _show(self, row: Json) -> bool:
        shot, showing = row["shot"], _showing(row)
        if self.showings.get(shot) == showing:
            return False
        self.showings[shot] = showing
        return True

    def _is_unsettled(self, shot: str, take: str) -> bool:
        showing = self.showings.get(shot)
        return (showing is None or showing["take"] != take) and self.asked.get(shot) != take


_HEARD: dict[str, Callable[[Film, Json], set[str] | None]] = {
    "state": Film._state,
    "shots": Film._shots,
    "queued": Film._queued,
    "progress": Film._progress,
    "preview": Film._preview,
    "ready": Film._ready,
    "failed": Film._failed,
    "dropped": Film._dropped,
    "warned": Film._warned,
    "unreadable": Film._unreadable,
    "watched": Film._watched,
}


def fault_of(error: Json) -> Json:
    """An error of the daemon as a fault: what a person reads, harmless."""
    where, text = printable(error.get("where") or ""), printable(error.get("text") or "")
    return {"text": f"{where}: {text}" if where else text, "remedy": printable(error.get("remedy") or "")}


def _showing(row: Json) -> Json:
    """A row of `media`, as far as strips rely on it."""
    footage = row.get("footage")
    told = {name: row[name] for name in ("shot", "take", "path", "frames")}
    more = {"zero": row.get("zero", 0), "footage": tuple(footage) if footage else None}
    return {**told, "size": tuple(row["size"]), **more}


def _take(row: Json) -> str:
    return row.get("take") or ""

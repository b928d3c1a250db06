"""Why a shot is stale: the inputs that differ between today's recipe and the one its take was accepted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rushes.engine.recipe import Recipe
from rushes.generators.needs import ROUTED
from rushes_otio.intent import FIELDS
from rushes_otio.resolve import COMPOSED, Resolved, composed


class _Unknown:
    """Stands for an input that is not known until something else is rendered."""


UNKNOWN: Final = _Unknown()

FRAMES = "frames"
PICTURE = frozenset({"keyframe", "motion"})
"""The stages that decide what is seen, before finish."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One changed input. `now` is None while it is unknown or unset; `via` names the shots it came through."""

    input: str
    was: Any
    now: Any
    via: tuple[str, ...] = ()

    @property
    def stages(self) -> frozenset[str]:
        """The stages this input enters, by the intent table."""
        if self.input == FRAMES:
            return frozenset()  # a length asks for more of the same; it changes no stage
        root = self.input.partition(".")[0]
        return FIELDS[root].stages if root in FIELDS else FIELDS["prompt"].stages


def differences(
    today: Recipe, accepted: Recipe, resolved: Resolved, via: Mapping[str, tuple[str, ...]]
) -> tuple[Reason, ...]:
    """The inputs that changed, most telling first: a composed text that changed only because of a character,
    the style or the location is reported as that and not a second time as itself.
    """
    if today == accepted:
        return ()
    found = _cast(today.get("cast", {}), accepted.get("cast", {}))
    for name in today.keys() | accepted.keys():
        was, now = accepted.get(name), today.get(name)
        if was == now or name in ("cast", "caption", "delivery", "model"):
            continue
        if name == "keyframe" and _routed(was) and _routed(now):
            found += _routed_still(was, now)
            continue
        if name in COMPOSED and _explained(name, resolved, accepted):
            continue
        found.append(Reason(name, was, None if now is UNKNOWN else now, via.get(name, ())))
    found += _names(today, accepted, {r.input for r in found})
    found += _delivery(today, accepted) + _model(today.get("model", {}), accepted.get("model", {}))
    order = {name: position for position, name in enumerate(FIELDS)}
    return tuple(sorted(found, key=lambda r: (order.get(r.input.partition(".")[0], -1), r.input)))


def _routed(keyframe: object) -> bool:
    """Whether a shot has no still of its own asking: none, or one that its model needs to start from."""
    return keyframe is None or (isinstance(keyframe, dict) and bool(keyframe.get(ROUTED)))


def _routed_still(was: Recipe | None, now: Recipe | None) -> list[Reason]:
    before, today = ((still or {}).get("model") or {} for still in (was, now))
    if before.get("name") == today.get("name"):
        prints = before.get("fingerprint"), today.get("fingerprint")
        return [Reason("keyframe.model", *prints)] if prints[0] != prints[1] else []
    return [Reason("keyframe.model", before.get("name"), today.get("name"))]


def _cast(today: Recipe, accepted: Recipe) -> list[Reason]:
    said = {n: (accepted.get(n) or {}).get("description") for n in today.keys() | accepted.keys()}
    says = {n: (today.get(n) or {}).get("description") for n in said}
    # An entry that is newly mentioned, or not any more, is the text's change and not the entry's.
    both = [n for n in sorted(said) if said[n] is not None and says[n] is not None and said[n] != says[n]]
    return [Reason(f"@{n}", said[n], says[n]) for n in both]


def _names(today: Recipe, accepted: Recipe, found: set[str]) -> list[Reason]:
    """What changed when a library entry was renamed, or is of another kind: nothing but what it is called."""
    was, now = accepted.get("caption"), today.get("caption")
    if was != now and not found & {"prompt", "action"}:
        return [Reason("caption", was, now)]
    said, says = accepted.get("cast", {}), today.get("cast", {})
    if said != says and not any(name in COMPOSED or name.startswith("@") for name in found):
        return [Reason("cast", sorted(said), sorted(says))]
    return []


def _explained(name: str, resolved: Resolved, accepted: Recipe) -> bool:
    """Whether a composed text would be what it was, had the library not changed."""
    if name not in resolved.parts:
        return False
    before = {n: str(e.get("description", "")) for n, e in accepted.get("cast", {}).items()}
    known = {n: before.get(n, e) for n, e in resolved.cast.items()}
    was: Recipe = {key: accepted[key] for key in ("style", "location") if key in accepted}
    return composed(resolved, name, known, was) == str(accepted.get(name, ""))


def _delivery(today: Recipe, accepted: Recipe) -> list[Reason]:
    now, was = today.get("delivery", {}), accepted.get("delivery", {})
    keys = sorted(k for k in now.keys() | was.keys() if now.get(k) != was.get(k))
    return [Reason(f"delivery.{k}", was.get(k), now.get(k)) for k in keys]


def _model(now: Recipe, was: Recipe) -> list[Reason]:
    if all(now.get(key) == was.get(key) for key in ("asked", "name", "fingerprint")):
        return []  # its rate is the film's affair, or in its fingerprint
    if (now.get("name"), now.get("asked")) == (was.get("name"), was.get("asked")):
        return [Reason("model.fingerprint", was.get("fingerprint"), now.get("fingerprint"))]
    return [Reason("model", was.get("asked") or was.get("name"), now.get("asked") or now.get("name"))]


def enter(reasons: tuple[Reason, ...], stages: frozenset[str]) -> bool:
    """Whether any of the reasons enters one of the stages."""
    return any(r.stages & stages for r in reasons)

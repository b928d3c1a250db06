"""What of a film changed, shot by shot, so that the rest need not be planned again."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Raw

from rushes_otio.film import Film
from rushes_otio.tracks import Track


@dataclass(frozen=True, slots=True)
class Marks:
    """A film as text: its block, and for each shot its uses, with the transitions beside them."""

    block: Raw
    shots: dict[str, tuple[Raw, ...]]


def marks(film: Film) -> Marks:
    """The marks of a film. The texts are shared, not copied."""
    shots: dict[str, tuple[Raw, ...]] = {}
    for track in film.tracks:
        for index, item in enumerate(track.items):
            if item.block is not None:
                shots[item.block.shot] = (*shots.get(item.block.shot, ()), *_texts(track, index))
    return Marks(film.raw_block, shots)


def _texts(track: Track, index: int) -> list[Raw]:
    near = track.items[max(0, index - 1) : index + 2]
    here = track.items[index]
    return [item.raw for item in near if item is here or item.kind == "Transition"]


def changed(before: Marks, after: Marks) -> set[str] | None:
    """The shots whose text is another one; None where what all shots inherit is."""
    if before.block is not after.block and before.block != after.block:
        return None
    return {shot for shot, texts in after.shots.items() if not _same(before.shots.get(shot), texts)}


def _same(before: tuple[Raw, ...] | None, after: tuple[Raw, ...]) -> bool:
    if before is None or len(before) != len(after):
        return False
    return all(one is other or one == other for one, other in zip(before, after, strict=True))

"""Shots that are in no cut any more, as the film keeps them: the block, and under `clip` the rest of the clip."""

from __future__ import annotations

from msgspec import Raw

from rushes_otio import rawjson
from rushes_otio.build import shot_clip
from rushes_otio.conforming.returned import Placed
from rushes_otio.film import Film
from rushes_otio.schema import ShotBlock
from rushes_otio.timing import Rate


def omitted_rows(film: Film) -> dict[str, Raw]:
    """The rows of the shots that the film keeps though its cut has them no more, by shot id."""
    found: dict[str, Raw] = {}
    for raw in film.block.omitted:
        block = rawjson.read(raw, ShotBlock, f"{film.where}: metadata.rushes.omitted")
        found[block.shot] = raw
    return found


def omitted_row(raw: Raw, where: str) -> Raw:
    """A shot's block, and under `clip` what else its clip says, so that it can come back as it was."""
    clip = rawjson.open_object(raw, where)
    metadata = rawjson.member(clip, "metadata", where)
    block = metadata.pop("rushes")
    clip["metadata"] = rawjson.encode(metadata)
    return rawjson.patch(block, {"clip": rawjson.encode(clip)}, where)


def clip_of(row: Raw, came: Placed, rate: Rate, where: str) -> Raw:
    """The clip of an omitted shot. Rows of older films have no clip: then its length is what came back."""
    block = rawjson.open_object(row, where)
    kept = block.pop("clip", None)
    if kept is None:
        made = shot_clip(rawjson.read(row, ShotBlock, where), max(1, round(came.length)), rate)
        return with_block(made, rawjson.encode(block), where)
    return with_block(kept, rawjson.encode(block), where)


def with_block(raw: Raw, block: object, where: str) -> Raw:
    clip = rawjson.open_object(raw, where)
    metadata = rawjson.member(clip, "metadata", where)
    metadata.pop("rushes", None)
    if block is not None:
        metadata["rushes"] = rawjson.encode(block)
    clip["metadata"] = rawjson.encode(metadata)
    return rawjson.encode(clip)


def with_use(raw: Raw, use: str, where: str) -> Raw:
    clip = rawjson.open_object(raw, where)
    metadata = rawjson.member(clip, "metadata", where)
    metadata["rushes"] = rawjson.patch(metadata["rushes"], {"use": rawjson.encode(use)}, where)
    clip["metadata"] = rawjson.encode(metadata)
    return rawjson.encode(clip)

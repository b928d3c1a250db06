"""Stills first: a keyframe kept as a take of its own (`k001`), to be chosen before motion is made."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rushes.engine.crew import Crew
from rushes.engine.recipe import size_of
from rushes.engine.taking import Context, Made
from rushes.generators.traits import GENERATORS
from rushes.store.cache import Entry
from rushes.store.durable import fault_of, publish
from rushes.store.takes import MadeBy, TakeRecord, Window, write_record
from rushes_otio.errors import ShotFault


def keep_still(context: Context, crew: Crew, seed: str, n: int, still: Entry) -> Made:
    """The still on the shelf; one that is there already is not kept twice."""
    recipe = crew.recipe
    if "first_frame" in recipe:
        raise ShotFault(
            "it continues from another shot and has no still of its own", remedy="render it as a whole"
        )
    shelf, block = context.shelf, context.block
    for found in shelf.takes(block.shot):
        if found.take.startswith("k") and shelf.record(block, found.take).frames_digest == still.digest:
            return _made(context, shelf.record(block, found.take), found.movie)
    take = f"k{shelf.new_number(block, 'k'):03d}"
    picture = shelf.path_for(context.film, block, take, ".png")
    part = picture.with_name(picture.name + ".part")
    try:
        shutil.copyfile(still.path, part)
    except OSError as error:
        raise fault_of(error, part) from error
    assert crew.drawer is not None  # it made the still
    record = TakeRecord(
        shot=block.shot,
        take=take,
        name=block.name,
        movie=picture.name,
        recipe=recipe,
        seed=seed,
        n=n,
        asked=msgspec.to_builtins(context.order),
        stages=dict(context.notes.marks),
        window=Window(1, str(context.film.rate), size_of(recipe)),
        codec="png",
        frames_digest=still.digest,
        generator=MadeBy(crew.drawer.generator, GENERATORS[crew.drawer.generator].version),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        intent=msgspec.json.decode(block.intent),
        environment={**context.environment, **context.notes.environment},
        seconds=dict(context.notes.seconds),
    )
    write_record(picture.with_suffix(".json"), record)
    publish(part, picture, label="take")
    shelf.put(picture, record)
    return _made(context, record, picture)


def _made(context: Context, record: TakeRecord, picture: Path) -> Made:
    status, seconds = dict(context.notes.status), sum(context.notes.seconds.values())
    return Made(record.shot, record.take, picture, 1, "", dict(record.recipe), status, seconds)

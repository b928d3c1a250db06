"""The contact sheet of one shot: its stills and takes side by side, with what is needed to choose one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageOps

from rushes.engine.studio import Desk
from rushes.export.cuts import delivery_size
from rushes.export.exporting import check_place
from rushes.export.pictures import TAKE
from rushes.export.sheet import GAP, INK, MARGIN, MOST_SHOTS, PAPER, QUIET, STATES, save
from rushes.export.slates import font
from rushes.limited import foreign
from rushes.store.durable import fault_of
from rushes.store.takes import FoundTake, TakeRecord, read_record
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.pointing import find_shot
from rushes_otio.resolve import Resolver
from rushes_otio.schema import ShotBlock, TakeMark
from rushes_otio.text import printable

COLUMNS, THUMB = 4, 460
HEADING, CAPTION, FRAME, SEAM = 56, 70, 6, 4
DARK, CHOSEN, PEN = (24, 26, 30), STATES["fresh"], (176, 56, 50)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One still or take as the sheet shows it. `pictures` are of one size: a still's one, a take's first and its
    middle frame."""

    take: str
    pictures: list[Image.Image]
    said: str
    note: str
    chosen: bool
    mark: TakeMark


def export_candidates(desk: Desk, shot: str, out: Path, progress: Progress) -> None:
    """Write the sheet as a PNG, replacing an earlier one. BadRequest when there is nothing to choose from, or the
    file cannot be one; FileFault when it cannot be written."""
    if out.suffix.lower() != ".png":
        raise BadRequest(f"{out.name} is no name for a sheet", where=str(out), remedy="name it NAME.png")
    check_place(desk, out)
    film = desk.read()
    block = find_shot(film, shot).block
    takes = desk.shelf().takes(block.shot)
    if not 0 < len(takes) <= MOST_SHOTS:
        text = "no stills and no takes yet" if not takes else f"{len(takes)} takes; a sheet holds {MOST_SHOTS}"
        remedy = f"rushes render {desk.places.film.name} {block.name} --until keyframe --another 4"
        raise BadRequest(f"{block.name} has {text}", where=block.shot, remedy=remedy)
    width, height = delivery_size(film)
    tall, still = round(THUMB * height / width), _chosen_still(desk, block)
    candidates = []
    for number, found in enumerate(takes, 1):
        chosen = found.movie == still or (block.chosen is not None and block.chosen.take == found.take)
        candidates.append(_candidate(found, block, film, (THUMB, tall), chosen=chosen))
        progress(number, len(takes))
    try:
        save(_sheet(film, block, candidates, tall), out)
    except OSError as error:
        raise fault_of(error, out) from error


# -- what is shown -----------------------------------------------------------------------------------------------


def _chosen_still(desk: Desk, block: ShotBlock) -> Path | None:
    """A still is chosen by asking for its file as the keyframe."""
    keyframe: Any = msgspec.json.decode(block.intent).get("keyframe")
    image = keyframe.get("image") if isinstance(keyframe, dict) else None
    return desk.places.film.parent / image if isinstance(image, str) else None


def _candidate(
    found: FoundTake, block: ShotBlock, film: Film, size: tuple[int, int], *, chosen: bool
) -> Candidate:
    note = ""
    try:
        pictures = [_padded(picture, size) for picture in _pictures(found)]
    except RushesError:
        pictures, note = [Image.new("RGB", size, DARK)], "cannot be read"
    mark = block.takes.get(found.take, TakeMark())
    return Candidate(found.take, pictures, _said(found, film), note or mark.note, chosen, mark)


def _pictures(found: FoundTake) -> list[Image.Image]:
    if found.movie.suffix.lower() == ".png":
        return [Image.open(BytesIO(foreign.picture(found.movie))).convert("RGB")]
    middle = TAKE.probe(found.movie).frames // 2
    return [Image.fromarray(np.asarray(next(TAKE.frames(found.movie, at)))) for at in (0, middle)]


def _padded(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, DARK)


def _said(found: FoundTake, film: Film) -> str:
    try:
        record = read_record(found.record) if found.record else None
    except RushesError:
        record = None
    if record is None:
        return "its record is lost"
    if found.take.startswith("k"):
        return f"{_model(record)}   seed {record.seed}"
    seconds = record.window.frames / float(film.rate)
    made = printable(record.made[:16].replace("T", " "), 16)
    return f"{_model(record)}   seed {record.seed}   {seconds:.1f} s   {made}"


def _model(record: TakeRecord) -> str:
    model = record.recipe.get("model")
    name = model.get("name") if isinstance(model, dict) else None
    return printable(str(name or record.generator.name), 24)


# -- how it is laid out ------------------------------------------------------------------------------------------


def _sheet(film: Film, block: ShotBlock, candidates: list[Candidate], tall: int) -> Image.Image:
    stills = [c for c in candidates if c.take.startswith("k")]
    groups = [(name, group) for name, group in (("Stills", stills), ("Takes", candidates[len(stills) :])) if group]
    rows = [(name, _rows(group)) for name, group in groups]
    step = tall + CAPTION + GAP
    height = 2 * MARGIN + HEADING * (2 + len(rows)) + sum(len(lines) for _, lines in rows) * step
    sheet = Image.new("RGB", (2 * MARGIN + COLUMNS * THUMB + (COLUMNS - 1) * GAP, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _title(draw, film, block)
    y = MARGIN + 2 * HEADING
    for name, lines in rows:
        draw.text((MARGIN, y + 8), name, fill=INK, font=font(22))
        y += HEADING
        for line in lines:
            x = MARGIN
            for candidate in line:
                _paste(sheet, draw, candidate, x, y)
                x += _columns(candidate) * (THUMB + GAP)
            y += step
    return sheet


def _title(draw: ImageDraw.ImageDraw, film: Film, block: ShotBlock) -> None:
    """The shot's name, its film, and its own words below."""
    name = printable(block.name, 60)
    draw.text((MARGIN, MARGIN), name, fill=INK, font=font(34))
    width = draw.textlength(name, font=font(34))
    draw.text((MARGIN + width + 24, MARGIN + 12), printable(film.name, 60), fill=QUIET, font=font(20))
    try:
        words = str(Resolver(film).resolve(block).values.get("caption", ""))
    except RushesError as fault:
        words = fault.text
    for number, line in enumerate(textwrap.wrap(printable(words, 400), 190)[:2]):
        draw.text((MARGIN, MARGIN + HEADING + number * 24), line, fill=QUIET, font=font(18))


def _rows(candidates: list[Candidate]) -> list[list[Candidate]]:
    fit = COLUMNS // max(_columns(c) for c in candidates)
    return [candidates[first : first + fit] for first in range(0, len(candidates), fit)]


def _columns(candidate: Candidate) -> int:
    return 1 if candidate.take.startswith("k") else 2


def _paste(sheet: Image.Image, draw: ImageDraw.ImageDraw, candidate: Candidate, x: int, y: int) -> None:
    for number, picture in enumerate(candidate.pictures):
        sheet.paste(picture, (x + number * (THUMB + SEAM), y))
    right, bottom = x + len(candidate.pictures) * (THUMB + SEAM) - SEAM, y + candidate.pictures[0].height
    if candidate.chosen:
        draw.rectangle((x - FRAME, y - FRAME, right + FRAME - 1, bottom + FRAME - 1), outline=CHOSEN, width=FRAME)
    name = font(24)
    draw.text((x + 4, bottom + 9), candidate.take, fill=INK, font=name)
    at = x + 4 + draw.textlength(candidate.take, font=name)
    if candidate.mark.circled:
        draw.ellipse((x - 6, bottom + 8, at + 10, bottom + 41), outline=PEN, width=3)
    for word, colour in _marks(candidate):
        at += 20
        draw.text((at, bottom + 14), word, fill=colour, font=font(18))
        at += draw.textlength(word, font=font(18))
    draw.text((x + 4, bottom + 45), candidate.said, fill=QUIET, font=font(15.5))


def _marks(candidate: Candidate) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Words beside the name, with their colours."""
    if candidate.chosen:
        yield "chosen", CHOSEN
    if candidate.mark.approved:
        yield "approved", INK
    if candidate.note:
        yield printable(candidate.note, 24), QUIET

"""The contact sheet: one picture of every shot in cut order, with its name, take, state and words."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from rushes.engine.plan import Plan
from rushes.export.pictures import Pictures
from rushes.export.slates import font
from rushes.store.durable import replace_with
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film, Shot
from rushes_otio.text import printable

COLUMNS, THUMB, GAP, MARGIN = 4, 460, 22, 40
CAPTION, HEADING = 74, 52
MOST_SHOTS = 400
PAPER, INK, QUIET = (246, 243, 236), (30, 30, 34), (118, 114, 106)
STATES = {"fresh": (70, 130, 84), "stale": (196, 136, 36), "missing": (150, 150, 150), "invalid": (176, 56, 50)}


@dataclass(slots=True)
class _Pen:
    """Where the next thing is drawn."""

    draw: ImageDraw.ImageDraw
    y: float


def contact_sheet(film: Film, plan: Plan, pictures: Pictures) -> Image.Image:
    """The sheet as an RGB picture about 2,000 pixels wide. BadRequest for more than `MOST_SHOTS` shots."""
    if not film.shots:
        raise BadRequest("the film has no shots yet", where=film.where, remedy="rushes add FILM … adds one")
    if len(film.shots) > MOST_SHOTS:
        raise BadRequest(
            f"a contact sheet holds {MOST_SHOTS} shots, the film has {len(film.shots)}",
            where=film.where,
            remedy="export the cut as a movie instead: cut.mp4",
        )
    groups = _by_scene(film)
    tall = round(THUMB * pictures.size[1] / pictures.size[0])
    rows = sum(-(-len(shots) // COLUMNS) for _, shots in groups)
    height = 2 * MARGIN + HEADING * (1 + len(groups)) + rows * (tall + CAPTION + GAP)
    sheet = Image.new("RGB", (2 * MARGIN + COLUMNS * THUMB + (COLUMNS - 1) * GAP, height), PAPER)
    pen = _Pen(ImageDraw.Draw(sheet), MARGIN)
    _title(film, pen)
    for heading, shots in groups:
        pen.draw.text((MARGIN, pen.y + 10), heading, fill=INK, font=font(22))
        pen.y += HEADING
        for position, shot in enumerate(shots):
            x = MARGIN + (position % COLUMNS) * (THUMB + GAP)
            _shot(sheet, pen, x, tall, shot, film, plan, pictures)
            if position % COLUMNS == COLUMNS - 1 or position == len(shots) - 1:
                pen.y += tall + CAPTION + GAP
    return sheet


def save(sheet: Image.Image, out: Path) -> None:
    """Write a sheet as a PNG, as a whole or not at all."""
    part = out.with_name(f".{out.name}.part")
    try:
        sheet.save(part, "PNG", optimize=True)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    replace_with(part, out)


def _by_scene(film: Film) -> list[tuple[str, list[Shot]]]:
    groups: dict[str, list[Shot]] = {}
    for shot in film.shots.values():
        scene = film.scene(shot.block.scene)
        heading = f"{printable(scene.code, 20)}   {printable(scene.name, 80)}" if scene else "No scene"
        groups.setdefault(heading, []).append(shot)
    return list(groups.items())


def _title(film: Film, pen: _Pen) -> None:
    seconds = film.length / float(film.rate)
    text = f"{printable(film.name or 'Untitled', 60)}"
    pen.draw.text((MARGIN, pen.y), text, fill=INK, font=font(34))
    width = pen.draw.textlength(text, font=font(34))
    said = f"{len(film.shots)} shots, {seconds:.1f} s at {float(film.rate):g} fps"
    pen.draw.text((MARGIN + width + 24, pen.y + 12), said, fill=QUIET, font=font(20))
    pen.y += HEADING


def _shot(
    sheet: Image.Image, pen: _Pen, x: int, tall: int, shot: Shot, film: Film, plan: Plan, pictures: Pictures
) -> None:
    track, index = shot.uses[0]
    item = track.items[index]
    middle = pictures.frame(track, index, round(item.length) // 2)
    sheet.paste(Image.fromarray(middle).resize((THUMB, tall), Image.Resampling.LANCZOS), (x, round(pen.y)))
    planned = plan.shots[shot.block.shot]
    y = pen.y + tall + 8
    pen.draw.ellipse((x, y + 4, x + 12, y + 16), fill=STATES[planned.state])
    take = shot.block.chosen.take if shot.block.chosen else planned.state
    pen.draw.text((x + 20, y), f"{printable(shot.block.name, 26)}   {take}", fill=INK, font=font(18))
    seconds = f"{item.length / float(film.rate):.1f} s"
    width = pen.draw.textlength(seconds, font=font(18))
    pen.draw.text((x + THUMB - width, y), seconds, fill=QUIET, font=font(18))
    caption = str(planned.resolved.values.get("caption", "")) if planned.resolved else ""
    words = printable(caption.partition("\n")[0], 140)
    for number, line in enumerate(textwrap.wrap(words, 58)[:2]):
        pen.draw.text((x, y + 25 + number * 19), line, fill=QUIET, font=font(15.5))

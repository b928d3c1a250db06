"""One storyboard panel from words and a seed: place, people or thing, weather, paper."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from rushes.generators.animatic import city, interiors, land, vehicles
from rushes.generators.animatic.figures import POSES, figure, shadow
from rushes.generators.animatic.ink import NATIVE, WIDE, Pen, Sheet, rgb
from rushes.generators.animatic.lexicon import chance
from rushes.generators.animatic.objects import thing
from rushes.generators.animatic.palette import look, mix, times
from rushes.generators.animatic.person import Person, person
from rushes.generators.animatic.shapes import box, curve
from rushes.generators.animatic.stage import Stage, bare
from rushes.generators.animatic.words import Scene, own_words, read
from rushes.generators.base import Fields

_SETS: dict[str, Callable[[Stage], None]] = {
    "stage": bare, "room": interiors.room, "study": interiors.study, "bar": interiors.bar,
    "corridor": interiors.corridor, "car": vehicles.car, "train": vehicles.train, "street": city.street,
    "rooftop": city.rooftop, "sea": land.sea, "forest": land.forest, "mountains": land.mountains,
    "desert": land.desert, "field": land.field,
}  # fmt: skip
_TABLES = {"open", "two", "medium", "full"}
_INSIDE = {"room", "study", "bar", "corridor", "car", "train"}

_FRAMINGS: dict[str, tuple[float, float, float, float]] = {
    # a grown-up's height in units, where the top of the head is, zoom of the place, blur of the place in units
    "wide": (3.7, 3.6, 1.0, 0.0),
    "open": (5.3, 2.2, 1.06, 0.0),
    "full": (6.1, 1.35, 1.06, 0.0),
    "two": (9.4, 1.8, 1.3, 0.035),
    "medium": (11.5, 1.7, 1.35, 0.05),
    "over": (12.0, 1.5, 1.5, 0.07),
    "close": (30.0, 1.4, 2.0, 0.16),
    "eyes": (50.0, 0.2, 2.4, 0.26),
    "seated": (8.6, 2.3, 1.0, 0.0),
    "detail": (30.0, 1.0, 2.4, 0.2),
}
STEPS = 5


def panel(fields: Fields, seed: int, progress: Callable[[int, int], None]) -> Image.Image:
    """The panel at native size. `progress` is called before each of its `STEPS` steps and may stop it."""
    scene = read(fields)
    luck = chance("panel", seed)
    sheet = Sheet(look(fields.style, own_words(fields), scene.time, scene.weather), luck.getrandbits(32))
    stage = Stage(Pen(sheet), chance("place", scene.place_text), scene.time, scene.weather, luck.choice((-1, 1)))
    progress(0, STEPS)
    _place(stage, scene, luck)
    progress(1, STEPS)
    _SUBJECTS.get(scene.size, _people)(stage, scene, luck)
    progress(2, STEPS)
    _in_front(stage, scene)
    picture = sheet.developed()
    progress(3, STEPS)
    picture = _weathered(picture, scene, sheet, luck)
    progress(4, STEPS)
    return _on_paper(picture, sheet.look.texture, stage.light)


def _place(stage: Stage, scene: Scene, luck: random.Random) -> None:
    """The place, nearer and softer the closer the shot is."""
    _, _, zoom, blur = _FRAMINGS[scene.size]
    aim = luck.uniform(5.6, 10.4)
    drawn = replace(stage.pen, x=8 - aim * zoom if zoom > 1.1 else 8 * (1 - zoom), y=4.4 * (1 - zoom), scale=zoom)
    if zoom > 1.1:
        drawn = replace(drawn, x=min(0.0, max(WIDE * (1 - zoom), drawn.x)))
    _SETS[scene.place](replace(stage, pen=replace(drawn, weight=0.8)))
    if scene.weather == "fog":
        stage.pen.sheet.veil(stage.look.graded(mix(stage.look.haze, stage.look.sky[1], 0.4)), 0.3)
    if blur:
        stage.pen.sheet.soften(blur)
    stage.pen.sheet.backdrop()


def _people(stage: Stage, scene: Scene, luck: random.Random) -> None:
    """The cast: each in a slot of the frame, turned to the others, the farther ones first."""
    high, top, _, _ = _FRAMINGS[scene.size]
    cast = [person(text) for text in scene.people]
    top += 0.1 * high if scene.pose == "sit" and scene.size in _TABLES else 0.0
    if scene.size in ("close", "eyes"):
        cast = cast[:1]
    spots = _spots(len(cast), scene.size, luck)
    for (x, facing, back), who in sorted(zip(spots, cast, strict=True), key=lambda pair: -pair[0][2]):
        scale = high / who.height if scene.size in ("close", "eyes") else high * (1 - 0.09 * back)
        pen = stage.pen.at(x, top + high - back * 0.5 - _lift(who, high, scene.size), scale, facing)
        pen = replace(pen, weight=_weight(high))
        shadow(pen, who, stage.light)
        figure(pen, who, _pose(scene, luck), stage.light)


def _lift(who: Person, high: float, size: str) -> float:
    """How much the frame goes down to small people: a child is small in a wide shot, not in a near one."""
    closeness = {"medium": 0.7, "two": 0.3, "seated": 0.5}.get(size, 0.0)
    return (1 - who.height) * high * closeness


def _weight(high: float) -> float:
    return float(np.clip(0.45 + high / 16, 0.6, 1.35))


def _pose(scene: Scene, luck: random.Random) -> str:
    if scene.pose == "walk":
        return "walk"
    return luck.choice(POSES[:4] if len(scene.people) == 1 else POSES[:3])


def _spots(count: int, size: str, luck: random.Random) -> list[tuple[float, int, float]]:
    """(x, facing, how far back) of each figure."""
    if size == "seated":
        return [(x, 1 if x < 8 else -1, 0.0) for x in (11.8, 4.2, 8.0, 8.0)[:count]]
    if count == 1:
        side = luck.choice((-1, 1))
        off = {"close": 1.1, "eyes": 0.4}.get(size, 1.8) + luck.uniform(-0.4, 0.4)
        return [(8 + side * off, -side, 0.0)]
    spread = {"wide": 5.4, "open": 6.0, "full": 6.6, "two": 6.0, "medium": 7.4}.get(size, 6.0)
    shift = luck.uniform(-0.6, 0.6)
    xs = [8 + shift + spread * (n / max(1, count - 1) - 0.5) for n in range(count)]
    return [(x, 1 if x < 8 + shift else -1, luck.choice((0.0, 1.0)) if count > 2 else 0.0) for x in xs]


def _over_shoulder(stage: Stage, scene: Scene, luck: random.Random) -> None:
    """The second character over the dark shoulder of the first."""
    high, top, _, _ = _FRAMINGS["over"]
    near, other = (person(text) for text in scene.people[:2])
    side = luck.choice((-1, 1))
    far = stage.pen.at(8 + side * 2.0, top + high - _lift(other, high, "medium"), high, -side)
    figure(replace(far, weight=1.0), other, luck.choice(POSES[:3]), stage.light)
    pen = replace(stage.pen.at(8 - side * 5.0, 1.0 + 25 * near.height, 25, side), weight=1.5)
    back = pen.at(0, 0, near.height)
    dark = stage.tone(times(near.cloth, 0.5))
    shoulders = curve([(-0.22, 0.2), (-0.2, -0.7), (-0.11, -0.8), (-0.035, -0.84), (0.045, -0.84), (0.12, -0.8),
                       (0.2, -0.7), (0.22, 0.2)])  # fmt: skip
    back.shape(shoulders, dark)
    back.hatch(shoulders, 1.0)
    hair = near.hat_colour if near.hat else near.skin if near.style == "bald" else near.hair
    _back_of_head(back, times(hair, 0.6), near.style in ("long", "bob") and not near.hat)


def _back_of_head(pen: Pen, colour: tuple[float, float, float], long: bool) -> None:
    drop = 0.16 if long else 0.07
    skull = curve([(0.0, -1.01), (0.06, -0.98), (0.075, -0.92), (0.07, -0.92 + drop * 0.7), (0.03, -0.92 + drop),
                   (-0.03, -0.92 + drop), (-0.07, -0.92 + drop * 0.7), (-0.075, -0.92),
                   (-0.06, -0.98)])  # fmt: skip
    pen.shape(skull, pen.sheet.look.tone(colour))
    pen.hatch(skull, 1.0)


def _in_front(stage: Stage, scene: Scene) -> None:
    """What is nearer than the people: a dashboard, or the table at which they sit."""
    if scene.size == "seated":
        vehicles.dashboard(stage)
    elif scene.pose == "sit" and scene.place in _INSIDE and scene.size in _TABLES:
        interiors.table_edge(stage)


def _insert(stage: Stage, scene: Scene, luck: random.Random) -> None:
    """A thing on a table top, large."""
    wood = stage.local((132, 96, 68), (104, 84, 70), (150, 130, 104))
    top = box(-1, 3.9, 17, 10)
    stage.pen.wash(top, stage.tone(times(wood, 0.75)), stage.tone(times(wood, 1.1)))
    for n in range(7):
        y = 4.2 + 0.75 * n
        stage.pen.line(
            [(-1, y), (5, y + luck.uniform(-0.1, 0.1)), (11, y + luck.uniform(-0.1, 0.1)), (17, y)], 1.5
        )
    stage.pen.glow(8 + 3 * stage.light, 3.6, 7.0, stage.look.light, 0.35)
    pen = stage.pen.at(8 + luck.uniform(-1.2, 1.2), 4.5, 1.65, luck.choice((-1, 1)))
    thing(replace(stage, pen=replace(pen, weight=1.2), luck=luck), scene.thing)


_SUBJECTS: dict[str, Callable[[Stage, Scene, random.Random], None]] = {"detail": _insert, "over": _over_shoulder}


def _weathered(picture: Image.Image, scene: Scene, sheet: Sheet, luck: random.Random) -> Image.Image:
    """Rain or snow in front of everything, outdoors."""
    if scene.place in _INSIDE or scene.weather not in ("rain", "snow"):
        return picture
    mask = Image.new("L", NATIVE)
    draw = ImageDraw.Draw(mask)
    for _ in range(420 if scene.weather == "rain" else 360):
        x, y, size = luck.uniform(-100, NATIVE[0]), luck.uniform(-60, NATIVE[1]), luck.uniform(0.3, 1.0)
        if scene.weather == "rain":
            draw.line((x, y, x + 16 * size, y + 74 * size), fill=int(120 * size), width=1 + int(size * 1.6))
        else:
            r = 5.5 * size**2 + 1
            draw.ellipse((x - r, y - r, x + r, y + r), fill=int(225 * size))
    white = sheet.look.graded(mix((236, 240, 244), sheet.look.haze, 0.25))
    picture.paste(rgb(white), (0, 0), mask)
    return picture


def _on_paper(picture: Image.Image, texture: float, light: int) -> Image.Image:
    """The drawing on its paper, printed a little harder: washes that pool, grain, a fall of light, a vignette."""
    return ImageChops.multiply(picture.point(_PRINT * 3), _paper(texture, light))


_PRINT = [round(v - 13 * math.sin(2 * math.pi * v / 255)) for v in range(256)]


@lru_cache(maxsize=4)
def _paper(texture: float, side: int) -> Image.Image:
    random = np.random.Generator(np.random.PCG64(7))
    wash = sum(_cloudy(random, n) * weight for n, weight in ((9, 0.5), (30, 0.3), (110, 0.2)))
    grain = random.normal(0, 1, (NATIVE[1] // 2, NATIVE[0] // 2)).astype(np.float32)
    rough = np.asarray(Image.fromarray(grain).resize(NATIVE, Image.Resampling.BICUBIC))
    y, x = np.linspace(-1, 1, NATIVE[1])[:, None], np.linspace(-1, 1, NATIVE[0])
    edge = np.clip(np.hypot(x * 0.85, y * 0.85) - 0.6, 0, None) ** 2 * 70
    edge = edge + 15 * (1 - x * side)
    light = 255 - texture * (7 * np.abs(wash) + 1.8 * np.abs(rough)) - edge
    return Image.fromarray(np.clip(np.rint(light), 0, 255).astype(np.uint8)).convert("RGB")


def _cloudy(random: np.random.Generator, knots: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    small = random.normal(0, 1, (max(4, knots * 9 // 16), knots)).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize(NATIVE, Image.Resampling.BICUBIC))

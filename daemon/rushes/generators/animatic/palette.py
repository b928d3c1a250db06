"""Colours: those that words name, and the look that a style and a time of day give a panel."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass, replace

from rushes.generators.animatic.lexicon import Lexicon, chance, plain

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 255."""

COLOURS: dict[str, Colour] = {
    "red": (188, 42, 40), "crimson": (158, 26, 48), "scarlet": (212, 44, 34), "maroon": (104, 30, 36),
    "orange": (222, 122, 44), "amber": (226, 158, 56), "rust": (160, 76, 40), "yellow": (232, 196, 70),
    "gold": (206, 164, 74), "mustard": (198, 156, 54), "green": (74, 126, 76), "olive": (112, 112, 62),
    "emerald": (34, 120, 88), "teal": (36, 124, 128), "turquoise": (66, 168, 168), "cyan": (84, 182, 204),
    "blue": (54, 92, 158), "navy": (36, 46, 86), "indigo": (62, 54, 124), "purple": (108, 62, 132),
    "violet": (128, 84, 168), "lilac": (176, 152, 204), "magenta": (186, 52, 128), "pink": (222, 142, 158),
    "brown": (112, 76, 52), "tan": (184, 146, 104), "beige": (212, 192, 160), "cream": (236, 224, 196),
    "black": (40, 40, 46), "white": (234, 232, 224), "grey": (138, 140, 144), "gray": (138, 140, 144),
    "silver": (190, 194, 200), "blond": (216, 182, 112), "blonde": (216, 182, 112), "auburn": (128, 62, 40),
    "ginger": (190, 94, 44), "brunette": (82, 54, 40), "khaki": (158, 146, 104), "copper": (176, 100, 62),
}  # fmt: skip

_HUES = Lexicon({name: name for name in COLOURS})
_LIT = re.compile(
    rf"\b({'|'.join(COLOURS)}) (?:light|glow|neon|sky|haze|fog|mist|tone|tones|palette|hue|hues|grade|sun|moon|"
    r"lamp|shadow|shadows|wash|filter|window|windows|dawn|dusk)\b"
)
_MOODS = Lexicon(
    {
        "noir": "noir,black and white,monochrome,high contrast,expressionist,chiaroscuro",
        "sepia": "sepia,vintage,daguerreotype,old photograph",
        "cold": "cold,cool,bleak,icy,winter,clinical,melancholy,melancholic,nordic",
        "warm": "warm,cosy,cozy,nostalgic,golden,autumn,romantic,candlelit,sunlit",
        "neon": "neon,cyberpunk,synthwave,saturated,vivid,pop",
        "pastel": "pastel,soft,dreamy,fairytale,delicate,anime,airy",
        "watercolour": "watercolour,watercolor,gouache,aquarelle,painted,painterly",
        "pencil": "pencil,charcoal,sketch,graphite,etching,woodcut,ink,engraving",
        "muted": "muted,desaturated,gritty,documentary,grim,dystopian",
    }
)
_TIMES: dict[str, tuple[Colour, Colour, Colour, Colour, float]] = {
    # sky above, sky at the horizon, haze, light, how bright things are
    "day": ((112, 172, 214), (238, 238, 216), (210, 222, 220), (255, 244, 214), 1.06),
    "dawn": ((108, 148, 198), (255, 210, 170), (232, 200, 182), (255, 206, 150), 0.92),
    "dusk": ((58, 64, 122), (250, 148, 92), (182, 116, 120), (255, 170, 88), 0.8),
    "night": ((12, 20, 48), (58, 80, 122), (48, 66, 104), (255, 206, 128), 0.6),
}


def mix(a: Colour, b: Colour, amount: float) -> Colour:
    """`a` at 0, `b` at 1."""
    return (a[0] + (b[0] - a[0]) * amount, a[1] + (b[1] - a[1]) * amount, a[2] + (b[2] - a[2]) * amount)


def times(a: Colour, factor: float) -> Colour:
    """`a` made brighter or darker."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def luma(a: Colour) -> float:
    return 0.2126 * a[0] + 0.7152 * a[1] + 0.0722 * a[2]


@dataclass(frozen=True)
class Look:
    """How a panel is coloured: its light; the grade from `shadows` over `middle` to `highlights`; its hand."""

    sky: tuple[Colour, Colour]
    haze: Colour
    light: Colour
    bright: float
    shadows: Colour = (30, 32, 44)
    middle: Colour | None = None
    highlights: Colour = (250, 244, 228)
    grade: float = 0.15
    saturation: float = 0.9
    contrast: float = 1.0
    line: float = 1.0
    hatch: float = 1.0
    texture: float = 1.0
    rim: float = 0.3

    @property
    def ink(self) -> Colour:
        """Outlines: nearly black, leaning to the shadows' colour."""
        return times(mix((26, 24, 28), self.shadows, 0.35), 0.75)

    def graded(self, colour: Colour) -> Colour:
        """`colour` through the style's grade, whatever light is on it."""
        grey = luma(colour)
        flat = mix((grey, grey, grey), colour, self.saturation)
        made = mix(flat, self._toned(min(1.0, grey / 235)), self.grade)
        r, g, b = ((c - 118) * self.contrast + 118 for c in made)
        return (min(255.0, max(0.0, r)), min(255.0, max(0.0, g)), min(255.0, max(0.0, b)))

    def for_people(self) -> Look:
        """The same look with little of its grade and some light: a red coat is red in every film, at any hour."""
        return replace(
            self, grade=self.grade * 0.3, bright=max(self.bright, 0.85), saturation=max(self.saturation, 0.85)
        )

    def _toned(self, level: float) -> Colour:
        if self.middle is None:
            return mix(self.shadows, self.highlights, level)
        if level < 0.45:
            return mix(self.shadows, self.middle, level / 0.45)
        return mix(self.middle, self.highlights, (level - 0.45) / 0.55)

    def tone(self, colour: Colour, depth: float = 0.0) -> Colour:
        """`colour` in this light at `depth`: 0 is near, 1 is lost in the haze."""
        lit = mix(times(colour, self.bright), self.haze, (1 - self.bright) * 0.22)
        return self.graded(mix(lit, self.haze, depth))


def look(style: str, words: str, time: str, weather: str) -> Look:
    """The look of a style's description, of the mood in a shot's own `words`, and of the time of day."""
    above, below, haze, light, bright = _TIMES[time]
    if weather != "clear":
        grey = mix((150, 158, 164), (24, 30, 44), 1 - bright)
        thick = 0.35 if weather == "fog" else 0.55
        above, below, haze = (mix(c, grey, thick) for c in (above, below, haze))
    made: dict[str, object] = {"sky": (above, below), "haze": haze, "light": light, "bright": bright}
    text = plain(style)
    moods = _MOODS.all(f"{text} {words}")[:3]
    for mood in moods[::-1]:
        made |= _MOOD_LOOKS[mood]
    made |= _hued(text, words, any_hue=bool(text) and not moods)
    return Look(**made)  # type: ignore[arg-type]


_MOOD_LOOKS: dict[str, dict[str, object]] = {
    "noir": {
        "shadows": (8, 9, 14),
        "highlights": (250, 250, 246),
        "grade": 0.86,
        "saturation": 0.3,
        "contrast": 1.35,
        "hatch": 1.6,
        "light": (255, 252, 240),
        "rim": 0.8,
        "texture": 0.8,
    },
    "sepia": {"shadows": (48, 30, 18), "highlights": (246, 228, 192), "grade": 0.82},
    "cold": {"shadows": (22, 38, 70), "highlights": (222, 236, 246), "grade": 0.42},
    "warm": {"shadows": (70, 32, 28), "highlights": (255, 232, 190), "grade": 0.4},
    "neon": {"shadows": (40, 14, 76), "saturation": 1.35, "contrast": 1.12, "light": (255, 92, 190)},
    "pastel": {"highlights": (255, 246, 238), "saturation": 0.75, "contrast": 0.82, "line": 0.75, "hatch": 0.4},
    "watercolour": {"texture": 2.4, "line": 0.7, "hatch": 0.25, "highlights": (255, 250, 240)},
    "pencil": {"saturation": 0.25, "hatch": 2.0, "texture": 1.6, "line": 1.1},
    "muted": {"saturation": 0.5, "grade": 0.3},
}


def _hued(style: str, words: str, *, any_hue: bool) -> dict[str, object]:
    """The duotone of the colours that are named: shadows of the first, highlights of the second."""
    named = [COLOURS[name] for name in _HUES.all(style) + [m[1] for m in _LIT.finditer(words)]]
    if not named and not any_hue:
        return {}
    if not named:
        hue = chance("style", style).random()
        named = [_hsv(hue, 0.55, 0.5), _hsv((hue + 0.45) % 1, 0.4, 0.9)]
    other = named[1] if len(named) > 1 else mix(named[0], (255, 244, 226), 0.75)
    warm = mix(other, (255, 240, 214), 0.3)
    dark, middle = times(named[0], 0.36), mix(named[0], (128, 128, 128), 0.2)
    bright = times(warm, 250 / max(warm))
    return {"shadows": dark, "middle": middle, "highlights": bright, "grade": 0.4, "light": bright}


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return (r * 255, g * 255, b * 255)

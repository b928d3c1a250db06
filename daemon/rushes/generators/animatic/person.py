"""What a description says about a person's looks. What it leaves open comes from a hash of it, and stays."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from rushes.generators.animatic.lexicon import Lexicon, chance
from rushes.generators.animatic.palette import COLOURS, Colour, mix, times

_COLOUR = "|".join(COLOURS)
_OTHER = rf"(?!(?:{_COLOUR}|\w*coat|jacket|dress|suit|shirt|hat|scarf|and|with)\b)\w+"
_HAIR = re.compile(
    rf"\b({_COLOUR})(?: {_OTHER}){{0,2}} (?:hair|haired|curls|braid|braids|bun|bob|ponytail|beard)\b"
)
_HAIR_AFTER = re.compile(rf"\bhair (?:\w+ ){{0,2}}?({_COLOUR})\b")
_NATURAL = re.compile(r"\b(blonde?|brunette|auburn|ginger|redhead)\b")
_TOP = re.compile(
    rf"\b({_COLOUR})(?: {_OTHER})? (?:\w*coat|jacket|dress|gown|cloak|cape|robe|suit|uniform|shirt|sweater|jumper|"
    r"hoodie|parka|cardigan|tunic|kimono|vest|blouse|armou?r|overall|apron|poncho|leather)s?\b"
)
_SCARF = re.compile(rf"\b({_COLOUR})?(?: \w+)? ?\b(?:scarf|shawl|bandana|tie)\b")
_HAT = re.compile(rf"\b(?:({_COLOUR}) (?:\w+ )?)?(?:hat|cap|fedora|beret|beanie|helmet|bonnet|turban)\b")
_BOTTOM = re.compile(rf"\b({_COLOUR})(?: \w+)? (?:trousers|pants|jeans|skirt|shorts|leggings)\b")

_TRAITS = Lexicon(
    {
        "woman": "woman,women,lady,mother,grandmother,queen,actress,nurse,waitress,wife,sister,widow,heroine,"
        "witch,she,her,girl,daughter,dress,gown,skirt",
        "man": "man,men,guy,father,grandfather,king,actor,waiter,husband,brother,fisherman,hero,gentleman,he,"
        "his,him,boy,son,policeman,monk,priest,cowboy,beard,bearded,moustache",
        "child": "child,children,kid,toddler,girl,boy,little,daughter,son",
        "old": "old,elderly,aged,grandmother,grandfather,wrinkled,ancient,retired",
        "tall": "tall,lanky,towering,giant",
        "short": "short woman,short man,small,petite,tiny,stocky",
        "heavy": "heavy,fat,stout,burly,broad,stocky,bulky,large",
        "long": "long hair,long haired,braid,flowing hair,long dark hair,long black hair,long blonde hair",
        "cropped": "short hair,short haired,cropped,crew cut,buzz cut,bob,short grey hair,short dark hair",
        "bun": "bun,updo,chignon",
        "curly": "curly,curls,afro,frizzy,wavy",
        "bald": "bald,shaved head,hairless",
        "tail": "ponytail,pigtail",
        "beard": "beard,bearded,moustache,mustache,stubble",
        "glasses": "glasses,spectacle,goggle,sunglasses",
        "coat": "coat,trenchcoat,raincoat,overcoat,parka,cloak,robe,cape,cassock",
        "dress": "dress,gown,skirt,kimono",
        "suit": "suit,tuxedo,uniform,blazer,tie,jacket",
        "shirt": "shirt,sweater,jumper,hoodie,cardigan,blouse,vest,tunic,t shirt",
        "hood": "hood,hoodie,hooded,cowl",
        "brim": "fedora,hat,sombrero",
        "cap": "cap,beret,beanie,helmet,bonnet,turban",
        "scarf": "scarf,shawl,bandana",
        "dark": "dark skin,dark skinned,black man,black woman,brown skin,african,black girl,black boy,ebony",
        "pale": "pale,fair skin,freckled,freckle,porcelain",
    }
)
_SKINS: tuple[Colour, ...] = ((240, 206, 178), (226, 184, 150), (206, 158, 122), (172, 122, 88), (122, 82, 60))
_HAIRS: tuple[Colour, ...] = (
    (46, 36, 34),
    (74, 50, 38),
    (112, 74, 46),
    (150, 104, 60),
    (36, 34, 40),
    (168, 128, 84),
)
_CLOTHES: tuple[Colour, ...] = (
    (96, 112, 128), (150, 78, 58), (66, 96, 92), (176, 142, 88), (94, 70, 92), (122, 130, 96), (58, 70, 104),
    (190, 170, 140), (136, 60, 66), (84, 84, 88),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Looks. `height` is 1 for most grown-ups; `style` is the hair's; `top` is coat, dress, suit or shirt."""

    height: float
    girth: float
    head: float
    skin: Colour
    hair: Colour
    style: str
    top: str
    cloth: Colour
    legs: Colour
    scarf: Colour | None
    hat: str
    hat_colour: Colour
    woman: bool
    old: bool
    beard: bool
    glasses: bool


def person(description: str) -> Person:
    """The looks of `description` (plain words)."""
    has, luck = frozenset(_TRAITS.all(description)), chance("person", description)
    woman = "woman" in has if has & {"woman", "man"} else luck.random() < 0.5
    cloth = _named(_TOP, description) or luck.choice(_CLOTHES)
    old, child = "old" in has, "child" in has and "old" not in has
    hat = next((h for h in ("hood", "cap", "brim") if h in has), "")
    return Person(
        height=(0.68 if child else 1.0 - 0.04 * woman - 0.03 * old) * _stature(has),
        girth=1.25 if "heavy" in has else luck.choice((0.94, 1.0, 1.06)),
        head=1.35 if child else 1.0,
        skin=_skin(has, luck),
        hair=_hair(description, luck, old),
        style=_hair_style(has, luck, woman),
        top=_garment(has, luck, woman),
        cloth=cloth,
        legs=_named(_BOTTOM, description) or mix(times(cloth, 0.4), (44, 46, 58), luck.uniform(0.4, 0.9)),
        scarf=(_named(_SCARF, description) or luck.choice(_CLOTHES)) if "scarf" in has else None,
        hat=hat,
        hat_colour=cloth if hat == "hood" else _named(_HAT, description) or times(cloth, 0.55),
        woman=woman,
        old=old,
        beard="beard" in has and not woman,
        glasses="glasses" in has,
    )


def _named(pattern: re.Pattern[str], text: str) -> Colour | None:
    found = pattern.search(text)
    return COLOURS[found[1]] if found and found[1] else None


def _stature(has: frozenset[str]) -> float:
    return 1.09 if "tall" in has else 0.92 if "short" in has else 1.0


def _skin(has: frozenset[str], luck: random.Random) -> Colour:
    if "dark" in has:
        return _SKINS[4]
    return _SKINS[0] if "pale" in has else luck.choice(_SKINS[:4])


def _hair(text: str, luck: random.Random, old: bool) -> Colour:
    natural = _NATURAL.search(text)
    named = _named(_HAIR, text) or _named(_HAIR_AFTER, text)
    if named:
        return COLOURS["ginger"] if named == COLOURS["red"] else named
    if natural:
        return COLOURS.get(natural[1], COLOURS["ginger"])
    chosen = luck.choice(_HAIRS)
    return (190, 188, 184) if old else chosen


def _hair_style(has: frozenset[str], luck: random.Random, woman: bool) -> str:
    for style in ("bald", "bun", "tail", "curly", "cropped", "long"):
        if style in has:
            return style
    return luck.choice(
        ("long", "long", "bun", "bob", "curly") if woman else ("cropped", "cropped", "parted", "curly")
    )


def _garment(has: frozenset[str], luck: random.Random, woman: bool) -> str:
    for top in ("coat", "dress", "suit", "shirt"):
        if top in has:
            return top
    return luck.choice(("coat", "shirt", "dress") if woman else ("coat", "shirt", "suit"))

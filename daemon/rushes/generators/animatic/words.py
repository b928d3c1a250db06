"""What a shot's words ask to see: where, when, who, how close. What they leave open, the seed decides."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rushes.generators.animatic.lexicon import LIMIT, Lexicon, plain
from rushes.generators.base import Fields

MOST_PEOPLE = 4

_VAGUE_PLACES = Lexicon(
    {
        "room": "interior,int,apartment,flat,house,home,hotel,hospital,church,chapel,theatre,theater,school,"
        "warehouse,building,indoors,inside,table,wall",
        "street": "city,town,village,market,court yard,courtyard,plaza,urban",
        "sea": "boat,ship,ferry,island,water",
        "forest": "tree,garden,park",
        "field": "exterior,ext,outdoors,outside,grass,land,landscape",
        "mountains": "hill,snow",
    }
)
_PLACES = Lexicon(
    {
        "room": "room,studio,bedroom,living room,parlour,parlor,cell,attic,basement,workshop,classroom,lobby,hall",
        "study": "office,study,library,archive,bookshop,laboratory,lab,police station,desk",
        "bar": "bar,cafe,restaurant,kitchen,diner,pub,tavern,canteen,counter,shop",
        "corridor": "corridor,hallway,passage,tunnel,subway,metro,underground,sewer,spaceship,stairwell,cave",
        "street": "street,alley,alleyway,road,downtown,square,avenue,pavement,sidewalk,crossing,lane",
        "rooftop": "rooftop,roof,skyline,skyscraper,balcony,terrace",
        "sea": "harbour,harbor,sea,ocean,beach,pier,dock,quay,port,coast,shore,lighthouse,lake,river,jetty,cliff",
        "forest": "forest,wood,woods,jungle,orchard,swamp",
        "mountains": "mountain,peak,valley,alps,glacier,tundra,canyon,ridge,volcano",
        "desert": "desert,dune,sand,wasteland,steppe,savanna,planet,mars",
        "field": "field,meadow,farm,prairie,countryside,pasture,cornfield,moor,graveyard,cemetery",
        "car": "car interior,inside the car,inside a car,in the car,in a car,back seat,driver seat,taxi,cab,"
        "dashboard,windscreen,windshield,steering wheel,driving,drives",
        "train": "train,carriage,compartment,railway car,wagon,bus,tram",
    }
)
_TIMES = Lexicon(
    {
        "night": "night,midnight,moonlight,moonlit,nocturnal,starlight,starry,darkness,dark",
        "dawn": "dawn,sunrise,early morning,daybreak,first light",
        "dusk": "dusk,sunset,evening,twilight,golden hour,sundown,magic hour",
        "day": "day,noon,midday,afternoon,morning,daylight,sunny,bright",
    }
)
_WEATHERS = Lexicon(
    {
        "rain": "rain,raining,rainy,storm,stormy,downpour,drizzle,wet",
        "snow": "snow,snowing,snowy,blizzard,winter",
        "fog": "fog,foggy,mist,misty,haze,hazy,smoke,smoky,steam",
    }
)
_SIZES = Lexicon(
    {
        "detail": "insert,insert shot,macro,detail of,detail shot,insert of",
        "eyes": "extreme close up,extreme closeup,ecu",
        "close": "close up,closeup,close on,close,portrait,cu,tight on,face fills",
        "over": "over the shoulder,over shoulder,over her shoulder,over his shoulder,ots",
        "two": "two shot,twoshot,face to face",
        "medium": "medium,medium shot,mid shot,waist up,ms",
        "full": "full shot,full body,full length,full figure,head to toe",
        "wide": "wide,wide shot,establishing,establishing shot,long shot,panorama,panoramic,aerial,"
        "extreme wide,vista",
    }
)
_THINGS = Lexicon(
    {
        "letter": "letter,envelope,note,paper,document,map,newspaper,contract,ticket,postcard",
        "photo": "photograph,photo,picture,portrait",
        "key": "key",
        "book": "book,diary,journal,notebook",
        "phone": "phone,telephone,smartphone,cellphone,radio,screen",
        "watch": "watch,clock,compass,stopwatch,locket,medallion,coin,ring",
        "cup": "cup,mug,coffee,tea,glass,whisky,whiskey,bowl",
        "candle": "candle,lamp,lantern,match,flame,torch",
        "knife": "knife,blade,dagger,gun,pistol,revolver,weapon,sword",
        "flower": "flower,rose,bouquet,leaf,plant,lily",
    }
)
_PERSONS = Lexicon(
    {
        "woman": "woman,women,lady,mother,grandmother,queen,actress,nurse,waitress,wife,sister,widow,heroine,"
        "witch,she",
        "man": "man,men,guy,father,grandfather,king,actor,waiter,husband,brother,fisherman,hero,gentleman,he,"
        "policeman,monk,priest,cowboy,sailor,soldier,knight,wizard",
        "girl": "girl,daughter,granddaughter",
        "boy": "boy,son,grandson",
        "child": "child,children,kid,toddler",
        "person": "person,figure,stranger,detective,officer,doctor,driver,worker,artist,musician,dancer,"
        "student,teacher,pilot,captain,astronaut,courier,thief,killer,agent,traveller,hiker,couple,character,"
        "people,crowd,guard,scientist,engineer,singer,painter,writer,prisoner,refugee,customer,passenger,"
        "baker,chef,robot,android",
    }
)
_MORE = {
    "two": 2, "couple": 2, "children": 2, "three": 3, "several": 3, "people": 3, "four": 4, "group": 4, "crowd": 4,
}  # fmt: skip
_OVER = re.compile(r"\bover\b(?=.{0,400}?\bshoulder\b)", re.IGNORECASE | re.DOTALL)
_NEW = {"a", "an", "another", *_MORE}
_SITTING = Lexicon(
    {"sit": "sit,sitting,seated,kneel,kneeling,crouch,crouching", "walk": "walk,walking,run,running"}
)


@dataclass(frozen=True)
class Scene:
    """What is to be drawn. `people` are descriptions in plain words; `place_text` seeds the place's looks."""

    place: str
    place_text: str
    time: str
    weather: str
    size: str
    people: tuple[str, ...]
    thing: str
    pose: str


def own_words(fields: Fields) -> str:
    """The prompt without the library descriptions inside it: a red coat is no red light."""
    text = fields.prompt[: 4 * LIMIT]
    parts = {_as_said(p) for p in (fields.style, fields.location, *(c.description for c in fields.cast.values()))}
    for part in sorted(parts - {""}, key=lambda p: (-len(p), p)):
        text = text.replace(part, " . ")
    return plain(text)


def read(fields: Fields) -> Scene:
    """The scene that `fields` describe. Nothing is refused: words that mean nothing here leave a bare stage."""
    words, location = own_words(fields), plain(fields.location)
    cast = _cast(fields)
    people = (cast + _people_in(words, known=bool(cast)))[:MOST_PEOPLE]
    both = f"{location} {words}"
    place = next(
        filter(None, (lex.first(t) for t in (location, words) for lex in (_PLACES, _VAGUE_PLACES))), "stage"
    )
    thing = _THINGS.first(words) or ""
    return Scene(
        place=place,
        place_text=location or words,
        time=_TIMES.first(words) or _TIMES.first(location) or "day",
        weather=_WEATHERS.first(both) or "clear",
        size=_size(words, len(people), thing, place),
        people=people,
        thing=thing,
        pose=_SITTING.first(words) or "stand",
    )


def _as_said(description: str) -> str:
    """A library description as it stands in a composed prompt."""
    return description[: 4 * LIMIT].strip(" .\n")


def _cast(fields: Fields) -> tuple[str, ...]:
    """Descriptions of the characters, in the order in which the prompt has them; names never count.

    Over a shoulder, the one whose shoulder it is comes first: who stands before the word, or first after it.
    """
    prompt = fields.prompt[: 4 * LIMIT]
    over = _OVER.search(prompt)
    turn = (over.start() if over else 0) + 1

    def order(text: str) -> tuple[int, int, str]:
        found = prompt.find(_as_said(text))
        return (0 if found >= turn else 1, found if found >= 0 else len(prompt), text)

    said = [c.description for c in fields.cast.values() if c.kind == "character"]
    return tuple(plain(text) or "person" for text in sorted(said, key=order))


def _people_in(words: str, *, known: bool) -> tuple[str, ...]:
    """People that the text itself brings in. Beside known characters `a man` is one more; `the man` is not."""
    found: dict[str, None] = {}
    hits = _PERSONS.places(words)
    ends = [start for start, _, _ in hits[1:]] + [len(words)]
    for (start, end, kind), until in zip(hits, ends, strict=False):
        before, noun = words[max(0, start - 60) : start].split()[-3:], words[start:end]
        if noun in ("he", "she") or (known and not _NEW & {*before, noun}):
            continue
        text = " ".join([*before, noun, *words[end:until].split()[:9]])
        count = max(_MORE.get(w, 1) for w in [*before, noun])
        found |= dict.fromkeys(f"{kind} {text}" + " again" * n for n in range(count))
        if len(found) >= MOST_PEOPLE:
            break
    return tuple(found)


def _size(words: str, people: int, thing: str, place: str) -> str:
    said = _SIZES.first(words)
    if place == "car" and people and said not in ("close", "eyes", "detail"):
        return "seated"
    if said in ("close", "eyes") and not people:
        return "detail" if thing else "full"
    if said == "detail" and not thing:
        return "eyes" if people else "full"
    if said == "over" and people < 2:
        return "medium"
    if said:
        return said
    return ("wide", "open", "two")[min(people, 2)]

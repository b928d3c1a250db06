"""EDLs and FCP7 XML that do harm; see `hostile_cuts`."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hostile_cuts import NASTY, PLACES, Made

# -- EDL -------------------------------------------------------------------------------------------------------

HEAD = "TITLE: A\n\n"
EVENT = "{0:03d}  AX  V  C  01:00:00:00 01:00:01:00 01:{1:02d}:{2:02d}:00 01:{1:02d}:{3:02d}:00\n"
PLAIN = HEAD + EVENT.format(1, 0, 0, 1)
FAST = PLAIN.replace("01:00:01:00 ", "01:00:09:00 ", 1)


def _events(count: int) -> str:
    return "".join(EVENT.format(n, n // 59 % 60, n % 59, n % 59 + 1) for n in range(count))


def lists(good: bytes) -> Iterator[Made]:
    """What somebody may make of an EDL of ours, and of none."""
    text = good.decode()
    for name, made in {
        "empty": b"",
        "NULs": b"\0" * 10_000,
        "noise": random.Random(1).randbytes(10_000),
        "carriage returns": text.replace("\n", "\r"),
        "CRLF": text.replace("\n", "\r\n"),
        "UTF-16": text.encode("utf-16"),
        "half of UTF-16": text.encode("utf-16")[:-1],
        "a NUL in each word": text.replace("e", "e\0"),
        **_odd_events(),
        **_odd_comments(),
        **_many(),
    }.items():
        yield f".edl {name}", made if isinstance(made, bytes) else made.encode(errors="replace")


def _odd_events() -> dict[str, str]:
    dissolve = "001  AX  V  D  999999999 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
    return {
        "overlapping": HEAD + EVENT.format(1, 0, 0, 1) + EVENT.format(2, 0, 0, 1) + EVENT.format(3, 0, 0, 1),
        "backwards": HEAD + EVENT.format(1, 0, 30, 20),
        "times beyond the day": PLAIN.replace("01:00", "99:99"),
        "times that are none": PLAIN.replace("01:00:00:00", "aa:bb:cc:dd"),
        "enormous frames": PLAIN.replace("01:00:00:00", "9" * 4000),
        "negative frames": PLAIN.replace("01:00:00:00", "-5"),
        "reels that are paths": PLAIN.replace(" AX ", " ../../../etc/passwd "),
        "a reel that moves the cursor": PLAIN.replace(" AX ", " \x1b[2J\u202e "),
        "a dissolve at the head": HEAD + dissolve,
        "a split": HEAD + "SPLIT: AUDIO DELAY= 00:00:00:05\n" * 3,
        "an endless speed": FAST + "M2   AX" + " " * 3000 + "x\n",
        "a speed of digits": FAST + "M2   AX   " + "1" * 3000 + "x\n",
        "a speed that is none": FAST + "M2 AX ..-. 01:00:00:00\n",
        "an enormous speed": FAST + f"M2 AX {'9' * 400} 01:00:00:00\n",
    }


def _odd_comments() -> dict[str, str]:
    return {
        "a name that moves the cursor": PLAIN + f"* FROM CLIP NAME: {NASTY}\n* {NASTY}\n",
        "a name that is an event": PLAIN + "* FROM CLIP NAME: A\u2028" + EVENT.format(2, 0, 1, 2),
        "media elsewhere": PLAIN + "".join(f"* FROM CLIP: {place}\n" for place in PLACES),
        "brackets": PLAIN + "* FROM CLIP: " + ".[1" * 1300 + "\n",
        "a colour of dots": PLAIN + "* ASC_SOP: (" + "1." * 2000 + "\n",
        "a marker that is none": PLAIN + "* LOC: 99:99:99:99 RED x\n",
    }


def _many() -> dict[str, str]:
    return {
        "a comment of 10 MB": PLAIN + "* " + "x " * 5_000_000,
        "10,000 events": HEAD + _events(3000),
        "500,000 events": HEAD + _events(500_000),
        "millions of lines": PLAIN + "*\n" * 4_000_000,
        "millions of blank lines": PLAIN + "\n" * 8_000_000,
        "3,000 tracks": HEAD + "".join(EVENT.format(n, 0, 0, 1).replace(" V ", f" V{n} ") for n in range(3000)),
    }


# -- FCP7 XML --------------------------------------------------------------------------------------------------


def documents(good: bytes) -> Iterator[Made]:
    """What somebody may make of an FCP7 XML of ours, and of none."""
    text = good.decode()
    for name, made in {**_no_sequences(), **_entities(text), **_inside(text)}.items():
        yield f".xml {name}", made if isinstance(made, bytes) else made.encode()
    for number in ("0", "-1", "NaN", "1e400", "1e308", "2147483648", "9" * 30, "9" * 5000, "", "x", "1.5"):
        for tag in ("timebase", "start", "end", "in", "out", "duration", "frame", "value"):
            yield f".xml {tag} is {number[:9]!r}", _valued(text, tag, number)
    for speed in ("0", "-100", "1e308", "NaN", "9999999", "1e-300"):
        yield f".xml a speed of {speed}", _in_clip(text, _remap(speed)).encode()
    for tag in ("start", "end", "in", "rate", "media", "file", "name", "track", "effect"):
        yield (
            f".xml without {tag}",
            text.replace(f"<{tag}", f"<x{tag}").replace(f"</{tag}>", f"</x{tag}>").encode(),
        )
        yield f".xml {tag} twice", text.replace(f"</{tag}>", f"</{tag}><{tag}/>").encode()
    for place in PLACES:
        sound = "".join(c for c in place if c >= " " and c not in "<&")
        yield f".xml media at {place[:30]!a}", _valued(text, "pathurl", sound)


def _no_sequences() -> dict[str, bytes]:
    head = b'<?xml version="1.0"?>\n'
    return {
        "empty": b"",
        "not XML": b"{}",
        "FCPXML": head + b'<!DOCTYPE fcpxml>\n<fcpxml version="1.11"/>',
        "no sequence": b'<xmeml version="5"/>',
        "an empty sequence": b'<xmeml version="5"><sequence/></xmeml>',
        "a sequence without tracks": b'<xmeml version="5"><sequence><media/></sequence></xmeml>',
        "100,000 elements deep": b"<xmeml>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</xmeml>",
    }


def _entities(text: str) -> dict[str, str | bytes]:
    lines = ['<!ENTITY e0 "lol">', *(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))]
    bomb = text.replace("<xmeml", f"<!DOCTYPE x [{''.join(lines)}]><xmeml", 1).replace("<name>", "<name>&e9;", 1)
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xmeml'
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'
    return {
        "a bomb of entities": bomb,
        "a bomb in UTF-16": bomb.encode("utf-16"),
        "a bomb in UTF-16 without a mark": bomb.encode("utf-16-le"),
        "an entity from outside": text.replace("<xmeml", outside, 1).replace("<name>", "<name>&e;"),
        "a DTD from outside": text.replace("<xmeml", '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><xmeml', 1),
        "an include": _in_clip(text, include),
        "another code page": text.replace('version="1.0"', 'version="1.0" encoding="cp037"', 1),
    }


def _inside(text: str) -> dict[str, str]:
    word = "<filter><effect><effectid>timeremap</effectid>{}</effect></filter>"
    itself = "<media><video><track><clipitem><start>0</start><end>5</end>{}</clipitem></track></video></media>"
    attributes = " ".join(f'a{n}=""' for n in range(50_000))
    return {
        "deep in a clip": _in_clip(text, "<a>" * 100_000 + "</a>" * 100_000),
        "300 deep in a clip": _in_clip(text, "<a>" * 300 + "</a>" * 300),
        "sequences in sequences": _in_clip(text, _sequences(20)),
        "sequences 3,000 deep": _in_clip(text, _sequences(3000)),
        "a sequence in itself": _in_clip(
            text, f'<sequence id="s">{itself.format("<sequence id=" + chr(34) + "s" + chr(34) + "/>")}</sequence>'
        ),
        "a name twice": text.replace("<name>", "<name>a</name><name>"),
        "parameters that are words": _in_clip(text, word.format("<parameter>a</parameter>" * 2)),
        "a parameter that is a word": _in_clip(text, word.format("<parameter>a</parameter>")),
        "50,000 attributes": text.replace("<clipitem ", f"<clipitem {attributes} ", 1),
        "50,000 elements": _in_clip(text, "<a/>" * 50_000),
        "names that move the cursor": text.replace("<name>", "<name>&#x202e;&#x9b;31m&#x2028;"),
    }


def _in_clip(text: str, inside: str) -> str:
    return text.replace("</clipitem>", f"{inside}</clipitem>", 1)


_CLIP = "<clipitem><start>0</start><end>5</end><in>0</in><out>5</out>"
_OPENED = f"<media><video><track>{_CLIP}"
_CLOSED = "</clipitem></track></video></media>"
_RATE = "<rate><timebase>24</timebase></rate>"


def _sequences(depth: int) -> str:
    last = f"<sequence>{_RATE}<media><video><track/></video></media></sequence>"
    return f"<sequence>{_RATE}{_OPENED}" * depth + last + f"{_CLOSED}</sequence>" * depth


def doubling(good: bytes, depth: int) -> bytes:
    """An XML in which each sequence shows the next one twice, by its id: 2 to the power of `depth` in all."""
    made = f'<sequence id="s0">{_RATE}<media><video><track/></video></media></sequence>'
    for level in range(1, depth):
        again = f'</clipitem>{_CLIP}<sequence id="s{level - 1}"/>'
        made = f'<sequence id="s{level}">{_RATE}{_OPENED}{made}{again}{_CLOSED}</sequence>'
    return _in_clip(good.decode(), made).encode()


def _valued(text: str, tag: str, value: str) -> bytes:
    parts = text.split(f"<{tag}>")
    return f"<{tag}>".join([parts[0], *(value + part[part.index("</") :] for part in parts[1:])]).encode()


def _remap(speed: str) -> str:
    parameter = f"<parameter><parameterid>speed</parameterid><value>{speed}</value></parameter>"
    return f"<filter><effect><effectid>timeremap</effectid>{parameter}</effect></filter>"

"""Screenplays: what becomes a scene, a shot, a length and a mention, and that no text crashes it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.demo import script_text
from rushes_otio.errors import FileFault, RushesError
from rushes_otio.fountain import Script, ScriptShot, parse_script, read_script
from rushes_otio.mentions import mentioned, replaced
from rushes_otio.timing import Rate

RATE = Rate(24, 1)


def parse(text: str, rate: Rate = RATE) -> Script:
    return parse_script(text, rate)


def shots(script: Script) -> list[ScriptShot]:
    return [shot for scene in script.scenes for shot in scene.shots]


def only(text: str) -> ScriptShot:
    (shot,) = shots(parse(text))
    return shot


def test_a_script_becomes_scenes_shots_and_a_library() -> None:
    script = parse(
        "Title: The *Sea*\nAuthor: Me\n\n"
        "[[style: ink = loose lines]] [[style: ink | model: draft]]\n\n"
        "EXT. Harbour - Night #3#\n\n"
        "[[camera: static | character: Mara = a tall woman in a red coat]]\n\n"
        "Mara looks out to sea.\nOLD TOM's pipe glows. [[camera: push in | 2.5s | seed: 7]]\n\n"
        "MARA (whispers)\n(to herself)\nIt is late.\n\nOLD TOM ^\nIt is.\n\n"
        "[[lovely]]\n\n"
        "They go. [[continue]]\n\nCUT TO:\n\n"
        "INT. MARA'S HOUSE - KITCHEN - CONTINUOUS\n\n# Act two\n\n= They talk.\n\n"
        "> THE END <\n\n===\n\n~ la la\n\n"
        "OLD TOM (V.O.)\nOne two three four five.\n"
    )
    assert script.title == "The Sea"
    assert script.film_intent == {"style": "ink", "model": "draft"}
    assert {name: entry.description for name, entry in script.characters.items()} == {
        "mara": "a tall woman in a red coat",
        "old_tom": "Old Tom",
    }
    assert {name: entry.description for name, entry in script.locations.items()} == {
        "harbour": "Harbour",
        "maras_house_kitchen": "mara's house, kitchen",
    }
    first, second = script.scenes
    assert (first.name, first.intent) == (
        "EXT. Harbour - Night",
        {"location": "harbour", "prompt": "night, exterior", "camera": "static"},
    )
    assert second.intent == {"location": "maras_house_kitchen", "prompt": "night, interior"}
    assert first.shots == (
        ScriptShot(
            "@mara looks out to sea. @old_tom's pipe glows.",
            60,
            {"camera": "push in", "seed": "7", "action": "@mara and @old_tom speak"},
            note="lovely",
        ),
        ScriptShot("They go.", 36, {}, continues=True),
    )
    assert second.shots == (ScriptShot("An establishing view.", 48, {}),)
    assert [w for w in script.warnings if "line" in w] == []
    assert "old_tom" in script.warnings[-1]


@pytest.mark.parametrize(
    ("text", "rate", "frames"),
    [
        ("Go.", "24", 36),  # never under 1.5 s
        (" ".join(["word"] * 12), "24", 96),  # three words a second
        (" ".join(["word"] * 10), "24000/1001", 80),
        (" ".join(["word"] * 300), "24", 192),  # never over 8 s
        ("Go.\n\nMARA\n" + " ".join(["word"] * 25), "24", 36 + 240),  # speech: 2.5 words a second
        ("Go. [[2.5s]]\n\nMARA\nHello there, you.", "24", 60),  # a note decides alone
        ("Go. [[48f | 0.01 s]]", "24", 48),
        ("Go. [[ 3 seconds ]]", "30000/1001", 90),
    ],
)
def test_how_long_a_shot_lasts(text: str, rate: str, frames: int) -> None:
    assert shots(parse(text, Rate.parse(rate)))[0].frames == frames


CAST = "\n\n".join(
    f"[[character: {n} = x]]" for n in ("Mara", "Old Tom", "Tom", "Will", "Dr. No", "O'Neil", "Мара")
)


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("MARA and mara and Mara’s dog", "@mara and @mara and @mara’s dog"),
        ("Marathon, Mara-like, Anna-Mara, mara_x", "Marathon, Mara-like, Anna-Mara, mara_x"),
        ("old  tom meets Tom", "@old_tom meets @tom"),
        ("Old, Tom", "Old, @tom"),
        ("DR. NO's cat, O'Neil's hat, O'NEIL'll go", "@dr_no's cat, @oneil's hat, @oneil'll go"),
        ("Will she? She will.", "@will she? She will."),
        ("@Mara, @old_tom, (@tom) @mara's", "@mara, @old_tom, (@tom) @mara's"),
        ("mara@sea.org, me @ home, @mar, @@mara", "mara@@sea.org, me @@ home, @@mar, @@mara"),
        ("_Mara_ **runs** to *old tom*, a_b_c", "@mara runs to @old_tom, a_b_c"),
        ("Мара ушла", "@мара ушла"),
        ("@@@mara @@@@mara x@@@mara", "@@@@mara @@@@mara x@@@@mara"),
    ],
)
def test_names_become_mentions_and_nothing_else_does(text: str, linked: str) -> None:
    assert only(f"{CAST}\n\n.X\n\n{text}").prompt == linked
    assert only(f"{CAST}\n\n.X\n\n{linked}").prompt == linked


def test_sounds_and_loose_at_signs_are_no_characters() -> None:
    script = parse(
        "INT. HALL\nBANG!\nThe door flies open.\n\n"
        "@mara looks up\nand smiles.\n\n@McGee\nHey.\n\nA CRASH is heard."
    )
    assert list(script.characters) == ["mcgee"]
    assert [shot.prompt for shot in shots(script)] == [
        "BANG! The door flies open.",
        "@@mara looks up and smiles.",
        "A CRASH is heard.",
    ]
    assert script.scenes[0].name == "INT. HALL"


def test_one_name_for_a_person_and_a_place_is_kept_apart() -> None:
    script = parse("INT. ROSE - DAY\n\nRose sits. [[style: rose]]\n\nROSE\nHi.")
    assert (list(script.characters), list(script.locations), list(script.styles)) == (
        ["rose"],
        ["rose_location"],
        ["rose_style"],
    )
    assert script.scenes[0].intent["location"] == "rose_location"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("Go.\n\nGo on. [[cammera: pan]]", "line 3: a note cannot set 'cammera'; did you mean camera?"),
        ("Go. [[camera: pan\nright [[3s]]", "line 1: a note opened with [[ is never closed"),
        ("Go. [[seed: abc]]", "line 1: seed is 'abc' and was left out"),
        ("Go. [[fit: squeeze]]", "expected one of fill, fit"),
        ("Go. [[0s]]", "line 1: a shot cannot last 0s"),
        ("Go. [[camera:]]", "line 1: a note sets 'camera' to nothing"),
        ("Go. [[continue]]", "line 1: the first shot has no shot before it"),
        ("[[character: Mara = x]]\r\n\r\nGo, @marra.", "line 3: nobody is called @marra; did you mean @mara?"),
        ("[[style: noir = x | style: noirr]]\n\nGo.", "the style noirr is not described; did you mean noir?"),
        ("/* a\n\nb */\n\n[[seed: 4]]\n\nGo.", "line 5: seed cannot be set on a film"),
        ("INT. A\n\nINT. B\n\nGo.", "line 1: nothing is seen in 'INT. A'"),
        ("Go.\n\n/* cut\n\nCome.", "line 3: a cut opened with /*"),
        ("[[style: a = b | style: a = c]]\n\nGo.", "line 1: a is described twice"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_line(text: str, warning: str) -> None:
    assert any(warning in said for said in parse(text).warnings), parse(text).warnings


def test_a_file_in_any_old_encoding_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.fountain"
    path.write_bytes("\ufeffTitle: Meer\r\n\r\nINT. CAFÉ - DAY\r\n\r\nZoë waits.\r\n".encode())
    script = read_script(path, RATE)
    assert (script.title, list(script.locations), script.warnings) == ("Meer", ["cafe"], ())
    path.write_bytes("Go.\n\nZoë waits.".encode("cp1252"))
    script = read_script(path, RATE)
    assert shots(script)[1].prompt == "Zoë waits."
    assert script.warnings[0].startswith("line 3: not UTF-8")


@pytest.mark.parametrize(
    ("data", "text", "line"),
    [
        (b"", "no scene heading", "line 1"),
        (b"Title: X\n\n[[model: draft]]\n", "no scene heading", "line 1"),
        (b"Go.\x00", "not a text file", "line 1"),
        (b"<?xml version='1.0'?>", "Final Draft", "line 1"),
        (b"Go.\n\n" + b"word " * 2_000, "a paragraph has", "line 3"),
        (b"a\n\n" * 50_001, "paragraphs", "line 100001"),
        (b"a" * 5_000_001, "bytes", ""),
    ],
)
def test_what_is_no_script_is_refused_with_a_remedy(tmp_path: Path, data: bytes, text: str, line: str) -> None:
    path = tmp_path / "a.fountain"
    path.write_bytes(data)
    with pytest.raises(FileFault, match=text) as fault:
        read_script(path, RATE)
    assert str(path) in fault.value.where
    assert line in fault.value.where
    assert fault.value.remedy


@pytest.mark.parametrize("path", [Path("nowhere.fountain"), Path()])
def test_a_missing_file_is_refused(tmp_path: Path, path: Path) -> None:
    with pytest.raises(FileFault, match="no such script"):
        read_script(tmp_path / path, RATE)


FRAGMENTS = st.sampled_from(
    "INT. |EXT. HARBOUR - NIGHT|.FORCED|MARA|mara|Mara's|OLD TOM|Old Tom|@|@@|@mara|@McGee|a@b.c|BANG!|(V.O.)|^|!"
    "|[[|]]|[[3s]]|[[camera: pan]]|[[continue]]|[[style: ink]]|[[location: a = b]]|[[character: Tom = x]]|[[x:|="
    "|/*|*/|*|**|_|\\*|~|#|# Act|= syn|===|> CUT TO:|> c <|CUT TO:|Title: T|  |\t|\r\n|\n|\n\n|\n\n"
    "|\ue700|\ue701|\ue708"
    "|\ufeff|\u2028|\ud800|…|é|Мара|word|walks slowly.|1|-|'s|’|İ|ß|ǅ".split("|")
)
TEXTS = st.text() | st.lists(FRAGMENTS, max_size=40).map("".join) | st.lists(FRAGMENTS, max_size=40).map(" ".join)


@settings(max_examples=600, deadline=None, database=None)
@given(TEXTS, st.sampled_from(["24", "24000/1001", "60"]))
def test_any_text_is_a_script_or_a_plain_error(text: str, rate: str) -> None:
    try:
        script = parse_script(text, Rate.parse(rate))
    except RushesError as error:
        assert error.remedy
        return
    library = [*script.characters, *script.locations, *script.styles]
    assert len(library) == len(set(library))
    assert all(re.fullmatch(r"\w{1,80}", name) and name == name.casefold() for name in library)
    assert script.scenes
    levels: list[Mapping[str, object]] = [script.film_intent]
    levels += [*(s.intent for s in script.scenes), *(s.intent for s in shots(script))]
    for level in levels:
        assert level.get("location", "") in {"", *script.locations}
        assert level.get("style", "") in {"", *script.styles}
        for text in (str(level.get(key, "")) for key in ("prompt", "action", "negative")):
            assert_mentions(text, library)
    for shot in shots(script):
        assert shot.frames >= 1
        assert shot.prompt.strip()
        assert_mentions(shot.prompt, library)
    str(script).encode()


def assert_mentions(text: str, library: list[str]) -> None:
    """Every mention is in the library, and no at sign is left over that is neither mention nor doubled."""
    assert set(mentioned(text)) <= set(library)
    assert "@" not in replaced(text.replace("@@", ""), lambda _: "")


@pytest.mark.parametrize(
    "piece",
    [
        "Mara walks to the sea, slowly. [[camera: pan left | 3s]]\n\nMARA\nOh my.\n\n",
        "INT. X - DAY\n\nTom.\n\nTOM {}\nHi.\n\n",
    ],
)
def test_ten_thousand_paragraphs_take_seconds(piece: str) -> None:
    began = time.perf_counter()
    script = parse("".join(piece.format(n) for n in range(5_000)))
    assert time.perf_counter() - began < 20
    assert len(shots(script)) == 5_000


@pytest.mark.parametrize(
    "piece",
    ["[[", "/*", "*/", "**a ", "_" * 40 + " ", "*a ", "a.", "@", "a@", "x" * 50 + " ", "(", "A" + " " * 90],
)
def test_no_text_takes_for_ever(piece: str) -> None:
    paragraph = piece * (4_900 // len(piece)) + "\n\n"
    began = time.perf_counter()
    parse("Go.\n\n" + paragraph * 40)
    assert time.perf_counter() - began < 20


def test_the_demo_is_three_scenes_and_half_a_minute() -> None:
    script = parse(script_text())
    made = shots(script)
    assert (script.title, script.film_intent, script.warnings) == ("The Last Lamp", {"style": "ink"}, ())
    assert (len(script.scenes), len(made)) == (3, 12)
    assert 30 * 24 <= sum(shot.frames for shot in made) <= 35 * 24
    assert [shot.continues for shot in made].count(True) == 1
    assert {shot.intent["camera"] for shot in made} == {
        "push in", "pan left", "static", "handheld", "tilt up", "pan right", "pull out",
    }  # fmt: skip
    assert set(script.characters) == {"ida", "old_tom"}


def test_the_example_of_the_manual_is_true() -> None:
    page = (Path(__file__).parent.parent / "docs" / "fountain.md").read_text(encoding="utf-8")
    script = parse(page.partition("```fountain\n")[2].partition("```")[0])
    rows = [f"| {shot.prompt} | {shot.frames} | " for shot in shots(script)]
    assert all(row in page for row in rows), rows
    assert [scene.intent for scene in script.scenes] == [
        {"location": "harbour", "prompt": "night, exterior", "model": "draft"},
        {"location": "boat_shed", "prompt": "night, interior"},
    ]
    assert [shot.continues for shot in shots(script)] == [False, False, True, False]
    assert [shot.note for shot in shots(script)][-1] == "is this too dark?"
    (warning,) = script.warnings
    assert "old_tom" in warning

"""The shot list: what it says of a cut, that it comes back as it went, and that nothing half-right is set."""

from __future__ import annotations

import csv
import io
import json
from operator import add
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from films import PLAIN, Json, edited, film_of, footage, items, take, time, time_range, warp
from rendering import Shoot, shoot
from rushes.cli.main import app
from rushes.engine.plan import plan
from rushes.engine.prompts import set_prompts
from rushes.engine.studio import Studio
from rushes.engine.table import MAX_BYTES, MAX_ROWS, read_table
from rushes.engine.undoing import undo
from rushes.export.shotlist import COLUMNS, shot_list
from rushes_otio.cells import EDITABLE, EXPORTED, guarded, own_cells, unguarded
from rushes_otio.errors import BadRequest
from rushes_otio.film import Film
from rushes_otio.ids import new_id
from rushes_otio.setting import Level

Rows = list[dict[str, str]]

STARTS = ["", "=", "+", "-", "@", "'", "''", "'=", "''@", "\t", "\r", "\n", '"', ",", ";", "\ufeff", " "]
TEXTS = st.builds(
    add, st.sampled_from(STARTS), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


def listed(film: Film) -> str:
    return shot_list(film, plan(film, PLAIN))


def rows_of(film: Film) -> Rows:
    return list(csv.DictReader(io.StringIO(listed(film), newline="")))


def said(rows: Rows, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def written(path: Path, rows: Rows, encoding: str = "utf-8-sig", delimiter: str = ",") -> Path:
    """The rows as a spreadsheet saves them."""
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.DictWriter(file, rows[0], delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)
    return path


def used_again(clip: Json) -> Json:
    again: Json = json.loads(json.dumps(clip))
    again["metadata"]["rushes"]["use"] = new_id()
    return again


def twice(film: Shoot) -> Shoot:
    """The film with its first shot used once more, at the end."""
    film.path.write_bytes(edited(film.film, lambda doc: items(doc).append(used_again(items(doc)[0]))).encode())
    return film


def own(film: Shoot, shot: str) -> dict[str, str]:
    """What a shot sets, without what it does not."""
    return {name: text for name, text in own_cells(film.block(shot), "").items() if text}


def test_the_list_says_what_stands_in_the_cut() -> None:
    library = {"characters": {"mara": {"description": "a woman"}}, "styles": {"ink": {"description": "ink"}}}
    film = film_of({"prompt": "@mara waits\nand waits", "seed": "7"}, {"style": "ink"}, **library)
    first, second = film.shots
    take(film, plan(film, PLAIN).shots[second])
    film.patch_shot(first, locked=True, note="=check")

    def cut(doc: Json) -> None:
        fast = used_again(items(doc)[0])
        fast.update(effects=[warp("LinearTimeWarp.1", 2.0)], source_range=time_range(86_400 + 10, 5))
        items(doc).extend([footage("+A001.mov"), fast])
        doc["global_start_time"] = time(86_400)

    rows = rows_of(edited(film, cut))
    assert tuple(rows[0]) == COLUMNS
    assert said(rows, "Shot", "Shot ID") == [
        ("SC010_SH010", first),
        ("SC010_SH020", second),
        ("'+A001.mov", ""),
        ("SC010_SH010", first),
    ]
    assert said(rows, "Record In", "Record Out", "Frames") == [
        ("01:00:00:00", "01:00:02:00", "48"),
        ("01:00:02:00", "01:00:04:00", "48"),
        ("01:00:04:00", "01:00:06:00", "48"),
        ("01:00:06:00", "01:00:06:05", "5"),
    ]
    assert said(rows, "Source In", "Source Out") == [
        ("01:00:00:00", "01:00:02:00"),
        ("01:00:00:00", "01:00:02:00"),
        ("00:00:41:16", "00:00:43:16"),
        ("01:00:00:10", "01:00:00:19"),  # frames 10, 12, 14, 16, 18
    ]
    states = [("missing", ""), ("fresh", "t001"), ("external", ""), ("missing", "")]
    assert said(rows, "State", "Take") == states
    sets = {"Prompt": "'@mara waits\nand waits", "Seed": "7", "Note": "'=check", "Locked": "yes", "Style": ""}
    assert sets.items() <= rows[0].items()
    assert sets.items() <= rows[3].items()
    assert said(rows, "Style", "Scene", "Track")[1] == ("ink", "SC010", "V1")


@given(TEXTS)
@example("12e45678")
@example("9" * 19)
def test_any_text_survives_its_cell(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    assert cell[:1] not in set("=+-@\t\r\n")


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(EDITABLE.values(), st.just("") | TEXTS)), max_size=3))
def test_what_went_out_comes_back_and_changes_nothing(folder: Path, shots: list[dict[str, str]]) -> None:
    """Whatever the texts, and whether they could be set at all."""
    film = film_of(*({name: text for name, text in shot.items() if name != "note" and text} for shot in shots))
    for shot_id, shot in zip(film.shots, shots, strict=True):
        film.patch_shot(shot_id, note=shot["note"])
    path, table = folder / "film.otio", folder / "shots.csv"
    path.write_bytes(film.encode())
    table.write_bytes(listed(film).encode("utf-8-sig"))
    assert [(row.cells, row.as_exported) for row in read_table(table)] == [(shot, True) for shot in shots]
    table.write_bytes(listed(film).replace(EXPORTED, "Anything").encode("utf-8-sig"))
    assert not any(row.as_exported for row in read_table(table))
    assert set_prompts(Studio.of_user().desk(path), table)[1] == []
    assert path.read_bytes() == film.encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_are_read_as_spreadsheets_save_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    row = {"Budget, total; or so": "1", " PROMPT ": "ça\nva, “oui”;\t@@", "shot id": "1234567a", "Note": ""}
    (found,) = read_table(written(tmp_path / "t.csv", [row], encoding, delimiter))
    assert (found.number, found.shot) == (2, "1234567a")
    assert found.cells == {"prompt": row[" PROMPT "], "note": ""}


def test_from_the_film_to_a_spreadsheet_and_back(tmp_path: Path) -> None:
    """Two prompts edited, a camera emptied, as Excel saves it in Germany; one undo takes all of it back."""
    intents = [{"prompt": "@mara waits", "camera": "static"}, {"prompt": "the sea", "negative": "-blur"}, {}]
    film = twice(shoot(tmp_path, *intents, mara="a woman"))
    film.decide("SH020", lock=True)
    film.set("camera=pan left", level=Level("film"))
    before = film.path.read_bytes()
    rows = rows_of(film.film)
    rows[0] |= {"Prompt": "@mara turns\nand goes", "Camera": ""}
    rows[1] |= {"Prompt": "'=the land  ", "Note": "=ask Ida"}
    table = written(tmp_path / "shots.csv", rows, "utf-16", ";")
    args = ["set", str(film.path), "--from-csv", str(table), "--json"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.stderr
    changed = [(c["where"], c["field"], c["was"], c["now"]) for c in json.loads(result.stdout)["changed"]]
    assert changed == [
        ("SC010_SH010", "prompt", "@mara waits", "@mara turns\nand goes"),
        ("SC010_SH010", "camera", "static", None),
        ("SC010_SH020", "prompt", "the sea", "=the land"),
        ("SC010_SH020", "note", None, "=ask Ida"),
    ]
    assert own(film, "SH010") == {"prompt": "@mara turns\nand goes"}
    assert own(film, "SH020") == {"prompt": "=the land", "negative": "-blur", "note": "=ask Ida"}
    assert not [f for f in film.desk.plan(film.film).shots.values() if f.fault]  # both uses say the same
    assert json.loads(CliRunner().invoke(app, args).stdout)["changed"] == []
    assert undo(film.desk, skip=False)[0] == "prompt, camera of 2 levels"
    film.decide("SH020", note="")
    assert film.path.read_bytes() == before


def test_columns_that_are_not_there_are_left_alone(tmp_path: Path) -> None:
    """A table of names and cameras, of a film in which footage has no name of a shot."""
    film = shoot(tmp_path, {"prompt": "one", "camera": "static"}, {"prompt": "two", "camera": "static"})
    film.path.write_bytes(edited(film.film, lambda doc: items(doc).append(footage("A001.mov"))).encode())
    rows = [{"Shot": "sc010_sh020", "Camera": "push in"}, {"Shot": "A001.mov", "Camera": ""}]
    set_prompts(film.desk, written(tmp_path / "t.csv", rows))
    assert (own(film, "SH010")["camera"], own(film, "SH020")) == ("static", {"prompt": "two", "camera": "push in"})


def test_rows_of_one_shot_are_changed_alike_or_one_of_them_is(tmp_path: Path) -> None:
    film = twice(shoot(tmp_path, {"prompt": "one", "camera": "static"}))
    held, table = film.path.read_bytes(), tmp_path / "t.csv"
    first, last = rows_of(film.film)
    with pytest.raises(BadRequest, match="rows 2 and 3 are one shot, and differ in Camera"):
        set_prompts(film.desk, written(table, [first | {"Camera": "pan left"}, last | {"Camera": ""}]))
    assert film.path.read_bytes() == held
    changed = [first | {"Prompt": "2"}, last | {"Prompt": "2", "Camera": "pan left"}]
    with pytest.raises(BadRequest, match="differ in Camera"):
        set_prompts(film.desk, written(table, changed))
    for _ in range(2):
        set_prompts(film.desk, written(table, [first, changed[1]]))
        assert own(film, "SH010") == {"prompt": "2", "camera": "pan left"}


def test_rows_that_nobody_touched_leave_what_the_film_says_today(tmp_path: Path) -> None:
    film = shoot(tmp_path, {"prompt": "one"}, {"prompt": "two"})
    first, second = rows_of(film.film)
    film.set("prompt=newer", "camera=static", shot="SH010")
    table = written(tmp_path / "t.csv", [first, second | {"Prompt": "2"}])
    assert [change.now for change in set_prompts(film.desk, table)[1]] == ["2"]
    moved = second | {name: first[name] for name in (*EDITABLE, EXPORTED)}  # cells of one row filled into another
    set_prompts(film.desk, written(table, [first, moved]))
    assert (own(film, "SH010"), own(film, "SH020")) == ({"prompt": "newer", "camera": "static"}, {"prompt": "one"})


HEADER = "Shot,Shot ID,Prompt,Seed,Style,Note\r\n"
BAD: dict[str, tuple[str | bytes, str]] = {
    "no text": (b"\x89PNG\r\n\x1a\n", "byte 0 is not UTF-8"),
    "Excel's plain CSV": (HEADER.encode() + ",ID,caf\xe9".encode("cp1252"), "byte 50 is not UTF-8"),
    "after a mark": (b"\xef\xbb\xbfab\xff", "byte 5 is not UTF-8"),
    "UTF-16 without a mark": (HEADER.encode("utf-16-le"), "byte 1 is 0"),
    "half of a UTF-16 character": (HEADER.encode("utf-16")[:-1], "is not UTF-16"),
    "nothing": ("", "neither a column Shot ID nor Shot"),
    "another table": ("Name,Prompt\r\nID,x\r\n", "neither a column Shot ID nor Shot"),
    "nothing to set": ("Shot ID,Promt\r\nID,x\r\n", "names no column that can be set"),
    "a column twice": ("Shot ID,Prompt,prompt\r\nID,x,y\r\n", "names the column 'prompt' twice"),
    "a quote that never ends": (HEADER + ',ID,"x\r\n', "row 2: unexpected end of data"),
    "text after a quote": (HEADER + ',ID,"x"y\r\n', "row 2: ',' expected after"),
    "a comma without quotes": (HEADER + ",ID,x,1,,n,oh\r\n", "row 2 has 7 cells, row 1 only 6"),
    "an endless cell": (HEADER + f',ID,"{"x" * 140_000}"\r\n', "row 2: field larger than field limit"),
    "an unknown shot": (HEADER + "\r\n,ID,x,1,,n\r\n,zzzzzzzz,x\r\n", "row 4: there is no shot 'zzzzzzzz'"),
    "a shot without an id": (HEADER + "SC010_SH010,,x\r\n", "row 2 sets something, but 'SC010_SH010' is no shot"),
    "an unknown name": ("Shot,Prompt\r\nSH099,x\r\n", "row 2 sets something, but 'SH099' is no shot"),
    "two shots of one name": (
        "Shot,Prompt\r\nSC010_SH020,\r\n",
        "row 2: 2 clips or more are called 'SC010_SH020'",
    ),
    "no seed": (HEADER + ",ID,x,12.5,,\r\n", "row 2, Seed: seed is '12.5'; expected digits"),
    "a rounded seed": (HEADER + ",ID,x,9.22E+18,,\r\n", "row 2, Seed: seed is '9.22E\\+18'"),
    "no name": (HEADER + ",ID,x,1,film noir,\r\n", "row 2, Style: style is 'film noir'; expected the name"),
    "a long prompt": (HEADER + f",ID,{'x' * 20_001},1,,\r\n", "row 2, Prompt: .* at most 20,000 characters"),
    "a long note": (HEADER + f",ID,one,1,,{'x' * 20_001}\r\n", "row 2, Note: expected a text of at most 20,000"),
    "too many rows": ("Shot ID,Prompt\r\n" + ",\r\n" * (MAX_ROWS + 1), "more than 100,000 rows"),
    "too many columns": ("Shot ID,Prompt" + "," * 17_000, "the limit is 16,384 columns"),
    "too many bytes": (b" " * (MAX_BYTES + 1), "16,777,217 bytes; the limit is 16,777,216"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_named_and_changes_nothing(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    film = shoot(tmp_path, {"prompt": "one"}, {"prompt": "two"})
    clash = edited(film.film, lambda doc: items(doc).append(footage("SC010_SH020")))
    film.path.write_bytes(clash.encode())
    raw = content if isinstance(content, bytes) else content.encode()
    table, held = tmp_path / "t.csv", film.path.read_bytes()
    table.write_bytes(raw.replace(b",ID,", f",{film.block('SH010').shot},".encode()))
    with pytest.raises(BadRequest, match=message) as refused:
        set_prompts(film.desk, table)
    assert (refused.value.where, bool(refused.value.remedy)) == (str(table), True)
    assert film.path.read_bytes() == held


@pytest.mark.parametrize("more", [["SH010"], ["prompt=x"], ["--film"], ["--style", "ink"], ["--from", "b.otio"]])
def test_a_table_stands_alone(tmp_path: Path, more: list[str]) -> None:
    film = shoot(tmp_path, {"prompt": "one"})
    table = written(tmp_path / "t.csv", [{"Shot": "SC010_SH010", "Prompt": "two"}])
    result = CliRunner().invoke(app, ["set", str(film.path), *more, "--from-csv", str(table)])
    assert (result.exit_code, "a table says itself" in result.stderr) == (2, True)
    assert own(film, "SH010") == {"prompt": "one"}


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    film = shoot(tmp_path, {"prompt": "one"})
    with pytest.raises(BadRequest, match=r"no such file|not a file"):
        set_prompts(film.desk, tmp_path / name)

"""The commands as people and programs see them: shapes, exit codes, errors, and nothing raw on a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rushes.cli.main import app

HOSTILE = "the \x1b[2Jsea \u202egnp\nrises"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run in the folder of their film."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def said(*args: str, code: int = 0) -> dict[str, Any]:
    """The one object that a command prints with --json."""
    shape: dict[str, Any] = json.loads(run(*args, "--json", code=code).stdout)
    return shape


def film() -> None:
    run("new", "film.otio")
    run("set", "film.otio", "--film", "delivery.size=64x64", "delivery.handles=2")
    run("set", "film.otio", "--character", "mara", "description=a woman in a red coat")
    for number in (1, 2):
        run("add", "film.otio", "--scene", "BEACH", "--frames", "4", f"prompt=@mara waits, {number}")


def test_a_film_from_nothing_to_a_take() -> None:
    """new, add, set, status, show, render, takes: every shape that others rely on."""
    assert said("new", "film.otio").keys() == {"film", "scenes", "shots", "external"}
    run("set", "film.otio", "--film", "delivery.size=64x64", "delivery.handles=2")
    made = said("add", "film.otio", "--scene", "BEACH", "--frames", "4", "prompt=the sea")
    ((shot,),) = [made["shots"]]
    assert shot["name"] == "SC010_SH010"
    before = said("status", "film.otio")
    assert before.keys() >= {"film", "rate", "shots", "counts"}
    assert before["counts"] == {"missing": 1}
    would = said("render", "film.otio", "--dry-run")
    assert ([w["name"] for w in would["would_render"]], would["rendered"]) == (["SC010_SH010"], [])
    rendered = said("render", "film.otio")
    assert rendered.keys() == {"film", "rendered", "failed", "skipped", "fresh"}
    (take,) = rendered["rendered"]
    assert take.keys() == {"shot", "name", "take", "path", "seconds", "stages"}
    assert take["stages"] == dict.fromkeys(("keyframe", "motion", "finish", "encode"), "ran")
    assert Path(take["path"]).is_file()
    assert said("render", "film.otio") == {**rendered, "rendered": [], "fresh": 1}
    changed = said("set", "film.otio", "SH010", "prompt=the land")
    row = {"where": "SC010_SH010", "field": "prompt", "was": "the sea", "now": "the land"}
    assert (changed["changed"], changed["stale"], changed["invalid"]) == ([row], 1, [])
    (after,) = said("status", "film.otio")["shots"]
    assert after["reasons"] == [{"input": "prompt", "was": "the sea", "now": "the land", "via": []}]
    assert {"shot", "name", "scene", "state", "take", "uses", "locked", "waiting", "reasons"} <= after.keys()
    shown = said("show", "film.otio", "SH010")
    assert (shown["recipe"]["prompt"], shown["origin"]["prompt"]) == ("the land", "shot")
    (listed,) = said("takes", "film.otio", "SH010")["takes"]
    assert (listed["take"], listed["chosen"], listed["frames"]) == ("t001", True, 6)


def test_one_invalid_shot_fails_alone() -> None:
    film()
    run("set", "film.otio", "SH010", "prompt=@maar waits")
    outcome = said("render", "film.otio", code=1)
    assert [r["name"] for r in outcome["rendered"]] == ["SC010_SH020"]
    assert outcome["failed"][0].keys() == {"shot", "name", "error", "remedy"}
    assert said("status", "film.otio")["counts"] == {"invalid": 1, "fresh": 1}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["status", "nothing.otio"], "no such file"),
        (["new", "film.otio"], "there already"),
        (["set", "film.otio", "SH010", "promt=x"], "no field 'promt'"),
        (["set", "film.otio", "SH999", "prompt=x"], "no shot is called"),
        (["set", "film.otio", "SH0", "prompt=x"], "means 2 shots"),
        (["set", "film.otio", "SH010", "seed=1180591620717411303424"], "digits in a string"),
        (["set", "film.otio", "SH010", "delivery.codec=h264"], "no field 'delivery'"),
        (["set", "film.otio", "V9@0", "prompt=x"], "no track V9"),
        (["add", "film.otio", "--scene", "BEACH", "--frames", "0"], "1 to 10,000,000"),
        (["render", "film.otio", "--another", "2"], "variations of the shots you name"),
        (["render", "film.otio", "--until", "motion"], "cannot stop at"),
        (["takes", "film.otio", "SH010", "--choose", "t009"], "no take t009"),
        (["export", "film.otio", "cut.avi"], "of no kind"),
        (["export", "film.otio", "film.otio"], "film itself"),
        (["new", "x.otio", "--from", "cut.edl"], "there is no such file"),
        (["new", "x.otio", "--from", "cut.drp"], "cannot be read"),
    ],
)
def test_a_wrong_request_says_what_where_and_the_remedy(args: list[str], words: str) -> None:
    film()
    before = Path("film.otio").read_bytes()
    error = said(*args, code=2)["error"]
    assert words in error["text"]
    assert error["remedy"]
    shown = run(*args, code=2)
    assert words in shown.stderr
    assert "do: " in shown.stderr
    assert not shown.stdout
    assert Path("film.otio").read_bytes() == before


def test_text_from_a_film_is_never_printed_raw() -> None:
    film()
    run("set", "film.otio", "SH010", f"prompt={HOSTILE}")
    run("add", "film.otio", "--scene", HOSTILE, "--frames", "4")
    run("set", "film.otio", "--style", "ink", f"description={HOSTILE}")
    printed = [
        run("status", "film.otio"),
        run("show", "film.otio", "SC010_SH010"),
        run("set", "film.otio", "SC010_SH010", "camera=static"),
        run("render", "film.otio", "--dry-run"),
    ]
    for result in printed:
        assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)


def test_values_are_typed_dotted_json_or_unset() -> None:
    film()
    run("set", "film.otio", "SH020", "first_frame.from=SC010_SH010", "first_frame.at=2", "steps=8", "guidance=5.0")
    shot = said("show", "film.otio", "SC010_SH020")["recipe"]
    assert (shot["steps"], shot["guidance"], shot["first_frame"]) == (8, "5", None)
    run("set", "film.otio", "SH020", "first_frame=", "steps=", 'params={"shift": 3}', "params.eta=0.50")
    shot = said("show", "film.otio", "SC010_SH020")["recipe"]
    assert "first_frame" not in shot
    assert "steps" not in shot
    assert shot["params"].keys() == {"shift", "eta"}


def test_an_entry_is_copied_from_another_film_with_its_pictures(here: Path) -> None:
    from PIL import Image

    film()
    other = here / "other"
    other.mkdir()
    Image.new("RGB", (8, 8)).save(here / "mara.png")
    run("new", "other/other.otio")
    picture = json.dumps([{"image": str(here / "mara.png"), "as": "face"}])
    run("set", "other/other.otio", "--character", "tom", "description=an old man", f"references={picture}")
    changed = said("set", "film.otio", "--character", "tom", "--from", "other/other.otio")["changed"]
    assert {c["field"] for c in changed} == {"description", "references"}
    path = next(c["now"] for c in changed if c["field"] == "references")[0]["image"]
    assert (here / path).is_file()


def test_a_clip_of_somebodys_cut_becomes_a_shot() -> None:
    import opentimelineio as otio

    cut = otio.schema.Timeline("cut")
    cut.tracks.append(otio.schema.Track("V1"))
    frames = otio.opentime.TimeRange(otio.opentime.RationalTime(10, 24), otio.opentime.RationalTime(6, 24))
    cut.tracks[0].append(otio.schema.Clip("title", source_range=frames))
    cut.tracks[0].append(otio.schema.Gap(source_range=frames))
    otio.adapters.write_to_file(cut, "cut.otio")
    made = said("new", "film.otio", "--from", "cut.otio")
    assert (made["external"], made["shots"]) == (1, [])
    run("set", "film.otio", "--film", "delivery.size=64x64")
    run("set", "film.otio", "V1@2", "V1@8", "prompt=fog")
    assert said("status", "film.otio")["counts"] == {"missing": 2}
    assert len(said("render", "film.otio", "V1@8")["rendered"]) == 1


def test_a_cut_goes_out_and_comes_back(here: Path) -> None:
    """export, conform, diff, freeze, undo: the shapes others rely on, and the words."""
    film()
    sent = said("export", "film.otio", "cut.xml", "--markers")
    assert sent["path"] == "cut.xml"
    assert {tuple(row) for row in sent["lost"]} == {("use", "what")}
    assert said("freeze", "film.otio", "v1")["path"].endswith("film.rushes/frozen/v1.otio")
    text = (here / "cut.xml").read_text()
    begin, end = text.rindex("<clipitem"), text.rindex("</clipitem>") + len("</clipitem>")
    (here / "back.xml").write_text(text[:begin] + text[end:])
    back = said("conform", "film.otio", "back.xml")
    assert {"matched", "new", "omitted", "proposed", "external"} <= back.keys()
    assert [row.keys() >= {"use", "shot", "by"} for row in back["matched"]] == [True]
    assert [row["name"] for row in back["omitted"]] == ["SC010_SH020"]
    changed = said("diff", "film.rushes/frozen/v1.otio", "film.otio", "-o", "marked.otio")
    assert (changed["same"], [row["kind"] for row in changed["changes"]]) == (1, ["omitted"])
    assert changed["changes"][0].keys() >= {"kind", "shot", "use", "name", "detail"}
    assert "OMITTED" in (here / "marked.otio").read_text()
    assert "omitted" in run("diff", "film.rushes/frozen/v1.otio", "film.otio").stdout
    run("undo", "film.otio")
    assert said("diff", "film.rushes/frozen/v1.otio", "film.otio")["changes"] == []
    run("conform", "film.otio", "back.xml")
    shown = run("conform", "film.otio", "film.rushes/frozen/v1.otio").stdout
    assert "2 clips are shots of the film" in shown
    assert "reinstated (1):\n    SC010_SH020" in shown
    assert "means nothing for .csv" in run("export", "film.otio", "shots.csv", "--burn-in", code=2).stderr


@pytest.mark.parametrize(
    "name", ["demo", "new", "add", "status", "show", "set", "render", "takes", "export", "doctor"]
)
def test_help_teaches(name: str) -> None:
    assert "Usage" in run(name, "--help").stdout


def test_doctor_and_models() -> None:
    checks = said("doctor")["checks"]
    assert all(check.keys() == {"name", "ok", "detail", "remedy"} for check in checks)
    assert [model["name"] for model in said("models", "list")["models"]] == ["animatic"]

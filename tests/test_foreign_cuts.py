"""Cuts from anywhere, broken and malicious: a useful result or an error of ours; never a crash, a hang, a changed
film or a file touched that nobody named.

A sample is always taken; RUSHES_CORPUS=1 takes everything (minutes).
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from cutmill import Case, Verdict, ground
from cuts import export
from films import Json, film_of, footage, items, render, time_range, transition, warp
from hostile_cuts import PLACES, Made, at, changes, edited, everywhere, flipped, shapes, sizes, truncated
from hostile_formats import documents, doubling, lists
from processes import run
from rendering import Shoot, shoot
from rushes.export.otio import Outgoing, Shape
from rushes.limited import foreign
from rushes.store.places import FilmPlaces
from rushes_otio import rawjson
from rushes_otio.adding import make_shot
from rushes_otio.build import film_from_cut
from rushes_otio.errors import FileFault
from rushes_otio.film import Film
from rushes_otio.formats.reading import SUFFIXES, read_cut
from rushes_otio.formats.writing import write_cut
from rushes_otio.timing import Rate

ALL = bool(os.environ.get("RUSHES_CORPUS"))
LONG = pytest.mark.skipif(not ALL, reason="takes long: set RUSHES_CORPUS=1")
CUTS, FLIPS = (200, 500) if ALL else (15, 40)

RATE = Rate(24, 1)


@pytest.fixture(scope="module")
def film() -> Film:
    """Something of everything: shots with takes, one with two uses, one omitted; speed, a dissolve, markers,
    footage, a second track, sound."""
    made = render(
        film_of(*[{"prompt": f"@mara {n}"} for n in range(4)], characters={"mara": {"description": "a"}})
    )

    def enrich(doc: Json) -> None:
        first, second, third, last = items(doc)
        again = json.loads(json.dumps(first))
        again["metadata"]["rushes"]["use"] = "0000000e"
        first["markers"] = [{"OTIO_SCHEMA": "Marker.2", "name": "m", "marked_range": time_range(86410, 1)}]
        second["effects"] = [warp("LinearTimeWarp.1", 2.0)]
        for clip in (first, second, third, again):
            clip["metadata"]["other"] = {"kept": 1}
        omitted = last["metadata"].pop("rushes")
        doc["metadata"]["rushes"]["omitted"] = [{**omitted, "clip": last}]
        items(doc)[:] = [first, transition(6, 6), second, footage("plate.mov"), third, again]
        track = doc["tracks"]["children"][0]
        doc["tracks"]["children"] += [
            {**track, "name": "V2", "children": [footage("over.mov", 1010, 20)]},
            {**track, "name": "A1", "kind": "Audio", "children": [footage("sound.wav")]},
        ]

    return Film(rawjson.pretty(edited(made.encode(), enrich)), "film.otio")


@pytest.fixture(scope="module")
def exports(film: Film) -> dict[str, bytes]:
    """The film in every format, by ending; `.otio plain` has lost our block of the timeline on its way."""
    found = {}
    for suffix in (".otio", ".edl", ".xml"):
        places = FilmPlaces(Path("/film/film.otio"))
        text = Outgoing(Film(film.encode(), film.where), places, (64, 64), Shape(suffix, markers=True)).timeline()
        found[suffix] = text if suffix == ".otio" else write_cut(text, suffix, film.rate, "").text
    found[".otio plain"] = edited(found[".otio"], lambda made: made["metadata"].pop("rushes"))
    return found


def harmless(cases: Iterable[Case], folder: Path) -> list[Verdict]:
    verdicts = ground(cases, folder)
    harm = [(verdict.name, verdict.fault) for verdict in verdicts if verdict.fault]
    assert not harm, f"{len(harm)} of {len(verdicts)}, left in {folder}:\n" + "\n".join(map(str, harm[:5]))
    return verdicts


def mishaps(seed: Case) -> Iterator[Case]:
    yield seed
    for how, data in (*truncated(seed.data, CUTS), *flipped(seed.data, FLIPS, seed.name)):
        yield Case(f"{seed.name} {how}", data, seed.film)


# -- in the mill -----------------------------------------------------------------------------------------------


def test_our_own_exports_come_back_damaged(film: Film, exports: dict[str, bytes], tmp_path: Path) -> None:
    seeds = [Case(name, data, film.encode()) for name, data in exports.items()]
    verdicts = harmless((case for seed in seeds for case in mishaps(seed)), tmp_path)
    whole = [verdict for verdict in verdicts if verdict.name in exports]
    assert all("conformed" in verdict.done for verdict in whole) and len(whole) == len(exports)


def test_files_of_other_programs_come_back_damaged(samples: Path, tmp_path: Path) -> None:
    seeds = [sample_seed(path) for path in sorted(samples.rglob("*")) if path.suffix in SUFFIXES]
    verdicts = harmless((case for seed in seeds for case in mishaps(seed)), tmp_path)
    names = {seed.name for seed in seeds}
    assert all("conformed" in verdict.done for verdict in verdicts if verdict.name in names) and names


def sample_seed(path: Path) -> Case:
    """The file, and the film that was made of it when it was whole; every other clip of it a shot."""
    data = path.read_bytes()
    film = film_from_cut(read_cut(path, data, RATE).text, "film.otio")
    for track in film.video:
        for index in [n for n, item in enumerate(track.items) if item.kind == "Clip"][::2]:
            make_shot(film, track, index)
    return Case(f"{path.suffix} {path.name}", data, film.encode())


def test_files_that_are_made_to_do_harm(film: Film, exports: dict[str, bytes], tmp_path: Path) -> None:
    edl, xml, otio, plain = (exports[name] for name in (".edl", ".xml", ".otio", ".otio plain"))
    made: list[Iterator[Made]] = [shapes(), lists(edl), documents(xml), sizes(plain)]
    for text in (otio, plain):
        made += [changes(text), islice(everywhere(text), 0, None, 1 if ALL else 37)]
    harmless((Case(name, data, film.encode()) for each in made for name, data in each), tmp_path)


# -- as commands -----------------------------------------------------------------------------------------------

HEARD = """
import json, os, sys
opened, log = [], sys.argv.pop(1)
def hear(event, args):
    if event == "open" and not isinstance(args[0], int):
        opened.append([os.fsdecode(args[0]), bool(args[2] & os.O_ACCMODE)])
sys.addaudithook(hear)
from rushes.cli.main import main
try:
    main()
finally:
    with open(log, "w") as file:
        json.dump(opened, file)
"""
"""A command whose process keeps a list of the files that it opens, and whether to write."""


@pytest.fixture
def shot(tmp_path: Path) -> Shoot:
    (tmp_path / "film").mkdir()
    return shoot(tmp_path / "film", *[{"prompt": f"wave {n}"} for n in range(3)])


def carried_out(*words: object) -> tuple[int, str, str]:
    """Exit status, output, errors."""
    log = Path(os.environ["XDG_STATE_HOME"]) / "opened.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    code, out, errors = run(HEARD, log, *words)
    assert code in (0, 2), errors
    return code, out, errors


def opened(*folders: str, to_write: bool) -> set[str]:
    """The files of these folders that the last command opened."""
    log = json.loads(Path(os.environ["XDG_STATE_HOME"], "opened.json").read_text())
    return {name for name, wrote in log if wrote == to_write and name.startswith(folders)}


def test_media_that_a_cut_names_is_opened_only_where_it_may_be_a_take(shot: Shoot, tmp_path: Path) -> None:
    """A file as long as one of our takes may be a copy of it. Nothing else is looked into."""
    folder = tmp_path / "cut"
    folder.mkdir()
    shot.render()
    take = shot.movie("SH010")
    (folder / "renamed.mov").write_bytes(take.read_bytes())
    (folder / "as_long.mov").write_bytes(bytes(take.stat().st_size))
    (folder / "short.mov").write_bytes(b"x")
    with (folder / "huge.mov").open("wb") as huge:
        huge.truncate(1 << 40)
    os.mkfifo(folder / "pipe.mov")
    (folder / "folder.mov").mkdir()
    (folder / "loop.mov").symlink_to("loop.mov")
    (folder / "zero.mov").symlink_to("/dev/zero")
    names = [path.name for path in folder.glob("*.mov")]
    cut = folder / "cut.otio"
    export(shot.desk, cut)
    cut.write_bytes(edited(cut.read_bytes(), lined_up([*names, *(f"{folder}/{name}" for name in names), *PLACES])))
    code, out, errors = carried_out("conform", shot.path, cut, "--json")
    assert code == 0, errors
    assert [row["by"] for row in json.loads(out)["matched"]] == ["content", "content"]
    read = opened(str(folder), "/dev", "/etc/passwd", "/proc/self/mem", to_write=False)
    assert {Path(name).name for name in read} == {"cut.otio", "renamed.mov", "as_long.mov"}
    own = (str(shot.path.parent), *(os.environ[f"XDG_{kind}_HOME"] for kind in ("STATE", "CONFIG", "CACHE")))
    assert opened("", to_write=True) == opened(*own, to_write=True)


def lined_up(urls: list[str]) -> Callable[[Json], None]:
    """The change that leaves a clip for each of these places, and nothing else."""

    def change(doc: Json) -> None:
        clip = items(doc)[0]
        items(doc)[:] = [json.loads(json.dumps(clip)) for _ in urls]
        for made, url in zip(items(doc), urls, strict=True):
            at(url)({"tracks": {"children": [{"children": [made]}]}})

    return change


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_file_is_not_read(shot: Shoot, tmp_path: Path, suffix: str) -> None:
    before = shot.path.read_bytes()
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    with (tmp_path / f"huge{suffix}").open("wb") as huge:
        huge.truncate(1 << 40)
    for path in tmp_path.glob(f"*{suffix}"):
        with pytest.raises(FileFault) as raised:
            foreign.read_cut(path, RATE)
        assert "that is the limit" not in raised.value.text  # of a child that was killed
    for name in ("pipe", "zero"):
        code, _, errors = carried_out("conform", shot.path, tmp_path / f"{name}{suffix}")
        assert code == 2 and "do: " in errors
    assert shot.path.read_bytes() == before


def test_a_name_in_another_code_page_is_told(exports: dict[str, bytes], tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.edl")
    try:
        odd.write_bytes(exports[".edl"])
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    with pytest.raises(FileFault, match="its name is not UTF-8"):
        foreign.read_cut(odd, RATE)


@pytest.mark.parametrize("suffix", [".otio", ".edl", ".xml"])
def test_nothing_that_moves_a_cursor_reaches_a_terminal(shot: Shoot, tmp_path: Path, suffix: str) -> None:
    shot.render()
    export(shot.desk, tmp_path / f"cut{suffix}")
    before = shot.path.read_bytes()
    makers: dict[str, Callable[[bytes], Iterator[Made]]] = {".otio": changes, ".edl": lists, ".xml": documents}
    good = (tmp_path / f"cut{suffix}").read_bytes()
    odd = [data for name, data in makers[suffix](good) if "cursor" in name or "unknown shots" in name]
    for number, data in enumerate(odd):
        cut, made = tmp_path / f"odd{number}{suffix}", tmp_path / f"made{number}.otio"
        cut.write_bytes(data)
        for words in (
            ("new", made, "--from", cut),
            ("diff", tmp_path / f"cut{suffix}", cut),
            ("conform", shot.path, cut),
        ):
            _, out, errors = carried_out(*words)
            assert visible(out + errors), out + errors
        shot.path.write_bytes(before)
    assert odd


def visible(text: str) -> bool:
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in text.replace("\n", ""))


@pytest.mark.parametrize("command", ["conform", "diff", "new"])
def test_a_command_that_fails_changes_nothing(
    shot: Shoot, exports: dict[str, bytes], tmp_path: Path, command: str
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xmeml'
    worst = {
        ".otio": b'{"a":' * 100_000,
        ".edl": exports[".edl"] + b"*\n" * 4_000_000,
        ".xml": exports[".xml"].replace(b"<xmeml", entity),
        ".aaf": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 10_000,
    }
    for suffix, data in worst.items():
        cut = tmp_path / f"worst{suffix}"
        cut.write_bytes(data)
        words = (tmp_path / "made.otio", "--from", cut) if command == "new" else (shot.path, cut)
        code, out, errors = carried_out(command, *words)
        assert code == 2 and "do: " in errors and not out
        cut.unlink()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@LONG
@pytest.mark.slow
def test_sequences_that_double_end_with_the_child_that_reads(exports: dict[str, bytes], tmp_path: Path) -> None:
    cut = tmp_path / "cut.xml"
    cut.write_bytes(doubling(exports[".xml"], 60))
    with pytest.raises(FileFault, match="that is the limit"):
        foreign.read_cut(cut, RATE)

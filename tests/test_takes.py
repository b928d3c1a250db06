"""Takes on disk: their names, their records, what a folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.store.takes import (
    MadeBy,
    Piece,
    StageMark,
    TakeRecord,
    Window,
    next_take_number,
    parse_take_name,
    read_record,
    scan,
    take_stem,
    write_record,
)
from rushes_otio.errors import BadRequest, FileFault


@pytest.mark.parametrize(
    ("scene", "name", "stem"),
    [
        ("SC010", "SC010_SH020", "SC010/SC010_SH020__7kq3m9ab_t003"),
        ("SC010", "sh 020!", "SC010/SC010_sh_020__7kq3m9ab_t003"),
        ("SC01", "SC010_SH020", "SC01/SC01_SC010_SH020__7kq3m9ab_t003"),
        ("", "日本", "film/shot__7kq3m9ab_t003"),
        ("con", "../../etc/passwd", "con_/con_etc_passwd__7kq3m9ab_t003"),
        ("SC010", "x" * 300, "SC010/SC010_" + "x" * 34 + "__7kq3m9ab_t003"),
    ],
)
def test_take_names(scene: str, name: str, stem: str) -> None:
    assert take_stem(scene, name, "7kq3m9ab", "t003") == stem


@given(st.text(), st.text(), st.integers(0, 99999))
def test_a_take_is_known_by_its_name(scene: str, name: str, number: int) -> None:
    stem = take_stem(scene, name, "7kq3m9ab", f"t{number:03d}")
    folder, _, file = stem.partition("/")
    assert folder.isascii() and file.isascii() and len(file) < 70 and "/" not in file
    for written in (f"{stem}.mov", f"{file}.mov.part".upper(), file, f"C:\\x\\{file}.mp4"):
        assert parse_take_name(written) == ("7kq3m9ab", f"t{number:03d}")


@pytest.mark.parametrize(
    "name", ["a.mov", "x_7kq3m9ab_t3.mov", "x__7kq3m9ab_t003 (1)", "x__7kq3m9al_t003.mov", ""]
)
def test_other_names_are_no_takes(name: str) -> None:
    assert parse_take_name(name) is None


def test_names_come_from_ids_only() -> None:
    for shot, take in [("../../ab", "t001"), ("7kq3m9ab", "t1/../x"), ("7KQ3M9AB", "t001")]:
        with pytest.raises(BadRequest):
            take_stem("SC010", "a", shot, take)


RECORD = TakeRecord(
    shot="7kq3m9ab",
    take="t003",
    name="SH020",
    movie="x.mov",
    recipe={"prompt": "a \x1b[2J harbour", "big": 2**60},
    seed="18446744073709551615",
    n=0,
    asked={"kind": "render"},
    stages={"encode": StageMark("c" * 64, "d" * 64)},
    window=Window(48, "24/1", (1920, 1080)),
    codec="prores",
    frames_digest="e" * 64,
    generator=MadeBy("animatic", 1),
    made="2026-01-02T03:04:05Z",
    pieces=[Piece(0, 49, "a" * 64, "b" * 64)],
    seconds={"encode": 0.25},
)


def test_a_record_comes_back_and_outlives_newer_keys(tmp_path: Path) -> None:
    path = tmp_path / "SC010" / "x.json"
    write_record(path, RECORD)
    assert read_record(path) == RECORD
    path.write_bytes(path.read_bytes().replace(b'"codec"', b'"later": {"a": 1.5}, "codec"'))
    assert read_record(path) == RECORD


def test_a_damaged_record_is_a_fault_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_record(path, RECORD)
    whole = path.read_bytes()
    faulty = [whole[:end] for end in range(0, len(whole) - 2, 7)]
    faulty += [whole.replace(b'"n": 0', b'"n": "0"'), whole.replace(b'"v": 1', b'"v": 9')]
    faulty += [b"[" * 100_000, b"\xff\xfe"]
    for data in faulty:
        path.write_bytes(data)
        with pytest.raises(FileFault) as fault:
            read_record(path)
        assert fault.value.remedy and fault.value.where == str(path)


def test_scan_finds_movies_with_and_without_records(tmp_path: Path) -> None:
    for name in ("SC010/a__7kq3m9ab_t001.mov", "SC010/a__7kq3m9ab_t001.json", "b__7kq3m9ab_t002.MP4", "x/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "SC010" / "a__7kq3m9ab_t003.mov.part").touch()
    (tmp_path / "SC010" / "a__7kq3m9ab_t004.json").touch()
    (tmp_path / "SC010" / "a__7kq3m9ab_t005.mov").symlink_to("/etc/passwd")
    first, second = scan(tmp_path)
    assert (first.take, first.record) == ("t001", tmp_path / "SC010" / "a__7kq3m9ab_t001.json")
    assert (second.take, second.record) == ("t002", None)
    assert scan(tmp_path / "missing") == []


@given(st.integers(0, 50), st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_a_take_number_never_repeats(block: int, on_disk: set[int], indexed: set[int]) -> None:
    number = next_take_number(block, on_disk, indexed)
    assert number >= max(block, 1) and all(number > taken for taken in on_disk | indexed)

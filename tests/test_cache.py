"""The stage cache never serves what it was not given, stays within its bound and never stops a render."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from processes import all_ended, run, started
from rushes.store import eviction, failpoints
from rushes.store.cache import StageCache
from rushes_otio.errors import BadRequest

KEY = hashlib.sha256(b"key").hexdigest()
LARGE = 2**30

PUT = """
import sys; from pathlib import Path; from rushes.store.cache import StageCache
StageCache(Path(sys.argv[1]), 2**30).put(sys.argv[2], b"output", "motion")
"""
SPILL = """
import sys, tempfile; from pathlib import Path; from rushes.store.cache import StageCache
tempfile.tempdir = sys.argv[3]
cache = StageCache(Path(sys.argv[1]), 2**30)
entry = cache.put(sys.argv[2], b"output", "motion")
assert "could not keep" in entry.warning and entry.path.read_bytes() == b"output", entry
"""
FIGHT = """
import hashlib, random, sys; from pathlib import Path; from rushes.store.cache import StageCache
cache = StageCache(Path(sys.argv[1]), 3_000, keep_seconds=0)
served = 0
for turn in range(150):
    key = hashlib.sha256(str(random.randrange(6)).encode()).hexdigest()
    output = f"{key} by {sys.argv[2]}".encode() * random.randrange(1, 40)
    entry = cache.get(key) or cache.put(key, output, "motion")
    assert not entry.warning, entry
    try: content = entry.path.read_bytes()
    except FileNotFoundError: continue  # evicted meanwhile: nothing is kept here
    served += 1
    assert hashlib.sha256(content).hexdigest() == entry.digest and content.startswith(key.encode()), key
    if turn % 5 == 0: cache.trim()
assert served > 30, served
"""


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def age(cache: Path, of: str, seconds: float) -> None:
    """Make the key's last use lie back."""
    then = time.time() - seconds
    os.utime(cache / "stages" / of[:2] / f"{of[2:]}.json", (then, then))


def test_what_is_put_is_got_by_another_process_and_nothing_else(tmp_path: Path) -> None:
    part = tmp_path / "made.part"
    part.write_bytes(b"moved in")
    made = StageCache(tmp_path / "c", LARGE).put(KEY, part, "keyframe")
    again = StageCache(tmp_path / "c", LARGE).get(KEY)
    assert made == again and made.path.read_bytes() == b"moved in" and not part.exists()
    assert made.digest == hashlib.sha256(b"moved in").hexdigest()
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700
    assert StageCache(tmp_path / "c", LARGE).get(key(1)) is None
    for bad in ("", "../" * 20 + "x" * 4, KEY.upper(), KEY + "0"):
        with pytest.raises(BadRequest):
            StageCache(tmp_path / "c", LARGE).get(bad)


def test_the_first_output_of_a_key_stays(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    first = cache.put(KEY, b"first", "motion")
    assert cache.put(KEY, b"second", "motion") == first
    assert first.path.read_bytes() == b"first"


def test_no_damage_to_any_byte_is_served(tmp_path: Path) -> None:
    whole = b"the output of a stage"
    entry = StageCache(tmp_path, LARGE).put(KEY, whole, "motion")
    for file in files(tmp_path / "stages"):
        sound = file.read_bytes()
        damages = [sound[:end] for end in range(len(sound))]
        damages += [sound[:i] + bytes([sound[i] ^ 1 << i % 8]) + sound[i + 1 :] for i in range(len(sound))]
        damages += [sound + b"x", b"[" * 100_000]
        for damaged in damages:
            file.write_bytes(damaged)
            found = StageCache(tmp_path, LARGE).get(KEY)
            assert found is None or (found.digest == entry.digest and found.path.read_bytes() == whole)
            StageCache(tmp_path, LARGE).put(KEY, whole, "motion")
            again = StageCache(tmp_path, LARGE).get(KEY)
            assert again is not None and again.path.read_bytes() == whole


def test_damage_goes_to_quarantine_and_is_noticed_between_two_uses(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    entry = cache.put(KEY, b"sound", "motion")
    assert cache.get(KEY) == entry
    time.sleep(0.01)
    entry.path.write_bytes(b"sOund")
    assert cache.get(KEY) is None
    assert b"sOund" in [file.read_bytes() for file in files(tmp_path / "quarantine")]
    assert cache.put(KEY, b"sound", "motion") == entry


def test_a_sidecar_of_another_key_is_not_believed(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    cache.put(KEY, b"of the first", "motion")
    sidecar, output = tmp_path / "stages" / KEY[:2], tmp_path / "stages" / key(1)[:2]
    output.mkdir()
    for file in files(sidecar):
        (output / file.name.replace(KEY[2:], key(1)[2:])).write_bytes(file.read_bytes())
    assert cache.get(key(1)) is None


@pytest.mark.parametrize("step", failpoints.CACHE_STEPS)
def test_a_killed_put_leaves_all_or_nothing(tmp_path: Path, step: str) -> None:
    assert run(PUT, tmp_path, KEY, failpoint=f"cache.{step}")[0] == -signal.SIGKILL
    cache = StageCache(tmp_path, LARGE)
    assert (cache.get(KEY) is not None) == (step == "sidecar_named")
    assert cache.put(KEY, b"output", "motion").path.read_bytes() == b"output"
    assert len(files(tmp_path)) == 2


def test_the_least_recently_used_leave_first_and_those_in_use_never(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    for number in range(6):
        cache.put(key(number), bytes(10_000), "motion")
        age(tmp_path, key(number), 10_000 - number)
    assert cache.get(key(0)) is not None  # used: now the latest
    small = StageCache(tmp_path, 35_000)
    assert small.trim() >= 30_000
    assert [number for number in range(6) if cache.get(key(number))] == [0, 4, 5]
    assert StageCache(tmp_path, 0).trim() == 0  # all three have just been used
    assert len(files(tmp_path)) == 6


def test_what_is_used_after_the_list_was_made_stays(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    for number in range(2):
        cache.put(key(number), b"output", "motion")
        age(tmp_path, key(number), 10_000)
    listed = list(eviction.groups(tmp_path / "stages"))
    used = cache.get(key(0))
    assert sorted(eviction.evict(group, time.time() - 60) for group in listed) == [False, True]
    assert cache.get(key(0)) == used and cache.get(key(1)) is None
    assert len(files(tmp_path)) == 2


def test_put_keeps_the_cache_near_its_bound(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, 50_000)
    for number in range(40):
        cache.put(key(number), bytes(5_000), "motion")
        age(tmp_path, key(number), 10_000 - number)
    assert sum(file.stat().st_size for file in files(tmp_path)) < 65_000


def test_leftovers_of_the_dead_and_old_quarantine_are_swept(tmp_path: Path) -> None:
    cache = StageCache(tmp_path, LARGE)
    orphan = cache.put(KEY, b"x", "motion").path
    orphan.with_name(f"{KEY[2:]}.json").unlink()
    os.utime(orphan, (0, 0))
    (tmp_path / "quarantine").mkdir()
    for number in range(40):
        (tmp_path / "quarantine" / str(number)).touch()
    StageCache(tmp_path, 0).trim()
    assert not orphan.exists()
    assert len(files(tmp_path / "quarantine")) == 16


def test_processes_share_one_cache_while_others_evict(tmp_path: Path) -> None:
    fighters = [started(FIGHT, tmp_path, n) for n in range(4)]
    assert all_ended(fighters) == [(0, "", "")] * 4
    assert not (tmp_path / "quarantine").exists()


def test_a_full_disk_warns_and_the_render_goes_on(tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "c", LARGE)
    part = tmp_path / "made.part"
    part.write_bytes(bytes(9_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        moved = cache.put(KEY, part, "motion")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert moved.warning and moved.path.read_bytes() == bytes(9_000)
    assert cache.get(KEY) is None


def test_a_cache_that_cannot_be_made_warns_too(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file where the folder should be")
    (tmp_path / "temporary").mkdir()
    assert run(SPILL, tmp_path / "c", KEY, tmp_path / "temporary") == (0, "", "")
    assert files(tmp_path / "temporary") == []

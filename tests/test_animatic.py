"""The built-in generator: same request, same bytes; the camera stays in the picture and moves without a jump."""

from __future__ import annotations

import hashlib
import io
import itertools
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rushes.generators.animatic import Animatic, camera
from rushes.generators.base import Cancelled, Cast, Fields, Generator, KeyframeRequest, MotionRequest, Unwatched
from rushes.generators.traits import ANIMATIC
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.timing import SMPTE_RATES

MADE: Generator = Animatic()
GO_ON = Unwatched()
NATIVE = (1920, 1080)
MOVES = [
    *ANIMATIC.moves,
    "",
    "the camera thinks about it",
    "slow dolly in, then we hold",
    "whip-pan left",
    "ZOOM OUT",
]
MARA = Cast("character", "A woman of forty in a red coat, grey hair in a bun")
TOM = Cast("character", "a tall old man with a beard, brown fedora and a black suit")


def drawn(prompt: str, seed: int = 1, **fields: object) -> bytes:
    return MADE.keyframe(KeyframeRequest(msgspec.structs.replace(Fields(prompt=prompt), **fields), seed), GO_ON)


def moved(frames: int = 24, rate: str = "24/1", last: Path | None = None, **start: object) -> bytes:
    """A motion; `start` is keyframe, first_frame or after (paths) and any of the fields."""
    sources = {k: str(start.pop(k)) for k in ("keyframe", "first_frame", "after") if k in start}
    last_frame = str(last) if last else None
    fields = Fields(**start)  # type: ignore[arg-type]
    return MADE.motion(MotionRequest(fields, 7, rate, frames, last_frame=last_frame, **sources), GO_ON)


def pixels(png: bytes | Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png) if isinstance(png, bytes) else png).convert("RGB")).astype(int)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("animatic") / "k.png"
    path.write_bytes(drawn("Wide shot of the harbour at dusk"))
    return path


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("animatic") / "other.png"
    path.write_bytes(drawn("A forest in snow", seed=2))
    return path


def as_file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


IN_ANOTHER_PROCESS = """
import hashlib, sys
from rushes.generators.animatic import Animatic
from rushes.generators.base import Cast, Fields, KeyframeRequest, MotionRequest, Unwatched
cast = {"tom": Cast("character", "old man, black suit"), "mara": Cast("character", "woman, red coat")}
fields = Fields(prompt="Two shot. woman, red coat and old man, black suit in the rain", style="noir", cast=cast,
                location="street at night", camera="handheld", caption="Mara waits.", action="Tom comes.")
made, path = Animatic(), sys.argv[1]
still = made.keyframe(KeyframeRequest(fields, 5), Unwatched())
open(path, "wb").write(still)
motion = made.motion(MotionRequest(fields, 5, "25/1", 9, keyframe=path), Unwatched())
frames = b"".join(f.tobytes() for f in made.frames(motion, (320, 180), None, Unwatched()))
print([hashlib.sha256(b).hexdigest() for b in (still, motion, frames, made.picture(motion, 8, None, Unwatched()))])
"""


def test_the_same_request_makes_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    def run(salt: str) -> str:
        path = ":".join(sys.path)
        call = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path / f"{salt}.png")]
        environment = {"PYTHONHASHSEED": salt, "PYTHONPATH": path}
        return subprocess.run(call, capture_output=True, check=True, text=True, env=environment).stdout

    assert run("1") == run("2") != ""


def test_only_what_is_read_changes_what_is_made(still: Path) -> None:
    prompt = f"Medium shot of {MARA.description} by the window"
    base = drawn(prompt, cast={"mara": MARA})
    assert drawn(prompt, cast={"renamed": MARA}) == base, "a name is no picture"
    unread = {"camera": "pan left", "caption": "x", "action": "y", "negative": "z"}
    assert drawn(prompt, cast={"mara": MARA}, **unread) == base
    assert drawn(prompt, cast={"mara": MARA}, seed=2) != base
    assert drawn(prompt, cast={"mara": MARA}, style="noir") != base
    green = Cast("character", MARA.description.replace("red", "green"))
    assert drawn(prompt.replace("red", "green"), cast={"mara": green}) != base
    assert moved(keyframe=still) == moved(keyframe=still, prompt="p", style="s", location="l", cast={"t": TOM})
    assert moved(keyframe=still) != moved(keyframe=still, caption="Mara waits.")
    assert ANIMATIC.reads["keyframe"] & ANIMATIC.reads["motion"] == frozenset()


def test_a_panel_shows_who_is_there_and_a_red_coat_is_red() -> None:
    def red(text: str) -> float:
        mara = Cast("character", text)
        picture = pixels(drawn(f"{text} stands on the pier.", cast={"mara": mara}, location="harbour at dusk"))
        return float(((picture[..., 0] > 90) & (picture[..., 0] > 2 * picture[..., 1])).mean())

    assert red("a woman in a red coat") > 0.02 > 0.002 > red("a woman in a blue coat")


@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from(MOVES),
    rate=st.sampled_from(SMPTE_RATES),
    frames=st.integers(1, 400),
    seed=st.integers(0, 2**63),
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    start=st.sampled_from([camera.from_rest, camera.from_whole]),
    more=st.integers(1, 200),
)
def test_every_move_stays_in_the_picture_and_never_jumps(text, rate, frames, seed, size, start, more) -> None:
    move, fps = camera.named(text), float(rate)
    path = start(move, frames, fps, seed)
    for before_then in (path, camera.going_on(move, more, fps, seed, path)):
        assert len(before_then) in (frames, more)
        for pose in camera.stored(before_then)[:: 1 + frames // 40]:
            left, top, right, bottom = camera.window(pose, NATIVE, size)
            assert 0 <= left < right <= NATIVE[0]
            assert 0 <= top < bottom <= NATIVE[1]
            assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1])
    both = np.concatenate([path, camera.going_on(move, more, fps, seed, path)])
    speed = np.abs(np.diff(both, axis=0)).max(initial=0) * fps
    change = np.abs(np.diff(both, 2, axis=0)).max(initial=0) * fps**2
    assert speed < 0.25, "parts of the picture in a second"
    assert change < 1.0, "parts of the picture in a second, in a second"


@pytest.mark.parametrize("size", [(1280, 720), (256, 144), (270, 480), (300, 300), (16, 9), (641, 97)])
def test_frames_have_exactly_the_size_and_follow_each_other_smoothly(still: Path, size: tuple[int, int]) -> None:
    motion = moved(30, keyframe=still, camera="pan right", caption="Mara waits at the pier.", action="She turns.")
    frames = list(MADE.frames(motion, size, None, GO_ON))
    assert MADE.length(motion) == len(frames) == 30
    assert {(f.shape, f.dtype) for f in frames} == {((size[1], size[0], 3), np.dtype(np.uint8))}
    steps = [difference(a, b) for a, b in itertools.pairwise(frames)]
    jumps = [abs(a - b) for a, b in itertools.pairwise(steps)]
    assert max(jumps) < 0.35 * max(steps)


def test_a_first_frame_is_frame_0_and_a_last_frame_the_last_one(still: Path, other: Path) -> None:
    first, end = pixels(still), pixels(other)
    for move in ("static", "pull out", "pan left", "handheld", ""):
        frames = list(MADE.frames(moved(3, first_frame=still, last=other, camera=move), NATIVE, None, GO_ON))
        assert np.array_equal(frames[0], first)
        assert np.array_equal(frames[2], end)
    motion = moved(12, first_frame=still, last=other, camera="push in")
    assert np.array_equal(pixels(MADE.picture(motion, 0, None, GO_ON)), first)
    assert np.array_equal(pixels(MADE.picture(motion, 11, None, GO_ON)), end)
    alone = moved(1, first_frame=still, last=other)
    assert np.array_equal(pixels(MADE.picture(alone, 0, None, GO_ON)), pixels(still))
    assert np.array_equal(
        pixels(MADE.picture(moved(1, keyframe=still, last=other), 0, None, GO_ON)), pixels(other)
    )


def test_the_last_picture_comes_gradually(still: Path, other: Path) -> None:
    frames = list(MADE.frames(moved(48, keyframe=still, last=other, camera="static"), (320, 180), None, GO_ON))
    steps = [difference(a, b) for a, b in itertools.pairwise(frames)]
    assert steps[0] == 0
    assert max(steps) < 0.2 * difference(frames[0], frames[-1])


def test_a_continuation_goes_on_from_the_next_frame(still: Path, tmp_path: Path) -> None:
    """Cut off in mid-move: the next piece neither repeats the last frame nor jumps, twice in a row."""
    whole = list(MADE.frames(moved(12, keyframe=still, camera="handheld"), (640, 360), None, GO_ON))
    steps = [difference(a, b) for a, b in itertools.pairwise(whole)]
    piece = moved(12, keyframe=still, camera="handheld")
    for _ in range(2):
        after = moved(12, after=as_file(tmp_path, piece), camera="handheld")
        last, first = (
            list(MADE.frames(piece, (640, 360), None, GO_ON))[-1],
            next(iter(MADE.frames(after, (640, 360), None, GO_ON))),
        )
        assert 0.2 * min(steps) < difference(last, first) < 1.5 * max(steps)
        piece = after


def test_after_a_last_frame_that_picture_goes_on(still: Path, other: Path, tmp_path: Path) -> None:
    before = as_file(tmp_path, moved(24, keyframe=still, last=other))
    after = moved(6, after=before, camera="static")
    assert np.array_equal(pixels(MADE.picture(after, 0, None, GO_ON)), pixels(other))


@pytest.mark.parametrize(
    "text", ["a man " * 34_000, "\x1b[2J\u202egnp.exe\u2066", "👩‍🚀🎬" * 500, "W" * 200_000, "\ud800"]
)
def test_hostile_text_is_harmless_and_quick(still: Path, text: str) -> None:
    cast = {f"c{n}": Cast("character", text + str(n)) for n in range(30)}
    began = time.perf_counter()
    assert Image.open(io.BytesIO(drawn(text, style=text, location=text, cast=cast))).size == NATIVE
    motion = moved(2, keyframe=still, caption=text, action=text, camera=text)
    for size in ((1280, 720), (256, 144), (180, 320)):
        frames = list(MADE.frames(motion, size, None, GO_ON))
        assert len(frames) == 2
    assert time.perf_counter() - began < 6


def test_a_caption_is_over_the_picture_and_not_in_it(still: Path) -> None:
    bare, said = (moved(2, keyframe=still, caption=caption, camera="static") for caption in ("", "Mara waits."))
    assert MADE.picture(bare, 1, None, GO_ON) == MADE.picture(said, 1, None, GO_ON)
    clean, shown = (next(iter(MADE.frames(m, (640, 360), None, GO_ON))) for m in (bare, said))
    assert np.array_equal(clean[:240], shown[:240])
    assert shown[300:].max() > 230 > 60 > np.median(shown[310:]), "light letters on a dark band"


def test_a_given_picture_covers_the_canvas_upright(tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 300), "red")
    picture.paste("blue", (0, 0, 400, 150))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    path = tmp_path / "ref.jpg"
    picture.save(path, exif=exif, quality=95)
    made = pixels(MADE.keyframe(KeyframeRequest(Fields(), 0, str(path)), GO_ON))
    assert made.shape == (1080, 1920, 3)
    assert made[100, 960, 0] > 200 > 60 > made[100, 960, 2], "red is up"
    assert made[980, 960, 2] > 200 > 60 > made[980, 960, 0], "blue is down"


def png_that_says(side: int) -> bytes:
    """The head of a PNG of `side` pixels square, and nothing to fill it."""
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def test_no_picture_and_a_bomb_are_refused(tmp_path: Path, still: Path) -> None:
    bad = {"text": b"no picture", "cut": still.read_bytes()[:5000]}
    bad |= {f"bomb{side}": png_that_says(side) for side in (9_000, 10_000, 60_000)}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    for path in (*(tmp_path / name for name in bad), tmp_path / "absent"):
        with pytest.raises(MediaFault) as fault:
            MADE.keyframe(KeyframeRequest(Fields(), 0, str(path)), GO_ON)
        assert fault.value.remedy


def test_foreign_motions_and_bad_requests_are_refused(still: Path, tmp_path: Path) -> None:
    motion = moved(3, keyframe=still)
    for data in (b"", b"PK\x03\x04", motion[:-40], motion.replace(b'"frames":3', b'"frames":9')):
        with pytest.raises(MediaFault):
            moved(3, after=as_file(tmp_path, data))
    with pytest.raises(MediaFault):
        moved(3, after=tmp_path / "absent")
    for request in (
        lambda: moved(0, keyframe=still),
        lambda: moved(3),
        lambda: MADE.picture(motion, 3, None, GO_ON),
    ):
        with pytest.raises(BadRequest):
            request()


def test_a_cancelled_stage_stops_before_its_next_part() -> None:
    seen: list[int] = []

    class Stop(Unwatched):
        def progress(self, done: int, total: int) -> None:
            seen.append(done)
            if done == 1:
                raise Cancelled

    with pytest.raises(Cancelled):
        MADE.keyframe(KeyframeRequest(Fields(prompt="a street"), 1), Stop())
    assert seen == [0, 1]

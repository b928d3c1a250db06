"""The encode and finish stages: what a take's file is, and what conforming does to frames."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.media import ffmpeg
from rushes.media.frames import iter_frames
from rushes.media.probe import BT709, probe
from rushes.media.process import run
from rushes.media.tags import Tags, read_tags
from rushes.stages.encode import CODECS, Encoder, EncodeSpec, check_delivery, extension
from rushes.stages.finish import FinishSpec, conform, finished_length, needed_source_frames
from rushes_otio.errors import BadRequest, MediaFault

Picture = Any  # an array of uint8 or uint16, or what is refused instead
SIZE = (256, 144)
COLOURS = [
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (128, 128, 128),
    (255, 255, 255),
]
WILD = 'quotes " and \\ = ; # [x]\nsecond line\r\nlast 🎬 ' + "é" * 100
LARGE = json.dumps({"prompt": WILD, "filler": "x" * 300_000}, ensure_ascii=False)
TAGS = Tags(shot="7kq3m9ab", take="t003", key="c0ffee", json=LARGE)


def spec(codec: str = "prores", tags: dict[str, str] | None = None, rate: str = "24000/1001") -> EncodeSpec:
    return EncodeSpec(SIZE, rate, codec, "01:00:00:00", "7kq3m9ab", tags or {})


def moving(count: int, dtype: type = np.uint8) -> list[Picture]:
    """A diagonal ramp that moves: every frame is another one."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    top = np.iinfo(dtype).max
    ramps = [np.stack([x + 5 * n, y + 3 * n, x + y + 7 * n], axis=2) % 400 / 400 for n in range(count)]
    return [(ramp * top).astype(dtype) for ramp in ramps]


def flat(colour: tuple[int, int, int], dtype: type = np.uint8) -> Picture:
    scale = np.iinfo(dtype).max // 255
    return np.full((SIZE[1], SIZE[0], 3), colour, dtype) * dtype(scale)


def encode(path: Path, frames: list[Picture], how: EncodeSpec) -> Encoder:
    with Encoder(path, how) as encoder:
        for frame in frames:
            encoder.write(frame)
    return encoder


@pytest.mark.parametrize("codec", CODECS)
def test_a_take_is_what_was_ordered(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"100%d {codec}.mov.part"
    encode(path, moving(10), spec(codec, TAGS.to_metadata()))
    seen = probe(path)
    assert (seen.frames, seen.size, seen.rate) == (10, SIZE, "24000/1001")
    assert seen.seconds == Fraction(10 * 1001, 24000)
    assert (seen.colour, seen.pixel_format) == (BT709, CODECS[codec].options["pix_fmt"])
    assert (seen.timecode, seen.reel, seen.has_audio) == ("01:00:00:00", "7kq3m9ab", False)
    assert seen.tags == TAGS.to_metadata()
    assert read_tags(path) == TAGS
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_reads_the_same_colour_tags(tmp_path: Path, codec: str) -> None:
    """As ffprobe would: matrix, primaries and transfer are printed as one word only when all are alike."""
    path = tmp_path / "a.mov"
    encode(path, moving(2), spec(codec))
    said = subprocess.run([ffmpeg.binary(), "-i", str(path)], capture_output=True, text=True).stderr
    assert re.search(str(CODECS[codec].options["pix_fmt"]) + r"\(tv, bt709[,)]", said)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("codec", CODECS)
def test_colours_come_back_as_bt709(tmp_path: Path, codec: str, dtype: type) -> None:
    path = tmp_path / "a.mov"
    encode(path, [flat(colour, dtype) for colour in COLOURS], spec(codec))
    for colour, frame in zip(COLOURS, iter_frames(path), strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 3


@pytest.mark.parametrize("codec", CODECS)
def test_same_frames_same_file_and_digest(tmp_path: Path, codec: str) -> None:
    frames = moving(4, np.uint16)
    first = encode(tmp_path / "a.mov", frames, spec(codec))
    strided = [np.asfortranarray(frame) for frame in frames]
    second = encode(tmp_path / "b.mov", strided, spec(codec))
    other = encode(tmp_path / "c.mov", frames[::-1], spec(codec))
    assert (tmp_path / "a.mov").read_bytes() == (tmp_path / "b.mov").read_bytes()
    assert first.digest == second.digest != other.digest
    assert first.count == 4


def test_sixteen_bits_reach_the_file(tmp_path: Path) -> None:
    """A ramp of 1024 steps over 8 levels: in ten bits it has more steps than in eight."""
    ramp = np.linspace(0x8000, 0x8800, SIZE[0]).astype(np.uint16)
    deep = np.broadcast_to(ramp[None, :, None], (SIZE[1], SIZE[0], 3)).copy()
    for name, frame in (("deep", deep), ("flat", (deep >> 8).astype(np.uint8))):
        encode(tmp_path / f"{name}.mov", [frame], spec("prores"))
    levels = {name: _luma_levels(tmp_path / f"{name}.mov") for name in ("deep", "flat")}
    assert levels["deep"] > 2 * levels["flat"]


def _luma_levels(path: Path) -> int:
    raw = ffmpeg.arguments(ffmpeg.raw_output(ffmpeg.movie_input(path), "gray10le"))
    return len(np.unique(np.frombuffer(run(raw), np.uint16)))


def test_killed_encoder_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mov.part"
    bystander = tmp_path / "t001.mov"
    bystander.write_bytes(b"an older take")
    frames = moving(3) * 100
    with pytest.raises(MediaFault, match="ended with code"), Encoder(path, spec()) as encoder:
        for number, frame in enumerate(frames):
            encoder.write(frame)
            if number == 5:
                os.kill(encoder.pid or 0, signal.SIGTERM)
    assert list(tmp_path.iterdir()) == [bystander]


def test_a_fault_of_the_caller_ends_ffmpeg(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Encoder(tmp_path / "a.mov.part", spec()) as encoder:
        encoder.write(moving(1)[0])
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_encoded_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mov.part"
    with pytest.raises(MediaFault, match="no frame"), Encoder(path, spec()):
        pass
    for bad in (moving(1)[0][:-2], moving(1)[0].astype(np.float32)):
        with pytest.raises(BadRequest, match="frame 0"), Encoder(path, spec()) as encoder:
            encoder.write(bad)
    with pytest.raises(BadRequest, match="frame 1"), Encoder(path, spec()) as encoder:
        encoder.write(moving(1)[0])
        encoder.write(moving(1, np.uint16)[0])
    with pytest.raises(BadRequest, match="character"), Encoder(path, spec(tags={"a": "b\0c"})) as encoder:
        encoder.write(moving(1)[0])
    nowhere = tmp_path / "missing" / "a.mov.part"
    with pytest.raises((MediaFault, OSError)), Encoder(nowhere, spec()) as encoder:
        encoder.write(moving(1)[0])
    assert list(tmp_path.iterdir()) == []


def test_delivery_limits_have_remedies() -> None:
    for size, codec in (((255, 144), "prores"), ((254, 120), "dnxhr"), ((9000, 100), "h264"), (SIZE, "cinepak")):
        with pytest.raises(BadRequest) as refused:
            check_delivery(size, codec)
        assert refused.value.remedy
    for codec, known in CODECS.items():
        check_delivery(known.smallest, codec)
        assert known.encoder in ffmpeg.encoders()
        assert extension(codec) == ".mov"


@pytest.mark.parametrize("codec", CODECS)
def test_the_smallest_picture_encodes(tmp_path: Path, codec: str) -> None:
    width, height = CODECS[codec].smallest
    how = EncodeSpec((width, height), "24/1", codec, "01:00:00:00", "7kq3m9ab", {})
    encode(tmp_path / "a.mov", [np.zeros((height, width, 3), np.uint8)], how)
    assert probe(tmp_path / "a.mov").size == (width, height)


RATES = ["8/1", "16/1", "24/1", "24000/1001", "25/1", "30000/1001", "60/1"]
rates = st.sampled_from(RATES)


@given(st.integers(0, 60), rates, rates)
def test_conform_makes_exactly_finished_length(count: int, source_rate: str, rate: str) -> None:
    frames = [np.full((2, 2, 3), n, np.uint8) for n in range(count)]
    expected = finished_length(count, source_rate, rate)
    for interpolation in ("repeat", "blend"):
        how = FinishSpec((2, 2), rate, "fill", interpolation)
        made = [int(frame[0, 0, 0]) for frame in conform(frames, how, source_rate)]
        assert len(made) == expected
        assert made == sorted(made)
        assert made[:1] == list(range(count))[:1]


@given(st.integers(0, 100_000), rates, rates)
def test_needed_source_frames_is_the_least(count: int, source_rate: str, rate: str) -> None:
    needed = needed_source_frames(count, source_rate, rate)
    assert finished_length(needed, source_rate, rate) >= count
    assert needed == 0 or finished_length(needed - 1, source_rate, rate) < count


def test_repeat_and_blend_show_the_right_moment() -> None:
    frames = [np.full((2, 2, 3), n * 6000, np.uint16) for n in range(4)]

    def conformed(interpolation: str) -> list[float]:
        how = FinishSpec((2, 2), "24/1", "fill", interpolation)
        return [float(frame[0, 0, 0]) / 6000 for frame in conform(frames, how, "16/1")]

    assert conformed("repeat") == [0, 0, 1, 2, 2, 3]
    assert conformed("blend") == pytest.approx([0, 2 / 3, 4 / 3, 2, 8 / 3, 3], abs=1e-4)


def test_a_frame_that_is_right_is_not_copied() -> None:
    frames = moving(3)
    assert all(a is b for a, b in zip(conform(frames, FinishSpec(SIZE, "24/1"), "24/1"), frames, strict=True))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_fill_covers_and_fit_letterboxes(dtype: type) -> None:
    """A 4:3 picture with a white border and a grey middle, into 16:9."""
    white = np.iinfo(dtype).max
    picture: Picture = np.full((120, 160, 3), white, dtype)
    picture[12:-12, 12:-12] = 1000 if dtype is np.uint16 else 100
    middle = picture[60, 80, 0]

    def conformed(fit: str) -> Picture:
        return next(iter(conform([picture], FinishSpec((320, 180), "24/1", fit), "24/1")))

    filled, fitted = conformed("fill"), conformed("fit")
    assert filled.shape == fitted.shape == (180, 320, 3)
    assert filled.dtype == fitted.dtype == dtype
    assert filled[0, 160, 0] < white  # the border above the grey is cut off
    assert (filled[90, :14] == white).all()
    assert (fitted[:, :40] == 0).all()
    assert (fitted[:, -40:] == 0).all()
    assert (fitted[90, 40:50] == white).all()
    assert filled[90, 160, 0] == fitted[90, 160, 0] == middle


def test_resizing_keeps_sixteen_bits() -> None:
    frame = moving(1, np.uint16)[0]
    small = next(iter(conform([frame], FinishSpec((128, 72), "24/1"), "24/1")))
    assert len(np.unique(small)) > 1000


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_motion_moves_what_blend_would_double(dtype: type) -> None:
    """A square jumps 8 pixels a frame; at twice the rate it must stand half-way, once and whole."""
    rng = np.random.default_rng(3)
    pattern: Picture = rng.integers(60, 255, (8, 8, 3)).repeat(6, 0).repeat(6, 1).astype(dtype)
    scale = np.iinfo(dtype).max // 255
    frames = []
    for n in range(8):
        frame: Picture = np.zeros((SIZE[1], SIZE[0], 3), dtype)
        frame[40:88, 40 + 8 * n : 88 + 8 * n] = pattern * dtype(scale)
        frames.append(frame)
    made = list(conform(frames, FinishSpec(SIZE, "48/1", "fill", "motion"), "24/1"))
    assert len(made) == finished_length(8, "24/1", "48/1") == 16
    assert {frame.dtype for frame in made} == {np.dtype(np.uint8)}
    centres = [np.average(np.arange(SIZE[0]), weights=frame.sum((0, 2))) for frame in made[:14]]
    assert np.abs(np.diff(centres) - 4).max() < 1
    assert np.abs(made[4].astype(int) - frames[2] // scale).mean() < 2
    blended = (frames[3] // scale).astype(int) // 2 + frames[4] // scale // 2
    truth = np.roll(frames[3] // scale, 4, axis=1).astype(int)
    assert np.abs(made[7] - truth).mean() < np.abs(blended - truth).mean() / 2


def test_motion_repeats_no_frame_where_the_picture_jumps() -> None:
    """As a scene detector would, which takes a large change for a cut."""
    frames = [np.full((48, 64, 3), n * 53 % 255, np.uint8) for n in range(9)]
    made = list(conform(iter(frames), FinishSpec((96, 72), "24/1", "fill", "motion"), "16/1"))
    assert not any(np.array_equal(a, b) for a, b in itertools.pairwise(made[:13]))


def test_motion_of_a_single_frame_stands_still() -> None:
    made = list(conform(moving(1), FinishSpec(SIZE, "24/1", "fill", "motion"), "8/1"))
    assert len(made) == 3


def test_an_abandoned_motion_pass_ends_its_ffmpeg() -> None:
    before = threading.active_count()
    frames = conform(moving(20), FinishSpec(SIZE, "48/1", "fill", "motion"), "24/1")
    next(frames)
    assert threading.active_count() > before  # they read ffmpeg's pipes until it ends
    del frames
    assert threading.active_count() == before


def test_unknown_choices_are_refused() -> None:
    for how in (FinishSpec(SIZE, "24/1", "bend"), FinishSpec(SIZE, "24/1", "fill", "magic")):
        with pytest.raises(BadRequest, match="cannot be"):
            conform([], how, "24/1")
    with pytest.raises(BadRequest, match="rate"):
        conform([], FinishSpec(SIZE, "24/0"), "24/1")

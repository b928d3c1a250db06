"""Plates: all the bits of a file, what a model is given of it, and that nothing moves outside of a mask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from processes import children
from rushes.generators.base import Fields, Footage, Frame, MotionRequest
from rushes.generators.cards import Card, Run
from rushes.limited import foreign
from rushes.media.frames import iter_deep_frames, iter_frames
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.stages.finish import FinishSpec, conform
from rushes.worker.plates import Layer, Plate, composited, footage
from rushes_otio.errors import BadRequest, MediaFault

SIZE = (256, 144)
CODECS = {"h264": (8, np.uint8), "prores": (10, np.uint16), "dnxhr": (10, np.uint16)}


class Patient:
    """Who lets all work go on, and counts how often it was told of it."""

    def __init__(self) -> None:
        self.told = 0

    def progress(self, done: int, total: int) -> None:
        assert 0 < done <= total
        self.told += 1

    def now(self, doing: str) -> None:
        assert doing

    def preview(self, jpeg: object) -> None:
        """Nothing is shown."""


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


def movie(
    path: Path, frames: int = 6, codec: str = "prores", rate: str = "24/1", size: tuple[int, int] = SIZE
) -> Path:
    """Noise in colour, which no filter leaves as it is; the first row says the number of the frame."""
    luck = np.random.default_rng(7)
    with Encoder(path, EncodeSpec(size, rate, codec, "01:00:00:00", "", {})) as encoder:
        for number in range(frames):
            frame = luck.integers(0, 65536, (size[1], size[0], 3), np.uint16)
            frame[:16] = number * 1000
            encoder.write(frame)
    return path


def still(path: Path, picture: NDArray[np.uint8]) -> Layer:
    Image.fromarray(picture).save(path)
    return Layer(str(path))


def mask_of(path: Path, size: tuple[int, int] = SIZE) -> Layer:
    """Black on the left, white on the right, greys between."""
    width, height = size
    ramp = np.interp(np.arange(width), [width * 0.4, width * 0.6], [0, 255]).astype(np.uint8)
    return still(path, np.tile(ramp, (height, 1)))


def request(frames: int, size: tuple[int, int], overlap: int = 0, rate: str = "24/1") -> MotionRequest:
    run = Run(Card("tiny", "f", "/nowhere", "P"), size, 2)
    return MotionRequest(Fields(), 1, rate, frames, overlap=overlap, run=run)


def given(
    plate: Plate, frames: int, size: tuple[int, int] = (64, 64), rate: str = "24/1", overlap: int = 0
) -> Footage:
    return footage(plate, request(frames, size, overlap, rate), Patient())


def numbers(stack: NDArray[np.uint8]) -> list[int]:
    """Which frames of `movie` these are."""
    return [round(float(frame[0].mean()) * 257 / 1000) for frame in stack]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv444p12le", "gbrp10le", "gbrp12le", "bgr0"])
@pytest.mark.parametrize("levels", [1, 2])
def test_deep_frames_have_the_exact_values(tmp_path: Path, pixels: str, levels: int) -> None:
    """A grey wedge from black to white in every kind of file, against the definition of its levels."""
    path = tmp_path / "wedge.mkv"
    rgb = av.VideoFormat(pixels, 16, 16).is_rgb
    bits = av.VideoFormat(pixels, 16, 16).components[0].bits
    top = (1 << bits) - 1
    black, white = (0, top) if rgb or levels == 2 else (16 << (bits - 8), 235 << (bits - 8))
    wedge = np.linspace(black, white, 64).round().astype(np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 32, pixels
        frame = av.VideoFrame(64, 32, pixels)
        frame.color_range = 2 if rgb else levels
        samples = np.uint8 if bits == 8 else np.uint16
        for number, plane in enumerate(frame.planes):
            row = np.full(
                plane.buffer_size // plane.height // np.dtype(samples).itemsize, 1 << (bits - 1), samples
            )
            if pixels == "bgr0":
                row[:256] = np.repeat(wedge, 4)
            elif rgb or number == 0:
                row[:64] = wedge
            plane.update(np.tile(row, plane.height).tobytes())
        stream.codec_context.color_range = frame.color_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (deep,) = iter_deep_frames(path)
    exact = (wedge.astype(float) - black) / (white - black) * 65535
    assert deep.dtype == np.uint16 and deep[0, 0, 0] == 0 and deep[0, -1, 0] == 65535
    assert np.abs(deep - exact[None, :, None]).max() <= 3
    assert np.abs(deep / 257 - next(iter_frames(path))).max() < 1.7
    (limited,) = foreign.iter_deep_frames(path)
    assert np.array_equal(limited, deep)


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_moves_outside_of_the_mask(tmp_path: Path, codec: str) -> None:
    bits, depth = CODECS[codec]
    path = movie(tmp_path / "plate.mov", codec=codec)
    assert foreign.probe(path).bits == bits
    plate = Plate(Layer(str(path)), SIZE, mask=mask_of(tmp_path / "mask.png"))
    made = np.random.default_rng(1).integers(0, 256, (6, SIZE[1], SIZE[0], 3), np.uint8)
    found = list(composited(iter(made), plate, FinishSpec(SIZE, "24/1")))
    own: list[Frame] = list(iter_frames(path) if bits == 8 else iter_deep_frames(path))
    assert len(found) == len(own) == 6
    for number, (frame, ground) in enumerate(zip(found, own, strict=True)):
        new = made[number].astype(depth) * depth(1 if bits == 8 else 257)
        assert frame.dtype == depth
        assert np.array_equal(frame[:, :102], ground[:, :102])
        assert np.array_equal(frame[:, 154:], new[:, 154:])
        low, high = np.minimum(ground, new), np.maximum(ground, new)
        assert ((frame >= low) & (frame <= high)).all()
        assert not np.array_equal(frame[:, 110:146], ground[:, 110:146])


def test_a_deep_picture_over_a_plate_of_eight_bits_has_all_its_bits(tmp_path: Path) -> None:
    path = movie(tmp_path / "plate.mov", 1, "h264")
    plate = Plate(Layer(str(path)), SIZE, mask=mask_of(tmp_path / "mask.png"))
    made = np.full((1, SIZE[1], SIZE[0], 3), 12345, np.uint16)
    (frame,) = composited(iter(made), plate, FinishSpec(SIZE, "24/1"))
    assert (frame[:, 200] == 12345).all()
    assert np.array_equal(frame[:, :100], next(iter_deep_frames(path))[:, :100])


@pytest.mark.parametrize("model", [(160, 160), (320, 96), (128, 72)])
@pytest.mark.parametrize("size", [(256, 144), (192, 192)])
@pytest.mark.parametrize("fit", ["fill", "fit"])
def test_what_a_model_makes_lies_over_the_plate_to_the_pixel(
    tmp_path: Path, model: tuple[int, int], size: tuple[int, int], fit: str
) -> None:
    """A model that gives back what it was given: its picture's edges are where those of the plate are."""
    marks = np.zeros((size[1], size[0], 3), np.uint8)
    for x, y in ((40, 30), (120, 70), (size[0] - 60, size[1] - 40)):
        marks[y : y + 20, x : x + 24] = 255
    plate = Plate(still(tmp_path / "plate.png", marks), SIZE, fit, mask=still(tmp_path / "mask.png", marks))
    under = given(plate, 1, model)
    assert under.plate.shape == (1, model[1], model[0], 3) and under.mask is not None
    assert np.abs(under.plate[0, :, :, 1].astype(int) - under.mask[0]).mean() < 6
    (back,) = conform(under.plate, FinishSpec(SIZE, "24/1", "stretch"), "24/1")
    (shown,) = conform([marks], FinishSpec(SIZE, "24/1", fit), "24/1")
    for axis in (0, 1):
        moved = [
            np.abs(shown[:, :, 0].astype(int) - np.roll(back[:, :, 0], shift, axis).astype(int)).sum()
            for shift in (-1, 0, 1)
        ]
        assert moved[1] == min(moved)
        assert abs(moved[0] - moved[2]) < 0.15 * (moved[0] + moved[2])  # and not by half a pixel


def test_which_frames_a_model_is_given(tmp_path: Path) -> None:
    """From the frame under shot frame 0, at the model's rate, the overlap first, the last frame held."""
    path = movie(tmp_path / "plate.mov", 12)
    plate = Plate(Layer(str(path), first=2), (64, 64), least=10)
    assert numbers(given(plate, 5).plate) == [2, 3, 4, 5, 6]
    assert numbers(given(msgspec.structs.replace(plate, start=3), 4, overlap=2).plate) == [5, 6, 7, 8, 9, 10]
    assert numbers(given(msgspec.structs.replace(plate, start=6), 7).plate) == [8, 9, 10, 11, 11, 11, 11]
    slow = msgspec.structs.replace(plate, start=1, least=6)
    assert numbers(given(slow, 6, rate="16/1").plate) == [3, 5, 6, 8, 9, 11]
    twice = msgspec.structs.replace(plate, start=3)
    assert numbers(given(twice, 5, rate="48/1").plate) == [3, 4, 4, 5, 5]
    spec = FinishSpec((64, 64), "24/1")
    masked = msgspec.structs.replace(
        plate, start=6, mask=still(tmp_path / "none.png", np.zeros((9, 16), np.uint8))
    )
    frames = list(composited(iter(np.zeros((6, 64, 64, 3), np.uint8)), masked, spec))
    assert [round(float(f[0].mean()) / 1000) for f in frames] == [8, 9, 10, 11, 11, 11]


def test_a_model_is_told_where(tmp_path: Path) -> None:
    plate = Plate(
        Layer(str(movie(tmp_path / "plate.mov", 3))), SIZE, mask=mask_of(tmp_path / "mask.png", (512, 288))
    )
    under = given(plate, 3, (160, 160))
    assert under.mask is not None and under.mask.shape == (3, 160, 160)
    assert (under.mask[:, :, :62] == 0).all() and (under.mask[:, :, 98:] == 255).all()
    assert given(msgspec.structs.replace(plate, mask=None), 3).mask is None


def test_a_mask_may_be_a_lossy_movie_and_a_plate_a_picture(tmp_path: Path) -> None:
    """Its black is black although the codec left a few levels of noise."""
    halves = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    halves[:, 128:] = 255
    halves[:, :96:7], halves[:, 160::5] = 2, 253
    with Encoder(tmp_path / "mask.mov", EncodeSpec(SIZE, "24/1", "h264", "01:00:00:00", "", {})) as encoder:
        for _ in range(3):
            encoder.write(halves)
    ground = np.random.default_rng(3).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    plate = Plate(still(tmp_path / "plate.png", ground), SIZE, mask=Layer(str(tmp_path / "mask.mov")))
    made = np.full((4, SIZE[1], SIZE[0], 3), 200, np.uint8)
    found = list(composited(iter(made), plate, FinishSpec(SIZE, "24/1")))
    assert len(found) == 4
    for frame in found:
        assert np.array_equal(frame[:, :110], ground[:, :110]) and (frame[:, 146:] == 200).all()


def test_transparent_parts_of_a_mask_are_black(tmp_path: Path) -> None:
    drawn = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    drawn[:, :128, 3] = 0
    plate = Plate(still(tmp_path / "p.png", drawn[:, :, :3]), SIZE, mask=still(tmp_path / "mask.png", drawn))
    assert (given(plate, 1, SIZE).mask == [[[0] * 128 + [255] * 128] * SIZE[1]]).all()


def test_footage_that_does_not_last_is_refused(tmp_path: Path) -> None:
    long, short = Layer(str(movie(tmp_path / "long.mov", 12))), Layer(str(movie(tmp_path / "short.mov", 5)))
    spec = FinishSpec(SIZE, "24/1")
    one = [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)]
    cases = {
        "the plate lasts 5 frames, the shot 8": Plate(short, SIZE, mask=long, least=8),
        "the mask lasts 5 frames, the shot 8": Plate(long, SIZE, mask=short, least=8),
        "the plate lasts 4 frames from frame 8 on": Plate(
            msgspec.structs.replace(long, first=8), SIZE, mask=long, least=8
        ),
        "the plate lasts 0 frames from frame 99 on": Plate(
            msgspec.structs.replace(long, first=99), SIZE, mask=long
        ),
    }
    for text, plate in cases.items():
        for act in (lambda p=plate: given(p, 10), lambda p=plate: list(composited(iter(one), p, spec))):
            with pytest.raises(BadRequest, match=text) as raised:
                act()
            assert raised.value.where and raised.value.remedy
    assert given(Plate(short, SIZE, least=5), 9).plate.shape[0] == 9


def test_what_is_no_footage_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "playlist.mov").write_text("#EXTM3U\nfile:///etc/passwd\n")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    for name in ("playlist.mov", "broken.png", "gone.mov"):
        with pytest.raises(MediaFault) as raised:
            given(Plate(Layer(str(tmp_path / name)), SIZE), 2)
        assert raised.value.remedy


def test_a_composite_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    layer = Layer(str(movie(tmp_path / "plate.mov", 12)))
    frames = composited(
        iter(np.zeros((9, SIZE[1], SIZE[0], 3), np.uint8)),
        Plate(layer, SIZE, mask=layer),
        FinishSpec(SIZE, "24/1"),
    )
    next(frames)
    assert children()
    frames.close()  # type: ignore[attr-defined]
    assert not children()

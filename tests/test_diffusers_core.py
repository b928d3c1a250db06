"""Real pipelines, tiny: what comes out is, bit for bit, what calling them directly gives; cancel leaves no trace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("diffusers")

import torch

from generating import (
    CASES,
    FRAMES,
    SIZE,
    STEPS,
    STILLS,
    TEXT,
    Case,
    Following,
    directly,
    frames_of,
    opened,
    plain,
    request_of,
    run_of,
    whole,
    words_of,
)
from rushes.generators.base import Cancelled, Fields, KeyframeRequest, WordsRequest
from rushes.generators.cards import Run
from rushes.generators.diffusers import Diffusers, piece
from rushes_otio.errors import BadRequest
from tiny import TinyModels

# -- the same bits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_motion_is_bit_for_bit_what_diffusers_makes(
    name: str, models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path]
) -> None:
    case, card = CASES[name], models.card(CASES[name].model)
    request = request_of(case, models, said(case.model), pictures)
    watch = Following()
    motion = generator.motion(request, watch, case.footage())
    frames = frames_of(generator, motion, card)
    latents, expected = directly(case, models, pictures)
    assert torch.equal(piece.unpack(motion).latents, plain(latents))
    assert np.array_equal(frames, whole(expected))
    assert generator.length(motion) == FRAMES == len(frames)
    assert "denoising" in watch.doing and watch.doing[-1] == ""
    assert watch.steps[-1][0] == watch.steps[-1][1] > 0
    again = generator.motion(request, Following(), case.footage())
    assert again == motion, "equal requests, equal bytes"


@pytest.mark.parametrize("name", STILLS)
def test_a_still_is_what_diffusers_makes(
    name: str, models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path]
) -> None:
    card = models.card(name)
    request = KeyframeRequest(Fields(), 7, run=run_of(card, said(name)))
    made = opened(generator.keyframe(request, Following()))
    _, expected = directly(Case(name, card.pipeline), models, pictures)
    assert np.array_equal(made, (whole(expected).astype(np.uint32) + 128) // 257)
    assert np.ptp(made) > 50
    other = generator.keyframe(msgspec.structs.replace(request, seed=8), Following())
    assert not np.array_equal(opened(other), made)


def test_half_precision_is_that_of_diffusers_with_a_precise_decoder(
    models: TinyModels, generator: Diffusers, pictures: list[Path], tmp_path: Path
) -> None:
    card = models.card("wan_t2v", dtype="bfloat16", fingerprint="half")
    words = words_of(generator, card, tmp_path)
    request = request_of(CASES["wan"], models, words, pictures, run=run_of(card, words))
    motion = generator.motion(request, Following())
    precision = {"vae": torch.float32, "default": torch.bfloat16}
    latents, expected = directly(CASES["wan"], models, pictures, precision)
    assert torch.equal(piece.unpack(motion).latents, latents)
    assert np.array_equal(frames_of(generator, motion, card), whole(expected))


def test_other_words_and_other_seeds_are_other_pictures(
    models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path], tmp_path: Path
) -> None:
    case, card = CASES["wan"], models.card("wan_t2v")
    blue = words_of(generator, card, tmp_path, "a blue fox in snow")
    requests = [
        request_of(case, models, said("wan_t2v"), pictures),
        request_of(case, models, said("wan_t2v"), pictures, seed=8),
        request_of(case, models, blue, pictures),
    ]
    made = [frames_of(generator, generator.motion(request, Following()), card) >> 8 for request in requests]
    assert all((made[0] != other).mean() > 0.05 for other in made[1:])


ELSEWHERE = """
import hashlib, msgspec, pathlib, sys
from rushes.generators.base import MotionRequest
from rushes.generators.diffusers import Diffusers
class Watch:
    def progress(self, done, total): pass
    def now(self, doing): pass
    def preview(self, jpeg): pass
generator = Diffusers()
for line in pathlib.Path(sys.argv[1]).read_bytes().splitlines():
    request = msgspec.json.decode(line, type=MotionRequest)
    motion = generator.motion(request, Watch())
    frames = list(generator.frames(motion, request.run.size, request.run.card, Watch()))
    print(hashlib.sha256(motion + b"".join(f.tobytes() for f in frames)).hexdigest())
print(generator.environment()["threads"])
"""


def test_another_process_makes_the_same_bits(
    models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path], tmp_path: Path
) -> None:
    requests = [
        request_of(case, models, said(case.model), pictures) for case in CASES.values() if case.masked is None
    ]
    file = tmp_path / "requests"
    file.write_bytes(b"\n".join(msgspec.json.encode(request) for request in requests))
    answer = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(file)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    *digests, threads = answer.stdout.split()
    assert threads == "1"
    for request, digest in zip(requests, digests, strict=True):
        motion = generator.motion(request, Following())
        card = request.run.card if request.run else None
        frames = b"".join(frame.tobytes() for frame in generator.frames(motion, SIZE, card, Following()))
        assert sha256(motion + frames).hexdigest() == digest


def test_a_decoder_that_draws_noise_draws_the_same(
    models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path]
) -> None:
    case = Case("ltx_noisy", "LTXPipeline")
    motion = generator.motion(request_of(case, models, said("ltx_noisy"), pictures), Following())
    card = models.card("ltx_noisy")
    first = frames_of(generator, motion, card)
    torch.rand(3)
    assert np.array_equal(first, frames_of(generator, motion, card))


def test_one_lane_decodes_while_the_other_denoises(
    models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path]
) -> None:
    case, card = CASES["i2v"], models.card("wan_i2v")
    request = request_of(case, models, said("wan_i2v"), pictures)
    motion = generator.motion(request, Following())
    frames = frames_of(generator, motion, card)
    wrong: list[str] = []

    def decode() -> None:
        same = [np.array_equal(frames_of(generator, motion, card), frames) for _ in range(6)]
        wrong.extend("frames" for ok in same if not ok)

    lane = threading.Thread(target=decode)
    lane.start()
    made = [generator.motion(request, Following()) for _ in range(4)]
    lane.join()
    assert wrong == []
    assert made == [motion] * 4


# -- cancel ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["wan", "two experts", "i2v", "vace in a mask", "plate", "ltx", "ltx first and last"]
)
def test_a_cancelled_run_ends_at_once_and_the_next_is_whole(
    name: str,
    models: TinyModels,
    generator: Diffusers,
    said: Callable[[str], Path],
    pictures: list[Path],
) -> None:
    case, card = CASES[name], models.card(CASES[name].model)
    request = request_of(case, models, said(case.model), pictures)

    def work(watch: Following) -> tuple[bytes, NDArray[Any]]:
        motion = generator.motion(request, watch, case.footage())
        return motion, frames_of(generator, motion, card, watch)

    whole = Following()
    motion, frames = work(whole)
    gap = max(after - before for before, after in zip(whole.times, whole.times[1:], strict=False))
    for part in (0.02, 0.3, 0.6, 0.97):
        watch = Following(stop=max(int(whole.count * part), 1))
        with pytest.raises(Cancelled):
            work(watch)
        after = time.perf_counter() - watch.times[-1]
        assert after < 0.5
        print(f"{name} cancelled at {part:.0%}: {1000 * (gap + after):.0f} ms at most")
        made, seen = work(Following())
        assert made == motion
        assert np.array_equal(seen, frames)


@pytest.mark.parametrize("name", [*STILLS, "wan_t2v", "ltx"])
def test_words_and_stills_can_be_cancelled_too(
    name: str, models: TinyModels, said: Callable[[str], Path], tmp_path: Path
) -> None:
    generator, card = Diffusers(), models.card(name)

    def work(watch: Following) -> bytes:
        run = Run(card, (0, 0), 1, params={} if name == "sdxl" else {"max_sequence_length": msgspec.Raw(b"32")})
        words = generator.words(WordsRequest(run, TEXT["prompt"], TEXT["negative_prompt"]), watch)
        if name not in STILLS:
            return words
        return words + generator.keyframe(KeyframeRequest(Fields(), 7, run=run_of(card, said(name))), watch)

    with pytest.raises(Cancelled):
        work(Following(stop=1))  # while it loads
    made, whole = work(Following()), Following()
    assert work(whole) == made
    for part in (0.02, 0.3, 0.6, 0.97):
        with pytest.raises(Cancelled):
            work(Following(stop=max(int(whole.count * part), 1)))
        assert work(Following()) == made


# -- pictures ----------------------------------------------------------------------------------------------------


def test_a_given_picture_stands_for_the_still(models: TinyModels, generator: Diffusers, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (640, 64), "red").save(path)
    run = Run(models.card("sdxl"), (96, 64), STEPS)
    made = opened(generator.keyframe(KeyframeRequest(Fields(), 1, str(path), run), Following()))
    assert made.shape == (64, 96, 3)
    assert (made == (255, 0, 0)).all(), "it covers the size: nothing is added"


def test_a_picture_of_a_motion_is_its_frame(
    models: TinyModels, generator: Diffusers, said: Callable[[str], Path], pictures: list[Path]
) -> None:
    card = models.card("wan_t2v")
    motion = generator.motion(request_of(CASES["wan"], models, said("wan_t2v"), pictures), Following())
    frames = frames_of(generator, motion, card)
    made = opened(generator.picture(motion, 3, card, Following()))
    assert np.array_equal(made, (frames[3].astype(np.uint32) + 128) // 257)
    with pytest.raises(BadRequest, match="frame 9"):
        generator.picture(motion, FRAMES, card, Following())

"""Real pipelines, tiny: what comes out is, bit for bit, what calling them gives; cancel leaves no trace."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
    Bench,
    Case,
    Following,
    frames_of,
    one_thread,
    opened,
    plain,
    run_of,
    whole,
    words_of,
)
from rushes.generators.base import Cancelled, Fields, KeyframeRequest, WordsRequest
from rushes.generators.cards import Run
from rushes.generators.diffusers import Diffusers, piece
from rushes.generators.diffusers.loading import read_parts
from rushes.generators.diffusers.tap import follow
from rushes_otio.errors import BadRequest


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with one_thread():
        yield Bench(tmp_path_factory.mktemp("bench"))


# -- the same bits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_motion_is_bit_for_bit_what_diffusers_makes(
    name: str,
    bench: Bench,
) -> None:
    case, card = CASES[name], bench.models.card(CASES[name].model)
    request = bench.request(case)
    watch = Following()
    motion = bench.generator.motion(request, watch, case.footage())
    frames = frames_of(bench.generator, motion, card)
    latents, expected = bench.directly(case)
    assert torch.equal(piece.unpack(motion).latents, plain(latents))
    assert np.array_equal(frames, whole(expected))
    assert bench.generator.length(motion) == FRAMES == len(frames)
    assert "denoising" in watch.doing and watch.doing[-1] == ""
    assert watch.steps[-1][0] == watch.steps[-1][1] > 0
    again = bench.generator.motion(request, Following(), case.footage())
    assert again == motion, "equal requests, equal bytes"


@pytest.mark.parametrize("name", STILLS)
def test_a_still_is_what_diffusers_makes(
    name: str,
    bench: Bench,
) -> None:
    card = bench.models.card(name)
    request = KeyframeRequest(Fields(), 7, run=run_of(card, bench.said(name)))
    made = opened(bench.generator.keyframe(request, Following()))
    _, expected = bench.directly(Case(name, card.pipeline))
    assert np.array_equal(made, (whole(expected).astype(np.uint32) + 128) // 257)
    assert np.ptp(made) > 50
    other = bench.generator.keyframe(msgspec.structs.replace(request, seed=8), Following())
    assert not np.array_equal(opened(other), made)


def test_half_precision_is_that_of_diffusers_with_a_precise_decoder(bench: Bench, tmp_path: Path) -> None:
    card = bench.models.card("wan_t2v", dtype="bfloat16", fingerprint="half")
    words = words_of(bench.generator, card, tmp_path)
    request = bench.request(CASES["wan"], run=run_of(card, words))
    motion = bench.generator.motion(request, Following())
    precision = {"vae": torch.float32, "default": torch.bfloat16}
    latents, expected = bench.directly(CASES["wan"], precision)
    assert torch.equal(piece.unpack(motion).latents, latents)
    assert np.array_equal(frames_of(bench.generator, motion, card), whole(expected))


def test_other_words_and_other_seeds_are_other_pictures(bench: Bench, tmp_path: Path) -> None:
    case, card = CASES["wan"], bench.models.card("wan_t2v")
    blue = words_of(bench.generator, card, tmp_path, "a blue fox in snow")
    requests = [
        bench.request(case),
        bench.request(case, seed=8),
        bench.request(case, run=run_of(card, blue)),
    ]
    motions = [bench.generator.motion(request, Following()) for request in requests]
    made = [frames_of(bench.generator, motion, card) >> 8 for motion in motions]
    assert all((made[0] != other).mean() > 0.05 for other in made[1:])


@pytest.mark.parametrize(
    "options", [{"attention": "_native_math"}, {"tiling": "on"}, {"cache": "first-block:0.9"}]
)
def test_an_option_holds_for_its_own_model_only(options: dict[str, str], bench: Bench) -> None:
    case, plain_card = CASES["wan"], bench.models.card("wan_t2v")
    card = bench.models.card("wan_t2v", options=options, fingerprint=str(options))
    before = bench.generator.motion(bench.request(case), Following())
    run = run_of(card, bench.said("wan_t2v"))
    motion = bench.generator.motion(bench.request(case, run=run), Following())
    frames = frames_of(bench.generator, motion, card)
    assert (motion != before) == ("tiling" not in options)
    assert bench.generator.motion(bench.request(case), Following()) == before
    assert len(frames) == len(frames_of(bench.generator, before, plain_card))


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


def test_another_process_makes_the_same_bits(bench: Bench, tmp_path: Path) -> None:
    requests = [bench.request(case) for case in CASES.values() if case.masked is None]
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
        motion = bench.generator.motion(request, Following())
        card = request.run.card if request.run else None
        frames = b"".join(frame.tobytes() for frame in bench.generator.frames(motion, SIZE, card, Following()))
        assert sha256(motion + frames).hexdigest() == digest


class InStep(Following):
    """Two that have it go on step by step, until one of them has to wait for the other."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self._barrier = barrier

    def progress(self, done: int, total: int) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait()


def test_a_decoder_that_draws_noise_draws_the_same(bench: Bench) -> None:
    case = Case("ltx_noisy", "LTXPipeline")
    motion = bench.generator.motion(bench.request(case), Following())
    card = bench.models.card("ltx_noisy")
    first = frames_of(bench.generator, motion, card)
    torch.rand(3)
    together = InStep(threading.Barrier(2, timeout=0.5))
    with ThreadPoolExecutor(2) as lanes:
        made = [lanes.submit(frames_of, bench.generator, motion, card, together) for _ in range(2)]
    assert all(np.array_equal(first, frames.result()) for frames in made)


def test_one_lane_decodes_while_the_other_denoises(bench: Bench) -> None:
    case, card = CASES["i2v"], bench.models.card("wan_i2v")
    request = bench.request(case)
    motion = bench.generator.motion(request, Following())
    frames = frames_of(bench.generator, motion, card)
    wrong: list[str] = []

    def decode() -> None:
        same = [np.array_equal(frames_of(bench.generator, motion, card), frames) for _ in range(6)]
        wrong.extend("frames" for ok in same if not ok)

    lane = threading.Thread(target=decode)
    lane.start()
    made = [bench.generator.motion(request, Following()) for _ in range(4)]
    lane.join()
    assert wrong == []
    assert made == [motion] * 4


# -- cancel ------------------------------------------------------------------------------------------------------


def test_reading_weights_tells_of_each_and_can_be_cancelled_at_any(bench: Bench) -> None:
    card, watch = bench.models.card("wan_t2v", dtype="bfloat16"), Following()
    read = read_parts(card, ["transformer"], watch)
    assert watch.count > len(list(read["transformer"].parameters()))
    for stop in range(1, watch.count, 7):
        with pytest.raises(Cancelled):
            read_parts(card, ["transformer"], Following(stop=stop))
        assert torch.get_default_dtype() is torch.float32


class Doubling(torch.nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values * 2


def test_compiled_blocks_are_followed_too() -> None:
    blocks = torch.nn.ModuleList([Doubling() for _ in range(3)])
    for block in blocks:
        block.compile(backend="eager", fullgraph=True)
    told: list[int] = []
    hooks = follow([blocks], lambda: told.append(1))
    for _ in range(2):
        assert [float(block(torch.ones(1))) for block in blocks] == [2, 2, 2]
        for hook in hooks:
            hook.remove()
    assert len(told) == 3


@pytest.mark.parametrize(
    "name", ["wan", "two experts", "i2v", "vace in a mask", "plate", "ltx", "ltx first and last"]
)
def test_a_cancelled_run_ends_at_once_and_the_next_is_whole(
    name: str,
    bench: Bench,
) -> None:
    case, card = CASES[name], bench.models.card(CASES[name].model)
    request = bench.request(case)

    def work(watch: Following) -> tuple[bytes, NDArray[Any]]:
        motion = bench.generator.motion(request, watch, case.footage())
        return motion, frames_of(bench.generator, motion, card, watch)

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
def test_words_and_stills_can_be_cancelled_too(name: str, bench: Bench) -> None:
    generator, card = Diffusers(), bench.models.card(name)

    def work(watch: Following) -> bytes:
        run = Run(card, (0, 0), 1, params={} if name == "sdxl" else {"max_sequence_length": msgspec.Raw(b"32")})
        words = generator.words(WordsRequest(run, TEXT["prompt"], TEXT["negative_prompt"]), watch)
        if name not in STILLS:
            return words
        still = KeyframeRequest(Fields(), 7, run=run_of(card, bench.said(name)))
        return words + generator.keyframe(still, watch)

    with pytest.raises(Cancelled):
        work(Following(stop=1))  # while it loads
    made, whole = work(Following()), Following()
    assert work(whole) == made
    for part in (0.02, 0.3, 0.6, 0.97):
        with pytest.raises(Cancelled):
            work(Following(stop=max(int(whole.count * part), 1)))
        assert work(Following()) == made


# -- pictures ----------------------------------------------------------------------------------------------------


def test_a_given_picture_stands_for_the_still(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (640, 64), "red").save(path)
    run = Run(bench.models.card("sdxl"), (96, 64), STEPS)
    made = opened(bench.generator.keyframe(KeyframeRequest(Fields(), 1, str(path), run), Following()))
    assert made.shape == (64, 96, 3)
    assert (made == (255, 0, 0)).all(), "it covers the size: nothing is added"


def test_a_picture_of_a_motion_is_its_frame(bench: Bench) -> None:
    card = bench.models.card("wan_t2v")
    motion = bench.generator.motion(bench.request(CASES["wan"]), Following())
    frames = frames_of(bench.generator, motion, card)
    made = opened(bench.generator.picture(motion, 3, card, Following()))
    assert np.array_equal(made, (frames[3].astype(np.uint32) + 128) // 257)
    with pytest.raises(BadRequest, match="frame 9"):
        bench.generator.picture(motion, FRAMES, card, Following())

"""One model at one size on one device: calling its pipeline, and having the generator call it, in this process."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch

from benchmarks.direct import RATE, Work
from benchmarks.watching import Watched
from rushes.generators.base import Fields, MotionRequest
from rushes.generators.cards import Card, Run
from rushes.generators.diffusers import Diffusers
from rushes.generators.diffusers.devices import CudaDevice, best
from rushes.generators.diffusers.piece import pack_words


@dataclass(frozen=True)
class Subject:
    """A model, its work, how many shots are measured, and a folder for what comes out."""

    card: Card
    work: Work
    shots: int
    scratch: Path

    @property
    def words(self) -> Path:
        """Where the made-up words lie, in their stored form."""
        return self.scratch / f"{self.card.name}.words"

    @property
    def dtype(self) -> torch.dtype:
        found: torch.dtype = getattr(torch, self.card.dtype)
        return found

    def run(self) -> Run:
        return Run(self.card, self.work.size, self.work.steps, self.work.guidance, words=str(self.words))

    def request(self, seed: int) -> MotionRequest:
        return MotionRequest(Fields(), seed, RATE, self.work.frames, run=self.run())

    def embeddings(self) -> dict[str, torch.Tensor]:
        """Made-up words, in the shape that the model takes."""
        settings = diffusers.WanTransformer3DModel.load_config(Path(self.card.folder) / "transformer")
        drawn = torch.Generator().manual_seed(1)
        names = ("prompt_embeds", "negative_prompt_embeds")
        return {name: torch.randn(1, 512, settings["text_dim"], generator=drawn).to(self.dtype) for name in names}

    def write_words(self) -> None:
        made = {f"wan.{name}": tensor for name, tensor in self.embeddings().items()}
        self.words.write_bytes(pack_words(made, self.card.pipeline))


@dataclass
class Timed:
    """Seconds of a block, and the most bytes that it had in use on the card."""

    seconds: float = 0.0
    peak: int = 0


@contextmanager
def timed() -> Iterator[Timed]:
    """Until the card is done, too."""
    found, on_card = Timed(), torch.cuda.is_available()
    if on_card:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    yield found
    if on_card:
        torch.cuda.synchronize()
        found.peak = torch.cuda.max_memory_allocated()
    found.seconds = time.perf_counter() - began


def forget() -> None:
    """Give back the memory of what was deleted."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def directly(subject: Subject) -> tuple[Timed, Timed]:
    """Load the pipeline and call it as its manual says: the loading, and the quickest call, pictures and all."""
    with timed() as loading:
        pipe = diffusers.WanPipeline.from_pretrained(
            subject.card.folder,
            dtype={"vae": torch.float32, "default": subject.dtype},
            text_encoder=None,
            tokenizer=None,
        ).to(best().torch_device)
    pipe.set_progress_bar_config(disable=True)
    calls = [_called(pipe, subject, seed) for seed in range(subject.shots + 1)]
    del pipe
    forget()
    return loading, min(calls[1:], key=lambda call: call.seconds)


def _called(pipe: Any, subject: Subject, seed: int) -> Timed:  # noqa: ANN401
    (width, height), place = subject.work.size, best().torch_device
    words = {name: tensor.to(place) for name, tensor in subject.embeddings().items()}
    with timed() as call, diffusers.attention_backend("native"):
        made = pipe(
            **words,
            width=width,
            height=height,
            num_frames=subject.work.frames,
            num_inference_steps=subject.work.steps,
            guidance_scale=float(subject.work.guidance),
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="np",
        ).frames[0]
        (made * 65535).round().astype(np.uint16)
    return call


@dataclass
class Ours:
    """One shot by the generator; `digest` is of its stored motion."""

    motion: Timed
    decoding: Timed
    digest: str
    watch: Watched

    @property
    def seconds(self) -> float:
        return self.motion.seconds + self.decoding.seconds

    @property
    def peak(self) -> int:
        return max(self.motion.peak, self.decoding.peak)


def made(generator: Diffusers, subject: Subject, seed: int, watch: Watched | None = None) -> Ours:
    """One shot: its motion, then its frames."""
    watch = watch or Watched()
    with timed() as motion:
        stored = generator.motion(subject.request(seed), watch)
    with timed() as decoding:
        for _ in generator.frames(stored, subject.work.size, subject.card, watch):
            pass
    return Ours(motion, decoding, hashlib.sha256(stored).hexdigest(), watch)


class Smaller(CudaDevice):
    """The card, as if it had only so many bytes."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total

    def total(self) -> int:
        return self._total

    def free(self) -> int:
        return min(super().free(), self._total - self.held())

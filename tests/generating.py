"""Requests to tiny pipelines, and the same asked of diffusers directly. Imports torch: after
`pytest.importorskip("diffusers")` only.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import diffusers
import msgspec
import numpy as np
import torch
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.base import Cancelled, Fields, Footage, MotionRequest, WordsRequest
from rushes.generators.cards import Card, Reference, Run
from rushes.generators.diffusers import Diffusers
from tiny import TinyModels

SIZE = (64, 64)
FRAMES = 9
STEPS = 4
TEXT = {"prompt": "a red fox in snow", "negative_prompt": "blurry"}


@dataclass
class Following:
    """A watch that counts, and cancels at the call `stop`."""

    stop: int = sys.maxsize
    count: int = 0
    times: list[float] = field(default_factory=list)
    doing: list[str] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)

    def progress(self, done: int, total: int) -> None:
        self.count += 1
        self.times.append(time.perf_counter())
        self.steps.append((done, total))
        if self.count >= self.stop:
            raise Cancelled

    def now(self, doing: str) -> None:
        self.doing.append(doing)

    def preview(self, jpeg: Callable[[], bytes]) -> None:
        jpeg()


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Image.fromarray(values)


def footage_of(*, masked: bool) -> Footage:
    plate = np.stack([np.asarray(noise(2, (8, 8)).resize(SIZE))] * FRAMES)
    mask = np.zeros((FRAMES, *SIZE), np.uint8)
    mask[:, 16:48, 16:48] = 255
    return Footage(plate, mask if masked else None)


# -- what is asked for, and the same asked of diffusers ----------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One way to make a motion. `direct` is the class that diffusers is called with, and `arguments` what it gets
    beside text, size, steps and seed."""

    model: str
    direct: str
    request: Callable[[list[Path]], dict[str, Any]] = lambda pictures: {}
    arguments: Callable[[list[Image.Image]], dict[str, Any]] = lambda pictures: {}
    masked: bool | None = None
    references: bool = False
    params: dict[str, Any] = field(default_factory=dict)

    def footage(self) -> Footage | None:
        return None if self.masked is None else footage_of(masked=self.masked)


def _first(pictures: list[Path]) -> dict[str, Any]:
    return {"first_frame": str(pictures[0])}


def _both(pictures: list[Path]) -> dict[str, Any]:
    return {"keyframe": str(pictures[0]), "last_frame": str(pictures[1])}


def _listed(frames: NDArray[np.uint8]) -> list[Image.Image]:
    return [Image.fromarray(frame) for frame in frames]


def _over(masked: bool) -> dict[str, Any]:
    footage = footage_of(masked=masked)
    return {"video": _listed(footage.plate)} | ({} if footage.mask is None else {"mask": _listed(footage.mask)})


def _held(pictures: list[Image.Image]) -> dict[str, Any]:
    ends = zip(pictures, (0, FRAMES - 1), strict=True)
    return {"conditions": [LTXVideoCondition(image=image, frame_index=index) for image, index in ends]}


def _plate_held(pictures: list[Image.Image]) -> dict[str, Any]:
    return {"conditions": [LTXVideoCondition(video=_over(False)["video"], strength=0.5)]}


CASES = {
    "wan": Case("wan_t2v", "WanPipeline"),
    "two experts": Case("wan22_t2v", "WanPipeline", params={"guidance_scale_2": "3.5"}),
    "ti2v from words": Case("wan22_ti2v", "WanPipeline"),
    "ti2v from a picture": Case("wan22_ti2v", "WanImageToVideoPipeline", _first, lambda p: {"image": p[0]}),
    "i2v": Case("wan_i2v", "WanImageToVideoPipeline", _first, lambda p: {"image": p[0]}),
    "two experts i2v": Case("wan22_i2v", "WanImageToVideoPipeline", _first, lambda p: {"image": p[0]}),
    "two experts first and last": Case(
        "wan22_i2v", "WanImageToVideoPipeline", _both, lambda p: {"image": p[0], "last_image": p[1]}
    ),
    "first and last": Case(
        "wan_flf", "WanImageToVideoPipeline", _both, lambda p: {"image": p[0], "last_image": p[1]}
    ),
    "vace from words": Case("wan_vace", "WanVACEPipeline"),
    "vace in a mask": Case("wan_vace", "WanVACEPipeline", arguments=lambda p: _over(True), masked=True),
    "vace with references": Case(
        "wan_vace", "WanVACEPipeline", arguments=lambda p: {"reference_images": p}, references=True
    ),
    "plate": Case(
        "wan_t2v",
        "WanVideoToVideoPipeline",
        lambda p: {"strength": "0.5"},
        lambda p: _over(False) | {"strength": 0.5},
        masked=False,
    ),
    "ltx": Case("ltx", "LTXPipeline"),
    "ltx with a time": Case(
        "ltx_timed", "LTXPipeline", params={"decode_timestep": "0.05", "decode_noise_scale": "0.025"}
    ),
    "ltx i2v": Case("ltx", "LTXImageToVideoPipeline", _first, lambda p: {"image": p[0]}),
    "ltx first and last": Case("ltx", "LTXConditionPipeline", _both, _held),
    "ltx plate": Case("ltx", "LTXConditionPipeline", lambda p: {"strength": "0.5"}, _plate_held, masked=False),
}
STILLS = ("sdxl", "flux")


def run_of(card: Card, words: Path, params: dict[str, Any] | None = None, **more: Any) -> Run:
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in (params or {}).items()}
    return Run(card, SIZE, STEPS, "5", raw, str(words), **more)


def words_of(generator: Diffusers, card: Card, folder: Path, prompt: str = TEXT["prompt"]) -> Path:
    """The file of embeddings of a prompt."""
    run = Run(card, (0, 0), 1, params={} if "XL" in card.pipeline else {"max_sequence_length": msgspec.Raw(b"32")})
    made = generator.words(WordsRequest(run, prompt, TEXT["negative_prompt"]), Following())
    path = folder / f"{card.name}-{sha256(prompt.encode()).hexdigest()[:8]}.words"
    path.write_bytes(made)
    return path


def directly(case: Case, models: TinyModels, pictures: list[Path], dtype: Any = None) -> tuple[Any, Any]:
    """Latents and frames (0 to 1) as diffusers makes them when it is simply called."""
    pipe = diffusers.DiffusionPipeline.from_pretrained(models.folder(case.model), dtype=dtype or torch.float32)
    kind = getattr(diffusers, case.direct)
    if type(pipe) is not kind:
        config = {"expand_timesteps": True} if case.model == "wan22_ti2v" else {}
        wanted = set(pipe.components) & set(kind.__init__.__annotations__)
        pipe = kind(**{name: pipe.components[name] for name in wanted}, **config)
    pipe.set_progress_bar_config(disable=True)
    arguments = TEXT | {"height": SIZE[1], "width": SIZE[0], "num_inference_steps": STEPS, "guidance_scale": 5.0}
    if "XL" not in case.direct:
        arguments["max_sequence_length"] = 32
    if case.model not in STILLS and case.direct != "WanVideoToVideoPipeline":
        arguments["num_frames"] = FRAMES
    if case.direct.startswith("LTX"):
        arguments["frame_rate"] = 24
    arguments |= {name: float(value) for name, value in case.params.items()}
    arguments |= case.arguments([Image.fromarray(opened(path.read_bytes())) for path in pictures])
    made = [
        pipe(**arguments, output_type=kind, return_dict=False, generator=torch.Generator().manual_seed(7))[0]
        for kind in ("latent", "np")
    ]
    return made[0], made[1][0]


def plain(latents: Any) -> Any:
    """(1, channels, frames, height, width) of what a pipeline returns for 64x64 and 9 frames."""
    if latents.ndim == 3:
        return latents.reshape(1, 2, 2, 2, -1).permute(0, 4, 1, 2, 3)
    return latents[:, :, -3:]


def whole(frames: Any) -> NDArray[np.uint16]:
    return np.rint(frames.astype(np.float32) * 65535).astype(np.uint16)


def frames_of(generator: Diffusers, motion: bytes, card: Card, watch: Following | None = None) -> NDArray[Any]:
    return np.stack(list(generator.frames(motion, SIZE, card, watch or Following())))


def opened(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


class Bench:
    """Tiny models, a generator, two pictures of its size, and the words of each model, made once."""

    def __init__(self, root: Path) -> None:
        self.models, self.generator = TinyModels(root / "models"), Diffusers()
        self.pictures = [root / "first.png", root / "last.png"]
        for seed, path in enumerate(self.pictures):
            noise(seed, (8, 8)).resize(SIZE).save(path)
        self._root, self._words = root, dict[str, Path]()

    def said(self, model: str) -> Path:
        """The file of its embeddings of TEXT."""
        if model not in self._words:
            self._words[model] = words_of(self.generator, self.models.card(model), self._root)
        return self._words[model]

    def request(self, case: Case, **changes: Any) -> MotionRequest:
        """What a case asks for."""
        shown = [Reference(str(path), sha256(path.read_bytes()).hexdigest()) for path in self.pictures]
        references = tuple(shown) if case.references else ()
        run = run_of(self.models.card(case.model), self.said(case.model), case.params, references=references)
        known = {"seed": 7, "rate": "24/1", "frames": FRAMES, "run": run}
        return MotionRequest(Fields(), **known | case.request(self.pictures) | changes)

    def directly(self, case: Case, dtype: Any = None) -> tuple[Any, Any]:
        """Latents and frames (0 to 1) as diffusers makes them when it is simply called."""
        return directly(case, self.models, self.pictures, dtype)


@contextmanager
def one_thread() -> Iterator[None]:
    """Their number changes the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

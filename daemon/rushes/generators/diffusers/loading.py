"""The components of a model's folder, read onto the CPU: only files that were checked, never a pickle, never code
that came with a model, never the network.

Weights are read ahead of the library that opens them, for that is the long part and it is silent meanwhile.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from transformers.utils import logging as transformers_logging

from rushes.generators import safetensors_files
from rushes.generators.base import Cancelled, Watch
from rushes.generators.cards import Card
from rushes.generators.diffusers.devices import FALLBACK_MEMORY
from rushes.generators.diffusers.ladder import is_out_of_memory
from rushes.generators.diffusers.options import applied, quantisation
from rushes.generators.diffusers.ticking import Tick, Ticking
from rushes.generators.folders import Component, Folder, check_inside, read_folder
from rushes.generators.gpus import main_memory
from rushes_otio.errors import FileFault, RushesError
from rushes_otio.text import printable

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}

TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3", "tokenizer", "tokenizer_2", "tokenizer_3")
"""Components that only words need."""

_PRECISE = frozenset({"AutoencoderKLWan", "AutoencoderKL", "CLIPVisionModel", "CLIPVisionModelWithProjection"})
"""Classes that work in float32 whatever the rest works in: half the bits show as bands in a sky, or overflow."""

_BASES = (
    diffusers.ModelMixin,
    diffusers.SchedulerMixin,
    transformers.PreTrainedModel,
    transformers.PreTrainedTokenizerBase,
    transformers.ImageProcessingMixin,
    transformers.FeatureExtractionMixin,
)
_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
_SETTINGS = frozenset(
    {"boundary_ratio", "expand_timesteps", "force_zeros_for_empty_prompt", "add_watermarker", "is_distilled"}
)
"""What a pipeline's constructor takes that is no component."""

_BLOCK = 64 << 20
_REMEDY = "download the model again, or check it: rushes models check"

_here = threading.local()


@dataclass(frozen=True)
class Parts:
    """Components of one model, and the pipelines that can be made of them."""

    card: Card
    components: dict[str, Any]

    def pipe(self, pipeline: str) -> diffusers.DiffusionPipeline:
        """A pipeline of the class of this name over these components; None stands for those that are not here. It
        has a scheduler of its own, for a scheduler remembers where it is."""
        kind = getattr(diffusers, pipeline)
        settings = {"add_watermarker": False, **read_folder(Path(self.card.folder)).settings}
        wanted = [name for name in inspect.signature(kind.__init__).parameters if name != "self"]
        given = {name: settings[name] for name in wanted if name in settings}
        given |= {name: self.components.get(name) for name in wanted if name not in _SETTINGS}
        if given.get("scheduler") is not None:
            given["scheduler"] = type(given["scheduler"]).from_config(given["scheduler"].config)
        pipe = kind(**given)
        pipe.set_progress_bar_config(disable=True)
        return pipe


def components_of(pipeline: str) -> frozenset[str]:
    """Names of the components that a pipeline class is made of."""
    return frozenset(inspect.signature(getattr(diffusers, pipeline).__init__).parameters) - _SETTINGS - {"self"}


def read_parts(card: Card, names: Collection[str], watch: Watch) -> dict[str, Any]:
    """These components of a model, on the CPU, in eval mode, in the card's dtype; names that it does not have are
    left out. FileFault for files that are missing, cut short, or not what they should be."""
    folder = read_folder(Path(card.folder))
    wanted = [part for name, part in folder.components.items() if name in names]
    watch.now("loading")
    made = {}
    for done, part in enumerate(wanted):
        _read_ahead(folder, part, watch)
        watch.progress(done, len(wanted))
        with _default_dtype_kept(), _told(partial(watch.progress, done, len(wanted))):
            made[part.name] = _read(folder, part, card)
    watch.progress(len(wanted), len(wanted))
    watch.now("")
    return made


def _read_ahead(folder: Folder, part: Component, watch: Watch) -> None:
    """Check the files of weights, and bring them into the machine's memory where there is room for them."""
    paths = [check_inside(folder.path, file) for file in part.weights]
    for path in paths:
        safetensors_files.check(path)
    total, done = sum(path.stat().st_size for path in paths), 0
    if total > (main_memory() or FALLBACK_MEMORY) // 2:
        return  # the first would be gone again before the library comes to it
    buffer = bytearray(min(_BLOCK, max(total, 1)))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                done += count
                watch.progress(done, total)


@contextmanager
def _default_dtype_kept() -> Iterator[None]:
    """A library that fails in the middle of a load leaves its own default to the whole process."""
    before = torch.get_default_dtype()
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _read(folder: Folder, part: Component, card: Card) -> object:
    kind = _class(folder, part)
    path = str(folder.path / part.name)
    try:
        if not part.weights:
            return kind.from_pretrained(path, local_files_only=True)
        return applied(card, part.name, _weighted(kind, part, path, card))
    except Exception as error:  # settings in the folder can be anything
        if isinstance(error, Cancelled | RushesError) or is_out_of_memory(error):
            raise
        raise FileFault(
            f"the component {part.name} cannot be loaded: {printable(str(error), 300)}", where=path, remedy=_REMEDY
        ) from error


def _weighted(kind: type[Any], part: Component, path: str, card: Card) -> torch.nn.Module:
    # A library makes the dtype that it loads the default of the whole process meanwhile, and the other lane may
    # be computing. A VAE is what both lanes load, so it is read as float32 and made smaller afterwards.
    is_vae = part.name == "vae"
    dtype, form = DTYPES[card.dtype], quantisation(card, part.name)
    model, found = kind.from_pretrained(
        path,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.float32 if is_vae or part.kind in _PRECISE else dtype,
        output_loading_info=True,
        **({} if form is None else {"quantization_config": form}),
    )
    lacking = sorted(found["missing_keys"])
    if lacking:
        raise FileFault(f"the weights of {part.name} lack {lacking[0]}", where=path, remedy=_REMEDY)
    if is_vae and part.kind not in _PRECISE:
        model = model.to(dtype)
    return model.eval().requires_grad_(False)


def _class(folder: Folder, part: Component) -> type[Any]:
    kind = getattr(_LIBRARIES[part.library], part.kind, None)
    if isinstance(kind, type) and issubclass(kind, _BASES):
        return kind
    version = _LIBRARIES[part.library].__version__
    raise FileFault(
        f"the component {part.name} is a {part.kind}, which {part.library} {version} does not have",
        where=str(folder.path),
        remedy="use a model made for this version, or update: pip install -U 'rushes[diffusers]'",
    )


@contextmanager
def _told(tick: Tick) -> Iterator[None]:
    """`tick` for each tensor that a library reads in this thread: transformers asks for a progress bar."""
    _here.tick = tick
    try:
        with Ticking(tick):
            yield
    finally:
        del _here.tick


class _Followed:
    """What transformers takes for a progress bar."""

    def __init__(self, items: Iterable[object] = (), *_: object, **__: object) -> None:
        self._items = items

    def __iter__(self) -> Iterator[object]:
        tick = getattr(_here, "tick", None)
        for item in self._items:
            if tick is not None:
                tick()
            yield item

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None

    def __enter__(self) -> _Followed:
        return self

    def __exit__(self, *_: object) -> None:
        return None


transformers_logging.set_tqdm_hook(lambda _, args, kwargs: _Followed(*args, **kwargs))

"""The generator of real models: words once, then latents, then frames, each kept, so that a change runs no more
than it must. Two lanes call it: one makes words, stills and motions; the other decodes frames meanwhile.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from rushes.generators.base import Footage, Frame, KeyframeRequest, MotionRequest, Watch, WordsRequest
from rushes.generators.cards import Card
from rushes.generators.diffusers import devices, environment, pictures, piece, seams
from rushes.generators.diffusers.adapters_lora import loras_on
from rushes.generators.diffusers.asking import asked, run_of
from rushes.generators.diffusers.calls import Given, call_for, words_sets
from rushes.generators.diffusers.continuing import History
from rushes.generators.diffusers.decoding import decoded
from rushes.generators.diffusers.health import check_words
from rushes.generators.diffusers.loading import TEXT, Parts, components_of
from rushes.generators.diffusers.making import Making
from rushes.generators.diffusers.piece import Piece
from rushes.generators.diffusers.previews import Previews
from rushes.generators.diffusers.residency import Loaded, Residency
from rushes.generators.diffusers.tap import Tap
from rushes.generators.diffusers.words import encoded
from rushes.generators.folders import read_folder
from rushes_otio.errors import BadRequest


class Diffusers:
    """`Generator` over diffusers. Weights are read when they are first needed, and kept while they fit."""

    def __init__(self, residency: Residency | None = None) -> None:
        gc.freeze()  # the libraries' million objects stay: looking through them takes a quarter of a second
        self._residency = residency or _of_this_process()
        self._previews = Previews()

    def words(self, request: WordsRequest, watch: Watch) -> bytes:
        """Every set of embeddings that the model's pipelines take; see `piece` for the form."""
        folder = read_folder(Path(request.run.card.folder))
        sets = words_sets(folder)

        def make(loaded: Loaded) -> dict[str, torch.Tensor]:
            made = {name: _encoded(request, pipeline, loaded, watch) for name, pipeline in sets.items()}
            return {f"{name}.{key}": tensor for name, tensors in made.items() for key, tensor in tensors.items()}

        made = self._residency.run(request.run.card, TEXT, watch, make)
        check_words(made)
        watch.progress(1, 1)
        return piece.pack_words(made, folder.pipeline)

    def keyframe(self, request: KeyframeRequest, watch: Watch) -> bytes:
        """The given picture at the model's size, or a still of the model. PNG, RGB."""
        run = run_of(request.run)
        watch.progress(0, run.steps)
        if request.image is not None:
            return pictures.png(pictures.given(request.image, run.size))
        folder = read_folder(Path(run.card.folder))
        call = call_for(folder, "still")
        given = Given(size=run.size, steps=run.steps)
        making = Making(run, call, given, request.seed, watch, self._previews)
        return pictures.of_frame(self._decoded(self._made(making), run.card, watch)[0])

    def motion(self, request: MotionRequest, watch: Watch, footage: Footage | None = None) -> bytes:
        """Latents; see `piece` for the form."""
        run = run_of(request.run)
        watch.progress(0, run.steps)
        call, given = asked(request, footage, read_folder(Path(run.card.folder)))
        past = None if request.after is None else self._before(request.after, request.overlap, run.card, watch)
        return piece.pack(self._made(Making(run, call, given, request.seed, watch, self._previews, past)))

    def length(self, motion: bytes) -> int:
        """Frames of a stored motion."""
        return piece.unpack(motion).head.frames

    def frames(
        self,
        motion: bytes,
        size: tuple[int, int],  # noqa: ARG002
        card: Card | None,
        watch: Watch,
    ) -> Iterator[Frame]:
        """Every frame at the model's own size, 16 bit. The card is free again before the first is handed on."""
        return self._shown(piece.unpack(motion), card, watch)

    def picture(self, motion: bytes, frame: int, card: Card | None, watch: Watch) -> bytes:
        """PNG of one frame. BadRequest beyond the last frame."""
        stored = piece.unpack(motion)
        if not 0 <= frame < stored.head.frames:
            raise BadRequest(
                f"frame {frame} of a motion of {stored.head.frames} frames", remedy="ask for a frame inside it"
            )
        return pictures.of_frame(list(self._shown(stored, card, watch))[frame])

    def device(self) -> str:
        """The card; the processor is nobody's alone."""
        device = self._residency.device.torch_device
        return "" if device.type == "cpu" else str(device)

    def environment(self) -> Mapping[str, str]:
        """Versions, device, threads: what can change the last bits."""
        return environment.found(self._residency.device)

    def _made(self, making: Making) -> Piece:
        card, (width, height) = making.run.card, making.given.size
        # Whoever denoises has his words: the text encoders make room, not sooner, for words come in a row.
        self._residency.drop(card, TEXT)
        names = sorted(components_of(making.call.pipeline) - set(TEXT))
        volume = width * height * making.given.frames
        return self._residency.run(card, names, making.watch, making.made, volume=volume)

    def _decoded(self, stored: Piece, card: Card, watch: Watch) -> NDArray[np.uint16]:
        """All frames of a piece, its overlap too."""
        width, height = stored.head.size

        def decode(loaded: Loaded) -> NDArray[np.uint16]:
            vae = loaded.components["vae"]
            made = decoded(vae, stored, lambda: watch.progress(0, 0))
            self._previews.learn(stored.latents, made, vae)
            return made

        watch.now("decoding")
        made = self._residency.run(card, ("vae",), watch, decode, volume=width * height * stored.latents.shape[2])
        watch.now("")
        return made

    def _shown(self, stored: Piece, card: Card | None, watch: Watch) -> Iterator[NDArray[np.uint16]]:
        """The new frames of a piece, mended where it goes on from another."""
        if card is None:
            raise BadRequest("no model was named for a stored motion", remedy="render the shot again")
        every = self._decoded(stored, card, watch)
        overlap = stored.head.overlap
        if not overlap:
            return iter(every)
        kept = {name: tensor.numpy() for name, tensor in stored.more.items()}
        return seams.mended(iter(every), overlap, kept)

    def _before(self, path: str, overlap: int, card: Card, watch: Watch) -> History:
        """The last frames of the piece before, as they are seen."""
        shown = list(self._shown(piece.load_piece(path), card, watch))
        if not 0 < overlap <= len(shown):
            raise BadRequest(
                f"an overlap of {overlap} frames over a piece of {len(shown)}",
                remedy="set a smaller overlap for the model in models.toml",
            )
        return History(np.stack(shown[-overlap:]))


def _of_this_process() -> Residency:
    """On the device that the worker was started for; what ran out of memory is remembered in the state folder."""
    state = os.environ.get("RUSHES_STATE", "")
    remembered = Path(state) / "rungs.json" if state else None
    return Residency(devices.best(os.environ.get("RUSHES_DEVICE", "auto")), remembered)


def _encoded(request: WordsRequest, pipeline: str, loaded: Loaded, watch: Watch) -> dict[str, torch.Tensor]:
    """One set of embeddings, as the call of this class would make them."""
    run = request.run
    pipe = Parts(run.card, dict(loaded.components)).pipe(pipeline)
    params = {name: msgspec.json.decode(value) for name, value in run.params.items()}
    watch.now("reading the words")
    with loras_on(pipe, run.loras, watch):
        loaded.place(pipe)
        with Tap(pipe, watch):
            made = encoded(pipe, request.prompt, request.negative, params)
    watch.now("")
    return made

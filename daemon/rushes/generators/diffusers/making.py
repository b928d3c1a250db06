"""One run of a pipeline: from components, words and what is given to latents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline

from rushes.generators.base import Watch
from rushes.generators.cards import Run
from rushes.generators.diffusers import parameters, seams
from rushes.generators.diffusers.adapters_lora import loras_on
from rushes.generators.diffusers.calls import Call, Given, check_fits
from rushes.generators.diffusers.continuing import History
from rushes.generators.diffusers.health import check_latents
from rushes.generators.diffusers.layout import plain
from rushes.generators.diffusers.loading import Parts
from rushes.generators.diffusers.options import attention
from rushes.generators.diffusers.piece import Head, Piece, read_words
from rushes.generators.diffusers.previews import Previews
from rushes.generators.diffusers.references import reference_arguments
from rushes.generators.diffusers.residency import Loaded
from rushes.generators.diffusers.tap import Seen, Tap
from rushes_otio.errors import BadRequest

_DECODE = ("decode_timestep", "decode_noise_scale")


@dataclass(frozen=True)
class Making:
    """One run, not begun. `past` is what it goes on from."""

    run: Run
    call: Call
    given: Given
    seed: int
    watch: Watch
    previews: Previews
    past: History | None = None

    def made(self, loaded: Loaded) -> Piece:
        """The latents. BadRequest for what the pipeline does not take, MediaFault where the model goes wrong."""
        params = parameters.checked(self.call.pipeline, self.run.params)
        pipe = Parts(self.run.card, dict(loaded.components)).pipe(self.call.pipeline)
        check_fits(pipe, self.given)
        generator = torch.Generator("cpu").manual_seed(self.seed)
        with ExitStack() as stack:
            stack.enter_context(attention(self.run.card))
            shown = stack.enter_context(reference_arguments(pipe, self.run, self.watch))
            stack.enter_context(loras_on(pipe, self.run.loras, self.watch))
            loaded.place(pipe)
            arguments = self._arguments(pipe, loaded.device) | params | shown
            latents = self._denoised(pipe, arguments | {"generator": generator})
        return self._piece(plain(pipe, latents, self.given), generator, params)

    def _denoised(self, pipe: DiffusionPipeline, arguments: dict[str, Any]) -> torch.Tensor:
        steer = None if self.past is None else self.past.held(pipe, self.given.frames, self.seed)
        self.watch.now("denoising")
        with Tap(pipe, self.watch, self._seen(pipe), steer):
            latents: torch.Tensor = pipe(**arguments, output_type="latent", return_dict=False)[0]
            check_latents(latents)
        self.watch.now("")
        return latents

    def _arguments(self, pipe: DiffusionPipeline, device: torch.device) -> dict[str, Any]:
        run, (width, height) = self.run, self.given.size
        made: dict[str, Any] = {"width": width, "height": height, "num_inference_steps": run.steps}
        if run.guidance:
            made["guidance_scale"] = float(run.guidance)
        known = self.call.arguments(self.given)
        if self.past is not None:
            known = self.past.arguments(type(pipe), self.given.frames, known)
        if not run.words:
            raise BadRequest("a run without words", remedy="render the shot again")
        words = read_words(run.words, self.call.words)
        return made | known | {name: tensor.to(device) for name, tensor in words.items()}

    def _seen(self, pipe: DiffusionPipeline) -> Seen:
        def seen(clean: Callable[[], torch.Tensor]) -> None:
            self.watch.preview(lambda: self.previews.of(plain(pipe, clean(), self.given), pipe.vae))

        return seen

    def _piece(self, latents: torch.Tensor, generator: torch.Generator, params: dict[str, Any]) -> Piece:
        overlap = 0 if self.past is None else len(self.past.frames)
        timestep, noise = (params.get(name) for name in _DECODE)
        head = Head(
            v=1,
            frames=self.given.frames - overlap,
            overlap=overlap,
            size=self.given.size,
            pipeline=self.call.pipeline,
            dtype=self.run.card.dtype,
            timestep="0" if timestep is None else str(timestep),
            noise="" if noise is None else str(noise),
        )
        more = {"noise": generator.get_state()} if self.call.pipeline.startswith("LTX") else {}
        if self.past is not None:
            more |= {name: torch.from_numpy(grid) for name, grid in seams.measured(self.past.frames).items()}
        return Piece(head, latents, more)

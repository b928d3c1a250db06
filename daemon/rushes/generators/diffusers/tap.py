"""A tap on a running pipeline: progress and cancel from inside a step, previews, and a hand on the model's output.

It works on every pipeline, with or without callbacks, and changes no bit of what it makes. The scheduler's step is
overridden in a class of its own for the time being: a function set on the scheduler would go along into the copies
that some pipelines make of it. Each block of each model calls `watch.progress` before it runs, so a cancelled
request ends in the middle of a step, of the text encoder, or of the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import torch
from diffusers import DiffusionPipeline, SchedulerMixin
from torch import Tensor

from rushes.generators.base import Watch
from rushes.generators.diffusers.health import check_latents
from rushes.generators.diffusers.ticking import Tick

MODELS = ("text_encoder", "text_encoder_2", "image_encoder", "transformer", "transformer_2", "unet", "vae")

Steer = Callable[[Any, Any, Any, Any], Any]
"""(scheduler, model output, timestep, sample) → model output, before each step."""

Step = Callable[..., Any]

Seen = Callable[[Callable[[], Tensor]], None]
"""Is told once a step of what will come out, as a function: it costs nothing until it is called."""


class Tap:
    """Follows one run of `pipe`, as a context manager. After an exception, `Cancelled` too, the pipeline is as it
    was before. `seen` is given the clean latents as they are predicted, in the layout of the scheduler."""

    def __init__(
        self, pipe: DiffusionPipeline, watch: Watch, seen: Seen | None = None, steer: Steer | None = None
    ) -> None:
        self._pipe, self._watch, self._seen, self._steer = pipe, watch, seen, steer
        self._hooks: list[Any] = []
        self.done = 0

    def __enter__(self) -> Tap:
        self._scheduler = getattr(self._pipe, "scheduler", None)
        if self._scheduler is not None:
            self._base = type(self._scheduler)
            self._scheduler.__class__ = _stepping(self._base, self._scheduler, self._step)
        self._hooks = follow(models_of(self._pipe), self.tick)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._scheduler is not None:
            self._scheduler.__class__ = self._base
        for hook in self._hooks:
            hook.remove()
        if kind is not None:
            _clean(self._pipe)

    def tick(self) -> None:
        """Say how far it is. Raises `Cancelled`."""
        self._watch.progress(self.done, self._total())

    def _total(self) -> int:
        steps = getattr(self._pipe, "_num_timesteps", None)
        return max(int(steps or 0), self.done, 1)

    def _step(self, step: Step, output: Tensor, timestep: Tensor, sample: Tensor, **more: object) -> object:
        self.tick()
        scheduler = self._scheduler
        if self.done == 0:
            check_latents(output)  # not after an hour
        if self._steer is not None:
            output = self._steer(scheduler, output, timestep, sample)
        if self._seen is not None:
            clean = predicted(scheduler, output, timestep, sample, more.get("per_token_timesteps"))
            if clean is not None:
                self._seen(clean)
        made = step(output, timestep, sample, **more)
        self.done += 1
        self.tick()
        return made


def models_of(pipe: DiffusionPipeline) -> list[Any]:
    """The neural networks of a pipeline."""
    found = (getattr(pipe, name, None) for name in MODELS)
    return [model for model in found if isinstance(model, torch.nn.Module)]


def follow(models: list[Any], tick: Tick) -> list[Any]:
    """Call `tick` before each block of these models; the hooks, to be removed."""

    def before(*_: object) -> None:
        tick()

    every = [block for model in models for block in _blocks(model)]
    return [
        block.register_forward_pre_hook(before) if block._compiled_call_impl is None else _Compiled(block, tick)
        for block in every
    ]


def _blocks(model: Any) -> Iterator[Any]:  # noqa: ANN401
    """Not those inside compiled ones: a hook would be compiled with them, and cannot be."""
    if model._compiled_call_impl is not None:
        return
    for child in model.children():
        if isinstance(model, torch.nn.ModuleList):
            yield child
        yield from _blocks(child)


class _Compiled:
    """What a hook is, for a block that is compiled together with its hooks."""

    def __init__(self, block: Any, tick: Tick) -> None:  # noqa: ANN401
        self._block, self._run = block, block._compiled_call_impl

        def called(*args: object, **kwargs: object) -> object:
            tick()
            return self._run(*args, **kwargs)

        block._compiled_call_impl = called

    def remove(self) -> None:
        self._block._compiled_call_impl = self._run


def _clean(pipe: DiffusionPipeline) -> None:
    """What an abort leaves behind: work that is still queued on the card, weights that wait on it, and the frames
    that a causal VAE remembers."""
    if torch.cuda.is_initialized():
        with suppress(RuntimeError):  # a card at fault says so once more
            torch.cuda.synchronize()
    pipe.maybe_free_model_hooks()
    for model in models_of(pipe):
        if hasattr(model, "clear_cache"):
            model.clear_cache()


def _stepping(base: type, tapped: SchedulerMixin, around: Step) -> type:
    """A scheduler class whose step goes through `around`, for `tapped` and none of its copies."""

    def step(self: SchedulerMixin, output: Tensor, timestep: Tensor, sample: Tensor, **more: object) -> object:
        plain = base.step.__get__(self)  # type: ignore[attr-defined]
        if self is not tapped:
            return plain(output, timestep, sample, **more)
        return around(plain, output, timestep, sample, **more)

    return type(base.__name__, (base,), {"step": step, "__module__": base.__module__})


def predicted(
    scheduler: SchedulerMixin,
    output: Tensor,
    timestep: Tensor,
    sample: Tensor,
    of_tokens: Tensor | None = None,
) -> Callable[[], Tensor] | None:
    """The clean latents that a step is heading for, to be worked out when they are wanted; None for a scheduler
    whose arithmetic is not known here. Flow matching, and noise beside a sigma: x − σe. Velocity beside a sigma:
    x / (σ² + 1) − eσ / √(σ² + 1). `of_tokens` are times of single tokens, 0 to 1000."""
    kind = _kind(scheduler)
    if kind is None:
        return None
    if scheduler.step_index is None:
        scheduler._init_step_index(timestep)
    sigma = scheduler.sigmas[scheduler.step_index] if of_tokens is None else of_tokens.unsqueeze(-1) / 1000
    if kind == "straight":
        return lambda: sample - sigma.to(sample) * output
    whole = sigma**2 + 1
    return lambda: sample / whole.to(sample) - output * (sigma / whole**0.5).to(sample)


def _kind(scheduler: SchedulerMixin) -> str | None:
    """How a sample lies off the clean latents, as the scheduler counts; None if that is not known here."""
    settings, name = scheduler.config, type(scheduler).__name__
    said = str(settings.get("prediction_type", "epsilon"))
    if "FlowMatch" in name or settings.get("use_flow_sigmas") or said == "flow_prediction":
        return "straight"
    if not any(family in name for family in ("Euler", "Heun", "LMS", "KDPM2")):
        return None
    return {"epsilon": "straight", "v_prediction": "curved"}.get(said)

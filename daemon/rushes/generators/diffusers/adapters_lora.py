"""LoRAs on a pipeline while it runs, and off again: never fused, so that the model is bit for bit what it was.

`load_lora_weights` of diffusers takes settings from the file that may rewrite the model's own weights, and fails
on a pipeline without its text encoders. So a file is read once, converted and compared (`lora_layers`), and put on
component by component.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import msgspec
from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from safetensors.torch import load

from rushes.generators.base import Watch
from rushes.generators.cards import Lora
from rushes.generators.diffusers.ladder import is_out_of_memory
from rushes.generators.diffusers.lora_layers import (
    Misfit,
    Weights,
    check_fit,
    components,
    converted,
    layers_of,
    part,
)
from rushes.generators.diffusers.reading import pieces
from rushes.generators.loras import FAMILIES, family_of, known
from rushes_otio.errors import BadRequest, FileFault

_SETTINGS = frozenset({"r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "lora_bias"})
"""Of the settings in a file, those that say how its matrices are multiplied. Others can change the model's own
weights ("init_lora_weights") or name layers that the file does not hold."""


@dataclass(frozen=True, slots=True)
class _Adapter:
    """A LoRA in the pipeline's own names. `alphas` or `settings` say how strong each layer is."""

    lora: Lora
    weight: float
    weights: Weights
    alphas: dict[str, float] | None
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return f"lora_{self.lora.digest[:16]}"


@contextmanager
def loras_on(pipe: Any, loras: Iterable[Lora], watch: Watch) -> Iterator[None]:  # noqa: ANN401
    """`pipe` with `loras` on, in their order. A component that it does not have (None) is passed over: text
    encoders have their turn when the words are made. Both experts of Wan 2.2 get every LoRA. To be entered before
    the pipeline is placed on a device.

    BadRequest, before anything is changed, for a LoRA of another architecture or size, or a weight that is no
    number; FileFault for a file that is none, or not the one that was asked for.
    """
    adapters = [_adapter(pipe, lora, weight, watch) for lora, weight in _merged(loras)]
    if not adapters:
        yield
        return
    try:
        for adapter in adapters:
            _put_on(pipe, adapter)
        _weigh(pipe, adapters)
        yield
    finally:
        pipe.unload_lora_weights()


def _merged(loras: Iterable[Lora]) -> list[tuple[Lora, Decimal]]:
    """Each file once, where it came first, with its weights added up. Those that weigh nothing are left out: the
    picture is the same without them."""
    rows: dict[str, tuple[Lora, Decimal]] = {}
    for lora in loras:
        first, weight = rows.get(lora.digest, (lora, Decimal(0)))
        rows[lora.digest] = (first, weight + _weight(lora))
    return [row for row in rows.values() if row[1]]


def _weight(lora: Lora) -> Decimal:
    try:
        weight = Decimal(lora.weight)
    except InvalidOperation:
        weight = Decimal("NaN")
    if not weight.is_finite():
        raise BadRequest(
            f"the weight of a LoRA is {lora.weight!r}", where=lora.path, remedy="give a number, for example 0.8"
        )
    return weight


def _adapter(pipe: Any, lora: Lora, weight: Decimal, watch: Watch) -> _Adapter:  # noqa: ANN401
    """A LoRA, read and found to fit."""
    file = known(lora)
    family = family_of(type(pipe).__name__)
    try:
        if not hasattr(pipe, "load_lora_weights"):
            raise Misfit("it takes no LoRAs")
        if family and family not in file.families:
            raise Misfit(f"it was made for {file.made_for}")
        raw, settings = _read(lora, watch)
        weights, alphas = converted(pipe, raw)
        for component, model in components(pipe):
            check_fit(model, layers_of(component, model, weights))
    except Misfit as misfit:
        raise _refused(pipe, lora, misfit) from misfit
    return _Adapter(lora, float(weight), weights, alphas, settings)


def _refused(pipe: Any, lora: Lora, why: object) -> BadRequest:  # noqa: ANN401
    pipeline = type(pipe).__name__
    model = FAMILIES.get(family_of(pipeline), pipeline)
    return BadRequest(
        f"the LoRA {Path(lora.path).name} does not go with the model ({model}): {why}",
        where=lora.path,
        remedy="use a LoRA that was made for this model, or another model: rushes models lists them",
    )


# -- reading -------------------------------------------------------------------------------------------------


def _read(lora: Lora, watch: Watch) -> tuple[Weights, dict[str, Any]]:
    """The tensors of a file, and the settings it brings."""
    data = _content(lora, watch)
    head = msgspec.json.decode(data[8 : 8 + int.from_bytes(data[:8], "little")], type=dict[str, msgspec.Raw])
    notes = msgspec.json.decode(head.get("__metadata__", msgspec.Raw(b"{}")), type=dict[str, str])
    tensors = load(data)
    # A tensor's place in memory can change the last bits of a product on a CPU; torch places its own all alike.
    return {name: tensors.pop(name).clone() for name in list(tensors)}, _settings(notes)


def _content(lora: Lora, watch: Watch) -> bytes:
    """The whole file; FileFault when it is not the one that was asked for."""
    watch.now("loading LoRAs")
    data = b"".join(pieces(Path(lora.path), watch))
    if sha256(data).hexdigest() != lora.digest:
        raise FileFault("a LoRA has changed since the shot was planned", where=lora.path, remedy="render again")
    return data


def _settings(notes: Mapping[str, str]) -> dict[str, Any]:
    """peft's settings, as diffusers writes them beside the weights: "transformer.lora_alpha" …"""
    try:
        found = msgspec.json.decode(notes.get(LORA_ADAPTER_METADATA_KEY, "{}"), type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
    return {name: value for name, value in found.items() if name.rpartition(".")[2] in _SETTINGS}


# -- putting on ----------------------------------------------------------------------------------------------


def _put_on(pipe: Any, adapter: _Adapter) -> None:  # noqa: ANN401
    """Add the layers of one LoRA to the components that it changes."""
    for component, model in components(pipe):
        if not part(adapter.weights, component):
            continue
        try:
            with catch_warnings(action="ignore", category=UserWarning):  # others are on, and are meant to be
                _load(pipe, component, model, adapter)
        except Exception as error:  # settings in the file can be anything
            if is_out_of_memory(error):
                raise
            raise _refused(pipe, adapter.lora, "its settings do not go with its weights") from error


def _load(pipe: Any, component: str, model: Any, adapter: _Adapter) -> None:  # noqa: ANN401
    settings = {} if adapter.alphas else part(adapter.settings, component)
    if settings:
        settings["target_modules"] = list(layers_of(component, model, adapter.weights))
    ways: dict[str, Any] = {
        "prefix": component,
        "network_alphas": adapter.alphas,
        "metadata": {f"{component}.{name}": value for name, value in settings.items()} or None,
        "adapter_name": adapter.name,
        "low_cpu_mem_usage": True,
        "_pipeline": pipe,
    }
    if component.startswith("text_encoder"):
        pipe.load_lora_into_text_encoder(adapter.weights, text_encoder=model, **ways)
    else:
        model.load_lora_adapter(adapter.weights, **ways)


def _weigh(pipe: Any, adapters: list[_Adapter]) -> None:  # noqa: ANN401
    on = {name for names in pipe.get_list_adapters().values() for name in names}
    there = [adapter for adapter in adapters if adapter.name in on]
    if there:
        pipe.set_adapters([adapter.name for adapter in there], [adapter.weight for adapter in there])

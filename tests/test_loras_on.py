"""LoRAs on real pipeline classes with tiny random weights: they work in their order and strength, in every form
they come in, and leave the model bit for bit as it was, whatever happened meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("diffusers")

import torch
from safetensors.torch import load_file, save_file

from rushes.generators.base import Cancelled
from rushes.generators.cards import Lora
from rushes.generators.diffusers.adapters_lora import loras_on
from rushes.generators.diffusers.loading import components_of, read_parts
from rushes_otio.errors import BadRequest, FileFault
from tiny import TinyModels, lora, text_lora

NAMES = ("wan_t2v", "wan_vace", "ltx", "sdxl", "flux")

Weights = dict[str, torch.Tensor]


class Watcher:
    """Follows a stage, and calls it off at a given look."""

    def __init__(self, cancel_at: int = -1) -> None:
        self.left = cancel_at

    def progress(self, done: int, total: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise Cancelled

    def now(self, doing: str) -> None:
        pass

    def preview(self, jpeg: Callable[[], bytes]) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """More threads change the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    return TinyModels(tmp_path_factory.mktemp("models"))


def pipe_of(models: TinyModels, name: str, without: Iterable[str] = ()) -> Any:
    import diffusers

    card = models.card(name)
    kind = getattr(diffusers, card.pipeline)
    parts = read_parts(card, components_of(card.pipeline), Watcher())
    wanted = components_of(card.pipeline)
    pipe = kind(**{part: None if part in without else parts.get(part) for part in wanted})
    pipe.set_progress_bar_config(disable=True)
    return pipe


def made(pipe: Any, **changes: Any) -> torch.Tensor:
    """The latents of a very small run."""
    asked: dict[str, Any] = {"prompt": "a fox", "num_inference_steps": 2, "output_type": "latent", "height": 64}
    if "num_frames" in type(pipe).__call__.__annotations__:
        asked["num_frames"] = 9
    if "max_sequence_length" in type(pipe).__call__.__annotations__:
        asked["max_sequence_length"] = 16
    generator = torch.Generator("cpu").manual_seed(0)
    with torch.no_grad():
        return pipe(**asked | changes, width=64, generator=generator, return_dict=False)[0]


def of(path: Path, weight: str = "1") -> Lora:
    return Lora(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), weight)


def under(pipe: Any, *loras: Lora) -> torch.Tensor:
    with loras_on(pipe, loras, Watcher()):
        return made(pipe)


def saved(weights: Weights, path: Path, notes: Mapping[str, str] | None = None) -> Path:
    save_file(
        {name: tensor.contiguous() for name, tensor in weights.items()}, path, dict(notes) if notes else None
    )
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_lora_changes_the_picture_and_leaves_no_trace(name: str, models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, name)
    fox = of(lora(models.folder(name), tmp_path / "fox.safetensors", seed=1))
    base = made(pipe)
    first = under(pipe, fox)
    assert not torch.equal(first, base)
    assert torch.equal(made(pipe), base)
    assert torch.equal(under(pipe, fox), first)
    assert torch.equal(under(pipe_of(models, name), fox), first)
    weak = Lora(fox.path, fox.digest, "0.25")
    assert (under(pipe, weak) - base).abs().mean() < (first - base).abs().mean()
    assert torch.equal(under(pipe, Lora(fox.path, fox.digest, "0")), base)
    assert torch.equal(made(pipe), base)


def test_it_does_what_diffusers_does(models: TinyModels, tmp_path: Path) -> None:
    for name in NAMES:
        path = lora(models.folder(name), tmp_path / f"{name}.safetensors", seed=1)
        pipe = pipe_of(models, name)
        ours = under(pipe, of(path, "0.5"))
        pipe.load_lora_weights(str(path), adapter_name="theirs", use_safetensors=True)
        pipe.set_adapters(["theirs"], [0.5])
        assert torch.equal(made(pipe), ours), name


def test_two_loras_are_on_in_their_order_and_one_named_twice_adds_up(models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, "wan_t2v")
    one, two = (of(lora(models.folder("wan_t2v"), tmp_path / f"{n}.safetensors", seed=n), "0.5") for n in (1, 2))
    for loras in ((one, two), (two, one)):
        with loras_on(pipe, loras, Watcher()):
            assert pipe.get_active_adapters() == [f"lora_{each.digest[:16]}" for each in loras]
            both = made(pipe)
        assert not any(torch.equal(both, under(pipe, each)) for each in loras)
    whole = Lora(one.path, one.digest, "1")
    assert torch.equal(under(pipe, one, one), under(pipe, whole))


def test_both_experts_of_a_model_get_it(models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, "wan22_t2v")
    fox = of(lora(models.folder("wan22_t2v"), tmp_path / "fox.safetensors", seed=1))
    base = made(pipe)
    with loras_on(pipe, [fox], Watcher()):
        assert all(expert.active_adapters() for expert in (pipe.transformer, pipe.transformer_2))
    assert torch.equal(made(pipe), base)


@pytest.mark.parametrize("name", ["wan_t2v", "sdxl"])
def test_the_model_is_clean_after_a_cancel_and_an_error(name: str, models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, name)
    fox, bear = (of(lora(models.folder(name), tmp_path / f"{n}.safetensors", seed=n)) for n in (1, 2))
    base = made(pipe)
    for problem in (Cancelled(), ValueError("oh no"), KeyboardInterrupt()):
        with pytest.raises(type(problem)), loras_on(pipe, [fox, bear], Watcher()):
            raise problem
        assert torch.equal(made(pipe), base)
    for look in (1, 2):
        with pytest.raises(Cancelled), loras_on(pipe, [fox, bear], Watcher(cancel_at=look)):
            raise AssertionError("it was to be called off while the files are read")
        assert torch.equal(made(pipe), base)


@pytest.mark.parametrize("name", ["wan_t2v", "ltx", "sdxl", "flux"])
def test_a_lora_for_another_architecture_is_refused_and_said(
    name: str, models: TinyModels, tmp_path: Path
) -> None:
    pipe = pipe_of(models, name)
    base = made(pipe)
    own = of(lora(models.folder(name), tmp_path / "own.safetensors"))
    for other in {"wan_t2v", "ltx", "sdxl", "flux"} - {name}:
        foreign = of(lora(models.folder(other), tmp_path / f"{other}.safetensors"))
        with pytest.raises(BadRequest) as caught, loras_on(pipe, [own, foreign], Watcher()):
            raise AssertionError
        told = {"wan_t2v": "Wan", "ltx": "LTX-Video", "sdxl": "Stable Diffusion XL", "flux": "Flux"}
        assert f"({told[name]}): it was made for {told[other]}" in caught.value.text and caught.value.remedy
        assert not pipe.get_active_adapters()
    assert torch.equal(made(pipe), base)


def test_a_lora_that_does_not_fit_in_every_layer_is_refused(models: TinyModels, tmp_path: Path) -> None:
    """diffusers would leave such layers out, or grow the model."""
    pipe = pipe_of(models, "wan_t2v")
    good = load_file(lora(models.folder("wan_t2v"), tmp_path / "good.safetensors"))
    base = made(pipe)
    first = "transformer.blocks.0.attn1.to_q"
    spoilt: dict[str, Callable[[], Weights]] = {
        "of another size": lambda: {**good, f"{first}.lora_A.weight": torch.randn(4, 36)},
        "size": lambda: {**good, f"{first}.lora_B.weight": torch.randn(24, 5)},
        "no layer 'blocks.9.attn1.to_q'": lambda: {
            **good,
            "transformer.blocks.9.attn1.to_q.lora_A.weight": torch.randn(4, 24),
            "transformer.blocks.9.attn1.to_q.lora_B.weight": torch.randn(24, 4),
        },
        "left out": lambda: {**good, f"{first}.dora_scale": torch.randn(24, 1)},
        "no place": lambda: {**good, "text_encoder.layers.0.q.lora_A.weight": torch.randn(4, 24)},
        "another size": lambda: {name: t for name, t in good.items() if name != f"{first}.lora_B.weight"},
    }
    for said, spoil in spoilt.items():
        bad = of(saved(spoil(), tmp_path / "bad.safetensors"))
        with pytest.raises(BadRequest) as caught, loras_on(pipe, [bad], Watcher()):
            raise AssertionError(said)
        assert said in caught.value.text or "size" in caught.value.text, (said, caught.value.text)
        assert torch.equal(made(pipe), base)


def test_other_forms_of_the_same_lora_give_the_same_picture(models: TinyModels, tmp_path: Path) -> None:
    original = {"attn1": "self_attn", "attn2": "cross_attn", "to_q": "q", "to_k": "k", "to_v": "v"}

    def renamed(name: str) -> str:
        parts = name.removeprefix("transformer.").split(".")
        return ".".join(["diffusion_model", *(original.get(part, part) for part in parts)])

    def comfy(name: str) -> str:
        return name.replace("transformer.", "diffusion_model.", 1)

    def kohya(name: str) -> str:
        layer, _, half = name.removeprefix("unet.").rpartition(".lora_")
        return f"lora_unet_{layer.replace('.', '_')}.lora_{'down' if half.startswith('A') else 'up'}.weight"

    forms: dict[str, Callable[[str], str]] = {"wan_t2v": renamed, "ltx": comfy, "sdxl": kohya}
    for name, form in forms.items():
        path = lora(models.folder(name), tmp_path / f"{name}.safetensors", seed=1)
        other = {form(key): tensor for key, tensor in load_file(path).items()}
        alphas = {f"{key.split('.')[0]}.alpha": torch.tensor(4.0) for key in other if name == "sdxl"}
        pipe = pipe_of(models, name)
        assert torch.equal(
            under(pipe, of(saved(other | alphas, tmp_path / "other.safetensors"))), under(pipe, of(path))
        )


def test_settings_in_a_file_say_how_strong_it_is_and_nothing_else(models: TinyModels, tmp_path: Path) -> None:
    folder = models.folder("wan_t2v")
    weights = load_file(lora(folder, tmp_path / "plain.safetensors", seed=1))
    plain = tmp_path / "plain.safetensors"
    settings = {"transformer.r": 4, "transformer.lora_alpha": 8, "transformer.init_lora_weights": "olora"}
    notes = {"lora_adapter_metadata": json.dumps(settings)}
    strong = saved(weights, tmp_path / "strong.safetensors", notes)
    pipe = pipe_of(models, "wan_t2v")
    base = made(pipe)
    assert torch.equal(under(pipe, of(strong)), under(pipe, of(plain, "2")))
    assert torch.equal(made(pipe), base)
    for wrong in ({"transformer.r": 7}, {"transformer.r": "many"}, {"transformer.rank_pattern": {"(": 4}}):
        bad = saved(weights, tmp_path / "bad.safetensors", {"lora_adapter_metadata": json.dumps(wrong)})
        with pytest.raises(BadRequest, match="settings"), loras_on(pipe, [of(bad)], Watcher()):
            raise AssertionError
        assert torch.equal(made(pipe), base)


@pytest.mark.parametrize("name", ["sdxl", "flux"])
def test_a_lora_changes_words_where_there_are_words(name: str, models: TinyModels, tmp_path: Path) -> None:
    denoiser = "unet" if name == "sdxl" else "transformer"
    both = of(text_lora(models.folder(name), tmp_path / "both.safetensors", seed=1))
    reader = pipe_of(models, name, without=[denoiser, "vae"])

    def words() -> torch.Tensor:
        with torch.no_grad():
            return torch.cat(
                [part.flatten() for part in reader.encode_prompt("a fox", "a fox")[:3] if part is not None]
            )

    base = words()
    with loras_on(reader, [both], Watcher()):
        heard = words()
    assert not torch.equal(heard, base)
    assert torch.equal(words(), base)
    with loras_on(reader, [both], Watcher()):
        assert torch.equal(words(), heard)
    silent = pipe_of(models, name, without=["text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"])
    with loras_on(silent, [both], Watcher()):
        assert getattr(silent, denoiser).active_adapters()


def test_a_file_that_was_exchanged_and_a_weight_that_is_none(models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, "wan_t2v")
    path = lora(models.folder("wan_t2v"), tmp_path / "fox.safetensors", seed=1)
    before = of(path)
    lora(models.folder("wan_t2v"), path, seed=2)
    with pytest.raises(FileFault, match="changed"), loras_on(pipe, [before], Watcher()):
        raise AssertionError
    for weight in ("heavy", "NaN", "inf", ""):
        with pytest.raises(BadRequest, match="weight"), loras_on(pipe, [of(path, weight)], Watcher()):
            raise AssertionError

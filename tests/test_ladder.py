"""Real pipelines on every rung of the ladder: the same picture, whatever happened before."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("diffusers")

import torch

import tiny
from fake_card import FakeCard, Quiet
from rushes.generators.base import Cancelled
from rushes.generators.cards import Card, Lora
from rushes.generators.diffusers.adapters_lora import loras_on
from rushes.generators.diffusers.devices import CpuDevice, CudaDevice, best, size_of
from rushes.generators.diffusers.loading import Parts
from rushes.generators.diffusers.residency import Folders, Loaded, Residency
from rushes.generators.rungs import Rung

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tiny.TinyModels:
    return tiny.TinyModels(tmp_path_factory.mktemp("models"))


WAN = ("tokenizer", "text_encoder", "transformer", "transformer_2", "vae", "scheduler")


def pictures(loaded: Loaded, model: Card, *loras: Lora) -> torch.Tensor:
    pipe = Parts(model, dict(loaded.components)).pipe(model.pipeline)
    size = {"height": 32, "width": 32} | ({"num_frames": 5} if "Wan" in model.pipeline else {})
    with loras_on(pipe, loras, Quiet()):
        loaded.place(pipe)
        assert pipe._execution_device == loaded.device
        seed = torch.Generator().manual_seed(1)
        return pipe("a fox in the snow", **size, num_inference_steps=2, generator=seed, output_type="pt")[0]


@pytest.fixture(scope="module")
def plain(models: tiny.TinyModels) -> dict[str, torch.Tensor]:
    """What models make where nothing is offloaded."""
    made = {}
    for name in ("wan22_t2v", "sdxl"):
        model = models.card(name)
        with Residency(CpuDevice()).using(model, _names(model), Quiet()) as loaded:
            made[name] = pictures(loaded, model)
    return made


def _names(model: Card) -> tuple[str, ...]:
    return tuple(folder.name for folder in Path(model.folder).iterdir() if folder.is_dir())


def _sizes(model: Card) -> dict[str, int]:
    with Residency(CpuDevice()).using(model, _names(model), Quiet()) as loaded:
        return {name: size_of(component) for name, component in loaded.components.items()}


@pytest.mark.parametrize("name", ["wan22_t2v", "sdxl"])
def test_every_rung_makes_the_same_picture_in_any_order(
    models: tiny.TinyModels, plain: dict[str, torch.Tensor], name: str
) -> None:
    model = models.card(name, working_mib=0)
    sizes = _sizes(model)
    moving = [size for part, size in sizes.items() if part != "vae"]
    enough = {
        Rung.WHOLE: sum(sizes.values()),
        Rung.MODELS: sizes["vae"] + max(moving),
        Rung.GROUPS: sizes["vae"] + max(moving) // 4,
    }
    device = FakeCard(0)
    kept = Residency(device, reader=Folders())
    for rung in (*Rung, *reversed(Rung), Rung.MODELS, Rung.MODELS, Rung.GROUPS, Rung.GROUPS):
        device.size = enough[rung]
        with kept.using(model, _names(model), Quiet()) as loaded:
            assert loaded.rung is rung
            assert torch.equal(pictures(loaded, model), plain[name]), rung


def test_a_lora_works_on_every_rung_and_leaves_nothing_behind(
    models: tiny.TinyModels, plain: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    model = models.card("wan22_t2v", working_mib=0)
    file = tiny.lora(Path(model.folder), tmp_path / "fox.safetensors")
    lora = Lora(str(file), sha256(file.read_bytes()).hexdigest())
    with Residency(CpuDevice()).using(model, WAN, Quiet()) as loaded:
        wanted = pictures(loaded, model, lora)
    assert not torch.equal(wanted, plain["wan22_t2v"])
    sizes = _sizes(model)
    for size in (1 << 30, sizes["vae"] + max(sizes.values()), sizes["vae"]):
        kept = Residency(FakeCard(size), reader=Folders())
        for loras in ((), (lora,), (lora,), ()):
            with kept.using(model, WAN, Quiet()) as loaded:
                made = pictures(loaded, model, *loras)
            assert torch.equal(made, wanted if loras else plain["wan22_t2v"]), (loaded.rung, loras)


def test_a_rung_that_ran_out_in_the_middle_leaves_a_clean_model(
    models: tiny.TinyModels, plain: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    model, rungs = models.card("wan22_t2v", working_mib=0), []
    kept = Residency(FakeCard(1 << 30), tmp_path / "rungs.json", reader=Folders())

    def do(loaded: Loaded) -> torch.Tensor:
        rungs.append(loaded.rung)
        with ExitStack() as stack:
            if len(rungs) < 2:
                block = loaded.components["transformer_2"].blocks[1]
                stack.callback(block.register_forward_pre_hook(_out_of_memory).remove)
            return pictures(loaded, model)

    assert torch.equal(kept.run(model, WAN, Quiet(), do), plain["wan22_t2v"])
    assert rungs == [Rung.WHOLE, Rung.MODELS]


@pytest.mark.parametrize("rung", Rung)
def test_after_a_cancel_the_next_run_is_the_same(
    models: tiny.TinyModels, plain: dict[str, torch.Tensor], rung: Rung, tmp_path: Path
) -> None:
    model = models.card("wan22_t2v", working_mib=0)
    sizes = _sizes(model)
    least = {Rung.WHOLE: 1 << 30, Rung.MODELS: sizes["vae"] + max(sizes.values()), Rung.GROUPS: sizes["vae"]}
    kept = Residency(FakeCard(least[rung]), reader=Folders())
    for part in ("text_encoder.encoder.block", "transformer.blocks", "transformer_2.blocks"):
        with suppress(Cancelled), kept.using(model, WAN, Quiet()) as loaded:
            assert loaded.rung is rung
            component, _, path = part.partition(".")
            block = loaded.components[component].get_submodule(path)[1]
            hook = block.register_forward_pre_hook(_cancelled)
            try:
                pictures(loaded, model)
            finally:
                hook.remove()
        with kept.using(model, WAN, Quiet()) as loaded:
            assert torch.equal(pictures(loaded, model), plain["wan22_t2v"])


def test_on_the_processor_nothing_is_moved(models: tiny.TinyModels) -> None:
    device = best() if not torch.cuda.is_available() else CpuDevice()
    assert device.free() <= device.total()
    assert device.describe()["threads"] == "1"
    kept, model = Residency(device), models.card("wan_t2v", working_mib=1 << 40)
    with kept.using(model, WAN, Quiet()) as loaded:
        assert loaded.rung is Rung.WHOLE
        assert loaded.components["transformer_2"] is None
        pictures(loaded, model)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_every_rung_of_a_real_card_makes_the_same_picture(models: tiny.TinyModels) -> None:
    class Narrow(CudaDevice):
        size = 0

        def free(self) -> int:
            return max(0, self.size - self.held())

        def total(self) -> int:
            return self.size

    model, device, made = models.card("wan22_t2v", working_mib=0), Narrow(), []
    sizes = _sizes(model)
    for size in (1 << 30, sizes["vae"] + max(sizes.values()), sizes["vae"]) * 2:
        device.size = size
        with Residency(device).using(model, WAN, Quiet()) as loaded:
            made.append((loaded.rung, pictures(loaded, model).cpu()))
    assert [rung for rung, _ in made] == [*Rung, *Rung]
    assert all(torch.equal(picture, made[0][1]) for _, picture in made)


def _out_of_memory(module: torch.nn.Module, arguments: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def _cancelled(module: torch.nn.Module, arguments: object) -> None:
    raise Cancelled

"""Reference pictures on real pipeline classes with tiny random weights: they change the picture, leave no trace in
the model, and a model that does not look at them says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("diffusers")

import diffusers
import torch
from safetensors.torch import load_file, save_file

from rushes.generators.base import Cancelled
from rushes.generators.cards import Lora, Reference, Run
from rushes.generators.diffusers import image_encoder
from rushes.generators.diffusers.adapters_lora import loras_on
from rushes.generators.diffusers.loading import components_of, read_parts
from rushes.generators.diffusers.references import MOST, reference_arguments
from rushes_otio.errors import BadRequest, FileFault, MediaFault
from tiny import TinyModels, ip_adapter, lora


class Watcher:
    """Follows a stage; calls it off while `cancelling` is being done."""

    def __init__(self, cancelling: str = "") -> None:
        self.cancelling = cancelling
        self.doing: list[str] = []

    def progress(self, done: int, total: int) -> None:
        if self.cancelling and self.doing[-1] == self.cancelling:
            raise Cancelled

    def now(self, doing: str) -> None:
        self.doing.append(doing)

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


def pipe_of(models: TinyModels, name: str) -> Any:
    card = models.card(name)
    wanted = components_of(card.pipeline)
    parts = read_parts(card, wanted, Watcher())
    pipe = getattr(diffusers, card.pipeline)(**{part: parts.get(part) for part in wanted})
    pipe.set_progress_bar_config(disable=True)
    return pipe


def made(pipe: Any, **arguments: Any) -> torch.Tensor:
    """The latents of a very small run."""
    known = type(pipe).__call__.__annotations__
    asked = {"num_frames": 5, "max_sequence_length": 16, "num_inference_steps": 2, "height": 64, "width": 64}
    small = {name: value for name, value in asked.items() if name in known}
    generator = torch.Generator("cpu").manual_seed(0)
    with torch.no_grad():
        done = pipe("a fox", generator=generator, output_type="latent", return_dict=False, **small, **arguments)
    return done[0]


def picture(folder: Path, name: str, seed: int, size: tuple[int, int] = (60, 40)) -> Reference:
    path = folder / name
    values = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(values).save(path)
    return Reference(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), "character")


def run_of(models: TinyModels, name: str, *references: Reference, **changes: Any) -> Run:
    card = models.card(name, adapter=str(changes.pop("adapter", "")))
    return Run(card=card, size=(64, 64), steps=2, references=references, **changes)


def looking(pipe: Any, run: Run) -> torch.Tensor:
    with reference_arguments(pipe, run, Watcher()) as arguments:
        guidance = {"guidance_scale": float(run.guidance)} if run.guidance else {}
        return made(pipe, **arguments, **guidance)


@pytest.mark.parametrize(("name", "closer"), [("sdxl", False), ("sdxl", True), ("flux", False)])
def test_an_adapter_looks_at_pictures_and_leaves_no_trace(
    name: str, closer: bool, models: TinyModels, tmp_path: Path
) -> None:
    adapter = ip_adapter(models.folder(name), tmp_path / "adapter", closer=closer)
    mara, rain = (picture(tmp_path, f"{seed}.png", seed) for seed in (1, 2))
    pipe = pipe_of(models, name)
    base = made(pipe)
    seen = [
        looking(pipe, run_of(models, name, *shown, adapter=adapter)) for shown in ([mara], [rain], [mara, rain])
    ]
    assert not any(torch.equal(one, other) for one, other in zip([base, *seen], [*seen, base], strict=True))
    assert torch.equal(made(pipe), base)
    again = run_of(models, name, mara, adapter=adapter)
    assert torch.equal(looking(pipe_of(models, name), again), seen[0])


def test_a_run_without_guidance_can_look_at_pictures_too(models: TinyModels, tmp_path: Path) -> None:
    adapter = ip_adapter(models.folder("sdxl"), tmp_path)
    run = run_of(models, "sdxl", picture(tmp_path, "a.png", 1), adapter=adapter, guidance="1")
    pipe = pipe_of(models, "sdxl")
    assert not torch.equal(looking(pipe, run), made(pipe, guidance_scale=1.0))


def test_the_encoder_looks_once_at_each_picture(models: TinyModels, tmp_path: Path) -> None:
    adapter = ip_adapter(models.folder("sdxl"), tmp_path)
    first, second = (picture(tmp_path, f"{seed}.png", seed) for seed in (1, 2))
    pipe, watch = pipe_of(models, "sdxl"), Watcher()
    for shown in ([first], [second, first], [first]):
        with reference_arguments(pipe, run_of(models, "sdxl", *shown, adapter=adapter), watch):
            pass
    assert watch.doing.count("loading the image encoder") == 2


def test_adapter_and_lora_together_leave_no_trace(models: TinyModels, tmp_path: Path) -> None:
    adapter = ip_adapter(models.folder("sdxl"), tmp_path)
    path = lora(models.folder("sdxl"), tmp_path / "fox.safetensors", seed=1)
    fox = Lora(str(path), hashlib.sha256(path.read_bytes()).hexdigest())
    run = run_of(models, "sdxl", picture(tmp_path, "a.png", 1), adapter=adapter)
    pipe = pipe_of(models, "sdxl")
    base = made(pipe)
    with reference_arguments(pipe, run, Watcher()) as arguments, loras_on(pipe, [fox], Watcher()):
        both = made(pipe, **arguments)
    assert not torch.equal(both, looking(pipe, run))
    assert torch.equal(made(pipe), base)


@pytest.mark.parametrize("doing", ["looking at references", "loading the IP-Adapter", "loading the image encoder"])
def test_a_cancel_leaves_no_trace(doing: str, models: TinyModels, tmp_path: Path) -> None:
    adapter = ip_adapter(models.folder("flux"), tmp_path)
    run = run_of(models, "flux", picture(tmp_path, "a.png", 1), adapter=adapter)
    pipe = pipe_of(models, "flux")
    base = made(pipe)
    image_encoder.forget()
    with pytest.raises(Cancelled), reference_arguments(pipe, run, Watcher(doing)):
        raise AssertionError
    with pytest.raises(Cancelled), reference_arguments(pipe, run, Watcher()):
        raise Cancelled
    assert torch.equal(made(pipe), base)


def test_vace_gets_each_picture_whole_on_white(models: TinyModels, tmp_path: Path) -> None:
    wide = picture(tmp_path, "wide.png", 1, (80, 20))
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    clear = Reference(str(tmp_path / "clear.png"), "c" * 64)
    pipe = pipe_of(models, "wan_vace")
    run = run_of(models, "wan_vace", wide, clear)
    with reference_arguments(pipe, run, Watcher()) as arguments:
        first, second = arguments["reference_images"]
        looked = made(pipe, **arguments)
    assert first.size == second.size == (64, 64) and first.mode == second.mode == "RGB"
    rows = np.asarray(first).min(axis=(1, 2))
    assert set(rows[:20]) == set(rows[-20:]) == {255} and rows[24:40].max() < 255
    assert np.asarray(second).min() == 255
    base = made(pipe)
    assert looked.shape[2] == base.shape[2] + 2, "their latents stand before those of the frames"
    assert not torch.equal(looked[:, :, 2:], base)
    with pytest.raises(BadRequest, match=f"takes {MOST}") as caught:
        looking(pipe, run_of(models, "wan_vace", *[wide] * (MOST + 1)))
    assert "one picture" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("wan_t2v", "VACE"), ("ltx", "VACE"), ("sdxl", "[models.sdxl]"), ("flux", "[models.flux]")],
)
def test_a_model_that_does_not_look_says_what_does(
    name: str, remedy: str, models: TinyModels, tmp_path: Path
) -> None:
    run = run_of(models, name, picture(tmp_path, "a.png", 1))
    with pytest.raises(BadRequest) as caught, reference_arguments(pipe_of(models, name), run, Watcher()):
        raise AssertionError
    assert name in caught.value.text
    assert remedy in caught.value.remedy and 'keyframe={"image": ' in caught.value.remedy


def test_without_references_nothing_is_touched(models: TinyModels) -> None:
    with reference_arguments(object(), run_of(models, "wan_t2v"), Watcher()) as arguments:
        assert arguments == {}


def test_adapters_that_cannot_be_used(models: TinyModels, tmp_path: Path) -> None:
    pipe = pipe_of(models, "sdxl")
    base = made(pipe)
    shown = picture(tmp_path, "a.png", 1)
    good = ip_adapter(models.folder("sdxl"), tmp_path / "good")
    layers = load_file(good)
    first = next(name for name in layers if name.endswith("to_k_ip.weight"))

    def refused(path: Path, error: type[Exception], said: str) -> None:
        with pytest.raises(error, match=said):
            looking(pipe, run_of(models, "sdxl", shown, adapter=path, guidance="5"))
        assert torch.equal(made(pipe), base)

    def changed(change: dict[str, torch.Tensor], *left_out: str) -> Path:
        path = good.with_name("changed.safetensors")
        save_file({name: t for name, t in (layers | change).items() if name not in left_out}, path)
        return path

    refused(ip_adapter(models.folder("flux"), tmp_path / "flux"), BadRequest, "another model")
    refused(changed({first: torch.zeros(3, 64)}), BadRequest, "another model")
    refused(changed({}, "image_proj.norm.weight"), BadRequest, "another model")
    refused(changed({"image_proj.norm.weight": torch.zeros(7)}), BadRequest, "another model")
    refused(changed({"image_proj.proj.weight": torch.zeros(256, 40)}), BadRequest, "another image encoder")
    refused(changed({"ip_adapter.0.to_k_lora.down.weight": torch.zeros(2, 2)}), FileFault, "FaceID")
    refused(lora(models.folder("sdxl"), tmp_path / "lora.safetensors"), FileFault, "no IP-Adapter")
    pickled = tmp_path / "pickled.safetensors"
    torch.save({"image_proj": torch.zeros(2)}, pickled)
    refused(pickled, FileFault, "PyTorch")
    alone = tmp_path / "alone.safetensors"
    save_file(layers, alone)
    refused(alone, FileFault, "needs the image encoder")


def test_what_is_no_picture_is_refused(models: TinyModels, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    run = run_of(models, "wan_vace", Reference(str(tmp_path / "a.png"), "a" * 64))
    with pytest.raises(MediaFault), reference_arguments(pipe_of(models, "wan_vace"), run, Watcher()):
        raise AssertionError

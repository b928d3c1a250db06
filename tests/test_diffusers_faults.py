"""What a model cannot do, files that are no weights, numbers that are no picture: each told, with its remedy."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("diffusers")

import torch
from safetensors.torch import load_file, save_file

from generating import (
    CASES,
    SIZE,
    STEPS,
    Bench,
    Following,
    frames_of,
    one_thread,
    run_of,
    words_of,
)
from rushes.generators.cards import Card
from rushes.generators.diffusers import Diffusers
from rushes_otio.errors import BadRequest, FileFault, MediaFault
from tiny import TinyModels


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with one_thread():
        yield Bench(tmp_path_factory.mktemp("bench"))


# -- bad files ---------------------------------------------------------------------------------------------------


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._path,)


def _cut_short(weights: Path, trap: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-1000])


def _missing(weights: Path, trap: Path) -> None:
    weights.unlink()


def _pickled(weights: Path, trap: Path) -> None:
    torch.save(_Trap(trap), weights.with_suffix(".bin"))
    weights.unlink()


def _renamed(weights: Path, trap: Path) -> None:
    torch.save(_Trap(trap), weights)


def _nonsense(weights: Path, trap: Path) -> None:
    settings = json.loads((weights.parent / "config.json").read_text())
    (weights.parent / "config.json").write_text(json.dumps(settings | {"num_layers": "many"}))


def _lacking(weights: Path, trap: Path) -> None:
    tensors = load_file(weights)
    tensors.pop(next(name for name in sorted(tensors) if name.endswith(".weight")))
    save_file(tensors, weights)


@pytest.mark.parametrize("harm", [_cut_short, _missing, _pickled, _renamed, _nonsense, _lacking])
@pytest.mark.parametrize("component", ["transformer", "text_encoder"])
def test_weights_that_are_none_are_told_and_never_opened(
    harm: Callable[[Path, Path], None],
    component: str,
    bench: Bench,
    tmp_path: Path,
) -> None:
    folder, trap = tmp_path / "model", tmp_path / "sprung"
    shutil.copytree(bench.models.folder("wan_t2v"), folder)
    stem = "model" if component == "text_encoder" else "diffusion_pytorch_model"
    harm(folder / component / f"{stem}.safetensors", trap)
    card = bench.models.card("wan_t2v", folder=str(folder), fingerprint=str(folder), dtype="bfloat16")
    generator = Diffusers()
    with pytest.raises(FileFault) as told:
        if component == "text_encoder":
            words_of(generator, card, tmp_path)
        else:
            words = bench.said("wan_t2v")
            generator.motion(bench.request(CASES["wan"], run=run_of(card, words)), Following())
    assert told.value.remedy and str(folder) in told.value.where
    assert not trap.exists()
    assert torch.get_default_dtype() is torch.float32, "for all that comes after"


def _harmed(models: TinyModels, folder: Path, component: str, change: Callable[[dict[str, Any]], None]) -> Card:
    """A model with other weights in one component."""
    shutil.copytree(models.folder("wan_t2v"), folder)
    path = folder / component / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})
    return models.card("wan_t2v", folder=str(folder), fingerprint=str(folder))


def _not_a_number(tensors: dict[str, Any]) -> None:
    tensors["proj_out.bias"][:] = float("nan")


def _black(tensors: dict[str, Any]) -> None:
    tensors["decoder.conv_out.weight"][:] = 0
    tensors["decoder.conv_out.bias"][:] = -5


def _grey(tensors: dict[str, Any]) -> None:
    tensors["decoder.conv_out.weight"][:] = 0
    tensors["decoder.conv_out.bias"][:] = 0.2


@pytest.mark.parametrize(
    ("component", "change", "said_so"),
    [
        ("transformer", _not_a_number, "no numbers"),
        ("vae", _black, "black"),
        ("vae", _grey, "one flat colour"),
    ],
)
def test_what_is_no_picture_is_told(
    component: str,
    change: Callable[[dict[str, Any]], None],
    said_so: str,
    bench: Bench,
    tmp_path: Path,
) -> None:
    card, generator = _harmed(bench.models, tmp_path / "model", component, change), Diffusers()
    words = bench.said("wan_t2v")
    request = bench.request(CASES["wan"], run=run_of(card, words))
    watch = Following()
    with pytest.raises(MediaFault, match=said_so) as told:
        frames_of(generator, generator.motion(request, watch), card)
    assert "seed" in told.value.remedy
    if component == "transformer":
        assert max(done for done, total in watch.steps if total == STEPS) <= 1, (
            "told after the first step, not after the last"
        )


# -- bad requests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "run_changes", "text", "remedy"),
    [
        ("wan", {}, {"size": (60, 64)}, "multiples of 16", "64x64"),
        ("wan", {"frames": 10}, {}, r"4n \+ 1", "13"),
        ("ltx", {"frames": 10}, {}, r"8n \+ 1", "17"),
        ("ltx", {}, {"size": (48, 64)}, "multiples of 32", "params.size"),
        ("wan", {"frames": 1025}, {}, "1021", "max_frames"),
        ("wan", {"first_frame": "PICTURE"}, {}, "start from a picture", "Wan i2v"),
        ("wan", {"last_frame": "PICTURE"}, {}, "end on a picture", "LTX"),
        ("i2v", {"last_frame": "PICTURE"}, {}, "end on a picture", "FLF2V"),
        ("first and last", {"last_frame": None}, {}, "start from a picture", "Wan i2v"),
        ("first and last", {"keyframe": None}, {}, "also starts from one", "first frame"),
        ("i2v", {"first_frame": None}, {}, "words alone", "LTX"),
        ("plate", {"strength": "0.1"}, {}, "nothing to do", "between 0 and 1"),
        ("vace in a mask", {"strength": "0.5"}, {}, "made anew", "unset strength"),
        ("wan", {}, {"params": {"guidance_scale_3": "5"}}, "no parameter", "did you mean guidance_scale_2"),
        ("ltx", {}, {"params": {"guidance_rescale": "much"}}, "'much'", "float"),
        ("wan", {}, {"params": {"num_inference_steps": 3}}, "no parameter", "guidance_scale_2"),
        ("wan", {}, {"words": ""}, "without words", "again"),
    ],
)
def test_what_a_model_cannot_do_is_told(
    name: str,
    changes: dict[str, Any],
    run_changes: dict[str, Any],
    text: str,
    remedy: str,
    bench: Bench,
) -> None:
    case = CASES[name]
    request = bench.request(case)
    changes = {key: str(bench.pictures[0]) if value == "PICTURE" else value for key, value in changes.items()}
    if "params" in run_changes:
        encoded = {key: msgspec.Raw(json.dumps(value).encode()) for key, value in run_changes["params"].items()}
        run_changes = {"params": encoded}
    request = msgspec.structs.replace(request, **changes, run=msgspec.structs.replace(request.run, **run_changes))
    with pytest.raises(BadRequest, match=text) as told:
        bench.generator.motion(request, Following(), case.footage())
    assert remedy in told.value.remedy


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"attention": "flash_hub"}, "native"),
        ({"attention": "sage"}, "install"),
        ({"tiling": "yes"}, "on"),
        ({"cache": "much"}, "first-block:0.08"),
        ({"quantisation": "int3"}, "int8"),
    ],
)
def test_an_option_that_is_none_is_told(options: dict[str, str], remedy: str, bench: Bench) -> None:
    card = bench.models.card("wan_t2v", options=options, fingerprint=str(options))
    request = bench.request(CASES["wan"], run=run_of(card, bench.said("wan_t2v")))
    with pytest.raises(BadRequest) as told:
        bench.generator.motion(request, Following())
    assert told.value.where == "models.toml"
    assert remedy in told.value.remedy


def test_what_another_made_cannot_be_read_as_ours(bench: Bench) -> None:
    card = bench.models.card("wan_t2v")
    for strange in (b"", b"PK\x03\x04 not ours", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "):
        with pytest.raises(MediaFault, match="cannot be read") as told:
            bench.generator.frames(strange, SIZE, card, Following())
        assert told.value.remedy

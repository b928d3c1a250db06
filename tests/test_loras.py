"""Which kind of model a LoRA file is for, told by the names in its header; and what is no LoRA, told plainly."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping
from math import prod
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.generators.cards import Lora
from rushes.generators.loras import FAMILIES, changes_words, family_of, for_model, sniff
from rushes_otio.errors import FileFault

Shapes = Mapping[str, tuple[int, ...]]


def write(path: Path, shapes: Shapes, notes: Mapping[str, str] | None = None) -> Path:
    """A safetensors file of zeros."""
    head: dict[str, object] = {"__metadata__": dict(notes)} if notes else {}
    end = 0
    for name, shape in shapes.items():
        size = 4 * prod(shape)
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    return path


def pair(layer: str, down: str = "lora_A.weight", up: str = "lora_B.weight", wide: int = 6) -> Shapes:
    return {f"{layer}.{down}": (2, wide), f"{layer}.{up}": (8, 2)}


def kohya(layer: str, wide: int = 6) -> Shapes:
    return {**pair(layer, "lora_down.weight", "lora_up.weight", wide), f"{layer}.alpha": ()}


def lora(path: Path, weight: str = "1") -> Lora:
    return Lora(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), weight)


SDXL_TEXT = "lora_te2_text_model_encoder_layers_0_mlp_fc1"

KINDS: list[tuple[str, Shapes]] = [
    ("wan", pair("transformer.blocks.0.attn1.to_q")),
    ("wan", pair("transformer.blocks.11.ffn.net.0.proj")),
    ("wan", pair("diffusion_model.blocks.0.self_attn.q")),
    ("wan", pair("diffusion_model.blocks.0.cross_attn.k_img", "lora_down.weight", "lora_up.weight")),
    ("wan", kohya("lora_unet_blocks_0_self_attn_q")),
    ("wan", kohya("lora_unet_blocks_0_ffn_2")),
    ("ltx", pair("transformer.transformer_blocks.0.attn1.to_q")),
    ("ltx", pair("diffusion_model.transformer_blocks.0.ff.net.2")),
    ("flux", pair("transformer.single_transformer_blocks.0.attn.to_q")),
    ("flux", pair("transformer.transformer_blocks.0.attn.to_q")),
    ("flux", kohya("lora_unet_double_blocks_0_img_attn_proj")),
    ("flux", kohya("lora_transformer_single_transformer_blocks_0_attn_to_q")),
    ("flux", pair("double_blocks.0.processor", "qkv_lora1.down.weight", "qkv_lora1.up.weight")),
    ("sdxl", pair("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", wide=2048)),
    ("sdxl", pair("unet.mid_block.attentions.0.proj_in", "lora.down.weight", "lora.up.weight")),
    ("sdxl", pair("unet.up_blocks.0.attentions.0.processor", "to_q_lora.down.weight", "to_q_lora.up.weight")),
    ("sdxl", kohya("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q")),
    ("sdxl", {**kohya("lora_unet_down_blocks_1_attentions_0_proj_in"), **kohya(SDXL_TEXT)}),
    ("sdxl", kohya(SDXL_TEXT)),
    ("", pair("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", wide=768)),
    ("", kohya("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_v", wide=1024)),
    ("", pair("unet.down_blocks.0.motion_modules.0.transformer_blocks.0.attn1.to_q")),
    ("", {**pair("transformer.transformer_blocks.0.attn1.to_q"), **pair("transformer.x.0.audio_attn1.to_q")}),
    ("", pair("transformer.layers.0.attention.to_q")),
]


@pytest.mark.parametrize(("family", "shapes"), KINDS)
def test_the_names_of_its_layers_tell_what_a_lora_is_for(family: str, shapes: Shapes, tmp_path: Path) -> None:
    found = sniff(write(tmp_path / "a.safetensors", shapes))
    assert found.families == ({family} if family else set())
    assert found.changes_words == any("_te" in name for name in shapes)
    assert (FAMILIES[family] if family else "not known") in found.made_for


def test_the_first_text_encoder_alone_may_be_that_of_either_kind(tmp_path: Path) -> None:
    shapes = pair("text_encoder.text_model.encoder.layers.0.self_attn.k_proj")
    found = sniff(write(tmp_path / "a.safetensors", shapes))
    assert found.families == {"sdxl", "flux"} and found.changes_words


def test_a_model_takes_those_for_its_kind_in_order_and_the_rest_are_named(tmp_path: Path) -> None:
    layers = [
        "transformer.blocks.0.attn1.to_q",
        "unet.mid_block.attentions.0.proj_in",
        "diffusion_model.blocks.1.self_attn.k",
        "transformer.layers.0.attention.to_q",
    ]
    rows = [lora(write(tmp_path / f"{n}.safetensors", pair(layer))) for n, layer in enumerate(layers)]
    wan, sdxl, original, strange = rows
    assert for_model(rows, "WanVACEPipeline") == ((wan, original), (sdxl, strange))
    assert for_model(reversed(rows), "WanPipeline") == ((original, wan), (strange, sdxl))
    assert for_model(rows, "StableDiffusionXLPipeline")[0] == (sdxl,)
    assert for_model(rows, "LTX2Pipeline") == ((), tuple(rows))
    assert not any(changes_words(row) for row in rows)
    for row in rows:
        Path(row.path).unlink()
    assert for_model(rows, "WanPipeline")[0] == (wan, original), "it is read once"


def test_families_of_pipelines() -> None:
    classes = ["WanVACEPipeline", "LTXConditionPipeline", "StableDiffusionXLPipeline", "FluxPipeline"]
    assert [family_of(name) for name in classes] == ["wan", "ltx", "sdxl", "flux"]
    assert {family_of(name) for name in ("LTX2Pipeline", "Flux2Pipeline", "StableDiffusionPipeline", "")} == {""}


def header(text: bytes, length: int | None = None, body: bytes = b"") -> bytes:
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


LAYER = b'{"transformer.blocks.0.attn1.to_q.lora_A.weight":{"dtype":"F32","shape":[2,6],"data_offsets":[%d,%d]}}'

HOSTILE = {
    "empty": b"",
    "short": b"\x10\0",
    "a header of 2^63 bytes": header(b"{}", 1 << 63),
    "a header longer than the file": header(b"{}", 1000),
    "offsets outside": header(LAYER % (0, 48), body=bytes(10)),
    "offsets that overlap the header": header(LAYER % (-48, 0)),
    "more bytes than tensors": header(LAYER % (0, 48), body=bytes(49)),
    "a pickle": pickle.dumps({"a": 1}),
    "an archive of PyTorch": b"PK\x03\x04" + bytes(60),
    "a page": b"<!DOCTYPE html><html></html>",
    "deep JSON": header(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep notes": header(b'{"__metadata__":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001),
    "no JSON": header(b'{"a": oh no}'),
    "a tensor of a negative size": header(LAYER.replace(b"[2,6]", b"[-2,-6]") % (0, 48), body=bytes(48)),
    "a shape beyond any number": header(
        LAYER.replace(b"[2,6]", b"[9223372036854775807,9]") % (0, 48), body=bytes(48)
    ),
    "not UTF-8": header(b'{"\xff":1}'),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_safetensors_file_is_told_plainly(what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(HOSTILE[what])
    with pytest.raises(FileFault) as caught:
        sniff(path)
    assert caught.value.where == str(path) and "safetensors" in caught.value.remedy


@given(data=st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_one_error(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(FileFault):
        sniff(path)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"blocks.0.attn1.to_q.weight": (8, 6)}, "the weights of a model"),
        ({"lora_unet_down_blocks_0.lokr_w1": (2, 2)}, "LoKr"),
        ({"image_proj.proj.weight": (8, 6), "ip_adapter.1.to_k_ip.weight": (8, 6)}, "IP-Adapter"),
        ({}, "nothing"),
    ],
)
def test_safetensors_without_a_lora_are_refused(shapes: Shapes, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileFault) as caught:
        sniff(write(tmp_path / "a.safetensors", shapes))
    assert said in caught.value.text and caught.value.remedy


def test_a_file_that_is_not_there_or_may_hold_programs(tmp_path: Path) -> None:
    for name in ("none.safetensors", "a.pt"):
        with pytest.raises(FileFault):
            sniff(tmp_path / name)

"""Tiny pipelines of real classes with random weights: built on the spot, saved as any model's folder is.

    models = TinyModels(tmp_path_factory.mktemp("models"))
    models.card("wan_t2v")                       # a Card: name, fingerprint, folder, pipeline, float32
    lora(models.folder("wan_t2v"), tmp_path / "fox.safetensors", seed=3)

Same name, same bytes. A test module that uses them begins with `pytest.importorskip("diffusers")`, before it
imports this one, and calls `torch.set_num_threads(1)`: the number of threads changes the last bits on a CPU.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import torch
import transformers
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers.utils import logging as transformers_logging

from rushes.generators.cards import Card

diffusers_logging.set_verbosity_error()
diffusers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()


def _made(make: Callable[..., Any], seed: int = 0, /, **settings: Any) -> Any:
    """A model with random weights from `seed`, in eval mode: dropout would make two runs differ."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(**settings).eval()


def _louder(model: Any, gain: float, *parts: str) -> Any:
    """`model` with the weights of `parts` scaled: random weights hardly hear a prompt and decode to flat grey."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and any(part in name for part in parts):
                weights.mul_(gain)
    return model


def _t5_words() -> Any:
    """A tokenizer with one token per character; pad, end and unknown are 0, 1 and 2 as in the real one."""
    letters = [(chr(code), -3.0) for code in range(33, 127)]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    return transformers.T5Tokenizer(
        vocab=special + letters, extra_ids=0, additional_special_tokens=[], model_max_length=512
    )


def _clip_words() -> Any:
    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=[], model_max_length=77)


def _t5(kind: str, words: Any) -> Any:
    """`kind` is "T5" or "UMT5"."""
    settings = getattr(transformers, f"{kind}Config")(
        vocab_size=len(words), d_model=32, d_kv=8, d_ff=40, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    return _made(getattr(transformers, f"{kind}EncoderModel"), config=settings)


def _clip(make: Any, words: Any, seed: int = 0) -> Any:
    settings = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=32,
        hidden_act="gelu",
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return _made(make, seed, config=settings)


def clip_eyes() -> Any:
    """A CLIP image encoder for pictures of 32 x 32."""
    settings = transformers.CLIPVisionConfig(
        hidden_size=32,
        projection_dim=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        intermediate_size=40,
        patch_size=8,
    )
    return _made(transformers.CLIPVisionModelWithProjection, config=settings)


def clip_glasses() -> Any:
    """What prepares a picture for `clip_eyes`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return transformers.CLIPImageProcessor(size=32, crop_size=32)


def _wan_transformer(kind: str = "WanTransformer3DModel", *, seed: int = 0, **settings: Any) -> Any:
    shape: dict[str, Any] = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "rope_max_seq_len": 256,
    }
    return _louder(_made(getattr(diffusers, kind), seed, **shape | settings), 4.0, "text_embedder", "attn2")


def _wan_vae() -> Any:
    vae = _made(
        diffusers.AutoencoderKLWan,
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )
    return _louder(vae, 6.0, "decoder.conv_out")


def _wan_schedule() -> Any:
    return diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )


def _wan(make: Any, **own: Any) -> Any:
    words = _t5_words()
    parts = {
        "tokenizer": words,
        "text_encoder": _t5("UMT5", words),
        "vae": _wan_vae(),
        "scheduler": _wan_schedule(),
        "transformer_2": None,
    }
    return make(**parts | own)


def wan_t2v() -> Any:
    return _wan(diffusers.WanPipeline, transformer=_wan_transformer())


def wan22_t2v() -> Any:
    """Wan 2.2 A14B: one expert for the noisy steps, one for the rest."""
    experts = {"transformer": _wan_transformer(), "transformer_2": _wan_transformer(seed=1)}
    return _wan(diffusers.WanPipeline, boundary_ratio=0.875, **experts)


def wan22_ti2v() -> Any:
    """Wan 2.2 TI2V-5B: a time for every token, so that the first frame can be given."""
    vae = _made(
        diffusers.AutoencoderKLWan,
        base_dim=3,
        decoder_base_dim=4,
        z_dim=48,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
    )
    transformer = _wan_transformer(in_channels=48, out_channels=48)
    vae = _louder(vae, 6.0, "decoder.conv_out")
    return _wan(diffusers.WanPipeline, transformer=transformer, vae=vae, expand_timesteps=True)


def wan_i2v() -> Any:
    """Wan 2.1 I2V: noise, mask and picture latents side by side, and a CLIP image encoder."""
    return _wan_looking()


def wan_flf() -> Any:
    """Wan 2.1 FLF2V: it looks at two pictures, never at one."""
    return _wan_looking(pos_embed_seq_len=2 * 17)


def wan22_i2v() -> Any:
    """Wan 2.2 I2V A14B: two experts and no image encoder."""
    experts = {
        "transformer": _wan_transformer(in_channels=36),
        "transformer_2": _wan_transformer(in_channels=36, seed=1),
    }
    return _wan(diffusers.WanImageToVideoPipeline, boundary_ratio=0.9, **experts)


def _wan_looking(**settings: Any) -> Any:
    return _wan(
        diffusers.WanImageToVideoPipeline,
        transformer=_wan_transformer(in_channels=36, image_dim=32, **settings),
        image_encoder=clip_eyes(),
        image_processor=clip_glasses(),
    )


def wan_vace() -> Any:
    transformer = _wan_transformer("WanVACETransformer3DModel", vace_layers=[0, 1], vace_in_channels=96)
    return _wan(diffusers.WanVACEPipeline, transformer=transformer)


def _ltx_vae(*, timed: bool = False, noisy: bool = False) -> Any:
    flat = (False, False, False, False)
    vae = _made(
        diffusers.AutoencoderKLLTXVideo,
        in_channels=3,
        out_channels=3,
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(noisy, *flat),
        upsample_residual=flat,
        upsample_factor=(1, 1, 1, 1),
        timestep_conditioning=timed,
        patch_size=4,
        patch_size_t=1,
    )
    with torch.no_grad():
        for name, weights in vae.named_parameters():
            if "per_channel_scale" in name:  # of its noise, and nothing before it is trained
                weights.fill_(0.5)
    return _louder(vae, 3.0, "decoder.conv_out")


def ltx() -> Any:
    """LTX-Video 0.9."""
    return _ltx(_ltx_vae())


def ltx_timed() -> Any:
    """LTX-Video from 0.9.1 on: its VAE is told a time and decodes with noise."""
    return _ltx(_ltx_vae(timed=True))


def ltx_noisy() -> Any:
    """One whose VAE also draws noise of its own."""
    return _ltx(_ltx_vae(timed=True, noisy=True))


def _ltx(vae: Any) -> Any:
    words = _t5_words()
    transformer = _made(
        diffusers.LTXVideoTransformer3DModel,
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=12,
        cross_attention_dim=24,
        num_layers=2,
        caption_channels=32,
    )
    return diffusers.LTXPipeline(
        tokenizer=words,
        text_encoder=_t5("T5", words),
        transformer=_louder(transformer, 4.0, "caption_projection", "attn2"),
        vae=vae,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


def _picture_vae(channels: tuple[int, ...], gain: float, **settings: Any) -> Any:
    vae = _made(
        diffusers.AutoencoderKL,
        block_out_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * len(channels),
        up_block_types=["UpDecoderBlock2D"] * len(channels),
        norm_num_groups=1,
        **settings,
    )
    return _louder(vae, gain, "decoder.conv_out")


def sdxl() -> Any:
    words, words_2 = _clip_words(), _clip_words()
    unet = _made(
        diffusers.UNet2DConditionModel,
        block_out_channels=(4, 8),
        layers_per_block=1,
        sample_size=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=80,
        cross_attention_dim=64,
        norm_num_groups=1,
    )
    return diffusers.StableDiffusionXLPipeline(
        vae=_picture_vae((8, 8, 8, 8), 3.0, latent_channels=4, sample_size=128),
        text_encoder=_clip(transformers.CLIPTextModel, words),
        text_encoder_2=_clip(transformers.CLIPTextModelWithProjection, words_2, 1),
        tokenizer=words,
        tokenizer_2=words_2,
        unet=_louder(unet, 4.0, "attn2"),
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading"
        ),
    )


def flux() -> Any:
    words, words_2 = _clip_words(), _t5_words()
    transformer = _made(
        diffusers.FluxTransformer2DModel,
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    )
    quiet = {
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "shift_factor": 0.1159,
        "scaling_factor": 0.3611,
    }
    return diffusers.FluxPipeline(
        vae=_picture_vae((8, 8, 8, 8), 3.0, latent_channels=4, **quiet),
        text_encoder=_clip(transformers.CLIPTextModel, words),
        tokenizer=words,
        text_encoder_2=_t5("T5", words_2),
        tokenizer_2=words_2,
        transformer=_louder(transformer, 4.0, "context_embedder"),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
    )


_WAN = (wan_t2v, wan22_t2v, wan22_ti2v, wan_i2v, wan_flf, wan22_i2v, wan_vace)

PIPELINES: dict[str, Callable[[], Any]] = {
    make.__name__: make for make in (*_WAN, ltx, ltx_timed, ltx_noisy, sdxl, flux)
}


class TinyModels:
    """Folders of tiny models below `root`, each built when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, name: str) -> Path:
        """The folder of a tiny model, by its name in PIPELINES."""
        folder = self._root / name
        if not folder.exists():
            PIPELINES[name]().save_pretrained(folder)
        return folder

    def card(self, name: str, **changes: Any) -> Card:
        """The card of a tiny model, float32."""
        pipeline = diffusers.DiffusionPipeline.load_config(self.folder(name))["_class_name"]
        known = {"name": name, "fingerprint": f"tiny-{name}", "dtype": "float32", "working_mib": 64}
        return Card(**known | {"folder": str(self.folder(name)), "pipeline": pipeline} | changes)


def lora(folder: Path, path: Path, seed: int = 0, targets: tuple[str, ...] = ("to_q", "to_k", "to_v")) -> Path:
    """A LoRA file, in the form that diffusers saves, for the denoiser of the model in `folder`."""
    from peft import LoraConfig, get_peft_model_state_dict

    pipe = diffusers.DiffusionPipeline.from_pretrained(folder)
    part = "unet" if hasattr(pipe, "unet") else "transformer"
    denoiser = getattr(pipe, part)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        denoiser.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights=False, target_modules=list(targets)))
    weights = get_peft_model_state_dict(denoiser)
    save_file({f"{part}.{name}": tensor.contiguous() for name, tensor in weights.items()}, path)
    return path


def text_lora(folder: Path, path: Path, seed: int = 0) -> Path:
    """A LoRA file for the denoiser and the first text encoder of an SDXL or Flux model."""
    from safetensors.torch import load_file

    made = load_file(lora(folder, path, seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in range(2):
            at = f"text_encoder.text_model.encoder.layers.{layer}.self_attn.q_proj"
            made |= {f"{at}.lora_A.weight": torch.randn(4, 32), f"{at}.lora_B.weight": torch.randn(32, 4)}
    save_file(made, path)
    return path


def ip_adapter(model: Path, folder: Path, *, closer: bool = False) -> Path:
    """The file of an IP-Adapter for the SDXL or Flux model in a folder, its image encoder beside it. `closer`: of
    the kind that looks at all patches of a picture, for SDXL."""
    pipe = diffusers.DiffusionPipeline.from_pretrained(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = _sdxl_adapter(pipe.unet, closer) if hasattr(pipe, "unet") else _flux_adapter(pipe.transformer)
    folder.mkdir(parents=True, exist_ok=True)
    clip_eyes().save_pretrained(folder / "image_encoder")
    save_file(layers, folder / "ip-adapter.safetensors")
    return folder / "ip-adapter.safetensors"


def _sdxl_adapter(unet: Any, closer: bool) -> dict[str, torch.Tensor]:
    made = {}
    for place, name in enumerate(unet.attn_processors):
        shape = unet.get_submodule(name.removesuffix(".processor")).to_k.weight.shape
        if name.endswith("attn2.processor"):
            made |= {f"ip_adapter.{place}.to_{half}_ip.weight": torch.randn(*shape) for half in "kv"}
    width = unet.config.cross_attention_dim
    projection = _resampler(width) if closer else _projection(width)
    return made | {f"image_proj.{name}": tensor for name, tensor in projection.items()}


def _flux_adapter(transformer: Any) -> dict[str, torch.Tensor]:
    """Called as XLabs calls it."""
    made = {}
    inside, words = transformer.inner_dim, transformer.config.joint_attention_dim
    for block in range(transformer.config.num_layers):
        for half in "kv":
            at = f"double_blocks.{block}.processor.ip_adapter_double_stream_{half}_proj"
            made |= {f"{at}.weight": torch.randn(inside, words), f"{at}.bias": torch.zeros(inside)}
    return made | {f"ip_adapter_proj_model.{name}": tensor for name, tensor in _projection(words).items()}


def _projection(width: int) -> dict[str, torch.Tensor]:
    linear = {"proj.weight": torch.randn(4 * width, 32) / 4, "proj.bias": torch.zeros(4 * width)}
    return {**linear, "norm.weight": torch.ones(width), "norm.bias": torch.zeros(width)}


def _resampler(width: int) -> dict[str, torch.Tensor]:
    """The projection of the plus kind, 64 wide inside, as it is stored: four times attention, feed-forward."""
    outer = {"proj_in": (64, 32), "proj_out": (width, 64)}
    inner = {"0.to_q": (64, 64), "0.to_kv": (128, 64), "0.to_out": (64, 64), "1.1": (256, 64), "1.3": (64, 256)}
    made = {"latents": torch.randn(1, 4, 64)}
    norms = {"norm_out": width}
    for layer in range(4):
        made |= {f"layers.{layer}.{name}.weight": torch.randn(*shape) / 8 for name, shape in inner.items()}
        norms |= {f"layers.{layer}.{name}": 64 for name in ("0.norm1", "0.norm2", "1.0")}
    for name, shape in outer.items():
        made |= {f"{name}.weight": torch.randn(*shape) / 8, f"{name}.bias": torch.zeros(shape[0])}
    for name, size in norms.items():
        made |= {f"{name}.weight": torch.ones(size), f"{name}.bias": torch.zeros(size)}
    return made

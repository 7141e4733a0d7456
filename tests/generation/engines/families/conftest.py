"""Tiny random pipelines, made through the real classes: what holds for them holds for large ones.

A few thousand parameters each, so that a clip takes a fraction of a second on one core.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from generation.engines.order import Condition, Order
from stage.collecting import spare_what_is_imported


@dataclass(frozen=True)
class Tiny:
    """One kind of checkpoint: how it is made, and an order that it can render."""

    write: Callable[[Path], None]
    order: dict[str, Any]
    guidance: float
    pictured: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def text_encoder(kind: str, width: int = 32) -> tuple[Any, Any]:
    import transformers

    from stage.tiny import _tokenizer

    tokenizer = _tokenizer()
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer),
        d_model=width,
        d_kv=8,
        d_ff=32,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
    )
    return tokenizer, getattr(transformers, f"{kind}EncoderModel")(config).eval()


def seeded(write: Callable[[], Any]) -> Callable[[Path], None]:
    def written(folder: Path) -> None:
        import torch
        from diffusers.utils import logging as diffusers_logging
        from transformers.utils import logging as transformers_logging

        diffusers_logging.disable_progress_bar()
        transformers_logging.disable_progress_bar()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            pipe = write()
        pipe.save_pretrained(folder, safe_serialization=True)

    return written


def wan_vae(**changes: Any) -> Any:
    from diffusers import AutoencoderKLWan

    usual: dict[str, Any] = {
        "base_dim": 3,
        "z_dim": 16,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
    }
    return AutoencoderKLWan(**(usual | changes))


def wan_transformer(**changes: Any) -> Any:
    from diffusers import WanTransformer3DModel

    usual: dict[str, Any] = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 32,
        "freq_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "rope_max_seq_len": 32,
    }
    return WanTransformer3DModel(**(usual | changes))


def wan_parts() -> dict[str, Any]:
    from diffusers import UniPCMultistepScheduler

    tokenizer, encoder = text_encoder("UMT5")
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return {"tokenizer": tokenizer, "text_encoder": encoder, "scheduler": scheduler}


def wan_words() -> Any:
    from diffusers import WanPipeline

    return WanPipeline(**wan_parts(), vae=wan_vae(), transformer=wan_transformer())


def wan_two_experts() -> Any:
    """As 2.2's A14B for pictures: no picture encoder, one expert for each end of the noise."""
    from diffusers import WanImageToVideoPipeline

    return WanImageToVideoPipeline(
        **wan_parts(),
        vae=wan_vae(),
        transformer=wan_transformer(in_channels=36),
        transformer_2=wan_transformer(in_channels=36),
        boundary_ratio=0.9,
    )


def wan_small_words_and_pictures() -> Any:
    """As 2.2's 5B: a finer decoder, and a time for each token."""
    from diffusers import WanPipeline

    vae = wan_vae(
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.1] * 48,
        latents_std=[1.5] * 48,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    )
    return WanPipeline(
        **wan_parts(),
        vae=vae,
        transformer=wan_transformer(in_channels=48, out_channels=48),
        expand_timesteps=True,
    )


def wan_seeing(pictures: int) -> Callable[[], Any]:
    """As 2.1 for pictures: they are seen through a picture encoder too."""

    def made() -> Any:
        from diffusers import WanImageToVideoPipeline
        from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

        seen = 5
        return WanImageToVideoPipeline(
            **wan_parts(),
            vae=wan_vae(),
            transformer=wan_transformer(
                in_channels=36,
                image_dim=8,
                added_kv_proj_dim=24,
                pos_embed_seq_len=2 * seen if pictures == 2 else None,
            ),
            image_encoder=CLIPVisionModel(
                CLIPVisionConfig(
                    hidden_size=8,
                    projection_dim=8,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    image_size=32,
                    intermediate_size=16,
                    patch_size=16,
                )
            ).eval(),
            image_processor=CLIPImageProcessor(
                crop_size={"height": 32, "width": 32}, size={"shortest_edge": 32}
            ),
        )

    return made


def cogvideox(*, pictured: bool, padded: bool) -> Callable[[], Any]:
    """``padded`` as 1.5: patches two latent frames long."""

    def made() -> Any:
        import diffusers

        tokenizer, encoder = text_encoder("T5")
        later = {
            "patch_size_t": 2,
            "use_rotary_positional_embeddings": True,
            "patch_bias": False,
            "ofs_embed_dim": 8 if pictured else None,
        }
        kind = "CogVideoXImageToVideoPipeline" if pictured else "CogVideoXPipeline"
        return getattr(diffusers, kind)(
            tokenizer=tokenizer,
            text_encoder=encoder,
            scheduler=diffusers.CogVideoXDDIMScheduler(),
            vae=diffusers.AutoencoderKLCogVideoX(
                down_block_types=("CogVideoXDownBlock3D",) * 4,
                up_block_types=("CogVideoXUpBlock3D",) * 4,
                block_out_channels=(8, 8, 8, 8),
                latent_channels=4,
                layers_per_block=1,
                norm_num_groups=2,
                temporal_compression_ratio=4,
            ),
            transformer=diffusers.CogVideoXTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=16,
                in_channels=8 if pictured else 4,
                out_channels=4,
                time_embed_dim=8,
                text_embed_dim=32,
                num_layers=2,
                sample_width=8,
                sample_height=8,
                sample_frames=9,
                patch_size=2,
                max_text_seq_length=226,
                **(later if padded else {}),
            ),
        )

    return made


def ltx2(kind: str) -> Callable[[], Any]:
    def made() -> Any:
        import diffusers
        from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

        tokenizer, encoder = gemma()
        layers = encoder.config.text_config.num_hidden_layers
        return getattr(diffusers, kind)(
            tokenizer=tokenizer,
            text_encoder=encoder,
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
            vae=diffusers.AutoencoderKLLTX2Video(
                latent_channels=4,
                block_out_channels=(8, 8, 8),
                down_block_types=("LTX2VideoDownBlock3D",) * 3,
                decoder_block_out_channels=(8, 8, 8),
                layers_per_block=(1,) * 4,
                decoder_layers_per_block=(1,) * 4,
                spatio_temporal_scaling=(True,) * 3,
                decoder_spatio_temporal_scaling=(True,) * 3,
                decoder_inject_noise=(False,) * 4,
                downsample_type=("spatial", "temporal", "spatiotemporal"),
                upsample_type=("spatiotemporal", "temporal", "spatial"),
                upsample_residual=(False,) * 3,
                upsample_factor=(1,) * 3,
                patch_size=2,
                decoder_causal=False,
                spatial_compression_ratio=8,
                temporal_compression_ratio=4,
            ),
            audio_vae=diffusers.AutoencoderKLLTX2Audio(
                base_channels=4,
                ch_mult=(1, 1, 1),
                num_res_blocks=1,
                latent_channels=2,
                resolution=32,
                mel_bins=8,
            ),
            vocoder=LTX2Vocoder(
                in_channels=16,
                hidden_channels=16,
                upsample_kernel_sizes=[20, 16],
                upsample_factors=[10, 16],
                resnet_kernel_sizes=[3],
                resnet_dilations=[[1, 3]],
                output_sampling_rate=16000,
            ),
            connectors=LTX2TextConnectors(
                caption_channels=16,
                text_proj_in_factor=layers + 1,
                video_connector_num_attention_heads=2,
                video_connector_attention_head_dim=8,
                video_connector_num_layers=1,
                video_connector_num_learnable_registers=None,
                audio_connector_num_attention_heads=2,
                audio_connector_attention_head_dim=8,
                audio_connector_num_layers=1,
                audio_connector_num_learnable_registers=None,
                connector_rope_base_seq_len=32,
                rope_double_precision=False,
                rope_type="split",
            ),
            transformer=diffusers.LTX2VideoTransformer3DModel(
                in_channels=4,
                out_channels=4,
                num_attention_heads=2,
                attention_head_dim=8,
                cross_attention_dim=16,
                vae_scale_factors=(4, 8, 8),
                audio_in_channels=4,
                audio_out_channels=4,
                audio_num_attention_heads=2,
                audio_attention_head_dim=4,
                audio_cross_attention_dim=8,
                num_layers=2,
                caption_channels=16,
                rope_double_precision=False,
                rope_type="split",
            ),
        )

    return made


def gemma() -> tuple[Any, Any]:
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3TextConfig,
        SiglipVisionConfig,
    )

    from stage.tiny import _tokenizer

    tokenizer = _tokenizer()
    words = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=2,
    )
    seeing = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    config = Gemma3Config(
        text_config=words,
        vision_config=seeing,
        mm_tokens_per_image=4,
        image_token_index=len(tokenizer) - 1,
        boi_token_index=len(tokenizer) - 2,
        eoi_token_index=len(tokenizer) - 3,
    )
    return tokenizer, Gemma3ForConditionalGeneration(config).eval()


def write_ltx(folder: Path) -> None:
    from stage.tiny import write_tiny_pipeline

    write_tiny_pipeline(folder)
    (folder / "greenroom.json").unlink()


WAN = {"width": 32, "height": 32, "frames": 9, "steps": 3}
COG = {"width": 64, "height": 64, "frames": 9, "steps": 2}
LTX = {"width": 64, "height": 64, "frames": 9, "steps": 2}
CHEAP = {"stg_scale": 0.0, "audio_stg_scale": 0.0}

KINDS: dict[str, Tiny] = {
    "ltx": Tiny(write_ltx, LTX, 3.0),
    "ltx keyframes": Tiny(write_ltx, LTX, 3.0, (0, 5)),
    "wan 2.1 words": Tiny(seeded(wan_words), WAN, 5.0),
    "wan 2.1 picture": Tiny(seeded(wan_seeing(1)), WAN, 5.0, (0,)),
    "wan 2.1 first and last": Tiny(seeded(wan_seeing(2)), WAN, 5.0, (0, 8)),
    "wan 2.2 two experts": Tiny(seeded(wan_two_experts), WAN, 5.0, (0, 8)),
    "wan 2.2 small words": Tiny(seeded(wan_small_words_and_pictures), WAN, 5.0),
    "wan 2.2 small picture": Tiny(seeded(wan_small_words_and_pictures), WAN, 5.0, (0,)),
    "cogvideox words": Tiny(seeded(cogvideox(pictured=False, padded=False)), COG, 6.0),
    "cogvideox picture": Tiny(seeded(cogvideox(pictured=True, padded=False)), COG, 6.0, (0,)),
    "cogvideox 1.5 words": Tiny(seeded(cogvideox(pictured=False, padded=True)), COG, 6.0),
    "cogvideox 1.5 picture": Tiny(seeded(cogvideox(pictured=True, padded=True)), COG, 6.0, (0,)),
    "ltx-2 words": Tiny(seeded(ltx2("LTX2Pipeline")), LTX, 3.0, settings=CHEAP),
    "ltx-2 picture": Tiny(seeded(ltx2("LTX2ImageToVideoPipeline")), LTX, 3.0, (0,), CHEAP),
    "ltx-2 keyframes": Tiny(seeded(ltx2("LTX2ConditionPipeline")), LTX, 3.0, (0, 5), CHEAP),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", list(KINDS), scope="module")


@pytest.fixture(scope="session")
def kinds() -> dict[str, Tiny]:
    return KINDS


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The checkpoint of a kind, made once; nobody writes into it."""
    root = tmp_path_factory.mktemp("families")

    def made(kind: str) -> Path:
        folder: Path = root / kind.replace(" ", "-")
        if not folder.exists():
            KINDS[kind].write(folder)
            spare_what_is_imported()
        return folder

    return made


@pytest.fixture(scope="session")
def picture_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Condition]:
    """A condition with a picture of its own for each frame."""
    root = tmp_path_factory.mktemp("pictures")

    def made(frame: int, width: int, height: int, *, strength: float = 1.0) -> Condition:
        path = root / f"{frame}-{width}x{height}.png"
        if not path.exists():
            noise = np.random.default_rng(frame).integers(0, 256, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((width, height), Image.Resampling.NEAREST).save(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return Condition(path=path, sha256=digest, frame=frame, strength=strength)

    return made


@pytest.fixture
def engine_of() -> Iterator[Callable[..., Any]]:
    """A loaded engine for a folder, closed after the test."""
    from generation.engines.local.diffusers_engine import DiffusersEngine

    with ExitStack() as made:

        def loaded(folder: Path, **settings: Any) -> DiffusersEngine:
            engine = made.enter_context(closing(DiffusersEngine(**settings)))
            engine.load(folder)
            return engine

        yield loaded


@pytest.fixture
def copy_of(folder_of, tmp_path) -> Callable[[str], Path]:
    """A checkpoint that the test may write into."""

    def copied(kind: str) -> Path:
        return shutil.copytree(folder_of(kind), tmp_path / "copy")

    return copied


@pytest.fixture
def frames_of(watching) -> Callable[..., Any]:
    """The frames of an order, (frames, rows, columns, 3)."""

    def rendered(engine: Any, order: Order) -> Any:
        made = engine.render(order, watching())
        return np.stack([one for one in made if isinstance(one, np.ndarray)])

    return rendered


@pytest.fixture
def order_for(folder_of, picture_of) -> Callable[..., Order]:
    def made(kind: str, **changes: Any) -> Order:
        tiny = KINDS[kind]
        asked: dict[str, Any] = {
            "prompt": "a red circle moves left",
            "seed": 7,
            "rate": Fraction(8),
            "checkpoint": folder_of(kind),
            **tiny.order,
            **changes,
        }
        asked.setdefault(
            "conditions",
            tuple(picture_of(at, asked["width"], asked["height"]) for at in tiny.pictured),
        )
        return Order(**asked)

    return made

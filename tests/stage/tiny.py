"""A real LTX pipeline small enough to make in seconds: random weights, so it shows noise.

It stands in until somebody puts trained weights there, and proves the true path in tests: the same
classes, files and calls as a full-size model, with nothing downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diffusers import LTXConditionPipeline

_CHANNELS = 16
_TEXT = 64
_TOKENS_AT_MOST = 256
# ``even``: few steps of a small model are lost with the pipeline's own schedule.
_PRESET: dict[str, Any] = {
    "schedule": "even",
    "coordinate_rate": 25,
    "longest_s": "5",
    "most_side": 256,
    "most_pixels": 256 * 256,
    "most_steps": 50,
}


def write_tiny_pipeline(folder: Path, *, seed: int = 0) -> None:
    """Writes the folder whole or not at all; the same seed writes the same weights to the byte.

    Returns at once when ``folder`` exists.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _pipeline(seed).save_pretrained(partial, safe_serialization=True)
        (partial / "greenroom.json").write_text(json.dumps(_PRESET, indent=2) + "\n")
        partial.chmod(0o755)
        partial.rename(folder)
    except FileExistsError:
        pass  # somebody else was quicker with the same weights
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _pipeline(seed: int) -> LTXConditionPipeline:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXConditionPipeline,
        LTXVideoTransformer3DModel,
    )
    from diffusers.utils import logging as diffusers_logging
    from transformers import T5Config, T5EncoderModel
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    tokenizer = _tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LTXConditionPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=AutoencoderKLLTXVideo(**_vae_config()),
            text_encoder=T5EncoderModel(
                T5Config(
                    vocab_size=len(tokenizer),
                    d_model=_TEXT,
                    d_kv=16,
                    d_ff=128,
                    num_layers=2,
                    num_heads=4,
                    dropout_rate=0.0,
                )
            ).eval(),
            tokenizer=tokenizer,
            transformer=LTXVideoTransformer3DModel(
                in_channels=_CHANNELS,
                out_channels=_CHANNELS,
                num_attention_heads=4,
                attention_head_dim=48,
                cross_attention_dim=192,
                num_layers=6,
                caption_channels=_TEXT,
            ),
        )


def _vae_config() -> dict[str, Any]:
    """Eight pixels and four frames per latent."""
    return {
        "latent_channels": _CHANNELS,
        "block_out_channels": (16, 32, 64),
        "decoder_block_out_channels": (16, 32, 64),
        "down_block_types": ("LTXVideoDownBlock3D",) * 3,
        "layers_per_block": (1, 1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1, 1),
        "spatio_temporal_scaling": (True, True, False),
        "decoder_spatio_temporal_scaling": (True, True, False),
        "decoder_inject_noise": (False,) * 4,
        "downsample_type": ("conv",) * 3,
        "upsample_residual": (False,) * 3,
        "upsample_factor": (1,) * 3,
        "patch_size": 2,
    }


def _tokenizer() -> Any:
    """Letters, digits and marks, lower-cased: any prompt has tokens, and nothing needs training."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    pieces = ["▁", *string.ascii_lowercase, *string.digits, *string.punctuation]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(piece, -5.0) for piece in pieces]
    made = Tokenizer(Unigram(vocabulary, unk_id=2, byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=_TOKENS_AT_MOST,
    )

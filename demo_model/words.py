"""The tokenizer: whole words the model knows, letters for all others. Nothing is trained."""

from __future__ import annotations

import string
from typing import Any

from demo_model.scenes import known_words

TOKENS_AT_MOST = 128


def tokenizer() -> Any:
    """A ``PreTrainedTokenizerFast``: the T5 class of the same library forgets a normalizer when it
    is loaded again, and "Red" would fall apart into letters."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    pieces = [f"▁{word}" for word in known_words()]
    letters = ["▁", *string.ascii_lowercase, *string.digits, *string.punctuation]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(piece, -2.0) for piece in pieces]
    vocabulary += [(piece, -10.0) for piece in letters if piece not in pieces]
    made = Tokenizer(Unigram(vocabulary, unk_id=2, byte_fallback=False))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",  # noqa: S106 - a mark in a text
        eos_token="</s>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        model_max_length=TOKENS_AT_MOST,
    )

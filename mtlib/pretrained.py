"""Real weights in mtlib's own modules.

MiniLM is a 6-layer BERT of 22.7 M parameters, trained to give sentences that mean the same
the same vector (Wang et al. 2020; Reimers and Gurevych 2019). SmolLM2 is a 30-layer Llama of
134.5 M, trained to go on with a text and then to answer (Allal et al. 2025); its weights were
kept in 4 bits and are the rounded ones here too.

Their names are mapped to ours one by one, and everything in a file must find its place.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import normalize

from . import assets
from ._gguf import GGUF
from .config import BERT, ModelConfig
from .encoder import Encoder
from .interop import config_from_gguf, from_bert, from_gguf
from .transformer import DecoderLM

MINILM = ModelConfig(vocab=30522, max_len=512, d_model=384, n_heads=12, n_layers=6, norm_eps=1e-12, parts=BERT)


class Pretrained(NamedTuple):
    """A model in eval mode and the tokenizer it was trained with."""

    model: Encoder | DecoderLM
    tokenizer: Tokenizer

    def ids(self, text: str) -> Tensor:
        """(1, T) token ids of one text, its special tokens included."""
        return torch.tensor([self.tokenizer.encode(text).ids])

    def tokens(self, text: str) -> list[str]:
        """The same tokens as strings."""
        return self.tokenizer.encode(text).tokens


def minilm() -> Pretrained:
    """MiniLM in an mtlib Encoder; AssetMissing, in one line, before `mtlib fetch minilm`.

    Needs about 90 MB of memory and half a second.
    """
    raw = load_file(assets.path("minilm", "model.safetensors"))
    with torch.device("meta"):  # do not spend time on random weights that are replaced at once
        model = Encoder(MINILM)
    model.load_state_dict(from_bert(raw, MINILM), strict=True, assign=True)
    tokenizer = Tokenizer.from_file(str(assets.path("minilm", "tokenizer.json")))
    tokenizer.no_padding()  # the file asks for padding to 128; a single sentence wants none
    tokenizer.no_truncation()  # too long a text should be refused with a word, not cut without one
    return Pretrained(model.eval(), tokenizer)


def smollm2() -> Pretrained:
    """SmolLM2-135M-Instruct in an mtlib DecoderLM; AssetMissing, in one line, before `mtlib fetch smollm2`.

    Needs 540 MB of memory and about a second. A turn of a talk begins with <|im_start|> and a
    name, user or assistant, and ends with <|im_end|>; plain text needs no sign at all.
    """
    file = GGUF(assets.path("smollm2", "model.gguf"))
    weights = file.weights()
    config = config_from_gguf(file.sizes(), tied="output.weight" not in weights)
    with torch.device("meta"):
        model = DecoderLM(config)
    model.load_state_dict(from_gguf(weights, config), strict=True, assign=True)
    return Pretrained(model.eval(), file.tokenizer())


def sentence_vector(
    hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None
) -> Float[Tensor, "B D"]:
    """MiniLM's sentence vector: the mean over kept positions, brought to length 1."""
    if keep is not None:
        hidden = hidden * keep[..., None]
    return normalize(hidden.sum(dim=1), dim=-1)  # the length goes, so the sum will do for the mean

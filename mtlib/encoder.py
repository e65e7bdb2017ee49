"""The encoder: every position sees every other, layer after layer.

    h = position(tok[ids])
    h = block(h), L times, each block attention and FFN with a residual around them

Letters as in attention.py; V vocabulary, L layers, F the width inside the FFN. Left out: what
turns the vectors into an answer, which is in heads.py and transformer.py.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from . import _check, parts
from .config import ModelConfig
from .position import Position
from .residual import Residual


class EncoderBlock(nn.Module):
    """Attention, then FFN, each inside a residual; `keep` says which keys may be seen.

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> EncoderBlock(config)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        _check.instance(config=(config, ModelConfig))
        self.norm1, self.attn = parts.norm(config), parts.attention(config)
        self.norm2, self.ffn = parts.norm(config), parts.ffn(config)
        self.attn_dropout, self.ffn_dropout = nn.Dropout(config.dropout), nn.Dropout(config.dropout)
        self.resid_mid, self.resid_post = Residual(config.parts.placement), Residual(config.parts.placement)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "..."] | None = None,
        position: Position | None = None,
    ) -> Float[Tensor, "B T D"]:
        x = self.resid_mid(x, lambda h: self.attn_dropout(self.attn(h, keep=keep, position=position)), self.norm1)
        return self.resid_post(x, lambda h: self.ffn_dropout(self.ffn(h)), self.norm2)


class Encoder(nn.Module):
    """Token table, positions, then L blocks.

    One norm stands where the blocks have none of their own: with 'pre' after the last block,
    with 'post' on the embedding, as BERT has it (the 2017 paper has none there).

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> Encoder(config)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        _check.instance(config=(config, ModelConfig))
        self.config = config
        self.tok = nn.Embedding(config.vocab, config.d_model)
        self.pos = parts.position(config, causal=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.n_layers))
        self.norm = parts.norm(config)

    def forward(self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B T D"]:
        _check.ids(ids, "ids", self.tok.weight)
        x = self.pos(self.tok(ids))
        if self.config.parts.placement == "post":
            x = self.norm(x)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, keep, self.pos)
        return self.norm(x) if self.config.parts.placement == "pre" else x

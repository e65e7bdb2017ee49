"""The encoder: every position sees every other, layer after layer.

    h = tok[ids] + pos[0…T-1]
    h = block(h), L times, each block attention and FFN with a residual around them

Letters as in attention.py; V vocabulary, L layers. Left out: the head that turns the vectors
into an answer; pooling and classes come with heads.py.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from . import _check
from .attention import MultiHeadAttention
from .config import ModelConfig
from .ffn import FeedForward
from .norm import LayerNorm
from .residual import Residual


class EncoderBlock(nn.Module):
    """Attention, then FFN, each inside a residual; `keep` says which keys may be seen.

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> EncoderBlock(config)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        c = config
        self.norm1 = LayerNorm(c.d_model, c.norm_eps)
        self.attn = MultiHeadAttention(c.d_model, c.n_heads, n_kv_heads=c.kv_heads, dropout=c.dropout)
        self.norm2 = LayerNorm(c.d_model, c.norm_eps)
        self.ffn = FeedForward(c.d_model, c.ff_width)
        self.attn_dropout, self.ffn_dropout = nn.Dropout(c.dropout), nn.Dropout(c.dropout)
        self.resid_mid, self.resid_post = Residual(c.placement), Residual(c.placement)

    def forward(self, x: Float[Tensor, "B T D"], keep: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B T D"]:
        x = self.resid_mid(x, lambda h: self.attn_dropout(self.attn(h, keep=keep)), self.norm1)
        return self.resid_post(x, lambda h: self.ffn_dropout(self.ffn(h)), self.norm2)


class Encoder(nn.Module):
    """Token and position tables, then L blocks.

    One norm stands where the blocks have none of their own: with 'pre' after the last block,
    with 'post' on the embedding, as BERT has it (the 2017 paper has none there).
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        c = config
        self.config = c
        self.tok = nn.Embedding(c.vocab, c.d_model)
        self.pos = nn.Embedding(c.max_len, c.d_model)
        self.dropout = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(EncoderBlock(c) for _ in range(c.n_layers))
        self.norm = LayerNorm(c.d_model, c.norm_eps)

    def forward(self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "B T D"]:
        _check.ids(ids, "ids", self.config.vocab, self.config.max_len)
        x = self.tok(ids) + self.pos(torch.arange(ids.size(1), device=ids.device))
        if self.config.placement == "post":
            x = self.norm(x)
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, keep)
        return self.norm(x) if self.config.placement == "pre" else x

"""The decoder: every position sees itself and what came before, and, with cross, all of a memory.

    h = position(tok[ids])
    h = block(h), L times: causal attention, [attention to memory,] FFN, a residual around each

What makes it a decoder: `causal=True` in its attention. What makes it the right half of the
2017 figure: `cross=True`. Letters as in encoder.py; S the positions of the memory.
"""

from functools import partial

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from . import _check, parts
from .cache import KVCache, ModelCache
from .config import ModelConfig
from .position import Position
from .residual import Residual


class DecoderBlock(nn.Module):
    """An encoder block that cannot look ahead; `cross` adds attention to a memory, after the first.

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> block = DecoderBlock(config, cross=True)
    >>> block(torch.zeros(1, 3, 8), memory=torch.zeros(1, 5, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModelConfig, *, cross: bool = False):
        super().__init__()
        _check.instance(config=(config, ModelConfig))
        placement = config.parts.placement
        self.norm1, self.attn = parts.norm(config), parts.attention(config, causal=True)
        self.attn_dropout, self.resid_mid = nn.Dropout(config.dropout), Residual(placement)
        self.cross = cross
        if cross:
            self.norm_cross, self.cross_attn = parts.norm(config), parts.attention(config)
            self.cross_dropout, self.resid_cross = nn.Dropout(config.dropout), Residual(placement)
        self.norm2, self.ffn = parts.norm(config), parts.ffn(config)
        self.ffn_dropout, self.resid_post = nn.Dropout(config.dropout), Residual(placement)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        keep: Bool[Tensor, "..."] | None = None,
        memory: Float[Tensor, "B S D"] | None = None,
        memory_keep: Bool[Tensor, "..."] | None = None,
        caches: tuple[KVCache, KVCache] | tuple[None, None] = (None, None),
        position: Position | None = None,
    ) -> Float[Tensor, "B T D"]:
        if self.cross != (memory is not None):
            raise ValueError(f"cross={self.cross} and memory is {'missing' if memory is None else 'given'}; they must agree")
        if not isinstance(caches, tuple) or len(caches) != 2:
            raise TypeError(f"caches is a {type(caches).__name__}; it must be a pair: of its own positions, of the memory")
        if memory is not None:
            self._fits(x, memory, memory_keep)
        elif memory_keep is not None:
            raise ValueError("memory_keep is given and memory is not; a mask of nothing must be None")
        own, of_memory = caches
        attn = partial(self.attn, keep=keep, cache=own, position=position)  # type: ignore[misc]  # a module can be called
        x = self.resid_mid(x, lambda h: self.attn_dropout(attn(h)), self.norm1)
        if self.cross:
            cross_attn = partial(self.cross_attn, context=memory, keep=memory_keep, cache=of_memory)  # type: ignore[misc]
            x = self.resid_cross(x, lambda h: self.cross_dropout(cross_attn(h)), self.norm_cross)
        return self.resid_post(x, lambda h: self.ffn_dropout(self.ffn(h)), self.norm2)

    def _fits(self, x: Tensor, memory: Tensor, memory_keep: Tensor | None) -> None:
        """Looked at here, for attention would speak of context and keep."""
        _check.tokens(x, "x", self.attn.q_proj.weight)
        _check.tokens(memory, "memory", self.cross_attn.k_proj.weight)
        if memory.size(0) != x.size(0):
            raise ValueError(f"memory is a batch of {memory.size(0)} and x or ids of {x.size(0)}; they must be equal")
        scores = x.size(0), self.cross_attn.n_heads, x.size(1), memory.size(1)
        _check.keep(memory_keep, scores, x.device, "memory_keep")


class Decoder(nn.Module):
    """Token table, positions, then L decoder blocks; one norm where the blocks have none, as in Encoder.

    With a cache, ids are what follows the positions it holds, and it grows by them.

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> Decoder(config)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, config: ModelConfig, *, cross: bool = False):
        super().__init__()
        _check.instance(config=(config, ModelConfig))
        self.config = config
        self.tok = nn.Embedding(config.vocab, config.d_model)
        self.pos = parts.position(config, causal=True)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(DecoderBlock(config, cross=cross) for _ in range(config.n_layers))
        self.norm = parts.norm(config)

    def forward(
        self,
        ids: Int64[Tensor, "B T"],
        keep: Bool[Tensor, "..."] | None = None,
        memory: Float[Tensor, "B S D"] | None = None,
        memory_keep: Bool[Tensor, "..."] | None = None,
        cache: ModelCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        _check.ids(ids, "ids", self.tok.weight)
        if cache is not None:
            _check.instance(cache=(cache, ModelCache))
        if cache is not None and len(cache.layers) != len(self.blocks):
            raise ValueError(f"the cache is for {len(cache.layers)} layers and the model has {len(self.blocks)}: take new_cache()")
        x = self.pos(self.tok(ids), 0 if cache is None else len(cache))
        if self.config.parts.placement == "post":
            x = self.norm(x)
        x = self.dropout(x)
        for i, block in enumerate(self.blocks):
            caches = (None, None) if cache is None else cache.layers[i]
            x = block(x, keep, memory, memory_keep, caches, self.pos)
        return self.norm(x) if self.config.parts.placement == "pre" else x

    def new_cache(self) -> ModelCache:
        """An empty cache, for one batch and one text."""
        return ModelCache(len(self.blocks))

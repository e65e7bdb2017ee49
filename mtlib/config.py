"""The sizes of a model and the mechanisms it is made of, in two frozen records.

Both hold only numbers and words, so a recipe can be written down as TOML or JSON; parts.py
turns the words into modules.
"""

from dataclasses import dataclass, field
from math import isqrt
from typing import Literal

from . import _check

Norm = Literal["layer", "rms"]
FFN = Literal["relu", "gelu", "gelu-tanh", "silu", "tanh", "sigmoid", "swiglu", "geglu", "geglu-tanh", "reglu"]
Scheme = Literal["none", "learned", "sinusoidal", "grid", "rotary", "rotary-halves", "t5", "alibi"]
Placement = Literal["pre", "post"]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Of what a model is made, a word for each mechanism; the defaults are GPT-2's, with exact GELU.

    norm: 'layer' or 'rms'. ffn: the activation, 'relu' … 'sigmoid', or with a gate 'swiglu',
    'geglu', 'geglu-tanh', 'reglu'. position: 'none', 'learned', 'sinusoidal', 'grid' (of a
    square picture), 'rotary', 'rotary-halves', 't5', 'alibi'. placement: the norm before the sublayer ('pre') or after
    the addition ('post'). bias: whether the linear maps of the blocks add one. tied: whether
    the head is the token table again. rotary_base: the base of rotary's angles.

    >>> Parts(ffn="swiglu", norm="rms").position
    'learned'
    """

    norm: Norm = "layer"
    ffn: FFN = "gelu"
    position: Scheme = "learned"
    placement: Placement = "pre"
    bias: bool = True
    tied: bool = True
    rotary_base: float = 10_000.0

    def __post_init__(self) -> None:
        words = {"norm": Norm, "ffn": FFN, "position": Scheme, "placement": Placement}
        _check.one_of(**{name: (getattr(self, name), words[name].__args__) for name in words})  # type: ignore[attr-defined]  # a Literal has it
        _check.above_zero(rotary_base=self.rotary_base)
        for name in ("bias", "tied"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={_check.said(getattr(self, name))} must be True or False")


ORIGINAL = Parts(ffn="relu", position="sinusoidal", placement="post")  # Vaswani et al. 2017
BERT = Parts(placement="post")
GPT2 = Parts(ffn="gelu-tanh")
LLAMA = Parts(norm="rms", ffn="swiglu", position="rotary-halves", bias=False, tied=False)
T5 = Parts(norm="rms", ffn="relu", position="t5", bias=False)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What a model needs to be built; checked once, here.

    Letters: vocab V, d_model D, n_heads H, n_kv_heads G, n_layers L, d_ff F. Left None,
    n_kv_heads follows n_heads and d_ff is 4·d_model, also in a copy with other sizes made by
    dataclasses.replace; `kv_heads` and `ff_width` are what a model uses. max_len is the number
    of rows in a learned position table, and of cells in a grid; other schemes have no such end.
    `parts` says which mechanisms: Parts(…) or one of mt.ORIGINAL, mt.BERT, mt.GPT2, mt.LLAMA, mt.T5.

    >>> ModelConfig(vocab=100, max_len=16, d_model=8, n_heads=2, n_layers=1).ff_width
    32
    """

    vocab: int
    max_len: int
    d_model: int
    n_heads: int
    n_layers: int
    n_kv_heads: int | None = None
    d_ff: int | None = None
    norm_eps: float = 1e-5
    dropout: float = 0.0
    parts: Parts = field(default_factory=Parts)

    def __post_init__(self) -> None:
        sizes = ("vocab", "max_len", "d_model", "n_heads", "n_layers", "n_kv_heads", "d_ff")
        given = {name: getattr(self, name) for name in sizes}
        optional = ("n_kv_heads", "d_ff")
        _check.positive(**{name: size for name, size in given.items() if size is not None or name not in optional})
        _check.fraction(dropout=self.dropout)
        _check.above_zero(norm_eps=self.norm_eps)
        if not isinstance(self.parts, Parts):
            raise TypeError(f"parts is a {type(self.parts).__name__}; it must be mt.Parts(…) or one of its named sets")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model={self.d_model} does not split into n_heads={self.n_heads} equal heads")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads={self.n_heads} query heads cannot share n_kv_heads={self.n_kv_heads} evenly")
        if self.parts.position == "grid":
            if self.grid_side**2 != self.max_len:
                raise ValueError(f"max_len={self.max_len} cells make no square grid; 'grid' needs 64 or another square")
            if self.d_model % 4:
                raise ValueError(f"d_model={self.d_model} must be a multiple of 4 for the position 'grid': sin and cos, of row and column")

    @property
    def kv_heads(self) -> int:
        """G: n_kv_heads, or n_heads where that is None."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def ff_width(self) -> int:
        """F: d_ff, or 4·d_model where that is None."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff

    @property
    def grid_side(self) -> int:
        """Rows, and columns, of the position 'grid': the root of max_len."""
        return isqrt(self.max_len)

    @property
    def head_width(self) -> int:
        """E: d_model / n_heads."""
        return self.d_model // self.n_heads

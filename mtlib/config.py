"""The sizes of a model, in one frozen record."""

from dataclasses import dataclass
from typing import Literal

from . import _check

Placement = Literal["pre", "post"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What a model needs to be built; checked once, here.

    Letters: vocab V, d_model D, n_heads H, n_kv_heads G, n_layers L, d_ff F. Left None,
    n_kv_heads follows n_heads and d_ff is 4·d_model, also in a copy with other sizes made by
    dataclasses.replace; `kv_heads` and `ff_width` are what a model uses. `placement` is where the norm stands in a
    block: 'pre' the sublayer (GPT-2 and after) or 'post' the addition (2017, BERT).

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
    placement: Placement = "pre"
    norm_eps: float = 1e-5
    dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = ("vocab", "max_len", "d_model", "n_heads", "n_layers", "n_kv_heads", "d_ff")
        given = {name: getattr(self, name) for name in sizes}
        optional = ("n_kv_heads", "d_ff")
        _check.positive(**{name: size for name, size in given.items() if size is not None or name not in optional})
        _check.fraction(dropout=self.dropout)
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model={self.d_model} does not split into n_heads={self.n_heads} equal heads")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads={self.n_heads} query heads cannot share n_kv_heads={self.n_kv_heads} evenly")
        if self.placement not in ("pre", "post"):
            raise ValueError(f"placement={self.placement!r} must be 'pre' or 'post'")
        if not self.norm_eps > 0:
            raise ValueError(f"norm_eps={self.norm_eps!r} must be above 0")

    @property
    def kv_heads(self) -> int:
        """G: n_kv_heads, or n_heads where that is None."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def ff_width(self) -> int:
        """F: d_ff, or 4·d_model where that is None."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff

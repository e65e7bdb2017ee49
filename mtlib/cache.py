"""Keys and values kept from one step of generation to the next.

Without it, writing token n means projecting all n positions again; with it, one. A cache
belongs to one attention layer and one batch, and is passed in: no module keeps one.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from . import _check


class KVCache:
    """One layer's keys and values, (B, G, T, E) each; ``len(cache)`` is T.

    A cache serves either self-attention, which appends to it, or cross-attention, which fills
    it once; the first use decides, and the other then raises ValueError.

    >>> cache = KVCache(); kv = torch.zeros(1, 2, 3, 4)
    >>> k, v = cache.append(kv, kv); k, v = cache.append(kv, kv); len(cache)
    6
    """

    def __init__(self) -> None:
        self.k: Tensor | None = None
        self.v: Tensor | None = None
        self._serves: str | None = None

    def __len__(self) -> int:
        return 0 if self.k is None else self.k.size(2)

    def append(
        self, k: Float[Tensor, "B G T E"], v: Float[Tensor, "B G T E"]
    ) -> tuple[Float[Tensor, "B G T_all E"], Float[Tensor, "B G T_all E"]]:
        """Add the new positions and return all of them: self-attention."""
        for x, name in (k, "k"), (v, "v"):
            _check.tensor(x, name, "(B, G, T, E)")
            if x.dim() != 4 or x.shape[:3] != k.shape[:3]:
                raise ValueError(f"{name} has shape {tuple(x.shape)}; keys and values must be (B, G, T, E), alike but for E")
        self._serve("self-attention")
        if self.k is not None:
            _same(self.k, k, "keys")
            _same(self.v, v, "values")  # type: ignore[arg-type]  # k and v are there together
            k, v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)  # type: ignore[list-item]
        self.k, self.v = k, v
        return k, v

    def once(self, project: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Project at the first call, remember after: cross-attention, whose memory never grows."""
        self._serve("cross-attention")
        if self.k is None:
            self.k, self.v = project()
        return self.k, self.v  # type: ignore[return-value]

    def select(self, rows: Int64[Tensor, "B_new"]) -> None:
        """Go on with these rows of the batch, in this order, some more than once: beam search."""
        if self.k is not None:
            self.k, self.v = self.k[rows], self.v[rows]  # type: ignore[index]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` positions: what was guessed and not accepted."""
        _check.natural(length=length)
        if self.k is not None:
            self.k, self.v = self.k[:, :, :length], self.v[:, :, :length]  # type: ignore[index]

    def _serve(self, use: str) -> None:
        if self._serves not in (None, use):
            raise ValueError(f"this cache serves {self._serves}; give {use} one of its own")
        self._serves = use


class ModelCache:
    """What a decoder keeps of a text so far: for each layer a KVCache of its own positions and one of the memory.

    ``len(cache)`` is the number of positions seen. `memory` is an encoder's output, kept there
    by an encoder-decoder so that the source is read once. Get one by ``model.new_cache()``.
    """

    def __init__(self, n_layers: int):
        _check.positive(n_layers=n_layers)
        self.layers = [(KVCache(), KVCache()) for _ in range(n_layers)]
        self.memory: Tensor | None = None

    def __len__(self) -> int:
        return len(self.layers[0][0])

    def select(self, rows: Int64[Tensor, "B_new"]) -> None:
        """Go on with these rows of the batch, in this order, some more than once; the memory's rows too."""
        for pair in self.layers:
            for cache in pair:
                cache.select(rows)
        self.memory = None if self.memory is None else self.memory[rows]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` positions; the memory stays whole."""
        for own, _ in self.layers:
            own.truncate(length)


def _same(old: Tensor, new: Tensor, what: str) -> None:
    if (old.size(0), old.size(1), old.size(3)) != (new.size(0), new.size(1), new.size(3)):
        raise ValueError(
            f"the cache holds {what} of shape {tuple(old.shape)} and the new ones are {tuple(new.shape)}; "
            "only the positions, axis 2, may differ: start a new cache for a new batch"
        )
    _check.same_kind(new, f"the cache's new {what}", old, "the old are")

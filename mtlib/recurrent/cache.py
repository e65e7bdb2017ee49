"""What a recurrent model carries from one call to the next: its states, and nothing else.

A transformer's cache grows by a row a position; this one never grows, whatever was read.
That is the bargain of recurrence, and its bottleneck.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

State = tuple[Tensor, ...]  # (h,) or (h, c), each (B, D)


class RecurrentCache:
    """The state of every cell, layer by layer; ``len(cache)`` is how many positions were read.

    Belongs to one model and one batch. Passed in, and updated in place by a call that
    succeeds. Positions that were stepped over, for they were not kept, count as read.

    >>> from mtlib.recurrent import LSTM
    >>> lstm = LSTM(d_in=3, d_model=4, n_layers=2); cache = lstm.new_cache()
    >>> y = lstm(torch.zeros(1, 5, 3), cache=cache); len(cache), cache.h.shape
    (5, torch.Size([2, 1, 4]))
    """

    def __init__(self, states: list[State] | None = None):
        self.states: list[State] = states or []
        self._read = 0

    def __len__(self) -> int:
        return self._read

    @property
    def h(self) -> Float[Tensor, "L B D"]:
        """The last h of every layer; two rows a layer, forwards and backwards, if it has both."""
        return self._stacked(0, "h")

    @property
    def c(self) -> Float[Tensor, "L B D"]:
        """The last c of every layer of an LSTM, in the order of h."""
        return self._stacked(1, "c")

    def advance(self, states: list[State], positions: int) -> None:
        """These are the states now, `positions` later."""
        self.states, self._read = states, self._read + positions

    def select(self, rows: Int64[Tensor, "B_new"]) -> None:
        """Go on with these rows of the batch, in this order, some more than once: beam search."""
        self.states = [tuple(x[rows] for x in state) for state in self.states]

    def check(self, sizes: list[tuple[int, int]], x: Float[Tensor, "B T D_in"]) -> list[State] | list[None]:
        """The states, if they fit cells of these (n_states, D) that go on with x; None each if new."""
        if not self.states:
            return [None] * len(sizes)
        held = [(len(state), state[0].size(-1)) for state in self.states]
        if held != sizes:
            raise ValueError(f"the cache holds {_told(held)} and this model has {_told(sizes)}: start a new cache")
        h = self.states[0][0]
        if h.size(0) != x.size(0):
            raise ValueError(f"the cache holds a batch of {h.size(0)} and x is one of {x.size(0)}: start a new cache")
        # Under autocast the dtypes differ on purpose, and torch reconciles them.
        if (h.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type)) or h.device != x.device:
            raise ValueError(f"the cache is {h.dtype} on {h.device} and x {x.dtype} on {x.device}: start a new cache")
        return self.states

    def _stacked(self, which: int, name: str) -> Tensor:
        if not self.states:
            raise ValueError(f"the cache is new and has no {name} yet: call the model with it first")
        if len(self.states[0]) <= which:
            raise ValueError(f"an RNN has no {name}, only h")
        return torch.stack([state[which] for state in self.states])


def _told(sizes: list[tuple[int, int]]) -> str:
    n_states, width = sizes[0]
    return f"{len(sizes)} state(s) ({', '.join('hc'[:n_states])}) of width {width}"

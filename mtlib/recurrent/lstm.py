"""Long short-term memory: a second line, c, that is added to and not multiplied through.

    i, f, o = σ(…), σ(…), σ(…)      how much is let in, kept, shown: gates between 0 and 1
    g       = tanh(…)               what would be written
    c_t     = f · c_{t-1} + i · g
    h_t     = o · tanh(c_t)

each … a product of its own W_x x_t + b + W_h h_{t-1}. (Hochreiter & Schmidhuber 1997; the
forget gate f is from Gers et al. 2000.) Letters as in rnn.py. Wherever the four stand side by
side, in weights and in gates, the order is i, f, g, o.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ..trace import Tap
from ._arguments import same_batch, vectors
from .stack import Cell, Stack, State


class LSTMCell(Cell):
    """One step; taps: ``gates`` (B, 4, D), i f g o after σ and tanh, then ``c`` and ``h``.

    Equal to torch.nn.LSTMCell. Where a position is stepped over, for it is not kept, the taps
    show what would have been.

    >>> import torch; cell = LSTMCell(d_in=3, d_model=4)
    >>> h, c = cell(torch.zeros(2, 3)); h, c = cell(torch.zeros(2, 3), h, c); c.shape
    torch.Size([2, 4])
    """

    n_gates, n_states = 4, 2

    def __init__(self, d_in: int, d_model: int):
        super().__init__(d_in, d_model)
        self.gates, self.c, self.h = Tap(), Tap(), Tap()

    def step(self, z: Float[Tensor, "B GD"], *state: Float[Tensor, "B D"]) -> State:
        h, c = state
        i, f, g, o = (z + self.h_proj(h)).chunk(4, dim=-1)  # (B, D) each
        gates = torch.stack([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], dim=1)  # (B, 4, D)
        i, f, g, o = self.gates(gates).unbind(1)
        c = self.c(f * c + i * g)
        return self.h(o * c.tanh()), c

    def forward(
        self,
        x: Float[Tensor, "B D_in"],
        h: Float[Tensor, "B D"] | None = None,
        c: Float[Tensor, "B D"] | None = None,
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        """(h, c) after reading x; what is not given of the state before is zeros."""
        vectors(x, "x", self.x_proj.weight)
        z = self.x_proj(x)
        zeros_h, zeros_c = self.start(z)
        state = {"h": zeros_h if h is None else h, "c": zeros_c if c is None else c}
        for name, value in state.items():
            vectors(value, name, self.h_proj.weight)
            same_batch(**{"x": x, name: value})
        return self.step(z, *state.values())  # type: ignore[return-value]  # h and c


class LSTM(Stack):
    """Layers of LSTMCell, left to right: ``lstm(x, keep=None, cache=None)``, see Stack.

    >>> import torch; LSTM(d_in=3, d_model=4, n_layers=2)(torch.zeros(1, 5, 3)).shape
    torch.Size([1, 5, 4])
    """

    cell = LSTMCell


class BiLSTM(LSTM):
    """Each layer also reads right to left, with a cell of its own: twice as wide (Graves & Schmidhuber 2005).

    >>> import torch; BiLSTM(d_in=3, d_model=4)(torch.zeros(1, 5, 3)).shape
    torch.Size([1, 5, 8])
    """

    two_way = True

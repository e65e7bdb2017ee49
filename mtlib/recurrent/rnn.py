"""The plain recurrent network: what is read and what is remembered, mixed and bent.

    h_t = tanh(W_x x_t + b + W_h h_{t-1})                            (Elman 1990)

Letters: B batch, T positions, D_in width of x, D width of h. The whole past reaches step t
through the D numbers of h_{t-1}; its gradient comes back through W_h once a step.
"""

from jaxtyping import Float
from torch import Tensor

from ..trace import Tap
from ._arguments import same_batch, vectors
from .stack import Cell, Stack, State


class RNNCell(Cell):
    """One step; tap: ``h``, which mt.trace sees once a step. Equal to torch.nn.RNNCell.

    >>> import torch; cell = RNNCell(d_in=3, d_model=4)
    >>> cell(torch.zeros(1, 3), torch.zeros(1, 4)).shape
    torch.Size([1, 4])
    """

    n_gates, n_states = 1, 1

    def __init__(self, d_in: int, d_model: int):
        super().__init__(d_in, d_model)
        self.h = Tap()

    def step(self, z: Float[Tensor, "B D"], *state: Float[Tensor, "B D"]) -> State:
        (h,) = state
        return (self.h((z + self.h_proj(h)).tanh()),)

    def forward(self, x: Float[Tensor, "B D_in"], h: Float[Tensor, "B D"] | None = None) -> Float[Tensor, "B D"]:
        """h after reading x; h before is zeros if not given."""
        vectors(x, "x", self.x_proj.weight)
        z = self.x_proj(x)
        if h is None:
            return self.step(z, *self.start(z))[0]
        vectors(h, "h", self.h_proj.weight)
        same_batch(x=x, h=h)
        return self.step(z, h)[0]


class RNN(Stack):
    """Layers of RNNCell, left to right: ``rnn(x, keep=None, cache=None)``, see Stack.

    >>> import torch; RNN(d_in=3, d_model=4, n_layers=2)(torch.zeros(1, 5, 3)).shape
    torch.Size([1, 5, 4])
    """

    cell = RNNCell


class BiRNN(RNN):
    """Each layer also reads right to left, with a cell of its own: twice as wide (Schuster & Paliwal 1997).

    >>> import torch; BiRNN(d_in=3, d_model=4)(torch.zeros(1, 5, 3)).shape
    torch.Size([1, 5, 8])
    """

    two_way = True

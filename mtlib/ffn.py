"""The position-wise network: the same small network applied to every position on its own.

    FFN(x)   = act(x W_in + b_in) W_out + b_out          (Vaswani et al. 2017, section 3.3)
    gated    = (act(x W_gate) ⊙ x W_in) W_out            (Shazeer 2020: with silu it is SwiGLU)
"""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from . import _check
from .trace import Tap


class FeedForward(nn.Module):
    """Widen to F, bend, come back to D. The activation is exact GELU unless another is given.

    >>> import torch; FeedForward(8, 32)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, d_model: int, d_ff: int, *, activation: Callable[[Tensor], Tensor] = F.gelu, bias: bool = True):
        super().__init__()
        _check.positive(d_model=d_model, d_ff=d_ff)
        _check.function(activation=activation)
        self.w_in = nn.Linear(d_model, d_ff, bias=bias)
        self.w_out = nn.Linear(d_ff, d_model, bias=bias)
        self.activation = activation
        self.hidden = Tap()

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        _check.tokens(x, "x", self.w_in.weight)
        return self.w_out(self.hidden(self.activation(self.w_in(x))))


class GatedFeedForward(nn.Module):
    """Two roads to F: one bends and decides how much of the other comes through.

    Three matrices in place of two, so equal size asks for an F of two thirds.

    >>> import torch; GatedFeedForward(8, 24)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, d_model: int, d_ff: int, *, activation: Callable[[Tensor], Tensor] = F.silu, bias: bool = False):
        super().__init__()
        _check.positive(d_model=d_model, d_ff=d_ff)
        _check.function(activation=activation)
        self.w_gate = nn.Linear(d_model, d_ff, bias=bias)
        self.w_in = nn.Linear(d_model, d_ff, bias=bias)
        self.w_out = nn.Linear(d_ff, d_model, bias=bias)
        self.activation = activation
        self.hidden = Tap()

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        _check.tokens(x, "x", self.w_in.weight)
        return self.w_out(self.hidden(self.activation(self.w_gate(x)) * self.w_in(x)))

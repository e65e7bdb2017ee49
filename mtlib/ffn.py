"""The position-wise network: the same two layers applied to every position on its own.

    FFN(x) = act(x W_in + b_in) W_out + b_out            (Vaswani et al. 2017, section 3.3)
"""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from . import _check


class FeedForward(nn.Module):
    """Widen to F, bend, come back to D. The activation is exact GELU unless another is given.

    >>> import torch; FeedForward(8, 32)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, d_model: int, d_ff: int, *, activation: Callable[[Tensor], Tensor] = F.gelu, bias: bool = True):
        super().__init__()
        _check.positive(d_model=d_model, d_ff=d_ff)
        self.w_in = nn.Linear(d_model, d_ff, bias=bias)
        self.w_out = nn.Linear(d_ff, d_model, bias=bias)
        self.activation = activation

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        return self.w_out(self.activation(self.w_in(x)))

"""Add and norm: a sublayer proposes a change, the residual stream takes it.

    pre    x + f(norm(x))        GPT-2 and most models since
    post   norm(x + f(x))        Vaswani et al. 2017, BERT
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from . import _check
from .config import Placement


class Residual(nn.Module):
    """Wires a sublayer and a norm, which it is handed, around x. It holds no parameters.

    Being a module, its output is a named point that mt.trace sees: the residual stream.
    """

    def __init__(self, placement: Placement = "pre"):
        super().__init__()
        _check.one_of(placement=(placement, Placement.__args__))  # type: ignore[attr-defined]  # a Literal has it
        self.placement = placement

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        sublayer: Callable[[Tensor], Tensor],
        norm: Callable[[Tensor], Tensor],
    ) -> Float[Tensor, "B T D"]:
        if self.placement == "pre":
            return x + sublayer(norm(x))
        return norm(x + sublayer(x))

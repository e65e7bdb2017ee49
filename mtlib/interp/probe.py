"""Is something written in the vectors, so that a linear map can read it?

    w = argmin Σ (x w - y)² + strength Σ w²        = (xᵀx + strength · 1)⁻¹ xᵀ y

A probe that succeeds says that the information is there, not that the model uses it (Belinkov
2022, section 4): patch or ablate to learn that. Hold data back, and compare with a probe of the
untrained model or of shuffled labels (Hewitt and Liang 2019).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .. import _check


def ridge_probe(x: Float[Tensor, "N D"], y: Float[Tensor, "N C"], strength: float) -> Float[Tensor, "D C"]:
    """The ridge regression of y on x, without a bias: append a column of ones to x to have one.

    With strength 0 it is least squares, unique where x has rank D. Raises ValueError for a
    negative strength, or where x and y have different N. Source: Hoerl and Kennard 1970.

    >>> ridge_probe(torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0], [4.0]]), strength=0.0).round(decimals=3)
    tensor([[3.]])
    """
    _check.tensor(x, "x", "(N, D)")
    _check.tensor(y, "y", "(N, C)")
    if x.dim() != 2 or y.dim() != 2 or len(x) != len(y):
        raise ValueError(f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; they must be (N, D) and (N, C)")
    if not strength >= 0:
        raise ValueError(f"strength={strength!r} must be at least 0")
    # The penalty as D more rows of data. To solve the closed form itself would square the
    # condition number of x, and cost half of the digits.
    penalty = strength**0.5 * torch.eye(x.size(1), dtype=x.dtype, device=x.device)
    return torch.linalg.lstsq(torch.cat([x, penalty]), torch.cat([y, y.new_zeros(x.size(1), y.size(1))])).solution

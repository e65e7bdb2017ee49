"""Normalisation: every position brought to the same scale, whatever came in.

    LayerNorm(x) = (x - mean) / √(var + eps) · weight + bias        (Ba et al. 2016)
    RMSNorm(x)   = x / √(mean(x²) + eps) · weight                   (Zhang and Sennrich 2019)

mean and variance run over the D numbers of one position, never over the batch; the variance
is the biased one (divide by D), and eps stands inside the root. `fused` is the same function by
torch's own kernel, in one pass over x; mt.use_fused and mt.use_explicit set it.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from . import _check


class LayerNorm(nn.Module):
    """Normalise the last axis, then stretch and shift it by what is learned.

    >>> LayerNorm(4)(torch.tensor([[1.0, 2.0, 3.0, 4.0]])).mean().abs().item() < 1e-6
    True
    """

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        _check.positive(d_model=d_model)
        _check.above_zero(eps=eps)
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps
        self.fused = False

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        _check.features(x, "x", self.weight)
        if self.fused:
            return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)
        mean = x.mean(dim=-1, keepdim=True)
        var = x.var(dim=-1, keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


class RMSNorm(nn.Module):
    """LayerNorm without the centring and without the shift: only the length is brought to √D.

    >>> RMSNorm(2)(torch.tensor([[3.0, 4.0]])).norm().item()        # √2, up to eps
    1.414...
    """

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        _check.positive(d_model=d_model)
        _check.above_zero(eps=eps)
        self.weight = nn.Parameter(torch.ones(d_model))
        self.eps = eps
        self.fused = False

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        _check.features(x, "x", self.weight)
        if self.fused:
            return F.rms_norm(x, self.weight.shape, self.weight, self.eps)
        return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + self.eps) * self.weight

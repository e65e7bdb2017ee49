"""Where weights start. One function; its docstring is the table."""

import math

import torch
from torch import nn

from . import _check


@torch.no_grad()
def init_weights(
    model: nn.Module, *, n_layers: int, std: float = 0.02, generator: torch.Generator | None = None
) -> nn.Module:
    """Draw every parameter of `model` anew, in place; returns the model.

    | parameter                        | start                        | why                                     |
    |----------------------------------|------------------------------|-----------------------------------------|
    | norms, gain and shift            | 1 and 0, as they are         | nothing is known yet                    |
    | biases                           | 0                            | nothing is preferred yet                |
    | o_proj, w_out                    | normal, std / √(2·n_layers)  | 2·n_layers of them add up in the stream |
    | every other matrix, and tables   | normal, std                  | logits near 0: the loss starts at ln V  |
    | any other vector                 | as it is                     | its module chose it                     |

    A parameter is known by the last two parts of its name. Source: Radford et al. 2019,
    section 2.3, with the 0.02 of Radford et al. 2018; the root counts residual additions.

    >>> model = init_weights(nn.Linear(4, 4), n_layers=1); model.bias.abs().sum().item()
    0.0
    """
    _check.instance(model=(model, nn.Module))
    _check.positive(n_layers=n_layers)
    _check.above_zero(std=std)
    for name, weight in model.named_parameters():
        parent, _, part = f".{name}".rpartition(".")
        if "norm" in name:
            continue
        if weight.dim() >= 2:
            adds = parent.endswith(("o_proj", "w_out"))
            weight.normal_(0.0, std / math.sqrt(2 * n_layers) if adds else std, generator=generator)
        elif part == "bias":
            weight.zero_()
    return model

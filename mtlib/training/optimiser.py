"""AdamW, and which parameters shrink.

    p ← p - lr·λ·p,  then  p ← p - lr · m̂ / (√v̂ + ε)          (Loshchilov and Hutter 2019, algorithm 2)

| parameter                  | decay λ | why                                                              |
|----------------------------|---------|------------------------------------------------------------------|
| matrices of linear maps    | yes     | a smaller map is a simpler one                                   |
| token and position tables  | no      | a row that a batch does not hold would shrink without a word said |
| norms, biases, any vector  | no      | they set a scale or a level; 0 is not the simpler one            |

GPT-2's heirs often let the tables decay too; where the head is tied this is one choice for both.
"""

from collections.abc import Iterator

import torch
from torch import nn

from ..position import Position

EPS = 1e-8
FUSED = {"cpu", "cuda"}


def adamw(model: nn.Module, *, lr: float, weight_decay: float, betas: tuple[float, float]) -> torch.optim.AdamW:
    """AdamW over the parameters that learn, in the two groups of the table above.

    Where the hardware has one, a single kernel does the whole step (`fused`): a small model spends
    a tenth of its time in the dozen operations that each parameter takes otherwise.

    >>> groups = adamw(nn.Linear(2, 2), lr=1e-3, weight_decay=0.1, betas=(0.9, 0.95)).param_groups
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.1), (1, 0.0)]
    """
    matrices = set(map(id, decaying(model)))
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if id(p) in matrices], "weight_decay": weight_decay},
        {"params": [p for p in learning if id(p) not in matrices], "weight_decay": 0.0},
    ]
    fused = all(p.device.type in FUSED for p in learning)
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, eps=EPS, fused=fused)


def decaying(model: nn.Module) -> Iterator[nn.Parameter]:
    """The matrices that are not tables. A recurrent cell's are plain parameters, so tables are what is told apart."""
    tables = {
        id(p) for m in model.modules() if isinstance(m, (nn.Embedding, Position)) for p in m.parameters(recurse=False)
    }
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.dim() >= 2 and id(parameter) not in tables:
            yield parameter


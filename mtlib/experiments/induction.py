"""A model of two layers learns to repeat, and in it two heads that do it together.

Rows of random tokens that repeat with a period that no two rows need share: nothing but what
followed a token before tells what follows now. ALiBi gives the heads a taste for what is near
and no means to count, so that a fixed distance back cannot be learned in place of the answer.
Source: Elhage et al. 2021, "Induction Heads"; Olsson et al. 2022, who find that all of it comes
in one short stretch of training.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int64
from torch import Tensor

from .. import interp
from ..config import ModelConfig, Parts
from ..cores import use_explicit, use_fused
from ..transformer import DecoderLM

V, T = 20, 32  # tokens, positions
PERIOD = 16  # at which it is judged, each token once in a period
PERIODS = (4, 16)  # in training, both included


def batch(n: int, generator: torch.Generator) -> tuple[Int64[Tensor, "n T"], Bool[Tensor, "n next"]]:
    """n rows of T tokens, each repeating with a period of its own, and which next tokens can be known."""
    period = torch.randint(PERIODS[0], PERIODS[1] + 1, (n, 1), generator=generator)
    different = torch.rand(n, V, generator=generator).argsort(dim=-1)
    at = torch.arange(T).expand(n, T)
    return different.gather(1, at % period), (at > period)[:, 1:]


def build(seed: int) -> DecoderLM:
    """The model before training: 2 layers of 4 heads, and an FFN too narrow to matter."""
    torch.manual_seed(seed)
    sizes = {"vocab": V, "max_len": T, "d_model": 32, "n_heads": 4, "n_layers": 2, "d_ff": 8}
    return DecoderLM(ModelConfig(**sizes, parts=Parts(position="alibi")))


def train(
    seed: int,
    *,
    steps: int = 600,
    lr: float = 1e-2,
    watch: Callable[[int, DecoderLM], None] = lambda step, model: None,
) -> DecoderLM:
    """Build and train on fresh rows by AdamW; `watch(step, model)` is called before every step and at the end.

    The loss counts only what can be known; 50 steps of warm-up, and from the middle on a rate that falls to 0.
    """
    model, generator = use_fused(build(seed)), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(steps):
        watch(step, model)
        optimiser.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / 50, 2 * (1 - step / steps))
        ids, known = batch(32, generator)
        loss = F.cross_entropy(model(ids)[:, :-1][known], ids[:, 1:][known])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    watch(steps, model)
    return use_explicit(model)


def rows_to_judge(n: int = 32) -> Int64[Tensor, "n T"]:
    """Rows that training did not draw, each PERIOD tokens twice."""
    return interp.repeated_tokens(n, PERIOD, V, generator=torch.Generator().manual_seed(10_000))

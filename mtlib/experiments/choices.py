"""What is each choice of a transformer worth? The base of bench.py, with one choice taken out or swapped at a time.

The base is GPT-2's block made small: pre-norm LayerNorm, GELU, learned positions, 4 heads,
biases, a tied head. "placebo" is the base again, with other first weights and other batches: whatever
is found between it and the base is luck.
"""

import math
from dataclasses import replace

from torch import Tensor, nn

from ..config import Parts
from ..transformer import DecoderLM
from .add_and_norm import NoNorm, NoResidual
from .bench import BASE, AttentionAlone, Design, FFNAlone, blocks_as, contest, with_parts


class NotDivided(nn.Module):
    """A core whose scores are not divided by √E."""

    def __init__(self, core: nn.Module):
        super().__init__()
        self.core = core

    def forward(self, q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        return self.core(q * math.sqrt(q.size(-1)), k, v, keep, bias)


def not_divided(model: DecoderLM) -> None:
    """Every head's scores as they are."""
    for block in model.blocks:
        block.attn.core = NotDivided(block.attn.core)


def wired_as(model: DecoderLM, wiring: type[nn.Module]) -> None:
    """Every residual replaced."""
    for block in model.blocks:
        block.resid_mid, block.resid_post = wiring(), wiring()


def no_norm(model: DecoderLM) -> None:
    """None in the blocks and none at the end."""
    wired_as(model, NoNorm)
    model.norm = nn.Identity()


DESIGNS = {
    "base": Design(),
    "placebo": Design(shift=1000),
    # taken out
    "no attention": Design(change=lambda m: blocks_as(m, FFNAlone)),
    "no FFN": Design(change=lambda m: blocks_as(m, AttentionAlone)),
    "no residual": Design(change=lambda m: wired_as(m, NoResidual)),
    "no norm": Design(change=no_norm),
    "no positions": with_parts(position="none"),
    "not divided by √E": Design(change=not_divided),
    "one head": Design(replace(BASE, n_heads=1)),
    # swapped
    "rotary positions": with_parts(position="rotary"),
    "RMSNorm": with_parts(norm="rms"),
    "ReLU": with_parts(ffn="relu"),
    "SwiGLU": Design(replace(BASE, d_ff=85, parts=Parts(ffn="swiglu"))),  # 3 · 85 columns for 2 · 128
    "post-norm": with_parts(placement="post"),
    "untied head": with_parts(tied=False),
}


def measure(seeds: range = range(5)) -> list[dict[str, object]]:
    """Every design with every seed."""
    return contest(DESIGNS, seeds)

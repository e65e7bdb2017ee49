"""Does the order of operations matter? Three blocks of the bench, in seven orders.

    pre                 x + attn(norm(x)), then x + ffn(norm(x))
    post                norm(x + attn(x)), then norm(x + ffn(x))
    norm on both sides  x + norm(attn(norm(x))), then the same with ffn
    parallel            x + attn(norm(x)) + ffn(norm'(x))
    FFN first           pre, the FFN before the attention in each block
    attentions first    pre, three attentions and then three FFNs
    FFNs first          pre, three FFNs and then three attentions

All but the third have the same parameters, and the same first ones. That one has a norm more for
each sublayer. Positions are rotary, with which the short trainings of the bench already use their
attention; one rate for all.
"""

from collections.abc import Callable
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor, nn

from ..config import Parts
from ..norm import LayerNorm
from ..transformer import DecoderLM
from .bench import BASE, AttentionAlone, Design, FFNAlone, blocks_as, build, surprise, train, windows
from .next_letter import text_hash

CONFIG = replace(BASE, n_layers=3, parts=Parts(position="rotary"))
STEPS, RATE = 250, 0.01


class BothSides(nn.Module):
    """In the place of mt.Residual: what a sublayer says is normed before it is added."""

    def __init__(self, d_model: int):
        super().__init__()
        self.norm = LayerNorm(d_model)

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Callable, norm: Callable) -> Float[Tensor, "B T D"]:
        return x + self.norm(sublayer(norm(x)))


class Parallel(nn.Module):
    """Attention and FFN read the same stream; neither sees what the other says."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.norm1, self.attn, self.norm2, self.ffn = block.norm1, block.attn, block.norm2, block.ffn

    def forward(self, x: Float[Tensor, "B T D"], keep=None, *others) -> Float[Tensor, "B T D"]:
        attended = self.attn(self.norm1(x), keep=keep, position=others[-1])
        return x + attended + self.ffn(self.norm2(x))


def both_sides(model: DecoderLM) -> None:
    """A second norm for each sublayer."""
    for block in model.blocks:
        block.resid_mid, block.resid_post = BothSides(CONFIG.d_model), BothSides(CONFIG.d_model)


def sorted_out(model: DecoderLM, first: type[nn.Module], then: type[nn.Module]) -> None:
    """All of one kind, then all of the other."""
    model.blocks = nn.ModuleList(kind(block) for kind in (first, then) for block in model.blocks)


DESIGNS = {
    "pre": Design(CONFIG),
    "post": Design(replace(CONFIG, parts=Parts(position="rotary", placement="post"))),
    "norm on both sides": Design(CONFIG, both_sides),
    "parallel": Design(CONFIG, lambda model: blocks_as(model, Parallel)),
    "FFN first": Design(CONFIG, lambda model: blocks_as(model, FFNAlone, AttentionAlone)),
    "attentions first": Design(CONFIG, lambda model: sorted_out(model, AttentionAlone, FFNAlone)),
    "FFNs first": Design(CONFIG, lambda model: sorted_out(model, FFNAlone, AttentionAlone)),
}


def trained(order: str, seed: int) -> DecoderLM:
    """One of DESIGNS after its training."""
    model = build(DESIGNS[order], seed)
    train(model, windows, rate=RATE, seed=seed, steps=STEPS)
    return model


def measure(seeds: range = range(5)) -> list[dict[str, object]]:
    """Every order with every seed."""
    return [
        {"design": order, "seed": seed, "loss": round(surprise(trained(order, seed)), 5), "text": text_hash()}
        for order in DESIGNS for seed in seeds
    ]  # fmt: skip

"""Attention, FFN and residual, each there or not: what can each of the eight learn?

A row of random digits. At every place three things are asked: the digit that stands there (own), the
one that stood BACK places before (fetched), and the last digit of their sum (added). Own wants
nothing but the road to the output, fetched wants another place, added wants both digits in one
place and something that is not linear in them. The first BACK places are not asked.

"deeper" is attention and residual alone in six blocks instead of two, which gives back the
parameters that the FFNs had.
"""

from dataclasses import replace
from functools import partial
from itertools import product

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..transformer import DecoderLM
from .add_and_norm import NoResidual
from .bench import AttentionAlone, Design, FFNAlone, blocks_as, build, train

JOBS = ("own", "fetched", "added")
V, T, BACK = 10, 16, 3
ROWS, STEPS, RATE = 16, 400, 0.01
LOOK = 50  # steps between two looks
# One score for every job and digit: the tokens are the first V of 3·V.
CONFIG = ModelConfig(vocab=len(JOBS) * V, max_len=T, d_model=32, n_heads=4, n_layers=2, parts=Parts(tied=False))
COMBINATIONS = list(product((False, True), repeat=3))  # attention, FFN, residual


class Jobs(nn.Module):
    """A language model whose scores are read as three answers at each place asked."""

    def __init__(self, model: DecoderLM):
        super().__init__()
        self.model = model

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B n V"]:
        return self.model(ids)[:, BACK:].unflatten(-1, (len(JOBS), V)).flatten(1, 2)


def name(attention: bool, ffn: bool, residual: bool) -> str:
    """What a combination is called."""
    words = [word for word, there in zip(("attention", "FFN", "residual"), (attention, ffn, residual)) if there]
    return " + ".join(words) or "none"


def reduced(model: DecoderLM, attention: bool, ffn: bool, residual: bool) -> None:
    """Take out of every block what is not to be there; a block of nothing hands on what it is given."""
    if not residual:
        for block in model.blocks:
            block.resid_mid, block.resid_post = NoResidual(), NoResidual()
    blocks_as(model, *[AttentionAlone] * attention, *[FFNAlone] * ffn)


DESIGNS = {name(*c): Design(CONFIG, partial(reduced, attention=c[0], ffn=c[1], residual=c[2])) for c in COMBINATIONS}
DESIGNS["deeper"] = Design(replace(CONFIG, n_layers=6), DESIGNS["attention + residual"].change)


def batch(generator: torch.Generator, rows: int = ROWS) -> tuple[Int64[Tensor, "B T"], Int64[Tensor, "B n"]]:
    """Rows of digits, and what is asked of them, place by place."""
    ids = torch.randint(0, V, (rows, T), generator=generator)
    own, fetched = ids[:, BACK:], ids[:, :-BACK]
    return ids, torch.stack([own, fetched, (own + fetched) % V], dim=-1).flatten(1)


@torch.no_grad()
def right(model: Jobs) -> dict[str, float]:
    """The share of right answers in each job, in 200 fresh rows."""
    ids, answers = batch(torch.Generator().manual_seed(10_000), 200)
    shares = (model(ids).argmax(dim=-1) == answers).float().view(200, -1, len(JOBS)).mean(dim=(0, 1))
    return {job: round(share, 4) for job, share in zip(JOBS, shares.tolist())}


def learnt(combination: str, seed: int, *, steps: int = STEPS) -> tuple[Jobs, list[dict[str, float | int]]]:
    """One of DESIGNS after its training, and what it got right at every look."""
    model, looks = Jobs(build(DESIGNS[combination], seed)), []

    def watch(step: int) -> None:
        if step % LOOK == 0:
            looks.append({"step": step} | right(model))

    train(model, batch, rate=RATE, seed=seed, steps=steps, watch=watch)
    return model, looks


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every combination with every seed, looked at every LOOK steps."""
    rows = []
    for combination in DESIGNS:
        for seed in seeds:
            model, looks = learnt(combination, seed)
            size = sum(p.numel() for p in model.parameters())
            rows += [{"combination": combination, "seed": seed, "parameters": size} | look for look in looks]
    return rows

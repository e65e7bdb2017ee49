"""What keeps twelve blocks learning? Their supports are taken away one at a time, at three learning rates.

    warm-up      the rate climbs for WARMUP steps before it falls along a cosine
    clipping     a gradient longer than 1 is cut to length 1
    pre-norm     the norm stands before each sublayer, not on the road
    first size   matrices start at 1/√D, and what writes into the stream at 1/√(D · 2L)

Text, windows and test are those of sizes.py: 32 letters of Python's documentation, guess the next.
One rate would only show who likes that rate: what a support buys is how many rates still work,
the question of Wortsman et al. 2024, section 2.
"""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from ..config import ModelConfig, Parts, Placement
from ..cores import use_fused
from ..init import init_weights
from ..transformer import DecoderLM
from .next_letter import ALPHABET, text_hash
from .sizes import T, rows

D, HEADS, HIDDEN, LAYERS = 32, 4, 64, 12
BATCH, STEPS, WARMUP = 8, 60, 10
RATES = (3e-3, 1e-2, 3e-2)
JUDGED = 200  # rows of the test text


@dataclass(frozen=True)
class Recipe:
    """Which supports a run is given. `std` is the size of the first matrices, `shrunk` whether the writers start smaller."""

    warmup: bool = True
    clip: bool = True
    placement: Placement = "pre"
    std: float = D**-0.5
    shrunk: bool = True


ALL = Recipe()
RECIPES = {
    "all four": ALL,
    "no warm-up": replace(ALL, warmup=False),
    "no clipping": replace(ALL, clip=False),
    "post-norm": replace(ALL, placement="post"),
    "writers not shrunk": replace(ALL, shrunk=False),
    "all start at 1": replace(ALL, std=1.0, shrunk=False),
    "post, no warm-up": replace(ALL, placement="post", warmup=False),
}


def build(recipe: Recipe, seed: int) -> DecoderLM:
    """The model before training; with one seed, two recipes differ in size and wiring only."""
    parts = Parts(position="rotary", bias=False, placement=recipe.placement)
    sizes = {"d_model": D, "n_heads": HEADS, "d_ff": HIDDEN, "n_layers": LAYERS}
    model = DecoderLM(ModelConfig(vocab=len(ALPHABET), max_len=T, parts=parts, **sizes))
    torch.manual_seed(seed)
    init_weights(model, n_layers=LAYERS, std=recipe.std)
    if not recipe.shrunk:
        for block in model.blocks:
            for writer in (block.attn.o_proj, block.ffn.w_out):
                writer.weight.data *= math.sqrt(2 * LAYERS)
    return use_fused(model)


def rate(step: int, recipe: Recipe, peak: float) -> float:
    """The learning rate of a step: up in a line, unless that is taken away, and down along a cosine."""
    climb = min(1.0, (step + 1) / WARMUP) if recipe.warmup else 1.0
    return peak * climb * (1 + math.cos(math.pi * step / STEPS)) / 2


def train(recipe: Recipe, lr: float, seed: int, *, steps: int = STEPS) -> tuple[DecoderLM, list[float], list[float]]:
    """The model, its loss at every step and the length of every gradient before clipping; ends early where one is no number."""
    model, text = build(recipe, seed), rows(0)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0, fused=True)
    losses, lengths = [], []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate(step, recipe, lr)
        batch = text[torch.randint(0, len(text), (BATCH,), generator=generator)]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        length = nn.utils.clip_grad_norm_(model.parameters(), 1.0 if recipe.clip else math.inf).item()
        if not (math.isfinite(loss.item()) and math.isfinite(length)):
            break
        losses.append(loss.item())
        lengths.append(length)
        optimiser.step()
    return model, losses, lengths


@torch.no_grad()
def loss(model: DecoderLM) -> float:
    """The mean surprise at the letters of the test text, in nats."""
    text = rows(1)[:JUDGED]
    return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()


def row(name: str, lr: float, seed: int) -> dict[str, object]:
    """One run: its first loss and its last, the longest gradient, and how many were longer than 1."""
    model, losses, lengths = train(RECIPES[name], lr, seed)
    end = loss(model)
    return {
        "recipe": name, "lr": lr, "seed": seed, "steps": len(losses), "first": round(losses[0], 3),
        "loss": round(end, 4) if math.isfinite(end) else None, "longest": float(f"{max(lengths):.3g}"),
        "long": sum(length > 1 for length in lengths), "text": text_hash(),
    }  # fmt: skip


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every recipe at every rate with every seed; about three minutes."""
    return [row(name, lr, seed) for name in RECIPES for lr in RATES for seed in seeds]

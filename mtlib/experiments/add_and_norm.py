"""Which of Add and Norm does a deep stack need? Four wirings learn to write a row of letters backwards.

    pre            x + f(norm(x))
    post           norm(x + f(x))
    no residual    f(norm(x))
    no norm        x + f(x)

The task is mtlib.data's `reverse`, which one layer of attention could do alone: depth is not
needed, it can only get in the way. All four begin with the same matrices, drawn so that a matrix
keeps about the size of what it is given, and not shrunk with depth, which is one way to help the
last of them. Rate, batches and seeds are the same too.
"""

from collections.abc import Callable
from hashlib import blake2b
from random import Random

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..init import init_weights
from ..transformer import DecoderLM

D, HEADS, HIDDEN = 32, 4, 64
STEPS, BATCH, LR, WARMUP = 150, 32, 3e-3, 15
DEPTHS = (2, 6, 16)
LENGTH, LETTERS = 6, "abcdef"
END, EQUALS, FIRST = 2, 3, 4  # ids; the letters follow, and 0 and 1 are not used here
V, T = FIRST + len(LETTERS), 2 * LENGTH + 1


def batch(step: int, rows: int, *, split: str = "train", seed: int = 0) -> tuple[Int64[Tensor, "B T"], Int64[Tensor, "B T"]]:
    """Rows `bca=acb` and what to say at each place, -100 where nothing is asked.

    The same rows as mtlib.data.Task("reverse", length=6, symbols=6) draws, to the letter, and a test
    holds that. Drawn here so that the kept runs hang on this file and the model, and on no other data.
    """
    dice, found = Random(f"{seed} {split} {step}"), []
    while len(found) < rows:
        text = "".join(dice.choices(LETTERS, k=LENGTH))
        held_out = int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) % 10 == 0
        if held_out == (split == "valid"):
            found.append([FIRST + LETTERS.index(letter) for letter in text])
    asked = torch.tensor(found)
    answer = asked.flip(1)
    inputs = torch.cat([asked, torch.full((rows, 1), EQUALS), answer], dim=1)
    targets = torch.cat([torch.full((rows, LENGTH), -100), answer, torch.full((rows, 1), END)], dim=1)
    return inputs, targets


class NoResidual(nn.Module):
    """In the place of mt.Residual: what the sublayer puts out goes on alone."""

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Callable, norm: Callable) -> Float[Tensor, "B T D"]:
        return sublayer(norm(x))


class NoNorm(nn.Module):
    """In the place of mt.Residual: added, never normed."""

    def forward(self, x: Float[Tensor, "B T D"], sublayer: Callable, norm: Callable) -> Float[Tensor, "B T D"]:
        return x + sublayer(x)


REWIRED = {"no residual": NoResidual, "no norm": NoNorm}
VARIANTS = ("pre", "post", *REWIRED)


def build(variant: str, depth: int, seed: int) -> DecoderLM:
    """A language model wired as one of VARIANTS; the seed fixes its weights, whatever the wiring."""
    torch.manual_seed(seed)
    parts = Parts(placement="post" if variant == "post" else "pre")
    sizes = {"d_model": D, "n_heads": HEADS, "d_ff": HIDDEN, "n_layers": depth}
    model = DecoderLM(ModelConfig(vocab=V, max_len=T, parts=parts, **sizes))
    for block in model.blocks:
        if variant in REWIRED:
            block.resid_mid, block.resid_post = REWIRED[variant](), REWIRED[variant]()
    torch.manual_seed(seed)
    return use_fused(init_weights(model, n_layers=1, std=D**-0.5))


def train(variant: str, depth: int, seed: int, *, lr: float = LR) -> DecoderLM:
    """Build and train on batches of 32 by AdamW; the rate rises for WARMUP steps and stays."""
    model = build(variant, depth, seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.01)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / WARMUP)
        loss = loss_of(model, step, "train", seed)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model


def loss_of(model: DecoderLM, step: int, split: str, seed: int) -> Float[Tensor, ""]:
    """The mean surprise at the letters of the answers of one batch."""
    inputs, targets = batch(step, BATCH, split=split, seed=seed)
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


@torch.no_grad()
def accuracy(model: DecoderLM, *, rows: int = 256, seed: int = 10_000) -> float:
    """The share of right letters in held-out rows, each letter named with the right ones before it in view."""
    inputs, targets = batch(0, rows, split="valid", seed=seed)
    asked = targets >= 0
    return (model(inputs).argmax(dim=-1) == targets)[asked].float().mean().item()


def first_gradient(variant: str, depth: int, seed: int) -> list[float]:
    """Before training, for each block: the length of the loss's gradient in its matrices."""
    model = build(variant, depth, seed)
    loss_of(model, 0, "train", seed).backward()
    return [
        torch.cat([p.grad.flatten() for p in block.parameters() if p.dim() == 2]).norm().item() for block in model.blocks
    ]


def measure(seeds: range = range(5)) -> list[dict[str, object]]:
    """Every variant at every depth with every seed; at the deepest once more, at a third of the rate."""
    tried = [(variant, depth, LR) for depth in DEPTHS for variant in VARIANTS]
    tried += [(variant, DEPTHS[-1], LR / 3) for variant in VARIANTS]
    rows = []
    for variant, depth, lr in tried:
        for seed in seeds:
            right = round(accuracy(train(variant, depth, seed, lr=lr)), 4)
            first, *_, last = (float(f"{length:.3g}") for length in first_gradient(variant, depth, seed))
            row = {"variant": variant, "depth": depth, "lr": lr, "seed": seed, "accuracy": right}
            rows.append(row | {"first_block": first, "last_block": last})
    return rows

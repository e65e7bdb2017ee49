"""Trained on short rows, read on long ones: what each way of telling the position does beyond its training.

A decoder of two layers guesses the next letter of Python's documentation (next_letter.py has the text). It is
trained on rows of 32 letters and tested on rows of 256, place by place: as it is, and with a window, so that no
place looks back further than it ever did in training. All that differs between two runs of one seed is where the
position enters: the first weights of everything else are the same, and so are the rows that are read.
"""

from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..config import ModelConfig, Parts
from ..transformer import DecoderLM
from .next_letter import V, blocks, text_hash

SHORT, LONG = 32, 256  # letters in a row: of training, of the test
SCHEMES = ("none", "learned", "sinusoidal", "t5", "alibi", "rotary")
SIZES = ModelConfig(vocab=V, max_len=LONG, d_model=32, n_heads=4, n_layers=2)
BINS = ((0, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 256))  # places, from … up to


def build(scheme: str, seed: int) -> DecoderLM:
    """Before training. A learned table has rows up to LONG, of which those from SHORT on will never be trained."""
    torch.manual_seed(seed)
    model = DecoderLM(replace(SIZES, parts=Parts(position=scheme, norm="rms", ffn="relu")))
    alike = torch.Generator().manual_seed(seed)  # a scheme may have drawn numbers of its own before the rest did
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and not name.startswith("pos."):
            start = SIZES.d_model**-0.5 if name == "tok.weight" else 0.05  # √D times the first is 1, as the waves count on
            weight.data.normal_(0.0, start, generator=alike)
    return model


def train(scheme: str, seed: int, *, steps: int = 600, lr: float = 6e-3) -> DecoderLM:
    """A model after so many batches of 16 rows; the rate rises for 30 steps and then falls to nothing."""
    model, text = build(scheme, seed), blocks()[0].flatten()
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = lr * min(1, (step + 1) / 30) * (1 - step / steps)
        starts = torch.randint(0, len(text) - SHORT, (16, 1), generator=generator)
        rows = text[starts + torch.arange(SHORT + 1)]
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


@torch.no_grad()
def losses(model: DecoderLM, window: int = LONG) -> Float[Tensor, "256"]:
    """The mean surprise at each place of long rows, in nats: two rows from every block of the test.

    window: how many letters a place sees, itself included; LONG is all of them.
    """
    rows = blocks()[1].unfold(1, LONG + 1, LONG + 1)[:, :2].flatten(0, 1)
    at = torch.arange(LONG)
    each = F.cross_entropy(model(rows[:, :-1], at[:, None] - at < window).transpose(1, 2), rows[:, 1:], reduction="none")
    return each.mean(dim=0)


def binned(by_place: Float[Tensor, "256"]) -> list[float]:
    """The mean over each of BINS."""
    return [round(by_place[low:high].mean().item(), 4) for low, high in BINS]


def measure(seeds: range = range(6)) -> list[dict[str, object]]:
    """Every scheme with every seed, seen whole and through a window; about seven minutes."""
    rows = []
    for seed in seeds:
        for scheme in SCHEMES:
            model = train(scheme, seed)
            row = {"scheme": scheme, "seed": seed, "whole": binned(losses(model)), "window": binned(losses(model, SHORT))}
            if scheme == "t5":
                row["bias"] = [[round(b, 3) for b in head] for head in model.pos.weight.T.tolist()]
            rows.append(row | {"text": text_hash()})
    return rows

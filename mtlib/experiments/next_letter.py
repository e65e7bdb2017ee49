"""Guess the next letter: a model small enough to be trained two hundred times.

    logits = W₂ · act(W₁ · [e(x₁) … e(x₄)])        the four letters before, as vectors side by side

The text is what every Python carries: the documentation in `pydoc_data.topics`, lower case, with
all that is no letter made a space. It grows a little with each Python, so a result names its hash.
`measure` asks of two activations, ReLU and GELU, how much of a difference between two runs is luck.
"""

import hashlib
import re
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

ALPHABET = " abcdefghijklmnopqrstuvwxyz"
V, CONTEXT, D, HIDDEN = len(ALPHABET), 4, 16, 64  # letters, how many are seen, widths
BLOCK, EVERY = 1000, 10  # the text is cut into blocks; every tenth is kept for the test
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


def letters(text: str) -> Int64[Tensor, "N"]:
    """The text as ids into ALPHABET.

    >>> letters("To be, or not?").tolist()[:6], ALPHABET[20]
    ([20, 15, 0, 2, 5, 0], 't')
    """
    plain = re.sub("[^a-z]+", " ", text.lower())
    ids = torch.tensor(list(plain.encode()), dtype=torch.int64)
    return torch.where(ids == ord(" "), 0, ids - ord("a") + 1)


@cache
def documentation() -> str:
    """The topics of Python's own documentation, one after the other: some 460,000 characters."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


@cache
def blocks() -> tuple[Int64[Tensor, "n 1000"], Int64[Tensor, "m 1000"]]:
    """The documentation's letters in blocks of 1,000: those to learn from, and those for the test."""
    ids = letters(documentation())
    cut = ids[: len(ids) // BLOCK * BLOCK].view(-1, BLOCK)
    held_out = torch.arange(len(cut)) % EVERY == EVERY - 1
    return cut[~held_out], cut[held_out]


def windows(cut: Int64[Tensor, "n 1000"]) -> Int64[Tensor, "N 5"]:
    """Every CONTEXT letters and the one that follows, within each block."""
    return cut.unfold(1, CONTEXT + 1, 1).flatten(0, 1)


class NextLetter(nn.Module):
    """Four letters (B, 4) -> a score for each letter that may follow (B, V)."""

    def __init__(self, activation: str):
        super().__init__()
        self.tok = nn.Embedding(V, D)
        self.w_in = nn.Linear(CONTEXT * D, HIDDEN)
        self.w_out = nn.Linear(HIDDEN, V)
        self.activation = ACTIVATIONS[activation]

    def forward(self, before: Int64[Tensor, "B 4"]) -> Float[Tensor, "B V"]:
        return self.w_out(self.activation(self.w_in(self.tok(before).flatten(1))))


def train(activation: str, seed: int, *, steps: int = 200, lr: float = 3e-3) -> NextLetter:
    """A model after so many batches of 128. The seed fixes first weights and batches, whatever the activation."""
    torch.manual_seed(seed)
    model, text = NextLetter(activation), windows(blocks()[0])
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        batch = text[torch.randint(0, len(text), (128,), generator=generator)]
        loss = F.cross_entropy(model(batch[:, :-1]), batch[:, -1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


@torch.no_grad()
def losses(model: NextLetter) -> Float[Tensor, "N"]:
    """The surprise at each letter of the test text, in nats, in the order of the text."""
    text = windows(blocks()[1])
    return F.cross_entropy(model(text[:, :-1]), text[:, -1], reduction="none")


def text_hash() -> str:
    """Which documentation this is."""
    return hashlib.sha256(documentation().encode()).hexdigest()[:12]


def measure(seeds: range = range(200)) -> list[dict[str, object]]:
    """The mean test loss of both activations for every seed; about two minutes."""
    rows = []
    for seed in seeds:
        loss = {name: round(losses(train(name, seed)).mean().item(), 5) for name in ACTIVATIONS}
        rows.append({"seed": seed} | loss | {"text": text_hash()})
    return rows

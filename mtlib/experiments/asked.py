"""Six things a model can be asked, over one text: what goes in, what is the truth, what is made small.

The text is next_letter.py's, Python's own documentation as letters a-z and spaces; 32 letters at
a time. Every model is two blocks of width 64 and
trains for a few seconds: enough to see that each objective is a number that goes down.

    labels        short words or long ones?             a person's labels; here a rule gives them
    masked        which letters are hidden?             the text itself
    next          which letter comes next, everywhere?  the text itself
    follows       does the second half follow?          the text itself, or another half in its place
    partner       which of N damaged copies is mine?    the text itself, and who else is in the batch
    answer        write it backwards                    a person's pairs; here a rule makes them
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..data.batch import IGNORE
from ..encoder import Encoder
from ..heads import ContrastiveHead, MaskedTokenHead
from ..init import init_weights
from ..training.losses import cross_entropy, info_nce, mlm_batch
from ..transformer import DecoderLM, EncoderDecoder, Transformer
from .next_letter import ALPHABET, blocks

T, N = 32, 16  # letters, rows of a batch
MASK, START = len(ALPHABET), len(ALPHABET) + 1  # two signs after the 27 letters
CONFIG = ModelConfig(vocab=len(ALPHABET) + 2, max_len=T, d_model=64, n_heads=4, n_layers=2, parts=Parts(position="rotary"))


class Batch(NamedTuple):
    """What the model is called with, and the truth it is held to (None: the truth is who stands in which row)."""

    inputs: tuple[Tensor, ...]
    truth: Tensor | None


class Masked(nn.Module):
    """An encoder whose every place names the letter that belongs there."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.encoder, self.head = Encoder(config), MaskedTokenHead(config.vocab, config.d_model)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.encoder(ids), self.encoder.tok.weight)


class Partner(nn.Module):
    """One encoder reads both texts; each becomes a vector of length 1."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.encoder, self.head = Encoder(config), ContrastiveHead(config.d_model, 32)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.encoder(a)), self.head(self.encoder(b))


def windows(generator: Generator, n: int = N, split: int = 0) -> Tensor:
    """(n, 33) letters from anywhere in the blocks of that split."""
    text = blocks()[split]
    row = torch.randint(0, len(text), (n,), generator=generator)
    at = torch.randint(0, text.size(1) - T, (n, 1), generator=generator)
    return text[row].gather(1, at + torch.arange(T + 1))


def labels(g: Generator, split: int = 0) -> Batch:
    ids = windows(g, split=split)[:, :T]
    return Batch((ids,), ((ids == 0).sum(dim=1) > 5).long())  # more than 5 spaces: short words


def masked(g: Generator, split: int = 0) -> Batch:
    ids = windows(g, split=split)[:, :T]
    chances = torch.rand(2, N, T, generator=g)
    anything = torch.randint(0, len(ALPHABET), (N, T), generator=g)
    inputs, targets = mlm_batch(ids, torch.zeros_like(ids, dtype=torch.bool), MASK, *chances, anything)
    return Batch((inputs,), targets)


def following(g: Generator, split: int = 0) -> Batch:
    ids = windows(g, split=split)
    return Batch((ids[:, :T],), ids[:, 1:])


def follows(g: Generator, split: int = 0) -> Batch:
    ids = windows(g, split=split)[:, :T]
    true = torch.randint(0, 2, (N,), generator=g)
    second = torch.where(true[:, None] == 1, ids[:, T // 2 :], ids.roll(1, dims=0)[:, T // 2 :])
    return Batch((torch.cat([ids[:, : T // 2], second], dim=1),), true)


def partner(g: Generator, split: int = 0) -> Batch:
    ids = windows(g, split=split)[:, :T]
    hidden = torch.rand(2, N, T, generator=g) < 0.3
    return Batch(tuple(ids.masked_fill(h, MASK) for h in hidden), None)


def answer(g: Generator, split: int = 0) -> Batch:
    source = windows(g, split=split)[:, :6]
    backwards = source.flip(1)
    start = torch.full((N, 1), START)
    return Batch((source, torch.cat([start, backwards[:, :-1]], dim=1)), backwards)


class Objective(NamedTuple):
    """A kind of model, where its batches come from, among how many a blind guess chooses."""

    build: Callable[[], nn.Module]
    batch: Callable[..., Batch]
    among: int


LETTERS = len(ALPHABET)
OBJECTIVES = {
    "labels": Objective(lambda: Transformer(CONFIG, n_classes=2), labels, 2),
    "masked": Objective(lambda: Masked(CONFIG), masked, LETTERS),
    "next": Objective(lambda: DecoderLM(CONFIG), following, LETTERS),
    "follows": Objective(lambda: Transformer(CONFIG, n_classes=2), follows, 2),
    "partner": Objective(lambda: Partner(CONFIG), partner, N),
    "answer": Objective(lambda: EncoderDecoder(CONFIG), answer, LETTERS),
}  # fmt: skip


def loss_of(model: nn.Module, batch: Batch, *, negatives: bool = True) -> Tensor:
    """Cross-entropy to the truth; between partners, of finding one's own (or, without negatives, 1 less their cosine)."""
    out = model(*batch.inputs)
    if batch.truth is not None:
        return cross_entropy(out, batch.truth)
    a, b = out
    return info_nce(a, b, t=0.1) if negatives else (1 - F.cosine_similarity(a, b)).mean()


def train(
    name: str, *, seed: int = 0, steps: int = 60, negatives: bool = True, change: Callable[[Batch], Batch] = lambda b: b
) -> nn.Module:
    """A short training on an objective; `change` may do something to every batch first."""
    torch.manual_seed(seed)
    model, generator = OBJECTIVES[name].build(), Generator().manual_seed(seed)
    use_fused(init_weights(model, n_layers=CONFIG.n_layers, std=CONFIG.d_model**-0.5))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        loss = loss_of(model, change(OBJECTIVES[name].batch(generator)), negatives=negatives)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@torch.no_grad()
def tested(name: str, model: nn.Module, *, batches: int = 8) -> float:
    """The mean loss over test batches, the same at every call."""
    generator = Generator().manual_seed(10_000)
    losses = [loss_of(model, OBJECTIVES[name].batch(generator, split=1)).item() for _ in range(batches)]
    return sum(losses) / len(losses)


def written(ids: Tensor) -> str:
    """Letters again: · a space, _ a hidden one, ^ the start, - where nothing is asked."""
    signs = dict(enumerate(ALPHABET.replace(" ", "·") + "_^")) | {IGNORE: "-"}
    return "".join(signs[i] for i in ids.tolist())

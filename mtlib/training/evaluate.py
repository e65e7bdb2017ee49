"""How well a model does on rows it was not trained on, and how well one could do knowing little.

One count serves every task. Given what came before, is the most probable token the right one?
`accuracy` is the share of tokens for which it is, `exact` the share of rows in which it is for
every token asked. For a class the two are the same; for a written answer `exact` is the share
that greedy writing gets right to the last sign: as long as it is right, it stands on the very
inputs that are given here.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .crew import ALONE, Alone
from .losses import IGNORE, cross_entropy, info_nce

if TYPE_CHECKING:
    from ..data import Batch, Data
    from ..data.batch import Split


class Scores(NamedTuple):
    """loss in nats a token; accuracy and exact from 0 to 1; how many tokens and rows; out of how many choices."""

    loss: float
    accuracy: float
    exact: float
    tokens: int
    rows: int
    choices: int


@torch.no_grad()
def evaluate(
    model: nn.Module, data: "Data", *, rows: int = 512, batch: int = 64, seed: int = 0, crew: Alone = ALONE
) -> Scores:
    """Scores on the first `rows` held-out rows, or on all there are; in eval mode, and the model's mode is left as it was."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    sums, choices = torch.zeros(5, dtype=torch.float64), 0
    for held_out, first in _batches(data, "valid", rows, batch, seed):
        inputs = [crew.mine(x).to(device) for x in held_out.inputs]
        asked = crew.mine(first).to(device)
        if held_out.targets is None:
            a, b = model(*inputs)
            counts, n = _pairs(a[asked], b[asked])
            choices = max(choices, n)  # the last batch may be a small one
        else:
            logits, targets = model(*inputs), crew.mine(held_out.targets).to(device)
            counts, choices = _count(logits[asked], targets[asked])
        sums += torch.tensor(counts, dtype=torch.float64)
    model.train(was_training)
    loss, right, tokens, whole, n = crew.together(sums).tolist()
    return Scores(loss / max(tokens, 1), right / max(tokens, 1), whole / max(n, 1), int(tokens), int(n), choices)


def _count(logits: Tensor, targets: Tensor) -> tuple[list[float | int], int]:
    """Of one batch: summed loss, right tokens, tokens, wholly right rows, rows; and the number of choices."""
    asked = targets != IGNORE
    right = (logits.argmax(dim=-1) == targets) & asked
    whole = (right == asked).flatten(1).all(dim=1) if targets.dim() > 1 else right
    loss = cross_entropy(logits.float(), targets, asked=1)
    return [loss.item(), right.sum().item(), asked.sum().item(), whole.sum().item(), len(targets)], logits.size(-1)


def _pairs(a: Tensor, b: Tensor) -> tuple[list[float | int], int]:
    """The same of two texts each: which of the batch belongs to this one?"""
    n = len(a)
    if n == 0:
        return [0.0] * 5, n
    right = (normalize(a, dim=-1) @ normalize(b, dim=-1).mT).argmax(dim=-1) == torch.arange(n, device=a.device)
    found = right.sum().item()
    return [info_nce(a.float(), b.float()).item() * n, found, n, found, n], n


def yardsticks(data: "Data", choices: int, *, batch: int = 64, rows: int = 512, seed: int = 0) -> dict[str, float]:
    """The held-out loss, in nats a token, of two who look at nothing.

    'uniform' gives every token the same chance: log(choices). 'unigram' gives each its share
    among the targets of as many training rows, one added to every count. Empty for pairs of texts.
    """
    counts = torch.ones(choices, dtype=torch.float64)
    for shown, first in _batches(data, "train", rows, batch, seed):
        if shown.targets is None:
            return {}
        targets = shown.targets[first]
        counts += targets[targets != IGNORE].bincount(minlength=choices)
    found = [(b.targets, first) for b, first in _batches(data, "valid", rows, batch, seed)]
    held_out = torch.cat([targets[first].flatten() for targets, first in found if targets is not None])
    surprise = -(counts / counts.sum()).log()
    return {"uniform": math.log(choices), "unigram": surprise[held_out[held_out != IGNORE]].mean().item()}


def _batches(data: "Data", split: "Split", rows: int, size: int, seed: int) -> Iterator[tuple["Batch", Tensor]]:
    """Whole batches, so that every process has its share of each, and which of their rows are among the first `rows`."""
    if split == "valid":
        rows = min(rows, getattr(data, "held_out_rows", rows))  # after the last the first would come again
    for step in range(math.ceil(rows / size)):
        yield data.batch(step, size, split=split, seed=seed), torch.arange(step * size, (step + 1) * size) < rows

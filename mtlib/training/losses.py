"""What training makes small: one number for a batch, in nats.

    cross_entropy   -log of the probability that was given to what came   (Shannon 1948)
    info_nce        cross-entropy of finding one's partner in a crowd      (van den Oord et al. 2018)

and the targets that make masked tokens and answers out of plain ids. -100 is torch's sign for
a place where nothing is asked.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

from .. import _check

IGNORE = -100
CHOSEN, MASKED, REPLACED = 0.15, 0.8, 0.9  # Devlin et al. 2019, section 3.1: 15 %, of these 80, 10 and 10 %


def cross_entropy(
    logits: Float[Tensor, "*places V"],
    targets: Int64[Tensor, "*places"],
    *,
    smoothing: float = 0.0,
    asked: int | None = None,
) -> Float[Tensor, ""]:
    """The mean over the tokens asked for; 0 where none is.

    Args:
        logits: a score for each of V; of a batch of any shape.
        targets: what came; IGNORE where nothing is asked.
        smoothing: s, the share of certainty that is spread over all V: the target is
            (1-s) · one-hot + s/V (Szegedy et al. 2016, section 7).
        asked: what to divide by, where this is a piece of a larger batch: pieces then add up to
            the mean of the whole, however unevenly its tokens are spread over them.

    >>> cross_entropy(torch.zeros(2, 4), torch.tensor([3, IGNORE])).item()          # log 4
    1.386...
    """
    _check.fraction(smoothing=smoothing)
    if logits.shape[:-1] != targets.shape:
        raise ValueError(f"targets has shape {tuple(targets.shape)}; for these logits it must be {tuple(logits.shape[:-1])}")
    total = F.cross_entropy(
        logits.reshape(-1, logits.size(-1)), targets.reshape(-1), ignore_index=IGNORE, label_smoothing=smoothing, reduction="sum"
    )  # fmt: skip
    return total / (count_asked(targets).clamp(min=1) if asked is None else max(asked, 1))


def count_asked(targets: Int64[Tensor, "..."]) -> Int64[Tensor, ""]:
    """How many places ask for a token."""
    return (targets != IGNORE).sum()


def info_nce(a: Float[Tensor, "N D"], b: Float[Tensor, "N D"], t: float = 0.05) -> Float[Tensor, ""]:
    """Row i of a belongs to row i of b; all other rows are wrong answers. Mean of both directions.

    The scores are cosines divided by the temperature t. With one pair there is nothing to tell
    it from, and the loss is 0. Source: van den Oord et al. 2018, equation 4; both ways as in
    Radford et al. 2021, figure 3.

    >>> info_nce(torch.eye(2), torch.eye(2), t=0.05).item() < 1e-6
    True
    """
    _check.above_zero(t=t)
    if a.shape != b.shape:
        raise ValueError(f"a has shape {tuple(a.shape)} and b {tuple(b.shape)}; they must be equal: row i belongs to row i")
    scores = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).mT / t  # (N, N)
    partner = torch.arange(len(a), device=a.device)
    return (F.cross_entropy(scores, partner) + F.cross_entropy(scores.mT, partner)) / 2


class Asked(NamedTuple):
    """What a model is shown, and what it is asked for (IGNORE elsewhere)."""

    inputs: Tensor
    targets: Tensor


def mlm_batch(
    ids: Int64[Tensor, "*shape"],
    special: Bool[Tensor, "*shape"],
    mask_id: int,
    choose: Float[Tensor, "*shape"],
    roll: Float[Tensor, "*shape"],
    replace: Int64[Tensor, "*shape"],
) -> Asked:
    """Hide some tokens and ask for them: BERT's task.

    A token that is not special is chosen where choose < 0.15. Of the chosen, mask_id stands
    where roll < 0.8, `replace` where roll < 0.9, and the token itself in the rest, so that no
    token in sight can be trusted. The chances come in from outside: choose and roll uniform in
    [0, 1), replace uniform over the vocabulary. Source: Devlin et al. 2019, section 3.1.

    >>> ids, none, low = torch.tensor([7, 8]), torch.tensor([False, True]), torch.zeros(2)
    >>> asked = mlm_batch(ids, none, 4, low, low, ids); asked.inputs.tolist(), asked.targets.tolist()
    ([4, 8], [7, -100])
    """
    chosen = ~special & (choose < CHOSEN)
    inputs = torch.where(chosen & (roll < MASKED), torch.full_like(ids, mask_id), ids)
    inputs = torch.where(chosen & (roll >= MASKED) & (roll < REPLACED), replace, inputs)
    return Asked(inputs, torch.where(chosen, ids, torch.full_like(ids, IGNORE)))


def sft_targets(ids: Int64[Tensor, "B T"], answer: Bool[Tensor, "B T"]) -> Int64[Tensor, "B T"]:
    """The next token where it belongs to the answer, IGNORE elsewhere: the question is read, not learnt.

    The last place of the question is asked for the answer's first token; the last place of
    all is asked for nothing, since nothing comes after it.

    >>> sft_targets(torch.tensor([[5, 6, 7]]), torch.tensor([[False, True, True]])).tolist()
    [[6, 7, -100]]
    """
    if ids.shape != answer.shape:
        raise ValueError(f"answer has shape {tuple(answer.shape)}; it must be that of ids, {tuple(ids.shape)}")
    targets = torch.full_like(ids, IGNORE)
    targets[:, :-1] = ids[:, 1:].masked_fill(~answer[:, 1:], IGNORE)
    return targets


def bits_per_byte(nll: float, n_bytes: int) -> float:
    """Nats of a whole text into bits for each byte of it: comparable between tokenizers, unlike a loss per token.

    >>> round(bits_per_byte(nll=100 * math.log(256), n_bytes=100), 12)      # knowing nothing
    8.0
    """
    _check.positive(n_bytes=n_bytes)
    return nll / (math.log(2) * n_bytes)

"""Beam search: the continuation of highest probability, looked for `width` at a time.

At each step every extension of the live beams competes with the finished ones by
log p = Σ log p(token_t | before), and the best `width` stay. Width 1 is greedy; a width of
V^max_new is an exhaustive search. No length penalty: a longer text is less likely, and that
is what is compared. Source: Graves 2012; Sutskever et al. 2014, section 3.2.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import nn

from .. import _check
from .rules import GREEDY
from .writer import asked, device_of, fits, is_writer, rows_of


class Beam(NamedTuple):
    """A continuation without its prompt, the token that ended it included, and log p of it."""

    tokens: list[int]
    log_probability: float


@torch.inference_mode()
def beam_search(
    model: nn.Module, prompt: Sequence[int], *, width: int, max_new: int, stop: Collection[int] = ()
) -> list[Beam]:
    """At most `width` continuations of one prompt, the best first, finished or not.

    Arguments and errors as generate's; a Given has one source. Raises ValueError for width < 1.

    >>> import mtlib as mt
    >>> model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=1))
    >>> best, second = beam_search(model, [3, 1], width=2, max_new=3)
    >>> len(best.tokens), best.log_probability >= second.log_probability
    (3, True)
    """
    is_writer(model, "model")
    asked(max_new, GREEDY, stop, None)
    _check.positive(width=width)
    (row,) = rows_of([list(prompt)])
    fits(model, "model", len(row), max_new)
    device, cache = device_of(model), model.new_cache()
    new = torch.tensor([row], device=device)
    live, finished = [Beam([], 0.0)], list[Beam]()
    for _ in range(max_new):
        logits = model(new, cache=cache)[:, -1]  # (live, V)
        extended = _best(live, logits.float() if logits.dtype.itemsize < 4 else logits, width)
        ranked = [(beam, None) for beam in finished] + extended
        ranked = sorted(ranked, key=lambda pair: -pair[0].log_probability)[:width]
        ended = [parent is None or beam.tokens[-1] in stop for beam, parent in ranked]
        finished = [beam for (beam, _), end in zip(ranked, ended) if end]
        going = [pair for pair, end in zip(ranked, ended) if not end]
        live = [beam for beam, _ in going]
        if not live:
            break
        cache.select(torch.tensor([parent for _, parent in going], device=device))
        new = torch.tensor([[beam.tokens[-1]] for beam in live], device=device)
    return [beam for beam, _ in ranked]


def _best(live: list[Beam], logits: torch.Tensor, width: int) -> list[tuple[Beam, int]]:
    """The best `width` extensions by one token, each with the row of the beam that it extends."""
    before = torch.tensor([beam.log_probability for beam in live], dtype=torch.float64)
    totals = before[:, None] + logits.log_softmax(-1).cpu().double()  # sums of many terms, in doubles
    best = totals.flatten().topk(min(width, totals.numel()))
    parents = (divmod(index, totals.size(1)) for index in best.indices.tolist())
    return [(Beam([*live[i].tokens, token], total), i) for total, (i, token) in zip(best.values.tolist(), parents)]

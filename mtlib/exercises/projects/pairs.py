"""What a translator is asked in projects.seq2seq_from_signatures: pairs with one thing changed, and a lesson of dates."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw

from . import noticing
from .noticing import any_ids, at_the_front, different, each_other, each_swapped

SIZES = ("vocab_source", "vocab_target", "d_model", "n_heads", "n_layers", "max_len")
MONTHS = 6
LESSON = {"vocab_source": 11 + MONTHS, "vocab_target": 12 + MONTHS, "d_model": 24, "n_heads": 2, "n_layers": 1, "max_len": 4}
EXAMPLES, BATCH, RATE, LEAST = 2560, 32, 0.02, 0.9


def _vocab(d: Draw) -> dict:
    """Two vocabularies of unlike sizes."""
    source, target = d.pick((5, 6), (7, 5), (6, 9), (9, 8))
    return {"vocab_source": source, "vocab_target": target}


def _case(d: Draw, vocab: dict, source: Tensor, inputs: Tensor, keep: Tensor | None = None, notices: Tensor | None = None) -> dict:
    """One source or one text of inputs serves all rows of the other."""
    B, longest = max(len(source), len(inputs)), max(source.size(1), inputs.size(1))
    sizes = vocab | noticing.widths(d) | {"max_len": longest + d.whole(0, 1)}
    source, inputs = (ids if len(ids) == B else ids.repeat(B, 1) for ids in (source, inputs))
    keep = torch.ones(source.shape, dtype=torch.bool) if keep is None else keep
    form = (*inputs.shape, sizes["vocab_target"]), torch.float64
    return {name: sizes[name] for name in SIZES} | {"source": source, "inputs": inputs, "source_keep": keep, "form": form, "notices": notices}


def _length(d: Draw) -> int:
    return d.size(high=3, rough=5)


def texts(d: Draw) -> dict:
    """A few pairs, sources of unlike lengths; any id may stand in the padding."""
    B, S, T, vocab = d.size(high=3), d.size(rough=6), d.size(rough=6), _vocab(d)
    source = any_ids(d, B, S, vocab=vocab["vocab_source"])
    keep = at_the_front([S, *(d.whole(1, S) for _ in range(B - 1))], S)
    return _case(d, vocab, source, any_ids(d, B, T, vocab=vocab["vocab_target"]), keep)


def written(d: Draw) -> dict:
    """One pair, and again with each input changed: its own place and the later ones notice."""
    S, T, vocab = _length(d), d.size(low=2, rough=6), _vocab(d)
    inputs = each_other(any_ids(d, T, vocab=vocab["vocab_target"]), vocab["vocab_target"], list(range(T)))
    notices = torch.ones(T, T, dtype=torch.bool).triu()
    return _case(d, vocab, any_ids(d, 1, S, vocab=vocab["vocab_source"]), inputs, notices=notices)


def read(d: Draw) -> dict:
    """One pair, and again with each token of the source changed: every place notices."""
    S, T, vocab = d.size(rough=6), _length(d), _vocab(d)
    source = each_other(any_ids(d, S, vocab=vocab["vocab_source"]), vocab["vocab_source"], list(range(S)))
    notices = torch.ones(S, T, dtype=torch.bool)
    return _case(d, vocab, source, any_ids(d, 1, T, vocab=vocab["vocab_target"]), notices=notices)


def padded(d: Draw) -> dict:
    """One pair, and again with each place of the source's padding changed: nobody notices."""
    n, more, T, vocab = d.size(rough=5), d.whole(1, 3), _length(d), _vocab(d)
    source = each_other(any_ids(d, n + more, vocab=vocab["vocab_source"]), vocab["vocab_source"], list(range(n, n + more)))
    notices = torch.zeros(more, T, dtype=torch.bool)
    inputs = any_ids(d, 1, T, vocab=vocab["vocab_target"])
    return _case(d, vocab, source, inputs, at_the_front([n] * (more + 1), n + more), notices)


def source_swapped(d: Draw) -> dict:
    """One pair, and again with two neighbours of the source changing places: every place notices."""
    S, T, vocab = d.size(low=2, high=4, rough=5), _length(d), _vocab(d)
    source = each_swapped(different(d, S, vocab["vocab_source"]))
    notices = torch.ones(S - 1, T, dtype=torch.bool)
    return _case(d, vocab, source, any_ids(d, 1, T, vocab=vocab["vocab_target"]), notices=notices)


def inputs_swapped(d: Draw) -> dict:
    """One pair, and again with two neighbours among the inputs changing places: both and the later ones notice. One layer."""
    S, T, vocab = _length(d), d.size(low=3, high=4, rough=5), _vocab(d)
    inputs = each_swapped(different(d, T, vocab["vocab_target"]))
    notices = torch.ones(T - 1, T, dtype=torch.bool).triu()
    return _case(d, vocab, any_ids(d, 1, S, vocab=vocab["vocab_source"]), inputs, notices=notices) | {"n_layers": 1}


def uneven(d: Draw) -> dict:
    sizes = _vocab(d) | noticing.uneven(d) | {"max_len": d.size()}
    return {name: sizes[name] for name in SIZES}


def any_sizes(d: Draw) -> dict:
    sizes = _vocab(d) | noticing.widths(d) | {"max_len": d.size()}
    return {name: sizes[name] for name in SIZES}


def lesson(d: Draw) -> dict:
    return {"seed": d.whole(0, 9999), "examples": EXAMPLES}


def dates(generator: torch.Generator, n: int) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Dates in small, "March 17" to "17 marzo". Ids: 0 padding and start, 1 to 10 the digits, then the months, last the end sign.

    Source: the month, the day's digits. Target: the day's digits, the month by its other name, the end.
    """
    day, month = torch.randint(1, 29, (n,), generator=generator), torch.randint(MONTHS, (n,), generator=generator)
    two, end = day >= 10, torch.full((n,), 11 + MONTHS)
    first, second = torch.where(two, day // 10, day) + 1, day % 10 + 1
    other_name = 11 + (5 * month + 1) % MONTHS
    source = torch.stack([11 + month, first, second * two], dim=1)
    rest = torch.where(two, torch.stack([second, other_name, end]), torch.stack([other_name, end, torch.full((n,), -100)]))
    targets = torch.cat([first[:, None], rest.T], dim=1)
    inputs = torch.cat([torch.zeros_like(targets[:, :1]), targets[:, :-1].clamp(min=0)], dim=1)
    return (source, inputs, source > 0), targets

"""What a language model is asked in projects.decoder_from_empty: texts, texts in pieces, and a lesson."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw

from . import noticing
from .noticing import any_ids, each_other

SIZES = ("vocab", "d_model", "n_heads", "n_layers", "max_len")
LESSON = {"vocab": 8, "d_model": 16, "n_heads": 2, "n_layers": 1, "max_len": 6}
EXAMPLES, BATCH, RATE, LEAST = 2560, 32, 0.02, 0.9


def _sizes(d: Draw, T: int) -> dict:
    sizes = {"vocab": d.whole(5, 9), **noticing.widths(d), "max_len": T + d.whole(0, 1)}
    return {name: sizes[name] for name in SIZES}


def texts(d: Draw) -> dict:
    """A batch of texts, and the seed of the weights."""
    T = d.size(rough=7)
    sizes = _sizes(d, T)
    return sizes | {"ids": any_ids(d, d.size(high=3), T, vocab=sizes["vocab"]), "weights": d.whole(0, 999), "dtype": d.pick(*DTYPES)}


def changed(d: Draw) -> dict:
    """One text, and again with each token changed: its own place and the later ones notice."""
    T = d.size(low=2, rough=6)
    sizes = _sizes(d, T)
    ids = each_other(any_ids(d, T, vocab=sizes["vocab"]), sizes["vocab"], list(range(T)))
    form = (*ids.shape, sizes["vocab"]), torch.float64
    return sizes | {"ids": ids, "form": form, "notices": torch.ones(T, T, dtype=torch.bool).triu()}


def in_pieces(d: Draw) -> dict:
    """Texts, and the lengths of the chunks in which they are fed; the first is the prompt."""
    chunks = [d.size(high=3, rough=4), *(d.pick(1, 1, 2) for _ in range(d.whole(1, 3)))]
    sizes = _sizes(d, sum(chunks))
    ids = any_ids(d, d.size(high=3), sum(chunks), vocab=sizes["vocab"])
    return sizes | {"ids": ids, "chunks": chunks, "weights": d.whole(0, 999), "dtype": torch.float64}


def two_texts(d: Draw) -> dict:
    """The same of two batches of unlike size, which take turns."""
    case = in_pieces(d)
    other = any_ids(d, len(case["ids"]) + d.whole(0, 2), case["ids"].size(1), vocab=case["vocab"])
    return case | {"other": other}


def uneven(d: Draw) -> dict:
    sizes = {"vocab": d.whole(5, 9), **noticing.uneven(d), "max_len": d.size()}
    return {name: sizes[name] for name in SIZES}


def lesson(d: Draw) -> dict:
    return {"seed": d.whole(0, 9999), "examples": EXAMPLES}


def the_one_before(generator: torch.Generator, n: int) -> tuple[tuple[Tensor], Tensor]:
    """Random ids, and at each place but the first the id before it."""
    ids = torch.randint(LESSON["vocab"], (n, LESSON["max_len"]), generator=generator)
    return (ids,), torch.cat([torch.full((n, 1), -100), ids[:, :-1]], dim=1)

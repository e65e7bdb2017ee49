"""encoder.embed: a token is a row of a table."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import differentiates, equals, leaves_inputs


def reference(ids: Tensor, table: Tensor) -> Tensor:
    return table[ids]


def _case(d: Draw, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> dict:
    V, D = d.size(rough=9), d.size(rough=5)
    return {"ids": d.integers(*shape, high=V - 1), "table": d.floats(V, D, dtype=dtype, high=9)}


def texts(d: Draw) -> dict:
    """A batch of texts, (B, T)."""
    return _case(d, (d.size(), d.size(rough=6)), d.pick(*DTYPES))


def any_shape(d: Draw) -> dict:
    """One id alone, or any number of axes."""
    return _case(d, d.lead(3))


def empty(d: Draw) -> dict:
    """No ids at all: an axis of length 0."""
    return _case(d, d.pick((0,), (2, 0), (0, 3)))


def repeated(d: Draw) -> dict:
    """Some ids several times, some rows never."""
    shape = (d.size(low=2), d.size(low=2))
    V, D = d.size(low=3, rough=7), d.size()
    return {
        "ids": d.integers(*shape, high=V - 2),  # the last row is never used
        "table": d.floats(V, D, dtype=torch.float64),
        "cotangent": d.floats(*shape, D, dtype=torch.float64),
    }


UNLEARNT = "a copy that no gradient passes (`.detach()`, `.data`, `.tolist()` all make one): the table would never learn"


def _copied(ids: Tensor, table: Tensor) -> Tensor:
    rows = [table[i].tolist() for i in ids.flatten().tolist()]
    return torch.tensor(rows, dtype=table.dtype).reshape(*ids.shape, table.shape[1])


def _once_each(ids: Tensor, table: Tensor) -> Tensor:
    """The first use of each row keeps its gradient, later ones are copies without one."""
    seen, rows = set(), []
    for i in ids.flatten().tolist():
        rows.append(table[i].detach() if i in seen else table[i])
        seen.add(i)
    return torch.stack(rows).reshape(*ids.shape, -1) if rows else table[ids]


EXERCISE = Exercise(
    id="encoder.embed",
    title="A token is a row of a table",
    answers=("embed",),
    minutes=10,
    read=("s-encoder-parts",),
    forbid=("torch.nn.functional.embedding", "torch.nn.Embedding"),
    properties=(
        Property("texts", 3, "id i becomes row i of the table", texts, equals(reference), 45),
        Property("any shape", 2, "the ids' shape stays, with D after it; one id alone gives (D,)", any_shape, equals(reference), 45),
        Property("empty", 1, "no ids give no rows, in the right shape", empty, equals(reference), 20),
        Property("gradients", 3, "a row that was not used gets 0, one used twice gets both", repeated, differentiates(reference), 40),
        Property("inputs unchanged", 1, "ids and table are afterwards what they were", texts, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("columns in place of rows: `table[:, ids]`; a token's vector lies along the last axis",
                lambda ids, table: table[:, ids % table.shape[1]]),
        Mistake("rows counted from 1: id 0 is the first row", lambda ids, table: table[ids - 1]),
        Mistake("one long list of rows: the ids' shape is lost", lambda ids, table: table[ids.flatten()]),
        Mistake(UNLEARNT, _copied),
        Mistake(UNLEARNT, lambda ids, table: table.detach()[ids]),
        Mistake("a row that learns from its first use only: every use must add its gradient", _once_each),
        Mistake("rows times √D: the 2017 paper does that afterwards, and it is not asked for here",
                lambda ids, table: table[ids] * table.shape[1] ** 0.5),
        Mistake("rows brought to length 1; they are wanted as they stand in the table",
                lambda ids, table: torch.nn.functional.normalize(table[ids], dim=-1)),
    ),
    hints=(
        "There is nothing to compute. Which row of the table belongs to id 3?",
        "A tensor can be indexed by a tensor of whole numbers, of any shape: each number is replaced by what stands at that place.",
        "`table[ids]`.",
    ),
    explanation=(
        "It is the same function as a product with one-hot vectors, `one_hot(ids) @ table`, without the zeros: for 30,000 tokens "
        "a product would multiply by 29,999 zeros for each id. Its gradient says how a table learns: only the rows of tokens "
        "that were in the batch move, and a frequent token moves often."
    ),
    better=(
        "In a model the table is an `nn.Embedding(V, D)`, which is this line with a Parameter. GPT-2 uses the same table once "
        "more at its end, turned, to score every token: tied embeddings, in the chapter on shapes."
    ),
)

"""dimensions.merge: what each head writes into the stream, on its own."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(heads: Tensor, w_o: Tensor) -> Tensor:
    return heads @ w_o.unflatten(0, (heads.shape[1], -1))


def square(d: Draw) -> dict:
    """The rule: H·E rows and as many columns."""
    H, E = d.size(low=2), d.size(low=2)
    return _case(d, H, E, H * E)


def oblong(d: Draw) -> dict:
    """The notes' own case, 12 x 4, and others: D need not be H·E."""
    H, E = d.size(), d.size()
    return _case(d, H, E, d.size(high=7))


def _case(d: Draw, H: int, E: int, D: int) -> dict:
    dtype = d.pick(*DTYPES)
    return {"heads": d.floats(d.size(high=2), H, d.size(high=3), E, dtype=dtype), "w_o": d.floats(H * E, D, dtype=dtype)}


def scattered(d: Draw) -> dict:
    """Memory in the order of other axes, as split_heads leaves it."""
    case = square(d)
    return {name: d.layout(value) for name, value in case.items()}


def largest(heads: Tensor, w_o: Tensor) -> float:
    return float(heads.abs().max() * w_o.abs().max() * len(w_o))


def adds_up(case: dict, subject: Subject) -> None:
    """Summed over heads they are what merging and one product give."""
    heads, w_o = case["heads"], case["w_o"]
    whole = heads.transpose(1, 2).flatten(2) @ w_o
    each = value_of(subject.call(heads, w_o))
    agree(each, reference(heads, w_o), largest(heads, w_o))
    agree(each.sum(dim=1), whole, largest(heads, w_o), why="the sum over heads is not merge, then w_o")


def _interleaved(heads: Tensor, w_o: Tensor) -> Tensor:
    H = heads.shape[1]
    return heads @ torch.stack([w_o[h::H] for h in range(H)])


def _columns(heads: Tensor, w_o: Tensor) -> Tensor:
    """Slices of columns: fits where D = H·E, with (E, D) then made of D's rows."""
    return heads @ w_o.T.unflatten(0, (heads.shape[1], -1)) if w_o.shape[0] == w_o.shape[1] else reference(heads, w_o)


EXERCISE = Exercise(
    id="dimensions.merge",
    title="What each head writes",
    answers=("head_contributions",),
    minutes=15,
    read=("q-merge-heads", "c-wo-mixing"),
    properties=(
        Property("square", 3, "head h through its own E rows of w_o", square, equals(reference, largest)),
        Property("oblong", 3, "w_o may be (H·E, D) with any D, such as the notes' 12 × 4", oblong, equals(reference, largest)),
        Property("adds up", 2, "summed over heads: merge, then w_o", scattered, adds_up, 40),
        Property("inputs unchanged", 1, "heads and w_o are afterwards what they were", square, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the sum over heads already: what each gives was asked for", lambda heads, w_o: reference(heads, w_o).sum(1)),
        Mistake("every H-th row of w_o for a head; its rows stand side by side, hE … (h+1)E-1", _interleaved),
        Mistake("w_o from the left, `w_o.T`: here it stands on the right, x @ w_o", _columns),
        Mistake("each head through the first head's rows", lambda heads, w_o: heads @ w_o[: heads.shape[-1]]),
        Mistake(
            "heads in reverse: head 0 got the last head's rows",
            lambda heads, w_o: heads @ w_o.unflatten(0, (heads.shape[1], -1)).flip(0),
        ),
        Mistake("the average over heads in mind: divided by H", lambda heads, w_o: reference(heads, w_o) / heads.shape[1]),
        Mistake(
            "time before heads, (B, T, H, D); the heads should stay where they were",
            lambda heads, w_o: reference(heads, w_o).transpose(1, 2),
        ),
        Mistake(
            "merge, then w_o: the sum, given to every head alike",
            lambda heads, w_o: reference(heads, w_o).sum(1, keepdim=True).expand(-1, heads.shape[1], -1, -1),
        ),
        Mistake("heads scaled in place by the way", lambda heads, w_o: reference(heads.mul_(2), w_o) / 2),
    ),
    hints=(
        "Merging lays head h's E numbers at columns hE … (h+1)E-1. Which rows of w_o do these meet in the product?",
        "Cut w_o into H blocks of E rows. Head h times block h is what head h writes; nothing else of w_o touches it.",
        "`w_o.reshape(H, E, D)` is the blocks, and a product of (B, H, T, E) with (H, E, D) broadcasts over the batch.",
    ),
    explanation=(
        "A matrix product over columns set side by side is a sum of products over each block: [h₀ h₁] [W₀; W₁] = h₀W₀ + h₁W₁. "
        "So 'concatenate, then mix' never mixes two heads with each other; each writes into the stream by its own matrix, "
        "and the stream adds. That is what makes it possible to switch one head off and call the rest unchanged."
    ),
    better=(
        "`torch.einsum('bhte,hed->bhtd', heads, w_o.reshape(H, E, D))` says it in letters. mtlib keeps torch's orientation, "
        "(D, H·E): there it is `attn.o_proj.weight.T` that you would hand in. `mt.interp.direct_logit` takes it further, "
        "to what each head says about each token."
    ),
)

"""attention.multi_head: several small attentions side by side, and the four maps around them."""

from functools import cache

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, refuses_to_build, value_of
from mtlib.grading.subject import Subject

from . import reference as steps
from .layers import (
    PROJECTIONS,
    ContextAsks,
    ContextIgnored,
    NoOutput,
    Reference,
    RootOfModelWidth,
    Unrefusing,
    attending,
    variant,
)
from .reference import filled_with


def _layer(d: Draw) -> dict:
    """A layer with whole-number weights, and an x for it."""
    H, E = d.size(high=3, rough=4), d.size(high=2, rough=5)
    dtype, D = d.pick(*DTYPES), H * E
    state = {}
    for name in PROJECTIONS:
        state[f"{name}.weight"] = d.floats(D, D, dtype=dtype, high=1, spread=0.5)
        state[f"{name}.bias"] = d.floats(D, dtype=dtype, high=1, spread=0.5)
    x = d.floats(d.size(high=2, rough=3), d.size(high=3), D, dtype=dtype, high=2)
    return {"d_model": D, "n_heads": H, "x": x, "state": state}


def itself(d: Draw) -> dict:
    return _layer(d) | {"context": None, "keep": None}


def across(d: Draw) -> dict:
    """A context of another length."""
    case = _layer(d)
    B, T, D = case["x"].shape
    S = T + d.whole(1, 3) if d.flag() or T == 1 else d.whole(1, T - 1)
    return case | {"context": d.floats(B, S, D, dtype=case["x"].dtype, high=2), "keep": None}


def masked(d: Draw, blank: bool = False) -> dict:
    case = (across if d.flag() else itself)(d)
    B, T_q, _ = case["x"].shape
    T_k = (case["x"] if case["context"] is None else case["context"]).shape[1]
    return case | {"keep": d.keep(*d.broadcast(B, case["n_heads"], T_q, T_k), blank=blank)}


def blank(d: Draw) -> dict:
    """At least one query of one head may look nowhere."""
    case = itself(d)
    B, T, _ = case["x"].shape
    keep = d.keep(B, case["n_heads"], T, T, blank=True)
    keep[:, d.whole(0, case["n_heads"] - 1), d.whole(0, T - 1)] = False
    return case | {"keep": keep}


def uneven(d: Draw) -> dict:
    D = d.size(high=7)
    return {"d_model": D, "n_heads": d.pick(*(H for H in range(2, 9) if D % H))}


def built(case: dict, subject: Subject) -> Subject:
    """The learner's layer with the case's weights in it."""
    layer = value_of(subject.build(case["d_model"], case["n_heads"]))
    own = value_of(layer.state())
    for name, weight in case["state"].items():
        if name not in own or own[name].shape != weight.shape:
            has = f"a {name} of shape {tuple(own[name].shape)}" if name in own else ", ".join(own) or "no parameters"
            raise Wrong(f"the layer needs a {name} of shape {tuple(weight.shape)}; it has {has}")
    value_of(layer.load(case["state"]))
    return layer


_reference = cache(Reference)  # to make one costs ten times what running it does, and its weights are replaced


def answer_of(case: dict) -> Tensor:
    layer = _reference(case["d_model"], case["n_heads"])
    layer.load_state_dict(case["state"], assign=True)
    with torch.no_grad():
        return layer(case["x"], case["context"], case["keep"])


def loudness(case: dict) -> float:
    """A bound on the scores: no float32 sum inside is larger."""
    return float(case["x"].abs().max() * case["d_model"]) ** 2 + 1.0


def same_output(case: dict, subject: Subject) -> None:
    expected = answer_of(case)
    yours = value_of(built(case, subject).call(case["x"], case["context"], case["keep"]))
    agree(yours, expected, min(loudness(case), 30.0))


def blind_to_padding(case: dict, subject: Subject) -> None:
    """Positions that keep hides may hold anything."""
    x, expected, layer = case["x"], answer_of(case), built(case, subject)
    T = x.shape[1]
    padded = torch.cat([x, x.flip(1) + 1], 1)
    keep = (torch.arange(2 * T) < T)[None, None, None, :]
    alone = value_of(layer.call(x))
    agree(alone, expected, 30.0)
    beside = value_of(layer.call(padded, None, keep))
    agree_in_form(beside, padded)
    agree(beside[:, :T], alone, 30.0, why="padding that keep hides changes the output")


EXERCISE = Exercise(
    id="attention.multi_head",
    title="Multi-head attention",
    answers=("MultiHeadAttention",),
    minutes=30,
    read=("many-heads",),
    forbid=("torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
    properties=(
        Property(
            "self-attention", 4, "with given weights, the output is that of nn.MultiheadAttention", itself, same_output
        ),
        Property("context", 2, "keys and values come from the context, of any length", across, same_output, 40),
        Property("masking", 2, "keep holds for each head, in any shape that broadcasts", masked, same_output, 40),
        Property("nothing kept", 1, "a query with nothing kept gets o_proj of zeros: its bias", blank, same_output, 30),
        Property("padding", 1, "what keep hides may hold anything", itself, blind_to_padding, 20),
        Property("refusal", 1, "a ValueError when n_heads does not divide d_model", uneven, refuses_to_build, 20),
    ),
    mistakes=(
        Mistake("attention scaled by √d_model: each head is only d_model / n_heads wide", RootOfModelWidth),
        Mistake("attention without the division by √d_k", variant(attend=attending(score=steps.product))),
        Mistake(
            "heads cut by a reshape straight to (B, H, T, E), across time",
            variant(split=lambda x, H: x.reshape(x.shape[0], H, x.shape[1], -1)),
        ),
        Mistake(
            "heads merged by a reshape without transposing back",
            variant(merge=lambda x: x.reshape(x.shape[0], x.shape[2], -1)),
        ),
        Mistake(
            "heads left before time when attending: each position attends among its own heads",
            variant(split=lambda x, H: x.unflatten(-1, (H, -1)), merge=lambda x: x.flatten(-2)),
        ),
        Mistake("attention whose heads are never mixed: o_proj is missing", NoOutput),
        Mistake("self-attention whatever the context: keys and values come from x", ContextIgnored),
        Mistake("the context asking and x answering; queries should come from x", ContextAsks),
        Mistake(
            "a softmax over the queries, not over the keys",
            variant(attend=attending(soften=steps.softmax_over_queries)),
        ),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(attend=attending(hide=steps.inverted, drop=lambda w, keep: w.masked_fill(keep, 0.0))),
        ),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(attend=attending(hide=steps.inverted, drop=steps.untouched)),
        ),
        Mistake(
            "attention that never looks at keep", variant(attend=attending(hide=steps.untouched, drop=steps.untouched))
        ),
        Mistake(
            "-inf and no more: softmax over nothing is 0/0, which is NaN",
            variant(attend=attending(drop=steps.untouched)),
        ),
        Mistake(
            "a huge finite mask: a query that may look nowhere then looks everywhere alike",
            variant(attend=attending(hide=filled_with(-1e9), drop=steps.untouched)),
        ),
        Mistake(
            "a layer that takes any number of heads, where it should refuse one that does not divide d_model",
            Unrefusing,
        ),
    ),
    hints=(
        "Every piece is in the exercises before this one. What is the shape of q after q_proj, after the split, "
        "and how do the heads come together again?",
        "Project x to q and the context (or x) to k and v; split all three; attend, with the mask; merge; project "
        "once more. d_k is now the width of one head.",
        "`out, _ = scaled_dot_product_attention(*(split_heads(t, self.n_heads) for t in (q, k, v)), keep)`, then "
        "`self.o_proj(merge_heads(out))`. It stands on your own functions from above.",
    ),
    explanation=(
        "Heads are only a way to read the same four matrices: the columns of W_Q in n_heads blocks. Parameters and "
        "matrix products cost the same for any number of heads; what changes is how many different weightings each "
        "position has, and how wide each can compare. o_proj is where the heads are added up."
    ),
    better=(
        "One `nn.Linear(d_model, 3 * d_model)` computes q, k and v in one product, faster on a GPU; checkpoints hold it "
        "fused. nn.MultiheadAttention does so, takes the opposite mask, and gives NaN where nothing is kept."
    ),
)

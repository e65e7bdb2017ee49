"""interpretability.ablate: the model without one of its heads."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property

from .models import decoder, equals_and_leaves, equals_in_logits, head_of, ids_for, layer_of, with_inputs, with_outputs


def reference(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
    return variant()(model, layer, head, ids)


def columns_of(merged: Tensor, head: int, heads: int) -> Tensor:
    """(D,) bool, True for the columns of one head."""
    return torch.arange(merged.size(-1)) // (merged.size(-1) // heads) == head


def without(merged: Tensor, columns: Tensor) -> Tensor:
    return merged.masked_fill(columns, 0.0)


def variant(which=columns_of, change=without, at=lambda layer, head, model: (layer, head)):
    """A head ablated with a step changed: its columns, what becomes of them, which head of which layer."""

    def ablate_head(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
        number, own = at(layer, head, model)

        def silence(merged: Tensor) -> Tensor:
            return change(merged, which(merged, own, model.config.n_heads))

        return with_inputs(model, ids, {model.blocks[number].attn.o_proj: silence})

    return ablate_head


def any_head(d: Draw) -> dict:
    model = decoder(d)
    return {"model": model, "layer": layer_of(d, model), "head": head_of(d, model), "ids": ids_for(d, model)}


def among_several(d: Draw) -> dict:
    """Two layers, and two heads at least."""
    model = decoder(d, layers=2)
    return {"model": model, "layer": layer_of(d, model), "head": head_of(d, model), "ids": ids_for(d, model, length=d.whole(2, 5))}


def _after_o_proj(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
    def silence(out: Tensor) -> Tensor:
        return without(out, columns_of(out, head, model.config.n_heads))

    return with_outputs(model, ids, {model.blocks[layer].attn.o_proj: silence})


def _without_bias(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
    o_proj = model.blocks[layer].attn.o_proj
    bias, o_proj.bias = o_proj.bias, None
    try:
        return reference(model, layer, head, ids)
    finally:
        o_proj.bias = bias


def _hook_stays(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
    heads = model.config.n_heads
    model.blocks[layer].attn.o_proj.register_forward_pre_hook(
        lambda _, args: (without(args[0], columns_of(args[0], head, heads)),)
    )
    return model(ids).detach()


def _weights_stay(model: nn.Module, layer: int, head: int, ids: Tensor) -> Tensor:
    weight = model.blocks[layer].attn.o_proj.weight
    with torch.no_grad():
        weight[:, columns_of(weight, head, model.config.n_heads)] = 0
        return model(ids)


def _interleaved(merged: Tensor, head: int, heads: int) -> Tensor:
    return torch.arange(merged.size(-1)) % heads == head


def _elsewhere(layer: int, head: int, model: nn.Module, by: tuple[int, int]) -> tuple[int, int]:
    return (layer - by[0]) % len(model.blocks), (head - by[1]) % model.config.n_heads


def _somewhere(by: tuple[int, int]) -> Callable:
    return partial(_elsewhere, by=by)


EXERCISE = Exercise(
    id="interpretability.ablate",
    title="Without this one head",
    answers=("ablate_head",),
    minutes=25,
    read=("who-needs-it",),
    allow=("mtlib.trace",),
    properties=(
        Property("one head", 4, "the logits when the head's columns of o_proj's input are 0", any_head, equals_in_logits(reference), 18),
        Property("only that head", 3, "the other heads and the other layers go on as before", among_several, equals_in_logits(reference), 18),
        Property("left as found", 3, "afterwards no hook is on the model and no weight another", any_head,
                 equals_and_leaves(reference), 12),
    ),
    mistakes=(
        Mistake("columns of o_proj's output set to 0: behind it the heads are mixed, so it is its input that belongs to a head", _after_o_proj),
        Mistake("o_proj's bias silent too: it belongs to no head", _without_bias),
        Mistake("every H-th column: heads lie side by side, head h in columns hE … (h+1)E−1", variant(which=_interleaved)),
        Mistake("heads counted from 1", variant(at=_somewhere((0, 1)))),
        Mistake("layers counted from 1", variant(at=_somewhere((1, 0)))),
        Mistake("a hook that stays on the model: the head is silent for ever", _hook_stays),
        Mistake("weights set to 0 and left so: the head is gone for ever", _weights_stay),
    ),
    hints=(
        "You need the model to run as it always does, but for one tensor on the way. `mt.trace(model, replace={path: function})` puts "
        "what the function returns in the place of what the module at that path put out.",
        "Two paths will do: `blocks.0.attn.core` puts out the heads, (B, H, T, E), and `blocks.0.attn.merged` the same side by side, "
        "(B, T, D), as o_proj gets it. Change a copy.",
        "`def silence(heads): heads = heads.clone(); heads[:, head] = 0; return heads`, then `with mt.trace(model, "
        "replace={f\"blocks.{layer}.attn.core\": silence}): return model(ids)`.",
    ),
    explanation=(
        "This asks the question that a picture of weights cannot: what would be missing? A head that looks somewhere, sharply and "
        "prettily, can be silent with hardly a logit moving, and one that looks dull can be the one that matters. Zero is a harsh "
        "silence, though: the rest has learned to expect the head's mean."
    ),
    better=(
        "Mean ablation: put the head's mean over many texts in its place, so that only what it *says* is gone. "
        "`mtlib.interp.ablate_head(…, fill=mean)` takes either, and `ablation_sweep` goes through all heads."
    ),
)

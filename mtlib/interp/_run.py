"""One quiet run of a model, and where in it things stand.

Nothing here changes a model: dropout rests and gradients are off while it runs, hooks and modes
are put back after it, also when it fails.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..encoder import Encoder
from ..decoder import Decoder
from ..trace import Trace, trace
from ..transformer import DecoderLM, EncoderDecoder, Transformer

Inputs = Tensor | tuple[Tensor, ...]  # what a model is called with: ids, or (ids, keep), or (source, inputs)


def run(
    model: nn.Module, inputs: Inputs, replace: Mapping[str, Callable[[Any], Any]] | None = None
) -> tuple[Tensor, Trace]:
    """What the model puts out, and the trace of how."""
    with at_rest(model), trace(model, replace=replace) as seen:
        out = model(*inputs) if isinstance(inputs, tuple) else model(inputs)
    return out, seen


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Without dropout and gradients inside the block; every module's own mode again after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def stack_of(model: nn.Module) -> tuple[str, Encoder | Decoder]:
    """The blocks that lead to the answer, and their path: a Transformer's encoder, an EncoderDecoder's decoder."""
    if isinstance(model, (Encoder, Decoder)):
        return "", model
    if isinstance(model, Transformer):
        return "encoder.", model.encoder
    if isinstance(model, EncoderDecoder):
        return "decoder.", model.decoder
    raise TypeError(f"model is {_a(model)}; it must be one of mtlib's transformers, with blocks")


def writer_of(model: nn.Module) -> tuple[str, DecoderLM]:
    """The part that scores tokens, and its path: a DecoderLM is that itself."""
    prefix, stack = stack_of(model)
    if not isinstance(stack, DecoderLM):
        raise TypeError(f"model is {_a(model)}; it must score tokens, as DecoderLM and EncoderDecoder do")
    return prefix, stack


def block_path(model: nn.Module, layer: int) -> str:
    """'blocks.1.' for layer 1, with the path of its stack before it."""
    prefix, stack = stack_of(model)
    counted(layer=(layer, len(stack.blocks)))
    return f"{prefix}blocks.{layer}."


def counted(**places: tuple[int, int]) -> None:
    """Each is a (place, how many there are), counted from 0: ``counted(head=(head, n_heads))``."""
    for name, (place, count) in places.items():
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < count:
            raise ValueError(f"{name}={place!r} must lie in 0…{count - 1}: it counts from 0")


def one_number(metric: Callable[[Tensor], Any], logits: Tensor) -> float:
    """metric(logits), which must be a number or a tensor of one."""
    value = metric(logits)
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"metric gave a tensor of shape {tuple(value.shape)}; it must give one number")
    return float(value)


def _a(model: nn.Module) -> str:
    name = type(model).__name__
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"

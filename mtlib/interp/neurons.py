"""One column of an FFN's hidden layer: what makes it fire, and what it says when it does.

    FFN(x) = Σ_n hidden_n · w_out[n] + b          a key that matches, a value that is added

Source: Geva et al. 2021, section 3 (what it fires on) and Geva et al. 2022, section 4 (what it
promotes). The strongest contexts are a choice: they say little of what a neuron does at
middling strength, and one neuron can have several meanings (Bolukbasi et al. 2021).
"""

import heapq
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .. import _check
from ._run import block_path, counted, run, stack_of, writer_of
from .circuits import direct_effect


class Context(NamedTuple):
    """Where a neuron fired: `ids[at]` is the token at which its hidden value was `value`, in text number `text`."""

    value: float
    text: int
    position: int
    ids: list[int]
    at: int


def neuron_values(model: nn.Module, ids: Int64[Tensor, "B T"], layer: int, neuron: int) -> Float[Tensor, "B T"]:
    """The neuron's hidden value at every position: ``blocks.N.ffn.hidden``, one column.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> neuron_values(mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), layer=0, neuron=31).shape
    torch.Size([1, 3])
    """
    counted(neuron=(neuron, stack_of(model)[1].config.ff_width))
    return run(model, ids)[1][block_path(model, layer) + "ffn.hidden"][..., neuron]


def neuron_contexts(
    model: nn.Module, texts: Iterable[list[int]], layer: int, neuron: int, *, k: int = 5, window: int = 5
) -> list[Context]:
    """The `k` places of all `texts`, lists of ids, where the neuron's value is largest; the largest first.

    Each comes with up to `window` tokens on either side of it; of equal values the earlier place
    stands first. Texts run one by one, so they may be of any length and any number.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> [best] = neuron_contexts(mt.DecoderLM(config), [[3, 1, 4], [1, 5]], layer=0, neuron=31, k=1)
    >>> best.ids[best.at] == [[3, 1, 4], [1, 5]][best.text][best.position]
    True
    """
    _check.positive(k=k, window=window)
    device = stack_of(model)[1].tok.weight.device

    def places() -> Iterable[Context]:
        for number, text in enumerate(texts):
            values = neuron_values(model, torch.tensor([text], device=device), layer, neuron)[0].tolist()
            for position, value in enumerate(values):
                start = max(position - window, 0)
                yield Context(value, number, position, text[start : position + window + 1], position - start)

    return heapq.nsmallest(k, places(), key=lambda c: (-c.value, c.text, c.position))


def promoted_tokens(model: nn.Module, layer: int, neuron: int, *, k: int = 10) -> list[tuple[int, float]]:
    """The `k` tokens whose logits rise most when the neuron's value rises by 1, as (id, rise); the most first.

    The direct way only, through the final norm's centring and gain; its scale depends on the
    text, so compare the rises with one another. Raises ValueError for placement 'post'.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> len(promoted_tokens(mt.DecoderLM(config), layer=0, neuron=31, k=3))
    3
    """
    _, writer = writer_of(model)
    block_path(model, layer)
    counted(neuron=(neuron, writer.config.ff_width))
    _check.positive(k=k)
    with torch.no_grad():
        rises = direct_effect(writer, writer.blocks[layer].ffn.w_out.weight[:, neuron])
    best = rises.topk(min(k, rises.numel()))
    return list(zip(best.indices.tolist(), best.values.tolist()))

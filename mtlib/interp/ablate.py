"""Take a part away and see what the model can no longer do.

    effect of a part = metric(model without it) - metric(model)

Without it: its output is set to zero, or to its mean, which takes away what the part *says* and
leaves the constant that the rest has learned to expect. Parts are counted from 0. A change is
a function of a value, so it also serves mt.trace directly, at any path.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._run import Inputs, block_path, counted, one_number, run, stack_of

Change = Callable[[Tensor], Tensor]


def set_head(head: int, fill: float | Tensor = 0.0) -> Change:
    """A change for a site of heads, (B, H, T, E): head `head` becomes `fill`, a number or (E,).

    >>> set_head(1)(torch.ones(1, 2, 1, 3)).tolist()
    [[[[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]]]]
    """

    def change(heads: Tensor) -> Tensor:
        counted(head=(head, heads.size(1)))
        changed = heads.clone()
        changed[:, head] = _fitting(fill, heads.shape[-1:])
        return changed

    return change


def set_unit(unit: int, fill: float | Tensor = 0.0) -> Change:
    """A change for any site: column `unit` of the last axis becomes the number `fill`.

    >>> set_unit(0, 5.0)(torch.ones(1, 1, 3)).tolist()
    [[[5.0, 1.0, 1.0]]]
    """

    def change(value: Tensor) -> Tensor:
        counted(unit=(unit, value.size(-1)))
        changed = value.clone()
        changed[..., unit] = _fitting(fill, ())
        return changed

    return change


def set_all(fill: float | Tensor = 0.0) -> Change:
    """A change for a site (B, T, D): every position becomes `fill`, a number or (D,).

    >>> set_all()(torch.ones(1, 1, 2)).tolist()
    [[[0.0, 0.0]]]
    """

    def change(value: Tensor) -> Tensor:
        return torch.zeros_like(value) + _fitting(fill, value.shape[-1:])

    return change


def ablate_head(model: nn.Module, layer: int, head: int, inputs: Inputs, fill: float | Tensor = 0.0) -> Tensor:
    """The model's output with one head silent: its E columns of o_proj's input become `fill`.

    o_proj's bias stays. For mean ablation take ``fill=mean_at(model, ids,
    "blocks.0.attn.core")[head]``. Raises ValueError for a layer or head that is not there.
    Source: Michel et al. 2019, section 2.2.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> ablate_head(mt.DecoderLM(config), 0, 1, torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 9])
    """
    counted(head=(head, stack_of(model)[1].config.n_heads))
    return run(model, inputs, {block_path(model, layer) + "attn.core": set_head(head, fill)})[0]


def ablate_attention(model: nn.Module, layer: int, inputs: Inputs, fill: float | Tensor = 0.0) -> Tensor:
    """The model's output when a layer's attention adds `fill`, a number or (D,), in place of what it found."""
    return run(model, inputs, {block_path(model, layer) + "attn": set_all(fill)})[0]


def ablate_ffn(model: nn.Module, layer: int, inputs: Inputs, fill: float | Tensor = 0.0) -> Tensor:
    """The model's output when a layer's FFN adds `fill`, a number or (D,), in place of what it computed."""
    return run(model, inputs, {block_path(model, layer) + "ffn": set_all(fill)})[0]


def ablate_neuron(model: nn.Module, layer: int, neuron: int, inputs: Inputs, fill: float | Tensor = 0.0) -> Tensor:
    """The model's output with one of a layer's F hidden values held at the number `fill`.

    With a gate, a neuron is a column of the product that enters w_out.
    """
    counted(neuron=(neuron, stack_of(model)[1].config.ff_width))
    return run(model, inputs, {block_path(model, layer) + "ffn.hidden": set_unit(neuron, fill)})[0]


def mean_at(model: nn.Module, inputs: Inputs, site: str) -> Float[Tensor, "..."]:
    """The mean over batch and positions of what passes `site`: (B, T, D) -> (D), (B, H, T, E) -> (H, E).

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> mean_at(mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), "blocks.0.attn.core").shape
    torch.Size([2, 4])
    """
    value = run(model, inputs)[1][site]
    if not isinstance(value, Tensor) or value.dim() not in (3, 4):
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise ValueError(f"site={site!r} puts out {what}; it must be (B, T, D) or (B, H, T, E)")
    return value.mean(dim=(0, value.dim() - 2))


def ablation_sweep(
    model: nn.Module, inputs: Inputs, metric: Callable[[Tensor], float | Tensor]
) -> Float[Tensor, "L H"]:
    """For every head, metric(output without it) - metric(output), in float64; with a loss, above 0 means it helped.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> ablation_sweep(mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), lambda logits: logits[0, -1, 5]).shape
    torch.Size([1, 2])
    """
    _, stack = stack_of(model)
    whole = one_number(metric, run(model, inputs)[0])
    rows = [
        [one_number(metric, ablate_head(model, layer, head, inputs)) - whole for head in range(stack.config.n_heads)]
        for layer in range(len(stack.blocks))
    ]
    return torch.tensor(rows, dtype=torch.float64)


def _fitting(fill: float | Tensor, shape: tuple[int, ...]) -> float | Tensor:
    """A wrong shape would broadcast along some other axis and say nothing."""
    if isinstance(fill, Tensor) and tuple(fill.shape) not in ((), tuple(shape)):
        raise ValueError(f"fill has shape {tuple(fill.shape)}; it must be a number or have shape {tuple(shape)}")
    return fill

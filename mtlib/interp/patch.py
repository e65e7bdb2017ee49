"""Carry one value from a run that goes right into one that goes wrong: what was enough to mend it?

    effect = (patched - corrupt) / (clean - corrupt)         0: changed nothing, 1: mended all

clean and corrupt are two texts of one shape that ask for different answers; the three numbers
are one metric of three runs. Effects below 0 and above 1 are real: a part can work against
the answer, or be held back by others. Source: the causal tracing of Meng et al. 2022, section
2; the normalised effect as in Zhang and Nanda 2024, section 2.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..trace import Trace
from ._run import Inputs, one_number, run, stack_of

Metric = Callable[[Tensor], float | Tensor]


def patching_effect(clean: float | Tensor, corrupt: float | Tensor, patched: float | Tensor) -> float:
    """The share of the way from corrupt to clean that the patch went.

    Raises ValueError where clean equals corrupt: there is no way to go.

    >>> patching_effect(clean=3.0, corrupt=-1.0, patched=1.0)
    0.5
    """
    clean, corrupt, patched = (value.item() if isinstance(value, Tensor) else value for value in (clean, corrupt, patched))
    if clean == corrupt:
        raise ValueError(f"clean and corrupt are both {clean}; they must differ for a share to mean anything")
    return (patched - corrupt) / (clean - corrupt)


def patched_logits(model: nn.Module, clean_ids: Inputs, corrupt_ids: Inputs, site: str) -> Tensor:
    """The output of the corrupt run with the clean run's whole value at `site`, a path of the trace.

    Raises ValueError where the two inputs differ in shape, or where the site puts out more
    than one tensor; KeyError for an unknown site.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> model, clean, corrupt = mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), torch.tensor([[3, 2, 4]])
    >>> torch.equal(patched_logits(model, clean, corrupt, "blocks.0"), model(clean))
    True
    """
    value = _clean(model, clean_ids, corrupt_ids)[1][site]
    if not isinstance(value, Tensor):
        raise ValueError(f"site={site!r} puts out a {type(value).__name__}; it must put out one tensor")
    return run(model, corrupt_ids, {site: lambda _: value})[0]


def patch_positions(model: nn.Module, clean_ids: Inputs, corrupt_ids: Inputs, metric: Metric) -> Float[Tensor, "depths T"]:
    """Where and when the answer stands in the stream: the effect of each single vector of it, (L+1, T).

    Row 0 patches the embedding, row l what layer l-1 left. `metric` makes one number of the
    output. Float64. Raises ValueError where the metric is the same for both texts.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> model, clean, corrupt = mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), torch.tensor([[3, 2, 4]])
    >>> effects = patch_positions(model, clean, corrupt, lambda logits: logits[0, -1, 5])
    >>> effects[0].abs().round(decimals=3).tolist()        # the texts differ at position 1 only
    [0.0, 1.0, 0.0]
    """
    prefix, stack = stack_of(model)
    sites = [f"{prefix}dropout", *(f"{prefix}blocks.{layer}.resid_post" for layer in range(len(stack.blocks)))]
    return _sweep(model, clean_ids, corrupt_ids, metric, sites, axis=1)


def patch_heads(model: nn.Module, clean_ids: Inputs, corrupt_ids: Inputs, metric: Metric) -> Float[Tensor, "L H"]:
    """Which heads carry the answer: the effect of each head's clean output, at all positions, (L, H).

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> model, clean, corrupt = mt.DecoderLM(config), torch.tensor([[3, 1, 4]]), torch.tensor([[3, 2, 4]])
    >>> patch_heads(model, clean, corrupt, lambda logits: logits[0, -1, 5]).shape
    torch.Size([1, 2])
    """
    prefix, stack = stack_of(model)
    sites = [f"{prefix}blocks.{layer}.attn.core" for layer in range(len(stack.blocks))]
    return _sweep(model, clean_ids, corrupt_ids, metric, sites, axis=1)


def _sweep(model: nn.Module, clean_ids: Inputs, corrupt_ids: Inputs, metric: Metric, sites: list[str], axis: int) -> Tensor:
    """At each site, for each place along `axis`, the effect of patching that place alone."""
    clean_out, seen = _clean(model, clean_ids, corrupt_ids)
    clean, corrupt = one_number(metric, clean_out), one_number(metric, run(model, corrupt_ids)[0])

    def effect(site: str, place: int) -> float:
        def patch(value: Tensor) -> Tensor:
            return value.index_copy(axis, at, seen[site].index_select(axis, at))

        at = torch.tensor([place], device=seen[site].device)
        return patching_effect(clean, corrupt, one_number(metric, run(model, corrupt_ids, {site: patch})[0]))

    rows = [[effect(site, place) for place in range(seen[site].size(axis))] for site in sites]
    return torch.tensor(rows, dtype=torch.float64)


def _clean(model: nn.Module, clean_ids: Inputs, corrupt_ids: Inputs) -> tuple[Tensor, Trace]:
    shapes = [[tuple(x.shape) for x in (ids if isinstance(ids, tuple) else (ids,))] for ids in (clean_ids, corrupt_ids)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"clean_ids has shape {shapes[0]} and corrupt_ids {shapes[1]}; they must be equal")
    return run(model, clean_ids)

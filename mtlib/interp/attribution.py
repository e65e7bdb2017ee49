"""Whose doing is a logit? The stream is a sum, and the way from it to a logit is almost linear.

    logit = Σ_parts ((part - mean part) / scale ⊙ gain) · w_u  +  bias · w_u

The parts are the embedding, every head, every FFN. The norm in between is not linear, but once
its scale has been measured on the whole stream, it is: "frozen", each part is centred, divided
and stretched by itself. What a part does *through later layers* is not counted here; ablation
counts that. Source: Elhage et al. 2021, "Residual stream" and "Logits as a sum of paths";
the frozen norm as in Wang et al. 2023, section 3.1. RMSNorm centres nothing and has no bias.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .. import _check
from ..norm import LayerNorm, RMSNorm
from ..trace import Trace
from ..transformer import DecoderLM
from ._run import Inputs, run, writer_of


class LogitParts(NamedTuple):
    """`values` (N, B): what each of the N `names` gave to the logit; `bias` (B): what the norm's shift gave."""

    names: list[str]
    values: Float[Tensor, "N B"]
    bias: Float[Tensor, "B"]


def direct_logit(
    parts: Float[Tensor, "N D"], scale: Float[Tensor, ""], gain: Float[Tensor, "D"], w_u: Float[Tensor, "D"]
) -> Float[Tensor, "N"]:
    """What each part of one stream vector gives to one logit, through a LayerNorm whose statistics are frozen.

    `scale` is √(var + eps) of the whole vector, `gain` the norm's weight, `w_u` the token's row
    in the head. The norm's bias is nobody's part.

    >>> parts = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    >>> direct_logit(parts, torch.tensor(0.5), torch.ones(2), torch.tensor([1.0, 0.0])).tolist()
    [-2.0, 2.0]
    """
    return direct_logit_rms(parts - parts.mean(dim=-1, keepdim=True), scale, gain, w_u)


def direct_logit_rms(
    parts: Float[Tensor, "N D"], scale: Float[Tensor, ""], gain: Float[Tensor, "D"], w_u: Float[Tensor, "D"]
) -> Float[Tensor, "N"]:
    """The same through an RMSNorm: nothing is centred, and scale is √(mean square + eps).

    >>> direct_logit_rms(torch.tensor([[1.0, 3.0]]), torch.tensor(0.5), torch.ones(2), torch.tensor([1.0, 0.0])).tolist()
    [2.0]
    """
    return (parts / scale * gain) @ w_u


def logit_parts(
    model: nn.Module, inputs: Inputs, target: int | Int64[Tensor, "B"], position: int = -1
) -> LogitParts:
    """The logit of token `target` at `position`, as a sum: values.sum(0) + bias is the logit.

    `target` is one id, or one for each text. The parts: ``embedding`` (positions included), for
    each layer ``attn.N.head.H`` and ``attn.N.o_proj.bias`` (where there is one), ``ffn.N``;
    in a translator also ``cross_attn.N.…``. A preference of one token over another is the
    difference of two calls. Raises ValueError for placement 'post', where the stream is no sum.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> model, ids = mt.DecoderLM(config), torch.tensor([[3, 1, 4]])
    >>> parts = logit_parts(model, ids, target=5); parts.names
    ['embedding', 'attn.0.head.0', 'attn.0.head.1', 'attn.0.o_proj.bias', 'ffn.0']
    >>> torch.allclose(parts.values.sum(0) + parts.bias, model(ids)[:, -1, 5], atol=1e-6)
    True
    """
    prefix, writer = writer_of(model)
    needs_sum(writer)
    logits, seen = run(model, inputs)
    B, T, V = logits.shape
    if not -T <= position < T:
        raise ValueError(f"position={position} is outside the {T} positions of the text")
    target = torch.as_tensor(target, device=logits.device)
    if target.shape not in ((), (B,)):
        raise ValueError(f"target has shape {tuple(target.shape)}; it must be one id, or one for each of {B} texts")
    target = target.expand(B)
    if target.dtype != torch.int64 or not 0 <= int(target.min()) <= int(target.max()) < V:
        raise ValueError(f"target={target.tolist()} must be token ids in 0…{V - 1}")
    with torch.no_grad():
        named = {name: part[:, position] for name, part in _parts(writer, prefix, seen)}  # (B, D) each
        stream, w_u = seen[f"{prefix}blocks.{len(writer.blocks) - 1}.resid_post"][:, position], head_rows(writer)[target]
        norm, scale = writer.norm, norm_scale(writer.norm, stream)
        one = direct_logit if isinstance(norm, LayerNorm) else direct_logit_rms
        parts = torch.stack(list(named.values()))  # (N, B, D)
        values = torch.stack([one(parts[:, b], scale[b], norm.weight, w_u[b]) for b in range(B)], dim=1)
        bias = w_u @ norm.bias if isinstance(norm, LayerNorm) else torch.zeros_like(values[0])
    return LogitParts(list(named), values, bias)


def norm_scale(norm: LayerNorm | RMSNorm, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
    """What the norm divides x by: √(var + eps), for RMSNorm √(mean square + eps).

    >>> norm_scale(LayerNorm(2), torch.tensor([3.0, 5.0])).round(decimals=3)
    tensor(1.)
    """
    _check.tensor(x, "x", "(…, D)")
    about = x.mean(dim=-1, keepdim=True) if isinstance(norm, LayerNorm) else 0.0
    return ((x - about).square().mean(dim=-1) + norm.eps).sqrt()


def head_rows(writer: DecoderLM) -> Float[Tensor, "V D"]:
    """For every token the vector whose product with the normed stream is its logit: W_U."""
    return writer.tok.weight if writer.head is None else writer.head.weight


def needs_sum(writer: DecoderLM) -> None:
    if writer.config.parts.placement == "post":
        raise ValueError("placement='post' norms the stream after every part, so it is no sum of them; take a 'pre' model")


def _parts(writer: DecoderLM, prefix: str, seen: Trace) -> Iterator[tuple[str, Tensor]]:
    """Every term of the stream's sum, (B, T, D) each, in the order in which they are added."""
    yield "embedding", seen[f"{prefix}dropout"]
    for layer, block in enumerate(writer.blocks):
        for kind in ("attn", "cross_attn") if block.cross else ("attn",):
            o_proj = getattr(block, kind).o_proj
            heads = seen[f"{prefix}blocks.{layer}.{kind}.core"]  # (B, H, T, E)
            columns = o_proj.weight.unflatten(1, (heads.size(1), -1))  # (D, H, E): head h's part of o_proj
            for head in range(heads.size(1)):
                yield f"{kind}.{layer}.head.{head}", heads[:, head] @ columns[:, head].T
            if o_proj.bias is not None:
                yield f"{kind}.{layer}.o_proj.bias", o_proj.bias.expand_as(seen[f"{prefix}dropout"])
        yield f"ffn.{layer}", seen[f"{prefix}blocks.{layer}.ffn"]

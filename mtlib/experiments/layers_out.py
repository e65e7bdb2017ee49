"""Early layers and late ones: SmolLM2, thirty blocks deep, with each block skipped in turn, and each asked for its answer.

Skipped: the block's attention and its FFN add nothing, so that the next block reads what this one
read. Asked: the final norm and the head, which only the last block was trained for, read the stream
already here (the logit lens, mtlib.interp.lens). Three short texts of our own. The weights are those
of `mtlib fetch smollm2`.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from .. import pretrained
from ..interp import residual_stream
from ..trace import trace
from ..transformer import DecoderLM

TEXTS = (
    "The train to the coast leaves at seven in the morning, so we packed our bags the night before and went to bed early.",
    "If you want to bake bread at home, you need flour, water, salt and yeast, and above all you need a little time.",
    "Water boils at a lower temperature on a high mountain, because the air pressure is lower there than at sea level.",
)


def surprise(logits: Float[Tensor, "1 T V"], ids: Int64[Tensor, "1 T"]) -> float:
    """The mean surprise at the next token, in nats."""
    return F.cross_entropy(logits[0, :-1], ids[0, 1:]).item()


@torch.no_grad()
def without(model: DecoderLM, layer: int, ids: Int64[Tensor, "1 T"]) -> float:
    """The surprise with one block skipped."""
    silent = {f"blocks.{layer}.{part}": torch.zeros_like for part in ("attn", "ffn")}
    with trace(model, replace=silent):
        return surprise(model(ids), ids)


@torch.no_grad()
def asked_early(model: DecoderLM, ids: Int64[Tensor, "1 T"]) -> list[float]:
    """The surprise of the head at every depth, L + 1 numbers: of the embedding, then of what each block left."""
    return [surprise(model.unembed(model.norm(stream)), ids) for stream in residual_stream(model, ids)]


def row(model: DecoderLM, n: int, ids: Int64[Tensor, "1 T"]) -> dict[str, object]:
    """All of it for text n."""
    lens = [round(value, 3) for value in asked_early(model, ids)]
    skipped = [round(without(model, layer, ids), 3) for layer in range(len(model.blocks))]
    return {"text": n, "tokens": ids.size(1), "whole": lens[-1], "without": skipped, "lens": lens}


def measure() -> list[dict[str, object]]:
    """Every text; about a minute."""
    smol = pretrained.smollm2()
    return [row(smol.model, n, smol.ids(text)) for n, text in enumerate(TEXTS)]

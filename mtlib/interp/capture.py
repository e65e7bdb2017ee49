"""What passes through every layer, gathered into one tensor.

    stream[0] = embedding        stream[l] = what layer l-1 left there

Any single value is one line of mt.trace; these are the three that most questions begin with.
For the model with two stacks they show the decoder, the side that answers. Nothing here can be
differentiated: for gradients take mt.trace itself.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._run import Inputs, run, stack_of


def residual_stream(model: nn.Module, inputs: Inputs) -> Float[Tensor, "depths B T D"]:
    """The stream at every depth, (L+1, B, T, D): the embedding, then what each layer left.

    `inputs` is what the model is called with: ids (B, T), or a tuple of all its arguments. The
    final norm comes after. Raises TypeError for a model without blocks. Source: the "residual
    stream" of Elhage et al. 2021, "High-Level Architecture".

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3)
    >>> residual_stream(mt.DecoderLM(config), torch.tensor([[3, 1, 4]])).shape
    torch.Size([4, 1, 3, 8])
    """
    prefix, stack = stack_of(model)
    _, seen = run(model, inputs)
    after_layers = [seen[f"{prefix}blocks.{layer}.resid_post"] for layer in range(len(stack.blocks))]
    return torch.stack([seen[f"{prefix}dropout"], *after_layers])  # dropout is the last to touch the embedding


def head_outputs(model: nn.Module, inputs: Inputs) -> Float[Tensor, "L B H T E"]:
    """What every head hands to o_proj, (L, B, H, T, E); in the trace, ``blocks.N.attn.core``.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3)
    >>> head_outputs(mt.DecoderLM(config), torch.tensor([[3, 1, 4]])).shape
    torch.Size([3, 1, 2, 3, 4])
    """
    return _every_layer(model, inputs, "attn.core")


def attention_weights(model: nn.Module, inputs: Inputs) -> Float[Tensor, "L B H T_q T_k"]:
    """Who looks at whom in every self-attention, (L, B, H, T_q, T_k); each row sums to 1.

    Raises KeyError, with the remedy, where fused attention keeps its weights to itself.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3)
    >>> attention_weights(mt.DecoderLM(config), torch.tensor([[3, 1, 4]])).sum(-1).round().unique()
    tensor([1.])
    """
    return _every_layer(model, inputs, "attn.core.weights")


def _every_layer(model: nn.Module, inputs: Inputs, site: str) -> Tensor:
    prefix, stack = stack_of(model)
    _, seen = run(model, inputs)
    return torch.stack([seen[f"{prefix}blocks.{layer}.{site}"] for layer in range(len(stack.blocks))])

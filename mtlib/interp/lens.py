"""Ask every layer for its answer, with the head that only the last was trained for.

    lens[l] = unembed(norm(stream[l]))            lens[L] is the model itself

What it shows is how much of the answer already stands in the stream, written so that the head
can read it; that a layer scores badly here does not mean that it knows nothing. Source:
nostalgebraist 2020, "interpreting GPT: the logit lens"; its limits, Belrose et al. 2023, section 2.
"""

from jaxtyping import Float
from torch import Tensor, nn

from ._run import Inputs, at_rest, writer_of
from .capture import residual_stream


def logit_lens(model: nn.Module, ids: Inputs) -> Float[Tensor, "depths B T V"]:
    """Final norm and head applied to the embedding and to what each layer left, (L+1, B, T, V).

    With placement 'post' there is no final norm to apply: every layer ends in its own. Raises
    TypeError for a model that does not score tokens.

    >>> import torch, mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3)
    >>> model, ids = mt.DecoderLM(config), torch.tensor([[3, 1, 4]])
    >>> torch.allclose(logit_lens(model, ids)[-1], model(ids))
    True
    """
    _, writer = writer_of(model)
    stream = residual_stream(model, ids)
    with at_rest(model):
        return writer.unembed(writer.norm(stream) if writer.config.parts.placement == "pre" else stream)

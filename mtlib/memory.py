"""How many bytes a model takes: to hold, to train, to generate; by closed form and measured.

    training     weights + gradients + AdamW's two averages + what forward keeps for backward
    generating   weights + the keys and values of every position so far

Backward needs what each operation was given or gave, so forward keeps it: that is where a
training run's memory goes, and where the T² is. A term below stands for one tensor that
autograd keeps; nothing is counted twice, and parameters are not counted, for they are there
anyway. Arguments as in count.py. Left out: what the loss keeps of the logits (B·T·V numbers
for cross-entropy), the gradients that backward holds for a moment, a pool of your own, and
dropout, whose masks are numbers on a CPU and single bytes on a GPU.
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from . import _check
from .config import ModelConfig
from .count import _add, _known, _total

# How many (B, T, F) tensors the FFN keeps. ReLU, tanh and sigmoid need only what they gave,
# which w_out keeps anyway; GELU and SiLU need what they were given. A gate's product needs both factors.
WIDE = {
    "relu": 1, "tanh": 1, "sigmoid": 1, "gelu": 2, "gelu-tanh": 2, "silu": 2,
    "reglu": 3, "swiglu": 4, "geglu": 4, "geglu-tanh": 4,
}  # fmt: skip


def training(n_parameters: int, *, itemsize: int = 4) -> dict[str, int]:
    """Bytes that training holds from step to step: weights, a gradient each, and AdamW's two averages of it.

    Source: Kingma and Ba 2015, algorithm 1, m and v; torch's own step counts, 4 bytes for
    each tensor, are not in it.

    >>> training(124_439_808)["total"] // 2**20
    1898
    """
    _check.positive(n_parameters=n_parameters, itemsize=itemsize)
    each = n_parameters * itemsize
    return _total({"weights": each, "gradients": each, "adamw": 2 * each})


def kv_cache(config: ModelConfig, T: int, *, batch: int = 1, memory: int = 0, itemsize: int = 4) -> int:
    """Bytes of a ModelCache that has seen T positions: keys and values of G heads, in every layer.

    With a memory of S positions, its keys and values too; they are made once and do not grow.

    >>> kv_cache(ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1), T=4)
    256
    """
    _check.positive(T=T, batch=batch, itemsize=itemsize)
    _known(None, False, memory=memory)
    c = config
    return 2 * c.n_layers * batch * c.kv_heads * (T + memory) * c.head_width * itemsize


def activations(
    config: ModelConfig, T: int, *, batch: int = 1, n_classes: int | None = None, memory: int = 0, itemsize: int = 4
) -> dict[str, int]:
    """Bytes that one forward of an explicit model (mt.use_explicit) keeps for backward, in each part, over all layers.

    A Transformer is counted with its mean pool. Raises ValueError for a config with dropout.

    >>> activations(ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1), T=4)["ids"]
    32
    """
    _check.positive(T=T, batch=batch, itemsize=itemsize)
    _known(n_classes, False, memory=memory)
    if config.dropout:
        raise ValueError(f"dropout={config.dropout} keeps masks whose size depends on the device; count with dropout=0.0")
    c, L = config, config.n_layers
    stream, source = batch * T * c.d_model, batch * memory * c.d_model
    # Groups are read as H heads, by copies; a single group of a single sequence torch can read in place.
    shared = c.head_width if batch == c.kv_heads == 1 else c.d_model
    norms = L * (3 if memory else 2) + 1
    causal = n_classes is None and T > 1  # one position alone sees all, so nothing is masked
    numbers = {
        # x and x over its deviation; LayerNorm also x minus its mean; and the deviation, a number a position
        "norms": norms * ((3 if c.parts.norm == "layer" else 2) * stream + batch * T),
        # what q, k and v were made from; then q/√E, k, v as H heads; what o_proj mixes
        "attention": L * (3 * stream + 2 * batch * T * shared),
        "cross": (L * (3 * stream + 2 * batch * memory * shared) + source) if memory else 0,  # the memory once for all layers
        # the softmax; where a mask filled it up again, once more; scores are not needed any longer
        "weights": L * batch * c.n_heads * T * ((2 if causal else 1) * T + memory),
        "ffn": L * (stream + WIDE[c.parts.ffn] * batch * T * c.ff_width),  # what it reads, and inside
        "head": stream if n_classes is None else batch * c.d_model if n_classes else 0,
    }
    # The rotation of q and that of k, a cos and a sin for each of E columns.
    turns = 4 * L * T * c.head_width if c.parts.position.startswith("rotary") else 0
    buckets = 8 * L * T * T if c.parts.position == "t5" else 0  # which bucket each distance fell into, int64
    return _total({
        "ids": 8 * batch * T,  # int64: the rows of the table that get a gradient
        "positions": turns * itemsize + buckets,
        "masks": 2 * L * T * T if causal else 0,  # the upper triangle, for each of the two fillings, a byte a pair
        **{part: count * itemsize for part, count in numbers.items()},
    })  # fmt: skip


def encoder_decoder_activations(
    source: ModelConfig, target: ModelConfig | None = None, *, S: int, T: int, batch: int = 1, itemsize: int = 4
) -> dict[str, int]:
    """The encoder's and the decoder's; what the encoder puts out is the decoder's memory."""
    encoder = activations(source, S, batch=batch, n_classes=0, itemsize=itemsize)
    return _add(encoder, activations(target or source, T, batch=batch, memory=S, itemsize=itemsize))


def measured_activations(model: nn.Module, *inputs: Tensor) -> int:
    """Bytes that autograd keeps of `model(*inputs)`, each storage once, the model's own tensors left out.

    A model and ids on the meta device are measured as well, at any size; but a fused model
    shows what it saves only on a real device, for the meta device has no fused kernels.

    >>> model = nn.Sequential(nn.Linear(8, 4), nn.Tanh())
    >>> measured_activations(model, torch.zeros(3, 8)) == 4 * (3 * 8 + 3 * 4)  # what went in, what tanh gave
    True
    """
    own = {t.untyped_storage()._cdata for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, Any] = {}  # the storages themselves, so that none is freed and its place taken by another

    def pack(t: Tensor) -> Tensor:
        storage = t.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage
        return t

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        model(*inputs)
    return sum(storage.nbytes() for storage in kept.values())

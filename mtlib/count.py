"""How many parameters, how many operations: from the config alone, part by part.

    parameters(config)         what a DecoderLM holds
    flops(config, T)           what one forward over T positions computes, as matrix products

A model is named by what it does besides: `n_classes` makes it a Transformer (0: its encoder
alone), `cross` or a memory of S positions gives a decoder's blocks a second attention, and an
encoder-decoder is the sum of two. Letters as in letters.py. Left out: what a pool of its own
holds or computes, and every operation that is not a matrix product; norms, softmax,
activations and lookups are a few per cent of the work, though not of the time.
"""

from collections.abc import Mapping

from . import _check
from .config import ModelConfig
from .letters import T5_BUCKETS

GATED = ("swiglu", "geglu", "geglu-tanh", "reglu")
FORWARD_AND_BACKWARD = 3  # Y = X W goes back as two products of the same size: dX = dY Wᵀ and dW = Xᵀ dY


def parameters(config: ModelConfig, *, n_classes: int | None = None, cross: bool = False) -> dict[str, int]:
    """Parameters of each part over all layers, and their total.

    >>> gpt2 = ModelConfig(vocab=50257, max_len=1024, d_model=768, n_heads=12, n_layers=12)
    >>> parameters(gpt2)["total"]
    124439808
    """
    _known(n_classes, cross)
    c, D = config, config.d_model
    kv = c.kv_heads * c.head_width  # G·E columns of keys, and as many of values; D of them when G = H
    attentions = c.n_layers * (2 if cross else 1)
    norms = c.n_layers * (3 if cross else 2) + 1  # one before or after each sublayer, and one where blocks have none
    classes = 0 if n_classes is None else n_classes * (D + 1)

    def linear(n_in: int, n_out: int) -> int:
        return n_in * n_out + (n_out if c.parts.bias else 0)

    return _total({
        "embedding": c.vocab * D,
        "positions": {"learned": c.max_len * D, "t5": T5_BUCKETS * c.n_heads}.get(c.parts.position, 0),
        "attention": attentions * (2 * linear(D, D) + 2 * linear(D, kv)),  # q and o; k and v
        "ffn": c.n_layers * ((2 if gated(c) else 1) * linear(D, c.ff_width) + linear(c.ff_width, D)),
        "norms": norms * (2 * D if c.parts.norm == "layer" else D),  # a gain, and LayerNorm's shift
        "head": classes if n_classes is not None else 0 if c.parts.tied else c.vocab * D,
    })  # fmt: skip


def encoder_decoder_parameters(source: ModelConfig, target: ModelConfig | None = None) -> dict[str, int]:
    """The encoder's and the decoder's; with one config they share the token table, which counts once."""
    both = _add(parameters(source, n_classes=0), parameters(target or source, cross=True))
    once = source.vocab * source.d_model if target is None else 0
    return _total({**both, "embedding": both["embedding"] - once})


def flops(
    config: ModelConfig, T: int, *, batch: int = 1, n_classes: int | None = None, memory: int = 0, past: int = 0
) -> dict[str, int]:
    """Operations of one forward in each part, over all layers; a multiply-add counts as 2.

    T new positions after `past` ones that lie in a cache: a step of generation is T=1. `memory`
    is S, the positions of what is attended to across; its keys and values are made at the
    first call and then lie in the cache too. A causal core computes the upper triangle as
    well and throws it away, so it counts; torch's FlopCounterMode counts the same, but sees no
    fused kernel on a CPU. Backward costs twice as much again.

    >>> flops(ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1), T=4)["scores"]
    256
    """
    _check.positive(T=T, batch=batch)
    _known(n_classes, False, memory=memory, past=past)
    c, D, L = config, config.d_model, config.n_layers
    kv = c.kv_heads * c.head_width

    # (rows, inner) @ (inner, columns): each of rows · columns outputs is `inner` multiply-adds
    def product(rows: int, inner: int, columns: int) -> int:
        return 2 * batch * rows * inner * columns

    asking = L * (product(T, D, D) if memory else 0)
    answering = L * (0 if past else product(memory, D, 2 * kv))
    pairs = product(T, D, past + T + memory)  # H heads of E columns are D columns, whatever H is
    return _total({
        "projections": L * product(T, D, D + 2 * kv) + asking + answering,
        "scores": L * pairs,  # q kᵀ: (T, E) @ (E, T_k) in each head; keys that heads share are still compared by each
        "weighted": L * pairs,  # weights @ v: (T, T_k) @ (T_k, E), the same count
        "output": L * (2 if memory else 1) * product(T, D, D),
        "ffn": L * (3 if gated(c) else 2) * product(T, D, c.ff_width),
        "head": product(T, D, c.vocab) if n_classes is None else product(1, D, n_classes),  # one class a text
    })  # fmt: skip


def encoder_decoder_flops(
    source: ModelConfig, target: ModelConfig | None = None, *, S: int, T: int, batch: int = 1, past: int = 0
) -> dict[str, int]:
    """The source is read once, at the first call; the decoder attends to itself and to it."""
    decoder = flops(target or source, T, batch=batch, memory=S, past=past)
    return decoder if past else _add(flops(source, S, batch=batch, n_classes=0), decoder)


def gated(config: ModelConfig) -> bool:
    """Whether the FFN has three matrices instead of two."""
    return config.parts.ffn in GATED


def _known(n_classes: int | None, cross: bool, **counts: int) -> None:
    """Each of counts is absent (0) or a whole number; an encoder has no cross-attention and no cache."""
    _check.positive(**{name: value for name, value in {"n_classes": n_classes or 0, **counts}.items() if value})
    if n_classes is not None and (cross or any(counts.values())):
        raise ValueError(f"n_classes={n_classes} makes it an encoder, which has no memory to attend to and no cache")


def _total(parts: Mapping[str, int]) -> dict[str, int]:
    own = {name: count for name, count in parts.items() if name != "total"}
    return {**own, "total": sum(own.values())}


def _add(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return _total({name: a[name] + b[name] for name in a})

"""From the words of a config to modules: the one place where they meet.

    NORMS["rms"], FFNS["swiglu"], POSITIONS["rotary"]

A block written by hand needs none of this: it names its classes.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import nn

from .attention import MultiHeadAttention
from .config import ModelConfig
from .ffn import FeedForward, GatedFeedForward
from .norm import LayerNorm, RMSNorm
from .position import Grid, Learned, Position, Sinusoidal
from .rotary import Rotary, RotaryHalves
from .score_bias import ALiBi, RelativeBias

gelu_tanh = partial(F.gelu, approximate="tanh")  # the formula of Hendrycks and Gimpel 2016 that GPT-2 uses

NORMS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType({"layer": LayerNorm, "rms": RMSNorm})

FFNS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType({
    "relu": partial(FeedForward, activation=F.relu),
    "gelu": partial(FeedForward, activation=F.gelu),
    "gelu-tanh": partial(FeedForward, activation=gelu_tanh),
    "silu": partial(FeedForward, activation=F.silu),
    "tanh": partial(FeedForward, activation=torch.tanh),
    "sigmoid": partial(FeedForward, activation=torch.sigmoid),
    "swiglu": partial(GatedFeedForward, activation=F.silu),
    "geglu": partial(GatedFeedForward, activation=F.gelu),
    "geglu-tanh": partial(GatedFeedForward, activation=gelu_tanh),
    "reglu": partial(GatedFeedForward, activation=F.relu),
})

# T5 is the only scheme that is not the same in a decoder, where no key comes after its query.
POSITIONS: Mapping[str, Callable[[ModelConfig, bool], Position]] = MappingProxyType({
    "none": lambda c, causal: Position(),
    "learned": lambda c, causal: Learned(c.max_len, c.d_model),
    "sinusoidal": lambda c, causal: Sinusoidal(c.d_model),
    "grid": lambda c, causal: Grid(c.grid_side, c.grid_side, c.d_model),
    "rotary": lambda c, causal: Rotary(c.head_width, base=c.parts.rotary_base),
    "rotary-halves": lambda c, causal: RotaryHalves(c.head_width, base=c.parts.rotary_base),
    "t5": lambda c, causal: RelativeBias(c.n_heads, bidirectional=not causal),
    "alibi": lambda c, causal: ALiBi(c.n_heads),
})


def norm(config: ModelConfig) -> nn.Module:
    """The config's norm over D."""
    return NORMS[config.parts.norm](config.d_model, config.norm_eps)


def ffn(config: ModelConfig) -> nn.Module:
    """The config's position-wise network, D -> F -> D."""
    return FFNS[config.parts.ffn](config.d_model, config.ff_width, bias=config.parts.bias)


def position(config: ModelConfig, *, causal: bool) -> Position:
    """The config's position scheme."""
    return POSITIONS[config.parts.position](config, causal)


def attention(config: ModelConfig, *, causal: bool = False) -> MultiHeadAttention:
    """The config's attention; causal means that no query sees a later key."""
    c = config
    return MultiHeadAttention(
        c.d_model, c.n_heads, n_kv_heads=c.kv_heads, bias=c.parts.bias, dropout=c.dropout, causal=causal
    )

"""mtlib: the package of the course Mastering Transformers.

    import mtlib as mt

The names below are the public ones. mt.plot, mt.widgets, mt.grading and mt.pretrained are
loaded when first used, so that importing mtlib costs little more than importing torch.
"""

from importlib import import_module
from types import ModuleType

from .attention import ExplicitCore as ExplicitCore
from .attention import FusedCore as FusedCore
from .attention import MultiHeadAttention as MultiHeadAttention
from .attention import merge_heads as merge_heads
from .attention import split_heads as split_heads
from .attention import use_explicit as use_explicit
from .attention import use_fused as use_fused
from .cache import KVCache as KVCache
from .config import ModelConfig as ModelConfig
from .encoder import Encoder as Encoder
from .encoder import EncoderBlock as EncoderBlock
from .ffn import FeedForward as FeedForward
from .masks import causal_keep as causal_keep
from .masks import padding_keep as padding_keep
from .norm import LayerNorm as LayerNorm
from .residual import Residual as Residual
from .trace import Tap as Tap
from .trace import Trace as Trace
from .trace import trace as trace  # hides the submodule of that name on purpose: mt.trace(model) is the call

_WHEN_USED = {"assets", "grading", "plot", "pretrained", "widgets"}


def __getattr__(name: str) -> ModuleType:
    if name in _WHEN_USED:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module 'mtlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHEN_USED})

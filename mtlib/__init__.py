"""mtlib: the package of the course Mastering Transformers.

    import mtlib as mt

The names below are the public ones. The parts named in _WHEN_USED, mt.plot and mt.pretrained
among them, are loaded when first used, so that importing mtlib costs little more than importing torch.
"""

from importlib import import_module
from types import ModuleType

from .attention import MultiHeadAttention as MultiHeadAttention
from .attention import merge_heads as merge_heads
from .attention import split_heads as split_heads
from .cache import KVCache as KVCache
from .cache import ModelCache as ModelCache
from .config import BERT as BERT
from .config import GPT2 as GPT2
from .config import LLAMA as LLAMA
from .config import ORIGINAL as ORIGINAL
from .config import T5 as T5
from .config import ModelConfig as ModelConfig
from .config import Parts as Parts
from .cores import ExplicitCore as ExplicitCore
from .cores import FusedCore as FusedCore
from .cores import use_explicit as use_explicit
from .cores import use_fused as use_fused
from .decoder import Decoder as Decoder
from .decoder import DecoderBlock as DecoderBlock
from .encoder import Encoder as Encoder
from .encoder import EncoderBlock as EncoderBlock
from .ffn import FeedForward as FeedForward
from .ffn import GatedFeedForward as GatedFeedForward
from .generation import Rules as Rules
from .generation import generate as generate
from .heads import AttentionPool as AttentionPool
from .heads import ContrastiveHead as ContrastiveHead
from .heads import FirstPool as FirstPool
from .heads import MaskedTokenHead as MaskedTokenHead
from .heads import MaxPool as MaxPool
from .heads import MeanPool as MeanPool
from .init import init_weights as init_weights
from .masks import causal_keep as causal_keep
from .masks import padding_keep as padding_keep
from .norm import LayerNorm as LayerNorm
from .norm import RMSNorm as RMSNorm
from .position import Grid as Grid
from .position import Learned as Learned
from .position import Position as Position
from .position import Sinusoidal as Sinusoidal
from .residual import Residual as Residual
from .rotary import Rotary as Rotary
from .rotary import RotaryHalves as RotaryHalves
from .score_bias import ALiBi as ALiBi
from .score_bias import RelativeBias as RelativeBias
from .trace import Tap as Tap
from .trace import Trace as Trace
from .transformer import DecoderLM as DecoderLM
from .transformer import EncoderDecoder as EncoderDecoder
from .transformer import Transformer as Transformer
from .trace import trace as trace  # hides the submodule of that name on purpose: mt.trace(model) is the call

_WHEN_USED = {"assets", "data", "grading", "interop", "interp", "memory", "plot", "pretrained", "recurrent", "training", "widgets"}


def __getattr__(name: str) -> ModuleType:
    if name in _WHEN_USED:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module 'mtlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHEN_USED})

"""torch.nn's six attention modules and ours: the same mathematics, other names.

    nn.MultiheadAttention            MultiHeadAttention
    nn.TransformerEncoderLayer       EncoderBlock
    nn.TransformerDecoderLayer       DecoderBlock(cross=True)
    nn.TransformerEncoder, Decoder   Encoder, Decoder(cross=True)
    nn.Transformer                   EncoderDecoder

Torch stacks queries, keys and values in one map, in_proj. Its stacks have no token table, no
positions and no head: those of ours stay behind. A norm after the last layer is ours with 'pre'
only; give torch's none with 'post' (nn.Transformer sets one that the paper has not: put None
in its place). Everything must have biases, as torch's have by default.
"""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from ..config import ModelConfig
from ._table import Row, State, Table, rows

FFN = {"linear1": "ffn.w_in", "linear2": "ffn.w_out"}
NORMS = {"norm1": "norm1", "norm2": "norm2"}
NORMS_WITH_CROSS = {"norm1": "norm1", "norm2": "norm_cross", "norm3": "norm2"}  # torch numbers them in order
TABLES = ("tok.", "pos.", "head.")


def from_torch(kind: type[nn.Module], state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The state dict of a torch module of that kind under our names; ValueError names what does not fit.

    A whole encoder keeps its own tables:

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> layer = nn.TransformerEncoderLayer(8, 2, 32, activation="gelu", batch_first=True, norm_first=True)
    >>> theirs = nn.TransformerEncoder(layer, 1, nn.LayerNorm(8), enable_nested_tensor=False)
    >>> ours = mt.Encoder(config)
    >>> ours.load_state_dict(ours.state_dict() | from_torch(nn.TransformerEncoder, theirs.state_dict(), config))
    <All keys matched successfully>
    """
    return _table(kind, config).to_ours(state)


def to_torch(kind: type[nn.Module], state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse of from_torch, without our tables and head."""
    return _table(kind, config).to_theirs(state)


def _table(kind: type[nn.Module], config: ModelConfig) -> Table:
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} must be one of torch.nn's: {', '.join(known.__name__ for known in KINDS)}")
    if config.kv_heads != config.n_heads:
        raise ValueError(f"n_kv_heads={config.kv_heads} differs from n_heads={config.n_heads}; torch.nn shares no keys")
    sides = ("encoder.", "decoder.") if kind is nn.Transformer else ("",)
    own = TABLES if config.parts.placement == "pre" else (*TABLES, "norm.")
    return Table(KINDS[kind](config), our_unused=tuple(side + name for side in sides for name in own))


def _attention(theirs: str, ours: str) -> tuple[Row, ...]:
    parts = ("weight", "bias")
    stacked = (Row(f"{theirs}in_proj_{part}", tuple(f"{ours}{name}_proj.{part}" for name in "qkv")) for part in parts)
    return *stacked, *rows({"out_proj": "o_proj"}, (theirs, ours))


def _layer(theirs: str = "", ours: str = "", *, cross: bool) -> tuple[Row, ...]:
    found = *_attention(f"{theirs}self_attn.", f"{ours}attn."), *rows(FFN, (theirs, ours))
    if cross:
        found += _attention(f"{theirs}multihead_attn.", f"{ours}cross_attn.")
    return *found, *rows(NORMS_WITH_CROSS if cross else NORMS, (theirs, ours))


def _stack(config: ModelConfig, side: str = "", *, cross: bool) -> tuple[Row, ...]:
    layers = (_layer(f"{side}layers.{n}.", f"{side}blocks.{n}.", cross=cross) for n in range(config.n_layers))
    found = tuple(row for layer in layers for row in layer)
    return (*found, *rows({"norm": "norm"}, (side, side))) if config.parts.placement == "pre" else found


KINDS: Mapping[type[nn.Module], Callable[[ModelConfig], tuple[Row, ...]]] = {
    nn.MultiheadAttention: lambda c: _attention("", ""),
    nn.TransformerEncoderLayer: lambda c: _layer(cross=False),
    nn.TransformerDecoderLayer: lambda c: _layer(cross=True),
    nn.TransformerEncoder: lambda c: _stack(c, cross=False),
    nn.TransformerDecoder: lambda c: _stack(c, cross=True),
    nn.Transformer: lambda c: _stack(c, "encoder.", cross=False) + _stack(c, "decoder.", cross=True),
}

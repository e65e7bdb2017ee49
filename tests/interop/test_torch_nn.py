"""torch.nn's attention modules against ours: weights both ways, with masks, explicit and fused, gradients too."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.testing import assert_close

import mtlib as mt
from mtlib.interop import from_torch, to_torch

from .families import TOLERANCE, randomise

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")  # nn.Transformer asks for what it cannot have
D, H, F, L = 16, 4, 24, 2
LAYER = dict(dim_feedforward=F, dropout=0.0, activation="gelu", batch_first=True)
SOURCE, TARGET = torch.tensor([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0]]), torch.tensor([[2, 7, 1, 8], [6, 1, 8, 0]])


def config(placement="pre"):
    parts = mt.Parts(placement=placement)
    return mt.ModelConfig(vocab=11, max_len=8, d_model=D, n_heads=H, n_layers=L, d_ff=F, norm_eps=1e-5, parts=parts)


class Ours(nn.Module):
    """Our model from the vectors on, for torch.nn begins there: the embedding is done outside."""

    def __init__(self, kind, placement):
        super().__init__()
        c = config(placement)
        self.model = {
            nn.MultiheadAttention: lambda: mt.MultiHeadAttention(D, H),
            nn.TransformerEncoderLayer: lambda: mt.EncoderBlock(c),
            nn.TransformerDecoderLayer: lambda: mt.DecoderBlock(c, cross=True),
            nn.TransformerEncoder: lambda: mt.Encoder(c),
            nn.TransformerDecoder: lambda: mt.Decoder(c, cross=True),
            nn.Transformer: lambda: mt.EncoderDecoder(c),
        }[kind]()
        self.kind = kind

    def forward(self, x, y, x_keep, y_keep):
        """x (B, S, D) is the source, y (B, T, D) the target; ours look at a source in blocks alone."""
        model = self.model
        if self.kind in (nn.MultiheadAttention, nn.TransformerEncoderLayer):
            return model(x, keep=x_keep)
        if self.kind is nn.TransformerDecoderLayer:
            return model(y, y_keep, x, x_keep)
        if self.kind is nn.TransformerEncoder:
            return self._through(model, x, x_keep)
        if self.kind is nn.TransformerDecoder:
            return self._through(model, y, y_keep, x, x_keep)
        return self._through(model.decoder, y, y_keep, self._through(model.encoder, x, x_keep), x_keep)

    @staticmethod
    def _through(stack, x, *rest):
        for block in stack.blocks:
            x = block(x, *rest)
        return stack.norm(x) if stack.config.parts.placement == "pre" else x


def build_theirs(kind, placement, dtype):
    pre = placement == "pre"
    norm = nn.LayerNorm(D) if pre else None
    layer = LAYER | {"norm_first": pre}
    theirs = {
        nn.MultiheadAttention: lambda: nn.MultiheadAttention(D, H, batch_first=True),
        nn.TransformerEncoderLayer: lambda: kind(D, H, **layer),
        nn.TransformerDecoderLayer: lambda: kind(D, H, **layer),
        nn.TransformerEncoder: lambda: kind(nn.TransformerEncoderLayer(D, H, **layer), L, norm, enable_nested_tensor=False),
        nn.TransformerDecoder: lambda: kind(nn.TransformerDecoderLayer(D, H, **layer), L, norm),
        nn.Transformer: lambda: kind(D, H, L, L, **layer),
    }[kind]()
    if kind is nn.Transformer and not pre:  # a norm after post-norm layers, which the paper does not have
        theirs.encoder.norm = theirs.decoder.norm = None
    randomise(theirs)
    return theirs.to(dtype).eval()


def call_theirs(theirs, kind, x, y, x_pad, y_pad):
    causal = ~mt.causal_keep(y.size(1))
    if kind is nn.MultiheadAttention:
        return theirs(x, x, x, key_padding_mask=x_pad)[0]
    if kind in (nn.TransformerEncoderLayer, nn.TransformerEncoder):
        return theirs(x, src_key_padding_mask=x_pad)
    padding = dict(tgt_mask=causal, tgt_key_padding_mask=y_pad, memory_key_padding_mask=x_pad)
    if kind is nn.Transformer:
        padding["src_key_padding_mask"] = x_pad
        return theirs(x, y, **padding)
    return theirs(y, x, **padding)


KINDS = [
    nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer,
    nn.TransformerEncoder, nn.TransformerDecoder, nn.Transformer,
]  # fmt: skip


def both(kind, placement, dtype, theirs, ours):
    """The two outputs at real positions."""
    x, y = (torch.randn(*ids.shape, D, dtype=dtype) for ids in (SOURCE, TARGET))
    x_keep, y_keep = mt.padding_keep(SOURCE, pad=0), mt.padding_keep(TARGET, pad=0)
    wanted = call_theirs(theirs, kind, x, y, SOURCE == 0, TARGET == 0)
    real = (SOURCE if wanted.size(1) == SOURCE.size(1) else TARGET) != 0
    return ours(x, y, x_keep, y_keep)[real], wanted[real]


@pytest.mark.parametrize("placement", ["pre", "post"])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_torchs_weights_in_ours_and_back_give_the_same_vectors(kind, dtype, placement):
    theirs, ours, c = build_theirs(kind, placement, dtype), Ours(kind, placement).to(dtype).eval(), config(placement)
    own = ours.model.state_dict()
    state = from_torch(kind, theirs.state_dict(), c)
    ours.model.load_state_dict(own | state)
    for swap in mt.use_explicit, mt.use_fused:
        swap(ours)
        assert_close(*both(kind, placement, dtype, theirs, ours), atol=TOLERANCE[dtype], rtol=0)

    randomise(ours)
    back = to_torch(kind, ours.model.state_dict(), c)
    theirs.load_state_dict(back)
    assert_close(*both(kind, placement, dtype, theirs, ours), atol=TOLERANCE[dtype], rtol=0)
    left = {name for name in own if name not in from_torch(kind, back, c)}
    assert {name.removeprefix("encoder.").removeprefix("decoder.").split(".")[0] for name in left} <= {"tok", "pos", "norm"}


@pytest.mark.parametrize("placement", ["pre", "post"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_parameter_gets_torchs_gradient(kind, placement):
    theirs, ours = build_theirs(kind, placement, torch.float64).train(), Ours(kind, placement).double()
    own = dict(theirs.named_parameters())
    state = {f"model.{name}": p for name, p in from_torch(kind, own, config(placement)).items()}

    def through_their_parameters(*inputs):
        return functional_call(ours, state, inputs)

    got, wanted = both(kind, placement, torch.float64, theirs, through_their_parameters)
    cotangent = torch.randn_like(wanted)
    grads = (torch.autograd.grad(out, own.values(), cotangent) for out in (got, wanted))
    for name, a, b in zip(own, *grads):
        assert_close(a, b, atol=1e-10, rtol=0, msg=name)


def test_what_torch_has_and_ours_has_not_is_named():
    whole = nn.Transformer(D, H, L, L, **LAYER)
    with pytest.raises(ValueError, match="no place for decoder.norm.bias, decoder.norm.weight, encoder.norm.bias and 1 more"):
        from_torch(nn.Transformer, whole.state_dict(), config("post"))
    no_norm = nn.TransformerDecoder(nn.TransformerDecoderLayer(D, H, **LAYER), L)
    with pytest.raises(ValueError, match="norm.weight, norm.bias missing"):
        from_torch(nn.TransformerDecoder, no_norm.state_dict(), config("pre"))
    with pytest.raises(ValueError, match="must be one of torch.nn's: MultiheadAttention, TransformerEncoderLayer"):
        from_torch(nn.Linear, {}, config())
    shared = mt.ModelConfig(vocab=11, max_len=8, d_model=D, n_heads=H, n_layers=L, n_kv_heads=1)
    with pytest.raises(ValueError, match="n_kv_heads=1 differs from n_heads=4; torch.nn shares no keys"):
        from_torch(nn.TransformerEncoder, {}, shared)

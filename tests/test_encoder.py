"""The encoder's parts against torch.nn, and what must hold for any input."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import mtlib as mt

pytestmark = pytest.mark.ch06


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_layer_norm_equals_torchs(dtype, tolerance):
    x = torch.randn(3, 4, 16, dtype=dtype) * 50 + 7
    ours, theirs = mt.LayerNorm(16, eps=1e-3).to(dtype), nn.LayerNorm(16, eps=1e-3).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    assert_close(ours(x), theirs(x), atol=tolerance, rtol=0)


@pytest.mark.parametrize("norm", [mt.LayerNorm, mt.RMSNorm])
def test_a_fused_norm_is_the_same_function_of_input_and_weights(norm):
    model = norm(16, eps=1e-3).double()
    torch.nn.init.normal_(model.weight)
    x = torch.randn(3, 4, 16, dtype=torch.float64, requires_grad=True)
    cotangent = torch.randn_like(x)
    explicit, fused = (torch.autograd.grad(swap(model)(x), [x, model.weight], cotangent) + (model(x),)
                       for swap in (mt.use_explicit, mt.use_fused))
    for mine, theirs in zip(explicit, fused):
        assert_close(mine, theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("placement", ["pre", "post"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_block_equals_torchs_encoder_layer(placement, dtype, tolerance):
    config = mt.ModelConfig(vocab=5, max_len=5, d_model=16, n_heads=4, n_layers=1, d_ff=24, parts=mt.Parts(placement=placement))
    ours = mt.EncoderBlock(config).to(dtype).eval()
    theirs = nn.TransformerEncoderLayer(
        16, 4, 24, activation="gelu", batch_first=True, norm_first=placement == "pre", dtype=dtype
    ).eval()
    state, a = ours.state_dict(), ours.attn
    for part in "weight", "bias":
        theirs_state = {
            f"self_attn.in_proj_{part}": torch.cat([getattr(p, part) for p in (a.q_proj, a.k_proj, a.v_proj)]),
            f"self_attn.out_proj.{part}": state[f"attn.o_proj.{part}"],
            f"linear1.{part}": state[f"ffn.w_in.{part}"],
            f"linear2.{part}": state[f"ffn.w_out.{part}"],
            f"norm1.{part}": state[f"norm1.{part}"],
            f"norm2.{part}": state[f"norm2.{part}"],
        }
        theirs.load_state_dict(theirs_state, strict=False)
    x = torch.randn(2, 7, 16, dtype=dtype)
    padding = torch.tensor([[False] * 7, [False] * 4 + [True] * 3])
    wanted = theirs(x, src_key_padding_mask=padding)
    assert_close(ours(x, ~padding[:, None, None, :])[~padding], wanted[~padding], atol=tolerance, rtol=0)


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_padding_changes_nothing_for_the_real_tokens(placement):
    config = mt.ModelConfig(vocab=9, max_len=8, d_model=16, n_heads=2, n_layers=2, parts=mt.Parts(placement=placement))
    model = mt.Encoder(config).double().eval()
    short = torch.tensor([[3, 1, 4]])
    padded = torch.tensor([[3, 1, 4, 0, 0]])
    assert_close(model(padded, mt.padding_keep(padded, pad=0))[:, :3], model(short), atol=1e-12, rtol=0)


def test_the_output_is_normalised_in_both_placements():
    for placement in "pre", "post":
        config = mt.ModelConfig(vocab=9, max_len=8, d_model=64, n_heads=2, n_layers=1, parts=mt.Parts(placement=placement))
        out = mt.Encoder(config)(torch.arange(8)[None])
        assert_close(out.mean(-1), torch.zeros(1, 8), atol=1e-5, rtol=0)
        assert_close(out.std(-1, unbiased=False), torch.ones(1, 8), atol=1e-3, rtol=0)

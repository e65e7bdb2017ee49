"""The cores and the module against torch's own, values and gradients; masks, heads, groups, caches."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

import mtlib as mt

pytestmark = pytest.mark.ch06
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def close(a, b, dtype):
    assert_close(a, b, atol=TOLERANCE[dtype], rtol=0)


def qkv(T_q, T_k, dtype=torch.float64, batch=(2, 4), E=8, E_v=8):
    shapes = (*batch, T_q, E), (*batch, T_k, E), (*batch, T_k, E_v)
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


def keeps(T_q, T_k):
    """One of each kind of mask, among them one whose first query may look at nothing."""
    nothing = torch.rand(2, 1, T_q, T_k) > 0.4
    nothing[:, :, 0] = False
    return {
        "none": None,
        "causal": mt.causal_keep(T_q, T_k) if T_q <= T_k else None,
        "padding": torch.tensor([[True] * T_k, [True] + [False] * (T_k - 1)])[:, None, None, :],
        "per head": torch.rand(2, 4, T_q, T_k) > 0.3,
        "a row with nothing": nothing,
    }


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("T_q, T_k", [(5, 5), (1, 7), (3, 7), (7, 3)])
def test_both_cores_equal_torch_in_values_and_gradients(dtype, T_q, T_k):
    for name, keep in keeps(T_q, T_k).items():
        inputs = qkv(T_q, T_k, dtype)
        theirs = F.scaled_dot_product_attention(*inputs, attn_mask=keep)
        cotangent = torch.randn_like(theirs)
        their_grads = torch.autograd.grad(theirs, inputs, cotangent)
        for core in mt.ExplicitCore(), mt.FusedCore():
            ours = core(*inputs, keep)
            close(ours, theirs, dtype)
            for mine, their in zip(torch.autograd.grad(ours, inputs, cotangent), their_grads):
                assert mine.isfinite().all(), name
                close(mine, their, dtype)


def test_a_query_that_may_look_at_nothing_gets_zeros_and_no_gradient():
    q, k, v = qkv(3, 3)
    keep = torch.ones(3, 3, dtype=torch.bool)
    keep[1] = False
    out = mt.ExplicitCore()(q, k, v, keep)
    assert (out[..., 1, :] == 0).all()
    out.sum().backward()
    assert (q.grad[..., 1, :] == 0).all() and k.grad.isfinite().all()


def test_the_value_width_may_differ_from_the_key_width():
    assert mt.ExplicitCore()(*qkv(2, 5, E=8, E_v=3)).shape == (2, 4, 2, 3)


def test_scores_in_the_tens_of_thousands_do_not_overflow():
    q, k, v = qkv(4, 4, torch.float32)
    out = mt.ExplicitCore()(1e3 * q, 1e3 * k, v)
    assert out.isfinite().all()
    assert (out.abs() <= v.abs().amax(dim=-2, keepdim=True) + 1e-6).all()  # an average stays within its values


def torch_twin(ours: mt.MultiHeadAttention, d_model, n_heads, dtype) -> nn.MultiheadAttention:
    twin = nn.MultiheadAttention(d_model, n_heads, batch_first=True, dtype=dtype)
    with torch.no_grad():
        for name in "weight", "bias":
            stacked = torch.cat([getattr(p, name) for p in (ours.q_proj, ours.k_proj, ours.v_proj)])
            getattr(twin, f"in_proj_{name}").copy_(stacked)
            getattr(twin.out_proj, name).copy_(getattr(ours.o_proj, name))
    return twin


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("swap", [mt.use_explicit, mt.use_fused])
def test_the_module_equals_torchs_in_output_weights_and_gradients(dtype, cross, swap):
    ours = swap(mt.MultiHeadAttention(32, 4).to(dtype))
    theirs = torch_twin(ours, 32, 4, dtype)
    x = torch.randn(2, 6, 32, dtype=dtype, requires_grad=True)
    context = torch.randn(2, 9, 32, dtype=dtype, requires_grad=True) if cross else x
    T_k = context.size(1)
    keep = mt.causal_keep(6, T_k)
    y, w = theirs(x, context, context, attn_mask=~keep, average_attn_weights=False)  # torch's True = may not look
    with mt.trace(ours) as t:
        z = ours(x, context if cross else None, keep=keep)
    close(z, y, dtype)
    if swap is mt.use_explicit:
        close(t["core.weights"], w, dtype)
    cotangent = torch.randn_like(y)
    grads = []
    for out in z, y:
        out.backward(cotangent, inputs=[x, context, ours.o_proj.weight, theirs.out_proj.weight], retain_graph=True)
        grads.append([p.grad for p in (x, context)])
        x.grad = context.grad = None
    for mine, their in zip(*grads):
        close(mine, their, dtype)
    close(ours.o_proj.weight.grad, theirs.out_proj.weight.grad, dtype)


@pytest.mark.parametrize("G", [1, 2, 4, 8])
def test_grouped_queries_equal_torchs_and_hold_fewer_parameters(G):
    ours = mt.MultiHeadAttention(32, 8, n_kv_heads=G).double()
    x = torch.randn(2, 5, 32, dtype=torch.float64)
    q, k, v = (mt.split_heads(p(x), h) for p, h in [(ours.q_proj, 8), (ours.k_proj, G), (ours.v_proj, G)])
    theirs = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    close(ours(x), ours.o_proj(mt.merge_heads(theirs)), torch.float64)
    assert ours.k_proj.weight.shape == (4 * G, 32)


def test_explicit_and_fused_share_one_state_dict():
    model = mt.MultiHeadAttention(16, 2)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert set(before) == {f"{p}_proj.{s}" for p in "qkvo" for s in ("weight", "bias")}
    x = torch.randn(1, 4, 16)
    explicit = model(x)
    fused = mt.use_fused(model)(x)
    close(explicit, fused, torch.float32)
    assert model.state_dict().keys() == before.keys()
    assert isinstance(mt.use_explicit(model).core, mt.ExplicitCore)


def test_swapping_cores_keeps_dropout_and_the_training_mode():
    model = mt.MultiHeadAttention(16, 2, dropout=0.25).eval()
    mt.use_fused(model)
    assert model.core.dropout.p == 0.25 and not model.core.training
    x = torch.randn(1, 4, 16)
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


@settings(max_examples=25, deadline=None)
@given(T=st.integers(2, 7), t=st.integers(0, 5), seed=st.integers(0, 99))
def test_no_position_sees_the_future(T, t, seed):
    t = min(t, T - 2)
    torch.manual_seed(seed)
    attn = mt.MultiHeadAttention(8, 2).double()
    x = torch.randn(1, T, 8, dtype=torch.float64)
    later = x.clone()
    later[:, t + 1 :] += 10 * torch.randn_like(later[:, t + 1 :])
    a, b = attn(x, keep=mt.causal_keep(T)), attn(later, keep=mt.causal_keep(T))
    assert torch.equal(a[:, : t + 1], b[:, : t + 1])
    assert not torch.allclose(a[:, t + 1 :], b[:, t + 1 :])


def test_what_stands_in_padding_changes_nothing():
    ids = torch.tensor([[3, 4, 0, 0], [5, 6, 7, 0]])
    keep, attn = mt.padding_keep(ids, pad=0), mt.MultiHeadAttention(8, 2)
    x = torch.randn(2, 4, 8)
    y = torch.where((ids == 0)[..., None], torch.randn_like(x) * 1e3, x)
    real = ids != 0
    close(attn(x, keep=keep)[real], attn(y, keep=keep)[real], torch.float32)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)))
def test_permuting_positions_permutes_the_output(order):
    attn = mt.MultiHeadAttention(8, 2).double()
    x = torch.randn(1, 6, 8, dtype=torch.float64)
    close(attn(x[:, order]), attn(x)[:, order], torch.float64)


def test_heads_round_trip_and_take_their_own_columns():
    x = torch.arange(2 * 3 * 8.0).view(2, 3, 8)
    heads = mt.split_heads(x, 2)
    assert torch.equal(heads[1, 1, 2], x[1, 2, 4:])
    assert torch.equal(mt.merge_heads(heads), x)
    assert torch.equal(mt.merge_heads(mt.split_heads(x.mT.contiguous().mT, 4)), x)  # not contiguous


def test_attention_can_be_exported_whole():
    attn = mt.MultiHeadAttention(16, 2)
    x = torch.randn(2, 5, 16)
    exported = torch.export.export(attn, (x,)).module()  # traced whole, with no graph break
    close(exported(x), attn(x), torch.float32)


def test_a_mask_with_fewer_axes_means_the_same_to_both_cores():
    q, k, v = qkv(3, 5)
    keep = torch.tensor([True, False, True, True, False])
    close(mt.FusedCore()(q, k, v, keep), mt.ExplicitCore()(q, k, v, keep), torch.float64)


def test_half_precision_does_not_overflow_before_the_division():
    q = k = torch.full((1, 1, 2, 16), 100.0, dtype=torch.float16)
    v = torch.ones(1, 1, 2, 16, dtype=torch.float16)
    assert (q @ k.mT).isinf().all()  # 160 000, above float16; a quarter of it is not
    assert mt.ExplicitCore()(q, k, v).isfinite().all()


def test_asking_for_the_core_that_is_there_changes_nothing():
    model = mt.MultiHeadAttention(8, 2)
    core = model.core
    assert mt.use_explicit(model).core is core

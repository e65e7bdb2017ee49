"""Rotary position: what the paper proves of it, and transformers' way of computing it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt

KINDS = pytest.mark.parametrize("kind", [mt.Rotary, mt.RotaryHalves])


@KINDS
@settings(max_examples=40, deadline=None)
@given(i=st.integers(0, 500), j=st.integers(0, 500), shift=st.integers(0, 2000), seed=st.integers(0, 99))
def test_a_score_depends_on_the_offset_only(kind, i, j, shift, seed):
    torch.manual_seed(seed)
    rotary = kind(8)
    q, k = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    score = rotary.turn(q, i) @ rotary.turn(k, j).mT
    moved = rotary.turn(q, i + shift) @ rotary.turn(k, j + shift).mT
    assert_close(moved, score, atol=1e-10, rtol=0)


@KINDS
def test_another_offset_gives_another_score(kind):
    q, k = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    scores = torch.cat([q @ kind(8).turn(k, j).mT for j in range(9)]).flatten()
    assert scores.unique().numel() == 9


@KINDS
def test_lengths_stay_and_position_0_is_not_turned(kind):
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    turned = kind(8).turn(x)
    assert_close(turned.norm(dim=-1), x.norm(dim=-1), atol=1e-12, rtol=0)
    assert torch.equal(turned[:, :, 0], x[:, :, 0])


def test_each_pair_turns_as_a_complex_number_does():
    x = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    angle = torch.outer(torch.arange(6.0).double(), 500.0 ** (-torch.arange(0, 8, 2).double() / 8))
    wanted = torch.view_as_complex(x.unflatten(-1, (4, 2)).contiguous()) * torch.polar(torch.ones_like(angle), angle)
    assert_close(mt.Rotary(8, base=500.0).turn(x), torch.view_as_real(wanted).flatten(-2), atol=1e-12, rtol=0)


def test_the_halves_pairing_is_the_other_with_its_columns_reordered():
    x = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    order = torch.arange(8).view(2, 4).T.flatten()  # column i + 4 next to column i
    assert_close(mt.RotaryHalves(8).turn(x)[..., order], mt.Rotary(8).turn(x[..., order]), atol=1e-12, rtol=0)


def test_halves_equal_transformers():
    from transformers import LlamaConfig
    from transformers.models.llama import modeling_llama as llama

    config = LlamaConfig(hidden_size=16, num_attention_heads=2, rope_theta=700.0)
    x = torch.randn(1, 2, 9, 8)
    cos, sin = llama.LlamaRotaryEmbedding(config)(x, torch.arange(3, 12)[None])
    wanted, _ = llama.apply_rotary_pos_emb(x, x, cos, sin)
    assert_close(mt.RotaryHalves(8, base=700.0).turn(x, start=3), wanted, atol=1e-5, rtol=0)

"""The references of the topic `inference`, held to mtlib.generation, and to what their explanations say."""

import itertools
import math

import pytest
import torch

import mtlib as mt
from mtlib import generation
from mtlib.exercises.inference import beam, cached_step, min_p, speculative, temperature, top_k, top_p


def logits():
    return torch.randn(3, 4, 11, dtype=torch.float64)


def test_the_rules_are_those_of_mtlib():
    x = logits()
    tied = x.round()
    for row in (x, tied):
        for k in (1, 3, 11, 20):
            assert torch.equal(top_k.reference(row, k), generation.top_k(row, k))
        for p in (0.0, 0.437, 0.871, 1.0):
            assert torch.equal(top_p.reference(row, p), generation.top_p(row, p))
            assert torch.equal(min_p.reference(row, p), generation.min_p(row, p))
        for t in (0.0, 0.5, 2.0):
            torch.testing.assert_close(temperature.reference(row, t), generation.temperature(row, t))


def test_a_cached_step_is_what_an_attention_with_a_cache_does():
    attn = mt.MultiHeadAttention(6, 2, causal=True).double()
    cache, x = mt.KVCache(), torch.randn(2, 5, 6, dtype=torch.float64)
    kept = None
    for part in (x[:, :3], x[:, 3:]):
        with torch.no_grad(), mt.trace(attn) as t:
            attn(part, cache=cache)
        n = part.size(1)
        out, kept = cached_step.reference(t["q"], t["k"][:, :, -n:], t["v"][:, :, -n:], kept)
        torch.testing.assert_close(out, t["core"])
        torch.testing.assert_close(kept, (cache.k, cache.v))


def table(V: int, seed: int) -> torch.Tensor:
    return (1.5 * torch.randn(V, V, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).log_softmax(-1)


@pytest.mark.parametrize(("V", "max_len"), [(2, 4), (3, 3)])
def test_a_beam_as_wide_as_all_there_is_finds_the_likeliest(V, max_len):
    bos, eos, rows = 0, 1, table(V, V)
    texts = [text for n in range(1, max_len + 1) for text in itertools.product(range(V), repeat=n)]
    whole = [text for text in texts if eos not in text[:-1] and (text[-1] == eos or len(text) == max_len)]
    total = {text: sum(float(rows[a, b]) for a, b in zip((bos, *text), text)) for text in whole}
    best = max(total, key=total.get)
    tokens, found = beam.reference(rows, bos, eos, V**max_len, max_len)
    assert tuple(tokens) == best and found == pytest.approx(total[best], abs=1e-12)


def test_now_and_then_a_wider_beam_finds_less():
    def less(seed):
        narrow, wide = (beam.reference(table(8, seed), 0, 1, width, 4)[1] for width in (2, 3))
        return wide < narrow - 1e-9

    assert any(less(seed) for seed in range(200, 260))


def test_acceptance_is_mtlibs():
    draft, target = logits()[0, :3].softmax(-1), logits()[1].softmax(-1)
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        tokens = torch.multinomial(draft, 1, generator=generator)[:, 0]
        uniforms = torch.rand(3, generator=generator, dtype=torch.float64)
        n, rest = speculative.reference(draft, target, tokens, uniforms)
        m, other = generation.accept(draft, target, tokens, uniforms)
        assert n == m and torch.allclose(rest, other)


def test_what_comes_out_of_guesses_is_the_target_to_the_last_digit():
    q, p = (logits()[i, 0].softmax(-1) for i in (0, 1))
    accepted, missing = torch.minimum(p, q), speculative.what_is_missing(p, q)
    torch.testing.assert_close(accepted + (1 - accepted.sum()) * missing, p)
    assert math.isclose(float(1 - accepted.sum()), float((p - q).clamp(min=0).sum()))

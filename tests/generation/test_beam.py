"""Beam search against exhaustive search, a plain-Python version, greedy, and transformers."""

from itertools import product

import pytest
import torch
import transformers as hf
from hypothesis import given, settings
from hypothesis import strategies as st

import mtlib as mt
from mtlib import interop
from mtlib.generation import beam_search, generate

from .writers import KINDS, Chain, Ladder, V, by_hand, lm, writer


def ladder(seed: int, size: int, steps: int) -> Ladder:
    generator = torch.Generator().manual_seed(seed)
    return Ladder(torch.randn(steps, size, size, dtype=torch.float64, generator=generator).softmax(-1))


def in_plain_python(table, width, stop):
    """The rule as it is told, over lists, from token 0."""
    beams = [([], 0.0)]
    for logs in table.log().tolist():
        done = [beam for beam in beams if beam[0] and beam[0][-1] in stop]
        live = [beam for beam in beams if not beam[0] or beam[0][-1] not in stop]
        grown = [([*t, n], p + logs[t[-1] if t else 0][n]) for t, p in live for n in range(len(logs))]
        beams = sorted(done + grown, key=lambda beam: -beam[1])[:width]
    return beams


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(2, 4), width=st.integers(1, 6), steps=st.integers(1, 4), ends=st.booleans())
def test_beams_are_those_of_the_rule_in_plain_python(seed, size, width, steps, ends):
    model, stop = ladder(seed, size, steps), (1,) if ends else ()
    ours, theirs = beam_search(model, [0], width=width, max_new=steps, stop=stop), in_plain_python(model.table, width, stop)
    assert [beam.tokens for beam in ours] == [tokens for tokens, _ in theirs]
    assert [beam.log_probability for beam in ours] == pytest.approx([total for _, total in theirs])


@pytest.mark.parametrize("kind", KINDS)
def test_width_one_is_greedy_and_log_p_is_the_sum_of_full_passes(kind):
    model = writer(kind, slice(1, 2))
    (greedy,) = beam_search(model, [3, 1], width=1, max_new=6)
    assert greedy.tokens == by_hand(model, [3, 1], 6)
    for beam in beam_search(model, [3, 1], width=4, max_new=6):
        text = torch.tensor([[3, 1, *beam.tokens]])
        with torch.no_grad():
            logs = model(text[:, :-1])[0, 1:].log_softmax(-1)
        assert beam.log_probability == pytest.approx(logs.gather(1, text[0, 2:, None]).sum().item(), abs=1e-9)


@pytest.mark.parametrize("kind", ["gpt2", "lstm", "encoder-decoder", "attentive"])
def test_a_width_of_every_text_finds_the_likeliest_of_all(kind):
    model, n = writer(kind, slice(0, 1)), 2
    best = beam_search(model, [3], width=V**n, max_new=n)[0]
    texts = torch.tensor([[3, *rest] for rest in product(range(V), repeat=n)])
    with torch.no_grad():
        logs = model(texts[:, :-1]).log_softmax(-1).gather(2, texts[:, 1:, None])[..., 0].sum(1)
    assert best.tokens == texts[logs.argmax(), 1:].tolist()
    assert best.log_probability == pytest.approx(logs.max().item(), abs=1e-9)


def test_a_finished_text_is_kept_while_it_is_among_the_best_and_falls_out_when_not():
    certain = Chain([[0.05, 0.4, 0.55], [1 / 3] * 3, [0.3, 0.1, 0.6]])  # 1 ends
    beams = beam_search(certain, [0], width=2, max_new=3, stop=(1,))
    assert beams[0].tokens == [1] and beams[1].tokens == [2, 2, 2]
    likely = Chain([[0.02, 0.08, 0.9], [1 / 3] * 3, [0.48, 0.04, 0.48]])
    assert [1] not in [beam.tokens for beam in beam_search(likely, [0], width=2, max_new=2, stop=(1,))]


def test_beams_can_beat_greedy():
    trap = Chain([[0.0, 0.6, 0.4], [0.34, 0.33, 0.33], [0.0, 0.01, 0.99]])
    assert generate(trap, [[0]], max_new=2)[0][0] == 1
    assert beam_search(trap, [0], width=2, max_new=2)[0].tokens == [2, 2]


def test_beams_equal_transformers_where_nothing_ends():
    theirs = hf.GPT2LMHeadModel(hf.GPT2Config(
        vocab_size=V, n_positions=16, n_embd=16, n_layer=2, n_head=4, eos_token_id=None, bos_token_id=None, pad_token_id=0,
    )).eval()  # fmt: skip
    with torch.no_grad():
        for p in theirs.parameters():
            p.add_(0.2 * torch.randn_like(p))
    config = interop.config_from_gpt2(theirs.config)
    ours = mt.DecoderLM(config).eval()
    ours.load_state_dict(interop.from_gpt2(theirs.state_dict(), config))
    ids = torch.tensor([[3, 1, 4]])
    wrote = theirs.generate(
        ids, attention_mask=torch.ones_like(ids), num_beams=4, num_return_sequences=4, max_new_tokens=6, do_sample=False,
        length_penalty=0.0, return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    beams = beam_search(ours, [3, 1, 4], width=4, max_new=6)
    assert [beam.tokens for beam in beams] == wrote.sequences[:, 3:].tolist()
    assert [beam.log_probability for beam in beams] == pytest.approx(wrote.sequences_scores.tolist(), abs=1e-4)


def test_the_cache_follows_its_beams():
    model = lm()
    cache, ids = model.new_cache(), torch.tensor([[3, 1], [4, 1], [5, 9]])
    with torch.no_grad():
        model(ids, cache=cache)
        cache.select(torch.tensor([2, 0, 2, 1]))
        after = model(torch.tensor([[7]] * 4), cache=cache)
        full = model(torch.cat([ids[[2, 0, 2, 1]], torch.tensor([[7]] * 4)], dim=1))[:, -1:]
    torch.testing.assert_close(after, full, atol=1e-10, rtol=0)

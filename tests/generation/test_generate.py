"""What is written is what full passes give, alone or in a batch, for every kind of model; and what transformers writes."""

from dataclasses import replace

import pytest
import torch
import transformers as hf
from hypothesis import given, settings
from hypothesis import strategies as st

import mtlib as mt
from mtlib import interop
from mtlib.generation import Given, Rules, Window, generate, spell, stream

from .writers import KEEP, KINDS, LMS, MAX_LEN, SOURCES, TRANSLATORS, Chain, V, by_hand, lm, writer

PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6]]


@pytest.mark.parametrize("kind", KINDS)
def test_cached_batches_of_any_lengths_write_what_full_passes_write_for_each_row_alone(kind):
    wrote = generate(writer(kind), PROMPTS, max_new=8)
    assert wrote == [by_hand(writer(kind, slice(b, b + 1)), PROMPTS[b], 8) for b in range(3)]
    assert len({tuple(row) for row in wrote}) > 1 and len(set(sum(wrote, []))) > 2  # or this would show nothing


@settings(max_examples=15, deadline=None)
@given(prompts=st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=5), min_size=1, max_size=4),
       stop=st.sets(st.integers(0, V - 1), max_size=3), max_new=st.integers(1, 6))  # fmt: skip
def test_each_row_ends_at_its_first_stop_or_at_max_new(prompts, stop, max_new):
    model = lm()
    for prompt, wrote in zip(prompts, generate(model, prompts, max_new=max_new, stop=stop), strict=True):
        whole = generate(model, [prompt], max_new=max_new)[0]
        end = next((i + 1 for i, token in enumerate(whole) if token in stop), max_new)
        assert wrote == whole[:end]


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_greedy_writes_what_transformers_generate_writes(name):
    torch.manual_seed(1)
    sizes = dict(vocab_size=V, eos_token_id=None, bos_token_id=None, pad_token_id=0)
    if name == "gpt2":
        theirs = hf.GPT2LMHeadModel(hf.GPT2Config(n_positions=MAX_LEN, n_embd=16, n_layer=2, n_head=4, **sizes))
        config, take = interop.config_from_gpt2(theirs.config), interop.from_gpt2
    else:
        theirs = hf.LlamaForCausalLM(hf.LlamaConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=24, max_position_embeddings=MAX_LEN, **sizes))  # fmt: skip
        config, take = interop.config_from_llama(theirs.config), interop.from_llama
    theirs.eval()
    with torch.no_grad():
        for p in theirs.parameters():
            p.add_(0.3 * torch.randn_like(p))
    ours = mt.DecoderLM(config).eval()
    ours.load_state_dict(take(theirs.state_dict(), config))
    ids = torch.tensor([[3, 1, 4], [9, 2, 6]])
    for options, rules in ({}, Rules(temperature=0.0)), ({"repetition_penalty": 1.5}, Rules(temperature=0.0, repetition=1.5)):
        wrote = theirs.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False, **options)
        assert generate(ours, ids, max_new=10, rules=rules) == wrote[:, 3:].tolist()


def test_a_stream_gives_a_token_when_it_is_there_and_not_before():
    model, seen = lm(), []
    model.register_forward_hook(lambda *_: seen.append(1))
    tokens = stream(model, [3, 1], max_new=5)
    assert not seen
    first = next(tokens)
    assert len(seen) == 1 and not torch.is_inference_mode_enabled()
    assert [first, *tokens] == generate(model, [[3, 1]], max_new=5)[0] and len(seen) == 10


def test_one_pass_a_token_and_each_pass_reads_one():
    model, read = lm(), []
    model.register_forward_pre_hook(lambda _, args: read.append(tuple(args[0].shape)))
    generate(model, [[3, 1, 4], [1, 5, 9]], max_new=4)
    assert read == [(2, 3), (2, 1), (2, 1), (2, 1)]


def test_the_same_generator_writes_the_same_and_the_global_one_is_not_touched():
    model, rules, before = lm(), Rules(temperature=1.5), torch.get_rng_state()
    runs = [generate(model, PROMPTS, max_new=8, rules=rules, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    generate(model, PROMPTS, max_new=8)
    assert runs[0] == runs[1] != runs[2]
    assert torch.equal(before, torch.get_rng_state())


def test_texts_are_drawn_with_the_product_of_their_tokens_probabilities():
    table = [[0.1, 0.9, 0.0], [0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]
    n = 4000
    wrote = generate(Chain(table), [[0]] * n, max_new=2, rules=Rules(), generator=torch.Generator().manual_seed(3))
    for a in range(3):
        for b in range(3):
            p = table[0][a] * table[a][b]
            share = sum(row == [a, b] for row in wrote) / n
            assert abs(share - p) <= 4 * (p * (1 - p) / n) ** 0.5


@pytest.mark.parametrize("kind", TRANSLATORS)
def test_one_source_serves_many_prompts(kind):
    one = Given(TRANSLATORS[kind](), SOURCES[1:2], KEEP[1:2])
    many = Given(TRANSLATORS[kind](), SOURCES[[1, 1]], KEEP[[1, 1]])
    assert generate(one, [[3], [4]], max_new=5) == generate(many, [[3], [4]], max_new=5)


@pytest.mark.parametrize("kind", LMS)
def test_a_window_sees_the_last_tokens_and_no_more(kind):
    model = LMS[kind]()
    wrote = generate(Window(model, 4), [[3, 1], [5, 9, 2, 6, 5, 3]], max_new=20)
    for prompt, new in zip([[3, 1], [5, 9, 2, 6, 5, 3]], wrote):
        text = list(prompt)
        for token in new:
            assert token == by_hand(model, text[-4:], 1)[0]
            text.append(token)
        assert len(new) == 20


def test_the_last_position_of_the_table_is_used():
    assert len(generate(lm(), [[1, 2]], max_new=MAX_LEN - 1)[0]) == MAX_LEN - 1  # the last one is not fed


def test_writing_leaves_nothing_behind_that_training_would_stumble_over():
    model = lm(parts=replace(mt.LLAMA, rotary_base=777.0))  # a table that no other test has made
    generate(model, [[3, 1]], max_new=3)
    model(torch.tensor([[3, 1, 4]])).sum().backward()
    assert model.tok.weight.grad.isfinite().all()


def test_a_model_in_training_without_dropout_writes_the_same_and_stays_in_training():
    model = lm().train()
    assert generate(model, PROMPTS, max_new=3) == generate(lm(), PROMPTS, max_new=3)
    assert model.training


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=12))
def test_spelt_pieces_make_up_the_text_and_no_letter_is_broken(text):
    pieces = list(spell(text.encode("utf8"), lambda ids: bytes(ids).decode("utf8", errors="replace")))
    assert "".join(pieces) == text and all(pieces)
    assert all("\ufffd" not in piece for piece in pieces if "\ufffd" not in text)

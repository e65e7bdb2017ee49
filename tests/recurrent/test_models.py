"""The whole models keep the protocol that fit and generate rely on, and learn what they should."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

import mtlib as mt
from mtlib.recurrent import (
    LSTM,
    RNN,
    AttentiveSeq2Seq,
    BiLSTM,
    BiRNN,
    RecurrentClassifier,
    RecurrentLM,
    Seq2Seq,
    to_torch,
)

TRANSLATORS = [Seq2Seq, AttentiveSeq2Seq]


def close(a, b):
    assert_close(a, b, atol=1e-10, rtol=0)


def tokens(*shape, vocab=9):
    return torch.randint(vocab, shape)


def pieces(ids, cuts):
    edges = sorted({0, ids.size(1), *(cut for cut in cuts if cut < ids.size(1))})
    return [ids[:, a:b] for a, b in zip(edges, edges[1:])]


@settings(max_examples=20, deadline=None)
@given(core=st.sampled_from([RNN, LSTM]), cuts=st.lists(st.integers(1, 7), max_size=4))
def test_a_language_model_in_pieces_equals_one_pass(core, cuts):
    model, ids = RecurrentLM(9, 6, 2, core=core).double(), tokens(2, 8)
    cache = model.new_cache()
    close(torch.cat([model(piece, cache=cache) for piece in pieces(ids, cuts)], dim=1), model(ids))
    assert len(cache) == 8


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(TRANSLATORS),
    core=st.sampled_from([RNN, LSTM]),
    cuts=st.lists(st.integers(1, 5), max_size=4),
    padded=st.booleans(),
)
def test_a_translation_in_pieces_equals_one_pass_and_reads_the_source_once(kind, core, cuts, padded):
    model, source, inputs = kind(9, 7, 6, 2, core=core).double(), tokens(2, 5), tokens(2, 6, vocab=7)
    keep = mt.padding_keep(source, pad=0) if padded else None
    cache = model.new_cache()
    with mt.trace(model) as t:
        parts = [model(source, piece, keep, cache) for piece in pieces(inputs, cuts)]
    close(torch.cat(parts, dim=1), model(source, inputs, keep))
    assert len(t.all("encoder")) == 1 and len(cache) == 6


def test_no_logit_of_a_decoder_sees_later_inputs():
    source, inputs = tokens(1, 4), tokens(1, 6, vocab=7)
    later = inputs.clone()
    later[:, 3:] = (later[:, 3:] + 1) % 7
    for model in (kind(9, 7, 6).double() for kind in TRANSLATORS):
        a, b = model(source, inputs), model(source, later)
        assert torch.equal(a[:, :3], b[:, :3]) and not torch.allclose(a[:, 3:], b[:, 3:])


def test_padding_of_the_source_changes_nothing():
    source, inputs = tokens(1, 4) + 1, tokens(1, 3, vocab=7)
    padded = torch.cat([source, torch.zeros(1, 3, dtype=torch.int64)], dim=1)
    for model in (kind(10, 7, 6, 2).double() for kind in TRANSLATORS):
        close(model(padded, inputs, mt.padding_keep(padded, pad=0)), model(source, inputs))


def test_padding_of_a_text_changes_nothing_on_either_side():
    ids = tokens(1, 4) + 1
    model, classifier = RecurrentLM(10, 6, 2).double(), RecurrentClassifier(10, 3, 6, 2, core=BiLSTM).double()
    for pad in (0, 3), (3, 0), (2, 1):
        padded = F.pad(ids, pad)
        keep = mt.padding_keep(padded, pad=0)
        close(model(padded, keep)[:, pad[0] : pad[0] + 4], model(ids))
        close(classifier(padded, keep), classifier(ids))
        close(classifier(padded, keep[:, 0, 0]), classifier(ids))


def test_a_prompt_padded_at_the_end_goes_on_as_if_it_were_not():
    model, ids, new = RecurrentLM(10, 6, 2).double(), tokens(1, 4) + 1, tokens(1, 1)
    padded, cache = F.pad(ids, (0, 2)), model.new_cache()
    model(padded, mt.padding_keep(padded, pad=0), cache)
    close(model(new, cache=cache)[:, 0], model(torch.cat([ids, new], dim=1))[:, -1])


def test_the_language_model_and_the_classifier_are_torchs_lstm_between_two_tables():
    ids = tokens(2, 7)
    lm, classifier = RecurrentLM(9, 6, 2).double(), RecurrentClassifier(9, 3, 6, 2, core=BiRNN).double()
    close(lm(ids), lm.head(to_torch(lm.core)(lm.tok(ids))[0]))
    close(classifier(ids), classifier.head(to_torch(classifier.core)(classifier.tok(ids))[0].mean(1)))


def test_seq2seq_is_two_lstms_of_torchs_with_the_state_handed_over():
    model, source, inputs = Seq2Seq(9, 7, 6, 2).double(), tokens(2, 5), tokens(2, 4, vocab=7)
    state = to_torch(model.encoder)(model.source_tok(source))[1]
    close(model(source, inputs), model.head(to_torch(model.decoder)(model.tok(inputs), state)[0]))


@pytest.mark.parametrize("n_layers", [1, 2])
def test_attentive_seq2seq_is_its_equation_with_torchs_cells(n_layers):
    model, source, inputs = AttentiveSeq2Seq(9, 7, 6, n_layers).double(), tokens(2, 5), tokens(2, 4, vocab=7)
    memory, (h_n, _) = to_torch(model.encoder)(model.source_tok(source))
    decoder, a = to_torch(model.decoder), model.attention
    h = torch.stack(model.start(h_n[-1]).tanh().chunk(n_layers, dim=-1))  # the top layer, right to left, starts all
    c, logits = torch.zeros_like(h), []
    for y in model.tok(inputs).unbind(1):
        scores = torch.tanh(a.q_proj(h[-1])[:, None] + a.k_proj(memory)) @ a.v
        context = (scores.softmax(-1)[..., None] * memory).sum(1)
        _, (h, c) = decoder(torch.cat([y, context], dim=-1)[:, None], (h, c))
        logits.append(model.head(torch.cat([h[-1], context], dim=-1)))
    close(model(source, inputs), torch.stack(logits, dim=1))


def test_a_trace_shows_the_alignment_one_row_a_target_position():
    model, source, inputs = AttentiveSeq2Seq(9, 7, 6), tokens(2, 5), tokens(2, 4, vocab=7)
    keep = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    with mt.trace(model) as t:
        model(source, inputs, keep)
    weights = torch.stack(t.all("attention.weights"), dim=1)  # (B, T, S)
    assert weights.shape == (2, 4, 5) and (weights[1, :, 3:] == 0).all()
    assert_close(weights.sum(-1), torch.ones(2, 4))
    assert len(t.all("decoder.cells.0.gates")) == 4


def test_names_of_parameters_that_others_rely_on():
    names = {name.split(".")[0] for name, _ in AttentiveSeq2Seq(9, 7, 6).named_parameters()}
    assert names == {"source_tok", "tok", "encoder", "decoder", "start", "attention", "head"}
    assert {name.split(".")[0] for name, _ in RecurrentLM(9, 6).named_parameters()} == {"tok", "core", "head"}


def train(model, loss, steps, lr=0.02):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (value := loss()).backward()
        optimizer.step()
    return value.item()


def test_a_language_model_learns_to_repeat_what_it_read_three_tokens_ago():
    model = RecurrentLM(4, 24)

    def loss():
        ids = tokens(16, 3, vocab=4).repeat(1, 3)
        return F.cross_entropy(model(ids)[:, 2:-1].flatten(0, 1), ids[:, 3:].flatten())

    assert train(model, loss, 150) < 0.2  # chance is log 4 = 1.39


def test_attention_learns_to_reverse_and_looks_where_it_should():
    model = AttentiveSeq2Seq(6, 6, 24, core=RNN)

    def loss():
        source = tokens(32, 6, vocab=5) + 1
        target = source.flip(1)
        return F.cross_entropy(model(source, F.pad(target, (1, -1))).flatten(0, 1), target.flatten())

    assert train(model, loss, 200, lr=0.01) < 0.3  # chance is log 5 = 1.61


@pytest.mark.parametrize("kind", TRANSLATORS)
def test_autocast_and_dropout_run(kind):
    model = kind(9, 7, 6, 2, dropout=0.5)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(tokens(2, 5), tokens(2, 4, vocab=7), torch.ones(2, 5, dtype=torch.bool))
    assert logits.isfinite().all()
    model.eval()
    source, inputs = tokens(2, 5), tokens(2, 4, vocab=7)
    assert torch.equal(model(source, inputs), model(source, inputs))


def test_no_module_of_torchs_own_is_inside():
    for model in RecurrentLM(9, 6), AttentiveSeq2Seq(9, 7, 6), RecurrentClassifier(9, 2, 6):
        assert not any(isinstance(m, (nn.RNNBase, nn.RNNCellBase)) for m in model.modules())

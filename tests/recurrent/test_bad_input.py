"""A wrong argument gets one clear line of mtlib's own; what fits runs. Nothing fails deep inside torch."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import mtlib as mt
from mtlib.recurrent import (
    LSTM,
    RNN,
    AdditiveAttention,
    AttentiveSeq2Seq,
    BiLSTM,
    LSTMCell,
    RecurrentCache,
    RecurrentClassifier,
    RecurrentLM,
    RNNCell,
    Seq2Seq,
    Stack,
    from_torch,
    to_torch,
)

pytestmark = pytest.mark.usefixtures("shapes_unchecked")
PACKAGE = Path(mt.__file__).parent

lstm, bilstm, cell = LSTM(3, 4, 2), BiLSTM(3, 4), LSTMCell(3, 4)
attention = AdditiveAttention(4, 3, 5)
lm, classifier = RecurrentLM(9, 6), RecurrentClassifier(9, 2, 6)
seq2seq, attentive = Seq2Seq(9, 7, 6), AttentiveSeq2Seq(9, 7, 6)
x, ids, query = torch.zeros(2, 5, 3), torch.zeros(2, 5).long(), torch.zeros(2, 4)


class Own(Stack):
    cell = RNNCell


def filled(model, *args):
    cache = model.new_cache()
    model(*args, cache=cache)
    return cache


CASES = {
    "no width": (lambda: LSTM(3, 0), "d_model=0 must be a whole number of at least 1"),
    "half a layer": (lambda: RNN(3, 4, 1.5), "n_layers=1.5 must be a whole number"),
    "dropout of one": (lambda: BiLSTM(3, 4, dropout=1.0), r"dropout=1.0 must be a probability in \[0, 1\)"),
    "a cell that reads nothing": (lambda: RNNCell(0, 4), "d_in=0 must be"),
    "an attention of no width": (lambda: AdditiveAttention(4, 3, 0), "d_attn=0 must be"),
    "no vocabulary": (lambda: RecurrentLM(0, 6), "vocab=0 must be"),
    "no classes": (lambda: RecurrentClassifier(9, 0, 6), "n_classes=0 must be"),
    "no source vocabulary": (lambda: Seq2Seq(0, 7, 6), "source_vocab=0 must be"),
    "a core by its name": (lambda: RecurrentLM(9, 6, core="lstm"), "core='lstm' must be a class: RNN or LSTM"),
    "a core of torch's": (lambda: Seq2Seq(9, 7, 6, core=nn.LSTM), "core=.* must be a class: RNN or LSTM"),
    "a language model that reads ahead": (lambda: RecurrentLM(9, 6, core=BiLSTM), "core=BiLSTM reads from both ends and a language model"),
    "a decoder that reads ahead": (lambda: Seq2Seq(9, 7, 6, core=BiLSTM), "core=BiLSTM reads from both ends and a decoder may not"),
    "a core without a twin": (lambda: AttentiveSeq2Seq(9, 7, 6, core=Own), "core=Own has no twin that reads both ways"),
    "two axes": (lambda: lstm(x[0]), r"x has shape \(5, 3\); it must be \(B, T, 3\)"),
    "another width": (lambda: lstm(x[..., :2]), r"x has shape \(2, 5, 2\); it must be \(B, T, 3\)"),
    "no positions": (lambda: lstm(x[:, :0]), r"x has shape \(2, 0, 3\); there must be at least one position"),
    "doubles": (lambda: lstm(x.double()), "x is torch.float64 and the weights are torch.float32"),
    "another device": (lambda: lstm(x.to("meta")), "x is on meta and the weights are on cpu"),
    "a float keep": (lambda: lstm(x, torch.ones(2, 5)), "keep is torch.float32; it must be torch.bool"),
    "a keep of another length": (lambda: lstm(x, torch.ones(2, 4).bool()), r"keep has shape \(2, 4\); it must be \(2, 5\) or \(2, 1, 1, 5\)"),
    "a causal keep": (lambda: lm(ids, mt.causal_keep(5)), r"keep has shape \(5, 5\); it must be \(2, 5\) or"),
    "a keep on another device": (lambda: lstm(x, torch.ones(2, 5).bool().to("meta")), "keep is on meta and the input on cpu"),
    "a cache of attention's": (lambda: lstm(x, cache=mt.KVCache()), "cache is a KVCache; it must be what new_cache"),
    "a cache of another batch": (lambda: lstm(x[:1], cache=filled(lstm, x)), "the cache holds a batch of 2 and x is one of 1: start a new"),
    "a cache of another depth": (lambda: LSTM(3, 4)(x, cache=filled(lstm, x)), r"the cache holds 2 state\(s\) \(h, c\) of width 4 and this model has 1"),
    "a cache of another kind": (lambda: RNN(3, 4, 2)(x, cache=filled(lstm, x)), r"\(h, c\) of width 4 and this model has 2 state\(s\) \(h\)"),
    "a cache of another precision": (lambda: LSTM(3, 4, 2).double()(x.double(), cache=filled(lstm, x)), "the cache is torch.float32 on cpu and x torch.float64"),
    "going on in both directions": (lambda: bilstm(x, cache=filled(bilstm, x)), "BiLSTM reads from both ends and cannot continue a cache"),
    "a look into a new cache": (lambda: RecurrentCache().h, "the cache is new and has no h yet"),
    "the c of an RNN": (lambda: filled(RNN(3, 4), x).c, "an RNN has no c, only h"),
    "a sequence for a cell": (lambda: cell(x), r"x has shape \(2, 5, 3\); it must be \(B, 3\)"),
    "a state of another width": (lambda: cell(x[:, 0], x[:, 0]), r"h has shape \(2, 3\); it must be \(B, 4\)"),
    "a state of another batch": (lambda: RNNCell(3, 4)(x[:, 0], query[:1]), "x is a batch of 2 and h of 1; they must be equal"),
    "keys of another batch": (lambda: attention(query, x[:1]), "query is a batch of 2 and keys of 1"),
    "keys of another width": (lambda: attention(query, x[..., :2]), r"keys has shape \(2, 5, 2\); it must be \(B, T, 3\)"),
    "no keys": (lambda: attention(query, x[:, :0]), r"keys has shape \(2, 0, 3\); there must be at least one position"),
    "a query for each position": (lambda: attention(x, x), r"query has shape \(2, 5, 3\); it must be \(B, 4\)"),
    "float ids": (lambda: lm(ids.float()), "ids is torch.float32; token ids must be torch.int64"),
    "an unknown id": (lambda: classifier(ids + 9), "ids runs from 9 to 9; ids must lie in 0…8"),
    "an id of the source's": (lambda: seq2seq(ids, ids + 8), "inputs runs from 8 to 8; ids must lie in 0…6"),
    "a source of another batch": (lambda: seq2seq(ids[:1], ids), "source is a batch of 1 and inputs of 2"),
    "a language model's cache": (lambda: seq2seq(ids, ids, cache=lm.new_cache()), "cache is a RecurrentCache; it must be what new_cache"),
    "a cache of another source": (lambda: seq2seq(ids[:, :3], ids, cache=filled(seq2seq, ids, ids)), r"has read a source of shape \(2, 5\), not \(2, 3\)"),
    "a cache without attention": (lambda: attentive(ids, ids, cache=filled(seq2seq, ids, ids)), "read the source with another kind of model"),
    "a translator's cache of another depth": (lambda: AttentiveSeq2Seq(9, 7, 6)(ids, ids, cache=filled(AttentiveSeq2Seq(9, 7, 6, 2), ids, ids)), r"the cache holds 2 state\(s\) \(h, c\) of width 6 and this model has 1"),
    "a translator's cache of another precision": (lambda: AttentiveSeq2Seq(9, 7, 6).double()(ids, ids, cache=filled(attentive, ids, ids)), "the cache is torch.float32 on cpu and x torch.float64"),
    "a GRU": (lambda: from_torch(nn.GRU(3, 4)), "theirs is a GRU; it must be a torch.nn.RNN or torch.nn.LSTM"),
    "ReLU": (lambda: from_torch(nn.RNN(3, 4, nonlinearity="relu")), "theirs has ReLU or proj_size"),
    "projections": (lambda: from_torch(nn.LSTM(3, 4, proj_size=2)), "theirs has ReLU or proj_size"),
    "a stack torch does not have": (lambda: to_torch(Own(3, 4)), "ours is a Own; it must be one of RNN, BiRNN, LSTM, BiLSTM"),
    "a cell to torch": (lambda: to_torch(cell), "ours is a LSTMCell; it must be one of"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_line(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def runs_if(fits: bool, call) -> None:
    """What fits runs; what does not is refused in one line by mtlib, not by torch."""
    if fits:
        return call()
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert Path(caught.traceback[-1].path).is_relative_to(PACKAGE), caught.traceback[-1]
    assert "\n" not in str(caught.value)


DTYPES = st.sampled_from([torch.float32, torch.float32, torch.float64, torch.float16, torch.int64, torch.int64, torch.bool])
SHAPES = st.one_of(
    st.tuples(st.integers(1, 2), st.integers(0, 3)),
    st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(2, 4)),
    st.tuples(st.integers(1, 2), st.just(1), st.just(1), st.integers(1, 3)),
    st.lists(st.integers(0, 3), max_size=4).map(tuple),
)
TENSORS = st.builds(lambda shape, dtype: torch.zeros(shape).to(dtype), SHAPES, DTYPES)
KEEPS = st.one_of(st.none(), TENSORS, st.builds(lambda shape: torch.ones(shape).bool(), SHAPES))


def is_keep(keep, B, T):
    return keep is None or (keep.dtype == torch.bool and keep.shape in ((B, T), (B, 1, 1, T)))


def is_ids(t):
    return t.dtype == torch.int64 and t.dim() == 2 and t.size(1) > 0


def is_x(t, width):
    return t.dtype == torch.float32 and t.dim() == 3 and t.size(1) > 0 and t.size(2) == width


FLOATS = st.builds(lambda B, T, D: torch.zeros(B, T, D), st.integers(1, 2), st.integers(0, 3), st.integers(2, 4))
QUERIES = st.builds(lambda B, D: torch.zeros(B, D), st.integers(1, 2), st.integers(3, 4))
IDS = st.builds(lambda B, T: torch.zeros(B, T).long(), st.integers(1, 2), st.integers(0, 3))


@settings(max_examples=150, deadline=None)
@given(x=st.one_of(TENSORS, FLOATS), keep=KEEPS)
def test_layers_run_on_what_fits_and_refuse_the_rest(x, keep):
    for model in lstm, bilstm:
        runs_if(is_x(x, 3) and is_keep(keep, *x.shape[:2]), lambda: model(x, keep))


@settings(max_examples=150, deadline=None)
@given(query=st.one_of(TENSORS, QUERIES), keys=st.one_of(TENSORS, FLOATS), keep=KEEPS)
def test_attention_runs_on_what_fits_and_refuses_the_rest(query, keys, keep):
    fits = query.dtype == torch.float32 and query.dim() == 2 and query.size(1) == 4
    fits = fits and is_x(keys, 3) and query.size(0) == keys.size(0) and is_keep(keep, *keys.shape[:2])
    runs_if(fits, lambda: attention(query, keys, keep))


@settings(max_examples=150, deadline=None)
@given(ids=st.one_of(TENSORS, IDS), shift=st.integers(-1, 9), keep=KEEPS)
def test_models_run_on_what_fits_and_refuse_the_rest(ids, shift, keep):
    ids = ids + shift if ids.dtype == torch.int64 else ids
    fits = is_ids(ids) and (0 <= shift < 9 or ids.numel() == 0) and is_keep(keep, *ids.shape)
    for model in lm, classifier:
        runs_if(fits, lambda: model(ids, keep))


@settings(max_examples=150, deadline=None)
@given(source=st.one_of(TENSORS, IDS), inputs=st.one_of(TENSORS, IDS), keep=KEEPS)
def test_translators_run_on_what_fits_and_refuse_the_rest(source, inputs, keep):
    fits = is_ids(source) and is_ids(inputs) and source.size(0) == inputs.size(0) and is_keep(keep, *source.shape)
    for model in seq2seq, attentive:
        runs_if(fits, lambda: model(source, inputs, keep))


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.one_of(st.integers(-1, 3), st.sampled_from([1.0, True, "4", None])), min_size=4, max_size=4),
    dropout=st.sampled_from([0.0, 0.5, 1.0, -0.1, "a", None]),
)
def test_constructors_take_whole_sizes_and_refuse_the_rest(sizes, dropout):
    def whole(n):
        return all(type(size) is int and size >= 1 for size in sizes[:n])

    probability = isinstance(dropout, float) and 0 <= dropout < 1
    for make, n in [(RNN, 3), (BiLSTM, 3), (RecurrentLM, 3), (RecurrentClassifier, 4), (Seq2Seq, 4), (AttentiveSeq2Seq, 4)]:
        runs_if(whole(n) and probability, lambda: make(*sizes[:n], dropout=dropout))
    for make, n in [(RNNCell, 2), (LSTMCell, 2), (AdditiveAttention, 3)]:
        runs_if(whole(n), lambda: make(*sizes[:n]))

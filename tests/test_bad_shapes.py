"""Whatever is handed to a public constructor or forward, it serves or it is refused in one line that names it.

test_bad_input.py holds the words of single messages; here wrong tensors and sizes are drawn.
"""

import traceback
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mtlib as mt

pytestmark = pytest.mark.usefixtures("shapes_unchecked")
HOME = Path(mt.__file__).parent
SIZES = dict(vocab=10, max_len=4, d_model=8, n_heads=2, n_layers=1)
C = mt.ModelConfig(**SIZES)
x, ids, heads = torch.zeros(2, 3, 8), torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 2, 3, 4)
real, keep = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 1, 1, 3, dtype=torch.bool)

FORWARDS = {
    "attention": (mt.MultiHeadAttention(8, 2), dict(x=x, context=None, keep=None, cache=None, position=None)),
    "cross-attention": (mt.MultiHeadAttention(8, 2), dict(x=x, context=x, keep=keep)),
    "explicit": (mt.ExplicitCore(), dict(q=heads, k=heads, v=heads, keep=None, bias=None)),
    "fused": (mt.FusedCore(causal=True), dict(q=heads, k=heads, v=heads, keep=None, bias=None)),
    "encoder block": (mt.EncoderBlock(C), dict(x=x, keep=None, position=None)),
    "decoder block": (mt.DecoderBlock(C, cross=True), dict(x=x, keep=None, memory=x, memory_keep=keep, caches=(None, None))),
    "encoder": (mt.Encoder(C), dict(ids=ids, keep=keep)),
    "decoder": (mt.Decoder(C, cross=True), dict(ids=ids, keep=None, memory=x, memory_keep=None, cache=None)),
    "language model": (mt.DecoderLM(C), dict(ids=ids, keep=None, memory=None, memory_keep=None, cache=None)),
    "unembed": (mt.DecoderLM(C).unembed, dict(h=x)),
    "classifier": (mt.Transformer(C, n_classes=2), dict(ids=ids, keep=keep)),
    "translator": (mt.EncoderDecoder(C), dict(source=ids, inputs=ids, source_keep=keep, keep=None, cache=None)),
    "first": (mt.FirstPool(), dict(hidden=x, keep=real)),
    "mean": (mt.MeanPool(), dict(hidden=x, keep=real)),
    "max": (mt.MaxPool(), dict(hidden=x, keep=real)),
    "attention pool": (mt.AttentionPool(8), dict(hidden=x, keep=real)),
    "masked tokens": (mt.MaskedTokenHead(10, 8), dict(hidden=x, table=torch.zeros(10, 8))),
    "contrastive": (mt.ContrastiveHead(8, 4), dict(hidden=x, keep=real)),
    "layer norm": (mt.LayerNorm(8), dict(x=x)),
    "rms norm": (mt.RMSNorm(8), dict(x=x)),
    "ffn": (mt.FeedForward(8, 9), dict(x=x)),
    "gated ffn": (mt.GatedFeedForward(8, 9), dict(x=x)),
    "learned": (mt.Learned(4, 8), dict(x=x, start=0)),
    "sinusoidal": (mt.Sinusoidal(8), dict(x=x, start=0)),
    "grid": (mt.Grid(2, 2, 8), dict(x=x, start=0)),
    "rotary": (mt.Rotary(4).turn, dict(x=heads, start=0)),
    "rotary halves": (mt.RotaryHalves(4).turn, dict(x=heads, start=0)),
    "relative bias": (mt.RelativeBias(2).bias, dict(q=heads, k=heads)),
    "alibi": (mt.ALiBi(2).bias, dict(q=heads, k=heads)),
    "split_heads": (mt.split_heads, dict(x=x, n_heads=2)),
    "merge_heads": (mt.merge_heads, dict(x=heads)),
    "padding_keep": (mt.padding_keep, dict(ids=ids, pad=0)),
    "causal_keep": (mt.causal_keep, dict(T_q=2, T_k=3)),
    "append": (lambda **kv: mt.KVCache().append(**kv), dict(k=heads, v=heads)),
}
CONSTRUCTORS = {
    mt.MultiHeadAttention: dict(d_model=8, n_heads=2, n_kv_heads=1, dropout=0.1),
    mt.ExplicitCore: dict(dropout=0.1),
    mt.FusedCore: dict(dropout=0.1),
    mt.ModelConfig: SIZES | dict(n_kv_heads=1, d_ff=9, norm_eps=1e-5, dropout=0.1, parts=mt.GPT2),
    mt.Parts: dict(norm="rms", ffn="relu", position="t5", placement="pre", bias=True, tied=True, rotary_base=1e4),
    mt.EncoderBlock: dict(config=C),
    mt.DecoderBlock: dict(config=C),
    mt.Encoder: dict(config=C),
    mt.Decoder: dict(config=C),
    mt.DecoderLM: dict(config=C),
    mt.Transformer: dict(config=C, n_classes=2, pool=None),
    mt.EncoderDecoder: dict(source=C, target=C),
    mt.AttentionPool: dict(d_model=8),
    mt.MaskedTokenHead: dict(vocab=10, d_model=8, eps=1e-5),
    mt.ContrastiveHead: dict(d_model=8, d_out=4, pool=None),
    mt.LayerNorm: dict(d_model=8, eps=1e-5),
    mt.RMSNorm: dict(d_model=8, eps=1e-5),
    mt.FeedForward: dict(d_model=8, d_ff=9, activation=torch.relu),
    mt.GatedFeedForward: dict(d_model=8, d_ff=9, activation=torch.relu),
    mt.Learned: dict(max_len=4, d_model=8),
    mt.Sinusoidal: dict(d_model=8, base=1e4),
    mt.Grid: dict(height=2, width=2, d_model=8),
    mt.Rotary: dict(d_head=4, base=1e4),
    mt.RotaryHalves: dict(d_head=4, base=1e4),
    mt.RelativeBias: dict(n_heads=2, n_buckets=32, max_distance=128),
    mt.ALiBi: dict(n_heads=2),
    mt.Residual: dict(placement="pre"),
    mt.ModelCache: dict(n_layers=2),
    mt.init_weights: dict(model=mt.LayerNorm(8), n_layers=2, std=0.02),
    mt.use_fused: dict(model=mt.MultiHeadAttention(8, 2)),
    mt.use_explicit: dict(model=mt.MultiHeadAttention(8, 2)),
}
DTYPES = [torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.bool]
TENSORS = st.builds(
    lambda shape, dtype, device, fill: torch.full(shape, fill, device=device).to(dtype),
    shape=st.one_of(
        st.lists(st.integers(0, 6), max_size=4),
        st.sampled_from([(2, 3, 8), (2, 3), (2, 5), (2, 1, 1, 3), (2, 2, 3, 4), (3, 3, 8), (2, 3, 5), (10, 8)]),
    ),
    dtype=st.sampled_from(DTYPES),
    device=st.sampled_from(["cpu", "cpu", "cpu", "meta"]),
    fill=st.sampled_from([0, 1, -1, 10]),
)
OTHERS = st.sampled_from([-1, 0, 1, 3, 7, 2.5, float("nan"), float("inf"), True, None, "x", [[1.0]], (), mt.KVCache(), mt.ModelCache(5), torch.relu])
SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def served_or_refused(call, given, wrong):
    """True if it was served; a refusal is ours, one line long, and names an argument."""
    try:
        call(**given | wrong)
    except (ValueError, TypeError) as error:
        where, said = traceback.extract_tb(error.__traceback__)[-1], str(error)
        assert Path(where.filename).is_relative_to(HOME), f"from {where.filename}: {said}"
        assert "\n" not in said and any(name in said for name in (*given, "cache")), said
        return False
    return True


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FORWARDS)
@SETTINGS
@given(data=st.data())
def test_a_forward_serves_or_says_what_is_wrong(name, data):
    call, arguments = FORWARDS[name]
    which = data.draw(st.sampled_from(sorted(arguments)))
    served_or_refused(call, arguments, {which: data.draw(st.one_of(TENSORS, TENSORS, OTHERS))})


@pytest.mark.parametrize("name", FORWARDS)
def test_a_forward_takes_what_it_should_and_no_word_for_it(name):
    call, arguments = FORWARDS[name]
    assert served_or_refused(call, arguments, {})
    assert not [which for which in arguments if served_or_refused(call, arguments, {which: "x"})]


@pytest.mark.parametrize("kind", CONSTRUCTORS, ids=lambda kind: kind.__name__)
@SETTINGS
@given(data=st.data())
def test_a_constructor_serves_or_says_what_is_wrong(kind, data):
    arguments = CONSTRUCTORS[kind]
    which = data.draw(st.sampled_from(sorted(arguments)))
    served_or_refused(kind, arguments, {which: data.draw(st.one_of(OTHERS, TENSORS))})


@pytest.mark.parametrize("kind", CONSTRUCTORS, ids=lambda kind: kind.__name__)
def test_a_constructor_takes_what_it_should_and_no_word_for_it(kind):
    arguments = CONSTRUCTORS[kind]
    assert served_or_refused(kind, arguments, {})
    assert not [which for which in arguments if served_or_refused(kind, arguments, {which: "x"})]

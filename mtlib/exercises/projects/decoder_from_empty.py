"""projects.decoder_from_empty: a language model, rebuilt from an empty class."""

from functools import cache

import torch
from torch import Tensor

import mtlib as mt
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, refuses_to_build, value_of
from mtlib.grading.subject import Reply, Subject

from . import language_models as models
from . import noticing
from .noticing import learns, noticed, who_notices
from .writing import (
    BATCH,
    EXAMPLES,
    LEAST,
    LESSON,
    RATE,
    SIZES,
    changed,
    in_pieces,
    lesson,
    texts,
    the_one_before,
    two_texts,
    uneven,
)


def sizes_of(case: dict) -> tuple:
    return tuple(case[name] for name in SIZES)


@cache
def _model(sizes: tuple) -> mt.DecoderLM:
    return mt.DecoderLM(mt.ModelConfig(**dict(zip(SIZES, sizes, strict=True)))).eval()


def expected_of(case: dict) -> mt.DecoderLM:
    """mtlib's model with weights of that seed: none is 0 or 1, so that none can be left out unseen."""
    model, generator = _model(sizes_of(case)), torch.Generator().manual_seed(case["weights"])
    model.to(case["dtype"])
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64) * 0.7)
    return model


def named_alike(case: dict, subject: Subject) -> Subject:
    """The learner's model, whose parameters have the names and shapes of DecoderLM's, and there are no others."""
    model = value_of(subject.build(*sizes_of(case)))
    own = value_of(model.state())
    subject.log.append(Reply({name: list(weight.shape) for name, weight in own.items()}))  # by which mistakes are told apart
    theirs = _model(sizes_of(case)).state_dict()
    if missing := [name for name in theirs if name not in own]:
        raise Wrong(f"the state dict has no {missing[0]}; it has {', '.join(own)}", list(own), list(theirs))
    if extra := [name for name in own if name not in theirs]:
        raise Wrong(f"the state dict has a {extra[0]}, which DecoderLM has not", list(own), list(theirs))
    for name, weight in theirs.items():
        if own[name].shape != weight.shape:
            raise Wrong(f"{name} has shape {tuple(own[name].shape)}; expected {tuple(weight.shape)}", own[name], weight)
    return model


def loaded(case: dict, subject: Subject) -> tuple[Subject, mt.DecoderLM]:
    """The learner's model with mtlib's weights in it, and mtlib's."""
    model, theirs = named_alike(case, subject), expected_of(case)
    value_of(model.load(dict(theirs.state_dict())))
    value_of(model.exchange("eval"))
    return model, theirs


@torch.no_grad()
def same_logits(case: dict, subject: Subject) -> None:
    model, theirs = loaded(case, subject)
    agree(value_of(model.call(case["ids"])), theirs(case["ids"]), 30.0)


def _feed(model: Subject, ids: Tensor, cache, expected: Tensor, told: str):
    """One chunk with its cache: the next cache, where the logits are right."""
    answer = value_of(model.exchange("", ids, cache))
    if type(answer) is not tuple or len(answer) != 2:
        kind = "a tuple" if type(answer) is tuple else "a tensor" if type(answer) is Tensor else "something else"
        raise Wrong(f"with a cache {kind} comes back; expected the two (logits, cache)", answer, "(logits, cache)")
    agree_in_form(answer[0], expected)
    agree(answer[0], expected, 30.0, why=told)
    return answer[1]


@torch.no_grad()
def equals_full(case: dict, subject: Subject) -> None:
    """Chunk after chunk, each with the cache that the last one gave; two texts take turns, where there are two."""
    (model, theirs), chunks = loaded(case, subject), case["chunks"]
    rows = [case[name] for name in ("ids", "other") if name in case]
    full = [theirs(ids) for ids in rows]
    caches, begin = [value_of(model.exchange("new_cache")) for _ in rows], 0
    for length in chunks:
        part = slice(begin, begin + length)
        told = f"positions {begin} to {part.stop - 1}, fed in chunks of {chunks}" + (", two texts in turn" if len(rows) > 1 else "")
        caches = [_feed(model, ids[:, part], kept, logits[:, part], told) for ids, kept, logits in zip(rows, caches, full, strict=True)]
        begin = part.stop
    agree(value_of(model.call(rows[0])), full[0], 30.0, why="all at once, without a cache, after the cached steps")


def logits_of(case: dict, value: object) -> object:
    """What of an answer counts: the logits; how a cache is made is the learner's choice."""
    return value[0] if type(value) is tuple and len(value) == 2 else value


def answers_right(case: dict, value: object) -> object:
    """What of the trained model counts."""
    _, targets = the_one_before(torch.Generator().manual_seed(case["seed"] + 1_000_000), 300)
    return noticing.share_right(value, targets) >= LEAST


M = Mistake
TIED = "a head among the parameters: tied means that the token table is used twice and stored once"
EXERCISE = Exercise(
    id="projects.decoder_from_empty",
    title="Rebuild three: a writer",
    answers=("LM",),
    minutes=90,
    read=("t-reimplement", "t-decoder-only"),
    forbid=("torch.nn.TransformerEncoderLayer", "torch.nn.TransformerEncoder", "torch.nn.TransformerDecoderLayer",
            "torch.nn.TransformerDecoder", "torch.nn.Transformer", "torch.nn.MultiheadAttention",
            "torch.nn.functional.multi_head_attention_forward"),
    properties=(
        Property("names", 3, "the parameters have DecoderLM's names and shapes, and there are no others", texts, named_alike, 10),
        Property("sizes", 1, "a ValueError when n_heads does not divide d_model", uneven, refuses_to_build, 12),
        Property("no look ahead", 4, "with its own weights: a changed token is noticed by its own place and all later ones, by no earlier one",
                 changed, who_notices(sizes_of, lambda case: (case["ids"],), "places (columns) that notice when token j (row) is changed"),
                 10, noticed),
        Property("parity", 8, "with mtlib's weights copied in, mtlib's logits", texts, same_logits, 12),
        Property("cache", 6, "a text in chunks gives what it gives at once", in_pieces, equals_full, 12, logits_of),
        Property("a cache of its own", 3, "two texts take turns, each with its own cache", two_texts, equals_full, 9, logits_of),
        Property("learns", 5, f"trained on {EXAMPLES} short texts it names the token before each", lesson,
                 learns(sizes_of(LESSON), the_one_before, LEAST, BATCH, RATE), 1, answers_right, patience=60),
    ),
    mistakes=(
        M(TIED, models.Untied),
        M("no triangle: every place sees what it will be asked for", models.SeesAhead),
        M("the norms after the additions, as in 2017; pre-norm is asked for", models.NormAfter),
        M("no last norm: the stream goes to the head as it is", models.NoFinalNorm),
        M("a LayerNorm with another eps; 1e-5 is asked for, torch's own", models.OtherEps),
        M("GELU by its tanh formula, GPT-2's; the exact one is asked for", models.TanhGelu),
        M("ReLU, where GELU is asked for", models.Relu),
        M("attention without the division by √d_k", models.NoScale),
        M("attention scaled by √d_model: each head is only d_model / n_heads wide", models.ModelScale),
        M("heads cut by a reshape straight to (B, H, T, E), across time", models.CutAcross),
        M("embeddings times √d_model, as in 2017; here they are added to the positions as they are", models.Louder),
        M("positions that start at 0 in every chunk: with a cache the text has begun before", models.FromZero),
        M("the triangle at the top left: with a cache the new positions are the last rows, not the first", models.TopLeft),
        M("the last chunk's keys and values alone kept: what was before is forgotten", models.LastOnly),
        M("a cache that lives on the model: two texts write into one", models.OneCache),
        M("a model that takes any number of heads, where it should refuse one that does not divide d_model", models.AnyHeads),
    ),
    hints=(
        "An order in which something can be tested after each step: the names alone, with a forward that does nothing; tables, last norm and "
        "tied head; a block; the triangle; only then the cache. The check tells the promises apart, and you may run it at every step.",
        "Tied: `F.linear(x, self.tok.weight)`, and no head among the parameters. The cache holds for each layer the keys and values so far, and "
        "tells where the new positions begin. Of T keys the T_new queries are the last: that is where the triangle sits.",
        "`keep = torch.ones(T_new, T, dtype=torch.bool).tril(T - T_new)`; positions `self.pos.weight[start : start + T_new]` with start the "
        "length of the kept keys. A block returns x and its (k, v); `new_cache` may be `[None] * n_layers`; forward returns logits, or "
        "(logits, [the layers' (k, v)]) when a cache came. `nn.ModuleDict` gives the names attn.q_proj and ffn.w_in.",
    ),
    explanation=(
        "Parity is the hardest judge and the kindest: with the same weights either all numbers agree or something is other than you think. "
        "That is how a port of a real model is proved. And the cache has to agree with no cache at all: the one speeds up the other, and "
        "must not change it."
    ),
    better=(
        "Your weights and `mt.DecoderLM`'s are interchangeable now: `mt.DecoderLM(config).load_state_dict(lm.state_dict())` works, and so does the way "
        "back. Start from GPT-2's weights with small changes: a fused q, k, v to cut in three, and GELU by the tanh formula."
    ),
)

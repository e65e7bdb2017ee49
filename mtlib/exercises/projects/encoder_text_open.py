"""projects.encoder_text_open: a text classifier, rebuilt with the text open."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, refuses_to_build, value_of
from mtlib.grading.subject import Subject

from . import noticing, readers
from .noticing import any_ids, at_the_front, each_other, noticed, who_notices

SIZES = ("vocab", "d_model", "n_heads", "n_layers", "n_classes", "max_len")
LESSON = {"vocab": 8, "d_model": 16, "n_heads": 2, "n_layers": 1, "n_classes": 2, "max_len": 6}
EXAMPLES, BATCH, RATE, LEAST = 5120, 64, 0.01, 0.65  # a bag of words gets 0.5; some right answers stay near 0.77 for long


def sizes_of(case: dict) -> tuple:
    return tuple(case[name] for name in SIZES)


def inputs_of(case: dict) -> tuple:
    return case["ids"], case["keep"]


def _case(d: Draw, ids: Tensor, keep: Tensor, vocab: int, notices: Tensor | None = None) -> dict:
    sizes = {"vocab": vocab, **noticing.widths(d), "n_classes": d.whole(2, 4), "max_len": ids.size(1) + d.whole(0, 1)}
    form = (ids.size(0), sizes["n_classes"]), torch.float64
    return {name: sizes[name] for name in SIZES} | {"ids": ids, "keep": keep, "form": form, "notices": notices}


def texts(d: Draw) -> dict:
    """A few texts of unlike lengths; any id may stand in the padding."""
    B, T, vocab = d.size(high=3), d.size(rough=7), d.whole(5, 9)
    keep = at_the_front([T, *(d.whole(1, T) for _ in range(B - 1))], T)
    return _case(d, any_ids(d, B, T, vocab=vocab), keep, vocab)


def padded(d: Draw) -> dict:
    """One text, and again with each place of its padding changed: nobody notices."""
    n, more, vocab = d.size(rough=5), d.whole(1, 3), d.whole(5, 9)
    ids = each_other(any_ids(d, n + more, vocab=vocab), vocab, list(range(n, n + more)))
    return _case(d, ids, at_the_front([n] * (more + 1), n + more), vocab, torch.zeros(more, dtype=torch.bool))


def words(d: Draw) -> dict:
    """One text, and again with each word changed."""
    T, vocab = d.size(rough=6), d.whole(5, 9)
    ids = each_other(any_ids(d, T, vocab=vocab), vocab, list(range(T)))
    return _case(d, ids, torch.ones(ids.shape, dtype=torch.bool), vocab, torch.ones(T, dtype=torch.bool))


def swapped(d: Draw) -> dict:
    """One text of different words, and again with two neighbours changing places."""
    vocab, T = d.whole(5, 9), d.size(low=2, high=4, rough=5)
    ids = noticing.each_swapped(noticing.different(d, T, vocab))
    return _case(d, ids, torch.ones(ids.shape, dtype=torch.bool), vocab, torch.ones(T - 1, dtype=torch.bool))


def two_changed(d: Draw) -> dict:
    """Four texts: as it was, with one word changed, with another, with both."""
    vocab, T = d.whole(5, 9), d.size(low=2, high=4, rough=6)
    i = d.whole(0, T - 2)
    j = d.whole(i + 1, T - 1)
    ids = each_other(any_ids(d, T, vocab=vocab), vocab, [i, j, j])
    ids[3, i] = ids[1, i]
    ids[3, j] = ids[2, j]
    return _case(d, ids, torch.ones(ids.shape, dtype=torch.bool), vocab)


def uneven(d: Draw) -> dict:
    sizes = {"vocab": d.whole(5, 9), **noticing.uneven(d), "n_classes": 2, "max_len": d.size()}
    return {name: sizes[name] for name in SIZES}


def any_sizes(d: Draw) -> dict:
    sizes = {"vocab": d.whole(5, 9), **noticing.widths(d), "n_classes": 2, "max_len": d.size()}
    return {name: sizes[name] for name in SIZES}


def lesson(d: Draw) -> dict:
    return {"seed": d.whole(0, 9999), "examples": EXAMPLES}


def negation(generator: torch.Generator, n: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Texts of 3 to 6 words, one of them 2 (good) or 3 (bad), one of them 1 (not), which turns what comes after it. 0 is padding."""
    T = LESSON["max_len"]
    ids = torch.randint(4, 8, (n, T), generator=generator)
    keep = torch.arange(T) < torch.randint(3, T + 1, (n, 1), generator=generator)
    word, turn = torch.rand(n, T, generator=generator).masked_fill(~keep, -1.0).topk(2).indices.T
    bad = torch.randint(2, (n,), generator=generator)
    ids[range(n), word], ids[range(n), turn] = 2 + bad, torch.ones_like(bad)
    return (ids.masked_fill(~keep, 0), keep), torch.where(turn < word, 1 - bad, bad)


def in_company(case: dict, subject: Subject) -> None:
    """Each text by itself, without its padding, gives what it gives in the batch."""
    model = noticing.built(sizes_of(case), subject)
    ids, keep = inputs_of(case)
    together = value_of(model.call(ids, keep))
    agree_in_form(together, torch.zeros(case["form"][0], dtype=torch.float64))
    for row, (text, kept) in enumerate(zip(ids, keep, strict=True)):
        alone = value_of(model.call(text[kept][None], kept[kept][None]))
        agree(together[row : row + 1], alone, why=f"text {row} in the batch, and alone without its padding")


def meeting(case: dict, value: object) -> object:
    """Whether two changes together are more than the sum of the two."""
    found = noticed(case, value)
    if isinstance(found, str):
        return found
    as_it_was, one, other, both = value
    return bool((both - one - other + as_it_was).abs().max() > noticing.NOTICED)


def words_meet(case: dict, subject: Subject) -> None:
    yours = value_of(noticing.built(sizes_of(case), subject).call(*inputs_of(case)))
    noticing.in_form(case, yours)
    if meeting(case, yours) is not True:
        raise Wrong("what one word does to the verdict never depends on another: nobody looks at anybody", False, True)


def answers_right(case: dict, value: object) -> object:
    """What of the trained model counts."""
    _, targets = negation(torch.Generator().manual_seed(case["seed"] + 1_000_000), 300)
    return noticing.share_right(value, targets) >= LEAST


M = Mistake
PADDING = "padding that has a say: keep, True = may look, hides it from the attention, as keys, and from the mean; both are needed"
EXERCISE = Exercise(
    id="projects.encoder_text_open",
    title="Rebuild one: a reader",
    answers=("TextClassifier",),
    minutes=60,
    read=("t-reimplement",),
    forbid=("torch.nn.TransformerEncoderLayer", "torch.nn.TransformerEncoder", "torch.nn.TransformerDecoderLayer",
            "torch.nn.Transformer", "torch.nn.MultiheadAttention", "torch.nn.functional.multi_head_attention_forward"),
    properties=(
        Property("form", 2, "logits (B, n_classes), in float32 and after .double() in float64", texts,
                 noticing.of_the_right_form(sizes_of, inputs_of), 12, noticing.form_of),
        Property("sizes", 1, "a ValueError when n_heads does not divide d_model", uneven, refuses_to_build, 12),
        Property("layers", 1, "each layer brings weights of its own", any_sizes, noticing.grows(sizes_of), 5),
        Property("every word counts", 2, "a changed word changes the verdict", words,
                 who_notices(sizes_of, inputs_of, "which changed words are noticed"), 12, noticed),
        Property("padding", 4, "what stands in the padding changes nothing", padded,
                 who_notices(sizes_of, inputs_of, "which changed places of the padding are noticed"), 15, noticed),
        Property("in company", 2, "a text gets the same verdict alone and in a batch, with padding and without", texts, in_company, 10,
                 noticing.form_of),
        Property("order matters", 3, "two neighbours that change places change the verdict", swapped,
                 who_notices(sizes_of, inputs_of, "which swaps of neighbours are noticed"), 12, noticed),
        Property("words meet", 2, "what a word does depends on another: they look at each other", two_changed, words_meet, 12, meeting),
        Property("no idle weights", 1, "training moves every weight", lesson, noticing.all_move(sizes_of(LESSON | {"n_layers": 2}), negation), 1,
                 patience=60),
        Property("learns", 5, f"trained on {EXAMPLES} short texts it tells “not good” from “good, not …” more often than a bag of words can",
                 lesson, noticing.learns(sizes_of(LESSON), negation, LEAST, BATCH, RATE), 1, answers_right, patience=60),
    ),
    mistakes=(
        M(PADDING, readers.PaddingBoth),
        M("the last position pooled, which in a padded text is padding", readers.PoolLast),
        M("the first position pooled behind a triangle: it has seen itself and nothing more", readers.FirstOfTriangle),
        M("no positions: a bag of words", readers.NoPositions),
        M("positions counted from 1: a text of max_len tokens runs off the table", readers.CountedFromOne,
          raises="IndexError"),
        M("no attention: every word is judged by itself, and then the mean is taken", readers.NoLooking),
        M("one block used over and over: n_layers blocks with weights of their own are asked for", readers.OneBlock),
        M("blocks in a Python list, where torch does not see them: neither `.double()` nor an optimiser reaches them. "
          "`nn.ModuleList` is for that", readers.PlainList, raises="RuntimeError"),
        M("a softmax at the end; logits are asked for, and cross-entropy has a softmax in it", readers.Shares),
        M("a model that takes any number of heads, where it should refuse one that does not divide d_model", readers.AnyHeads),
    ),
    hints=(
        "Build it so that something can be tested after ten lines: first tables, mean and head, with no block at all. “form” and “padding” "
        "should pass then. Which promise tells you that a block is missing, and which that its mask is?",
        "The attention gets keep as (B, 1, 1, T): the same for all heads and all queries. Rows of padding may hold anything; they are left "
        "out of the mean. Positions are the first T rows of the table.",
        "A block is `x = x + attn(norm1(x))`, `x = x + ffn(norm2(x))`. In it, cut q, k and v with "
        "`.unflatten(-1, (n_heads, -1)).transpose(1, 2)`, call `F.scaled_dot_product_attention(q, k, v, attn_mask=keep[:, None, None, :])`, "
        "and put the heads together with `.transpose(1, 2).flatten(-2)` before the last map. At the end "
        "`norm(x).masked_fill(~keep[..., None], 0).sum(1) / keep.sum(1, keepdim=True)`, then the head.",
    ),
    explanation=(
        "Nothing here was compared with numbers of ours. Change one thing, watch what moves: that finds a mask turned over, a lost "
        "position, a head that looks nowhere, in any model and whatever its weights. Training finds what is left, and tells least about "
        "where it is; so it comes last. What stays unseen from here: an FFN without its activation passes too, and so do as many heads as one "
        "head should be wide."
    ),
    better=(
        "Keep these checks. In your own project they are ten lines each: padding changes nothing, a text alone gives what it gives in a "
        "batch, order matters. Run them before the first long training, and after each change to the model."
    ),
)

"""dimensions.shapes: the shape of everything that passes through a classifier, from seven sizes."""

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses
from mtlib.letters import shape

Shapes = dict[str, tuple[int, ...]]


STREAM, HEADS, PAIRS = "B T D", "B H T E", "B H T T"
LETTERS = {
    "ids": "B T", "embedded": STREAM, "positioned": STREAM,
    "q": HEADS, "k": HEADS, "v": HEADS, "scores": PAIRS, "weights": PAIRS, "heads": HEADS,
    "merged": STREAM, "attention_out": STREAM, "ffn_hidden": "B T F", "ffn_out": STREAM,
    "pooled": "B D", "logits": "B C",
}  # fmt: skip


def reference(batch: int, length: int, vocab: int, d_model: int, n_heads: int, d_ff: int, n_classes: int) -> Shapes:
    if d_model % n_heads:
        raise ValueError(f"d_model={d_model} does not split into n_heads={n_heads} equal heads")
    return unguarded(batch, length, vocab, d_model, n_heads, d_ff, n_classes)


def unguarded(batch, length, vocab, d_model, n_heads, d_ff, n_classes, letters=LETTERS) -> Shapes:
    """The letters in numbers, whether or not the heads come out even."""
    sizes = {"B": batch, "T": length, "V": vocab, "D": d_model, "H": n_heads, "F": d_ff, "C": n_classes}
    sizes["E"] = d_model // n_heads
    return {name: shape(axes, sizes) for name, axes in letters.items()}


def any_sizes(d: Draw) -> dict:
    """Every size apart from the others where dice allow it, so that no two can be taken for each other."""
    H = d.size(low=2, rough=8)
    return {
        "batch": d.size(), "length": d.size(low=2, high=6, rough=40), "vocab": d.whole(10, 99),
        "d_model": H * d.size(low=2), "n_heads": H, "d_ff": d.size(low=5, high=50, rough=200), "n_classes": d.size(low=2),
    }  # fmt: skip


def one_of_each(d: Draw) -> dict:
    """A batch of one, one position, one head, one column a head: axes of size 1 stay."""
    case = any_sizes(d)
    return case | d.pick({"batch": 1}, {"length": 1}, {"n_heads": 1}, {"d_model": case["n_heads"]}, {"n_classes": 1})


def uneven(d: Draw) -> dict:
    case = any_sizes(d)
    return case | {"d_model": case["n_heads"] * d.whole(1, 4) + d.whole(1, case["n_heads"] - 1)}


def but(**changed: str):
    """The reference with other letters for some of the entries."""

    def shapes(*sizes: int) -> Shapes:
        return reference(*sizes) and unguarded(*sizes, letters=LETTERS | changed)

    return shapes


def _float_heads(*sizes: int) -> Shapes:
    right, E = reference(*sizes), sizes[3] / sizes[4]
    return right | {name: (*right[name][:3], E) for name in _qkv}


_qkv = ("q", "k", "v", "heads")

EXERCISE = Exercise(
    id="dimensions.shapes",
    title="Every shape from seven sizes",
    answers=("shapes",),
    minutes=15,
    read=("q-dimensions", "c-missing-pooling"),
    properties=(
        Property("every shape", 6, "fifteen tuples, in letters those of the chapter's table", any_sizes, equals(reference), 60),
        Property("ones", 2, "an axis of size 1 is still an axis", one_of_each, equals(reference), 40),
        Property("refusal", 1, "a ValueError when n_heads does not divide d_model", uneven, refuses, 30),
    ),
    mistakes=(
        Mistake("q, k and v without their heads: (B, T, E) is one head's share", but(**dict.fromkeys(_qkv, "B T E"))),
        Mistake("q, k and v with heads after time: that is before the transpose", but(**dict.fromkeys(_qkv, "B T H E"))),
        Mistake("full-size q, k and v: each head has D/H columns, not D", but(**dict.fromkeys(_qkv, "B H T D"))),
        Mistake("one table of scores a text: every head has its own", but(scores="B T T", weights="B T T")),
        Mistake("scores of width E: a score is a number for every pair of positions", but(scores="B H T E", weights="B H T E")),
        Mistake("merged heads of width E: side by side they are D again", but(merged="B T E")),
        Mistake("an FFN four times as wide, whatever d_ff says", but(ffn_hidden="B T 4·D")),
        Mistake("an FFN that stays wide: w_out brings it back to the stream", but(ffn_out="B T F")),
        Mistake("pooling left out: (B, T, D) where one vector a text is left", but(pooled="B T D")),
        Mistake("a class for every position; after pooling there is one answer a text", but(logits="B T C")),
        Mistake("logits over the vocabulary: that is a language model, this is a classifier", but(logits="B V")),
        Mistake("ids as one-hot rows: an id is one number, and the embedding a look-up", but(ids="B T V")),
        Mistake("`/`, which gives a float; a size is a whole number: `//`", _float_heads),
        Mistake("heads that do not divide the width let through, where a ValueError was asked for", unguarded),
        Mistake("pooled vectors with time kept as an axis of size 1", but(pooled="B 1 D")),
    ),
    hints=(
        "Only four shapes come again and again: the stream (B, T, D), a thing with heads, a thing for every pair of "
        "positions, and one vector a text. Write these four first.",
        "Heads stand right after the batch: (B, H, T, E) with E = d_model // n_heads. A score belongs to a head and a "
        "pair of positions. Pooling takes the positions away.",
        "stream = (batch, length, d_model); heads = (batch, n_heads, length, d_model // n_heads); pairs = (batch, "
        "n_heads, length, length); then pooled is (batch, d_model) and logits (batch, n_classes).",
    ),
    explanation=(
        "Four shapes make fifteen entries, and the vocabulary is in none of them: it is the height of the token table, "
        "a parameter, and what goes in are row numbers. Only where a language model scores every token does V come "
        "back as an axis. Everything between the embedding and the pooling leaves the stream as wide as it found it."
    ),
    better=(
        "`model.get_dimensions(batch, length)` reads them off a run that takes no memory (torch's meta device), for a "
        "model of any size. Write shapes as comments beside the code, `# (B, H, T, E)`: a letter you cannot name is "
        "the bug you will have."
    ),
)

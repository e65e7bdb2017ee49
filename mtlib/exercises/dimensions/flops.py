"""dimensions.flops: how many operations one forward takes, as matrix products."""

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals


def reference(vocab: int, d_model: int, n_layers: int, d_ff: int, T: int) -> int:
    projections = 2 * T * d_model * 4 * d_model
    pairs = 2 * T * T * d_model
    ffn = 2 * T * d_model * 2 * d_ff
    head = 2 * T * d_model * vocab
    return n_layers * (projections + 2 * pairs + ffn) + head


def short(d: Draw) -> dict:
    """One position: no pair but with itself."""
    return _case(d, 1)


def longer(d: Draw) -> dict:
    return _case(d, d.size(low=2, high=8, rough=4096))


def _case(d: Draw, T: int) -> dict:
    return {
        "vocab": d.whole(2, 60_000 if d.rough else 9), "d_model": d.size(high=9, rough=1024),
        "n_layers": d.size(rough=48), "d_ff": d.size(high=9, rough=4096), "T": T,
    }  # fmt: skip


def variant(project=4, pairs=2.0, head=1, tokens=1, add=2, ffn=2):
    """The same sum with other coefficients."""

    def count(vocab, d_model, n_layers, d_ff, T):
        D = d_model
        block = add * T * project * D * D + int(add * pairs * T * T * D) + add * T * ffn * D * d_ff
        return n_layers * block + head * add * T * D * vocab + (1 - tokens) * add * T * D * vocab

    return count


EXERCISE = Exercise(
    id="dimensions.flops",
    title="How many operations",
    answers=("forward_flops",),
    minutes=15,
    read=("flops",),
    properties=(
        Property("one position", 3, "every matrix meets every position once", short, equals(reference), 50),
        Property("a sequence", 4, "and every position meets every position, twice a layer", longer, equals(reference), 50),
    ),
    mistakes=(
        Mistake("a multiply-add counted as one; here it is two", variant(add=1)),
        Mistake("no pairs at all: '2 for every parameter' leaves out what grows with T²", variant(pairs=0.0)),
        Mistake("half of the work of the pairs: both q kᵀ and weights · v count, and in full, also what a mask then throws away", variant(pairs=1.0)),
        Mistake("q, k and v only: o_proj is a product too", variant(project=3)),
        Mistake("one matrix of the FFN only: up and down are two", variant(ffn=1)),
        Mistake("the head forgotten", variant(head=0)),
        Mistake("the embedding counted as a product; it is a look-up, and costs none", variant(tokens=0)),
        Mistake("backward counted as well: three times the forward", lambda *sizes: 3 * reference(*sizes)),
        Mistake(
            "an answer for one position, where T of them pass through",
            lambda vocab, d_model, n_layers, d_ff, T: reference(vocab, d_model, n_layers, d_ff, T) // T,
        ),
        Mistake(
            "the head in every layer; it stands once, at the end",
            lambda vocab, d_model, n_layers, d_ff, T: reference(vocab, d_model, n_layers, d_ff, T) + (n_layers - 1) * 2 * T * d_model * vocab,
        ),
        Mistake("a float; operations are counted in whole numbers", lambda *sizes: float(reference(*sizes))),
    ),
    hints=(
        "A product of (a, b) with (b, c) makes a·c numbers, and each takes b multiply-adds, which count 2. Go through "
        "one block, product by product: how many are there?",
        "Four projections (T, D) @ (D, D), two for the pairs, (T, E) @ (E, T) and (T, T) @ (T, E) in each head, two in "
        "the FFN. H heads of E columns make D, whatever H is. After the last layer, (T, D) @ (D, V).",
        "n_layers·(8·T·D² + 4·T²·D + 4·T·D·d_ff) + 2·T·D·vocab.",
    ),
    explanation=(
        "Divide by T: 2·(4D² + 2D·d_ff) a layer is twice its matrices' parameters, the rule '2 for every parameter and "
        "token'. What the rule leaves out is 4·T·D a layer, the pairs. They overtake the rest of a block of "
        "d_ff = 4D at T = 6D: for GPT-2 at 4,608 positions, four and a half times its context."
    ),
    better=(
        "`mtlib.count.flops(config, T)` has the parts apart, and caches. To measure: `with "
        "torch.utils.flop_counter.FlopCounterMode() as counter: model(ids)`, which agrees to the last digit, on the meta "
        "device too."
    ),
)

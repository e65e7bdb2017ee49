"""dimensions.parameters: how many numbers a decoder holds, part by part, from its sizes alone."""

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals

SIZES = "vocab max_len d_model n_heads n_layers d_ff bias tied"


def reference(
    vocab: int, max_len: int, d_model: int, n_heads: int, n_layers: int, d_ff: int, bias: bool, tied: bool
) -> dict[str, int]:
    D, F = d_model, d_ff
    parts = {
        "embedding": vocab * D,
        "positions": max_len * D,
        "attention": n_layers * (4 * D * D + (4 * D if bias else 0)),
        "ffn": n_layers * (2 * D * F + (F + D if bias else 0)),
        "norms": (2 * n_layers + 1) * 2 * D,
        "head": 0 if tied else vocab * D,
    }
    return parts | {"total": sum(parts.values())}


def plain(d: Draw) -> dict:
    """Without biases, head tied: matrices, tables and norms alone."""
    H = d.size(rough=16)
    return {
        "vocab": d.whole(2, 60_000 if d.rough else 9), "max_len": d.size(high=9, rough=2048), "d_model": H * d.size(rough=64),
        "n_heads": H, "n_layers": d.size(rough=48), "d_ff": d.size(high=9, rough=4096), "bias": False, "tied": True,
    }  # fmt: skip


def biased(d: Draw) -> dict:
    return plain(d) | {"bias": True}


def untied(d: Draw) -> dict:
    return plain(d) | {"bias": d.flag(), "tied": False}


def but(**changed):
    """The reference with some parts counted otherwise: each a function of the reference's own arguments."""

    def count(*given):
        sizes = dict(zip(SIZES.split(), given, strict=True))
        parts = reference(**sizes) | {name: how(**sizes) for name, how in changed.items()}
        return parts if "total" in changed else parts | {"total": sum(n for name, n in parts.items() if name != "total")}

    return count


EXERCISE = Exercise(
    id="dimensions.parameters",
    title="How many numbers",
    answers=("count_parameters",),
    minutes=20,
    read=("t-params",),
    properties=(
        Property("matrices and tables", 4, "six parts and their total, without biases, head tied", plain, equals(reference), 50),
        Property("biases", 3, "one for every column that a linear of a block puts out", biased, equals(reference), 50),
        Property("a head of its own", 2, "untied: a second table as large as the first, without bias", untied, equals(reference), 50),
    ),
    mistakes=(
        Mistake(
            "one layer counted, not n_layers of them",
            but(
                attention=lambda d_model, bias, **_: 4 * d_model**2 + (4 * d_model if bias else 0),
                ffn=lambda d_model, d_ff, bias, **_: 2 * d_model * d_ff + (d_ff + d_model if bias else 0),
            ),
        ),
        Mistake(
            "q, k and v only: o_proj is the fourth",
            but(attention=lambda d_model, n_layers, bias, **_: n_layers * (3 * d_model**2 + (3 * d_model if bias else 0))),
        ),
        Mistake(
            "a full D × D for each head: together the heads are D wide, and n_heads is in no count",
            but(attention=lambda d_model, n_heads, n_layers, bias, **_: n_layers * n_heads * (4 * d_model**2 + (4 * d_model if bias else 0))),
        ),
        Mistake(
            "biases of attention forgotten",
            but(attention=lambda d_model, n_layers, **_: n_layers * 4 * d_model**2),
        ),
        Mistake(
            "two biases of size D in the FFN; the first is as wide as what it puts out, d_ff",
            but(ffn=lambda d_model, d_ff, n_layers, bias, **_: n_layers * (2 * d_model * d_ff + (2 * d_model if bias else 0))),
        ),
        Mistake(
            "one matrix of the FFN only: up and down are two",
            but(ffn=lambda d_model, d_ff, n_layers, bias, **_: n_layers * (d_model * d_ff + (d_ff + d_model if bias else 0))),
        ),
        Mistake(
            "an FFN four times as wide, whatever d_ff says",
            but(ffn=lambda d_model, n_layers, bias, **_: n_layers * (8 * d_model**2 + (5 * d_model if bias else 0))),
        ),
        Mistake("the last norm forgotten: two a layer and one at the end", but(norms=lambda d_model, n_layers, **_: 4 * n_layers * d_model)),
        Mistake("gains counted and shifts not: a LayerNorm has both", but(norms=lambda d_model, n_layers, **_: (2 * n_layers + 1) * d_model)),
        Mistake("a tied head counted again: it is the token table", but(head=lambda vocab, d_model, **_: vocab * d_model)),
        Mistake(
            "a bias in the head, which has none",
            but(head=lambda vocab, d_model, tied, **_: 0 if tied else vocab * (d_model + 1)),
        ),
        Mistake("no table of positions: these are learned, a row for each of max_len", but(positions=lambda **_: 0)),
        Mistake("a total without the two tables: the 'non-embedding' count of the scaling papers",
                but(total=lambda **s: sum(n for name, n in reference(**s).items() if name in ("attention", "ffn", "norms", "head")))),
    ),
    hints=(
        "A linear from n to m holds n·m numbers, and m more with a bias. List the linears of one block: four in "
        "attention, two in the FFN. What is counted once, and what in every layer?",
        "All heads together are d_model wide, so n_heads drops out. Each of the four attention maps is D × D. Norms: "
        "two a layer and one at the end, a gain and a shift of D numbers each.",
        "attention = n_layers·(4D² + 4D if bias), ffn = n_layers·(2·D·d_ff + (d_ff + D) if bias), norms = "
        "(2·n_layers + 1)·2·D, head = 0 if tied else vocab·D.",
    ),
    explanation=(
        "With d_ff = 4D a block is 12D² and small change: that is where 'about 12·L·D²' comes from, and why a model "
        "twice as wide is four times as large and one twice as deep only twice. The tables grow with D alone, so in a "
        "small model they are most of it, and in a large one next to nothing."
    ),
    better=(
        "`mtlib.count.parameters(config)` has grouped heads, gates, RMSNorm and encoders too. And the count that cannot be "
        "wrong: build the model under `torch.device('meta')`, where it takes no memory, and sum `p.numel()`."
    ),
)

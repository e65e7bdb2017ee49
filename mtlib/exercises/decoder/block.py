"""decoder.block: an encoder block that cannot look ahead, and one that looks across besides."""

from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import refuses_to_build

from . import layers
from . import who_notices as who
from .who_notices import bend, noticed, rows_notice, stays_small

M = Mistake
EXERCISE = Exercise(
    id="decoder.block",
    title="The decoder block",
    answers=("DecoderBlock",),
    minutes=40,
    read=("decoder-block",),
    forbid=("torch.nn.TransformerDecoderLayer", "torch.nn.TransformerEncoderLayer", "torch.nn.TransformerDecoder", "torch.nn.Transformer"),
    properties=(
        Property("no look ahead", 4, "a changed token is noticed by its own row and the later ones, by no earlier one", who.alone, rows_notice,
                 40, noticed),
        Property("no look ahead beside a memory", 2, "the same with cross", who.beside, rows_notice, 30, noticed),
        Property("all of the memory", 3, "a change anywhere in the memory is noticed by every row", who.across, rows_notice, 40, noticed),
        Property("padding", 2, "what keep hides is noticed by no other row", who.padded, rows_notice, 40, noticed),
        Property("padding of the memory", 2, "what memory_keep hides is noticed by nobody", who.across_padded, rows_notice, 40, noticed),
        Property("nothing kept", 1, "a memory of nothing but padding adds nothing of itself, and no NaN", who.nothing_across, rows_notice,
                 25, noticed),
        Property("pre-norm", 2, "to tokens of norm 1e4 less than 0.3 of it is added, and to longer ones no more", who.long_tokens, who.adds_little,
                 25, stays_small),
        Property("the bend", 2, "a token alone is bent, by an FFN with an activation", who.one_token, who.is_bent, 15, bend),
        Property("memory and cross", 2, "a ValueError when one is there without the other", who.unlike, who.refuses_memory, 20, noticed),
        Property("sizes", 1, "a ValueError when n_heads does not divide d_model", who.uneven, refuses_to_build, 20),
    ),
    mistakes=(
        M("an encoder block: every row sees what comes later", layers.NoTriangle),
        M("the triangle turned over: a row sees itself and what comes later, and nothing before", layers.TurnedTriangle),
        M("every mask turned over: it looks exactly where it may not", layers.MaskTurned),
        M("a triangle without its diagonal: the first row has nothing to look at, and 0/0 is NaN", layers.StrictTriangle),
        M("keep in place of the triangle: with a mask for padding, rows see ahead", layers.KeepOnly),
        M("a block that never looks at keep", layers.KeepForgotten),
        M("keep turned over: it looks at the padding", layers.KeepTurned),
        M("the triangle on the memory too: all of the source is there before the first letter is written", layers.TriangleAcross),
        M("a block that never looks at memory_keep", layers.MemoryKeepForgotten),
        M("memory_keep turned over: it looks at the padding", layers.MemoryKeepTurned),
        M("a memory that is taken and never looked at", layers.MemoryForgotten),
        M("the first row of the memory alone; all of it can be looked at", layers.FirstOfMemory),
        M("the roles swapped: the memory asks, and as many rows come out as it has. Queries come from x", layers.RolesSwapped),
        M("-inf and no more: over a memory of nothing but padding that is 0/0, NaN", layers.NothingKeptIsNaN),
        M("a huge finite mask: where all is padding it looks everywhere alike", layers.NothingKeptIsAll),
        M("the norm after the addition, as in 2017; pre-norm is asked for", layers.NormAfter),
        M("a road on which x gets lost: x itself must be added to what a sublayer makes", layers.NoResidual),
        M("an FFN without an activation, which is one straight map", layers.NoBend),
        M("no FFN: rows look, and none thinks", layers.NoThinking),
        M("a block that takes any memory or none: a ValueError is asked for when cross says otherwise", layers.TakesAnyMemory),
        M("a block that takes any number of heads, where it should refuse one that does not divide d_model", layers.TakesAnySizes),
    ),
    hints=(
        "Begin with an encoder block, pre-norm: `x + attention(norm(x))`, then `x + ffn(norm(x))`. Three things are missing. Which is a "
        "mask, which is three lines, and which is two errors?",
        "The mask of the first attention is the lower triangle, diagonal included, and keep of the keys. Across, queries come from the "
        "normed x, keys and values from memory, all of it but its padding. A query with nothing kept must get zero: torch's "
        "`F.scaled_dot_product_attention` gives that, a softmax over -inf gives NaN.",
        "`may = torch.ones(T, T, dtype=torch.bool).tril()`, and with keep `may & keep[:, None, None, :]`; "
        "`x = x + self.attn(h, h, may)` with `h = self.norm1(x)`; then, with cross, "
        "`across = None if memory_keep is None else memory_keep[:, None, None, :]` and "
        "`x = x + self.cross_attn(self.norm_cross(x), memory, across)`. First of all, `if cross != (memory is not None)`: ValueError.",
    ),
    explanation=(
        "From encoder to decoder it is one mask; from decoder to translator one line more. The parts are the same, which is why the same weights "
        "load into an encoder block and into a decoder block without cross: only what may be looked at is another."
    ),
    better=(
        "Pass `is_causal=True` to torch's attention where there is no padding: it then skips the upper half instead of computing and hiding "
        "it. And while writing, keys and values of what is written, and of the memory once and for all, can be kept: `mtlib.KVCache`."
    ),
)

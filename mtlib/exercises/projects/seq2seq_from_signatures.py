"""projects.seq2seq_from_signatures: a translator, rebuilt from its signatures."""

import torch

from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, refuses_to_build, value_of
from mtlib.grading.subject import Subject

from . import noticing, pairs, translators
from .noticing import built, form_of, learns, noticed, who_notices
from .pairs import BATCH, EXAMPLES, LEAST, LESSON, RATE, SIZES, dates


def sizes_of(case: dict) -> tuple:
    return tuple(case[name] for name in SIZES)


def inputs_of(case: dict) -> tuple:
    return case["source"], case["inputs"], case["source_keep"]


def in_company(case: dict, subject: Subject) -> None:
    """Each pair by itself, without the source's padding, gives what it gives in the batch."""
    model = built(sizes_of(case), subject)
    source, inputs, keep = inputs_of(case)
    together = value_of(model.call(source, inputs, keep))
    agree_in_form(together, torch.zeros(case["form"][0], dtype=torch.float64))
    for row, kept in enumerate(keep):
        alone = value_of(model.call(source[row][kept][None], inputs[row][None], kept[kept][None]))
        agree(together[row : row + 1], alone, why=f"pair {row} in the batch, and alone without padding")


def answers_right(case: dict, value: object) -> object:
    """What of the trained model counts."""
    _, targets = dates(torch.Generator().manual_seed(case["seed"] + 1_000_000), 300)
    return noticing.share_right(value, targets) >= LEAST


M = Mistake
PADDING = "padding of the source that is looked at: source_keep, True = may look, is for the encoder and for the look across; both need it"
EXERCISE = Exercise(
    id="projects.seq2seq_from_signatures",
    title="Rebuild two: a translator",
    answers=("Seq2Seq",),
    minutes=75,
    read=("t-reimplement",),
    forbid=("torch.nn.TransformerEncoderLayer", "torch.nn.TransformerEncoder", "torch.nn.TransformerDecoderLayer",
            "torch.nn.TransformerDecoder", "torch.nn.Transformer", "torch.nn.MultiheadAttention",
            "torch.nn.functional.multi_head_attention_forward"),
    properties=(
        Property("form", 2, "logits (B, T, vocab_target), in float32 and after .double() in float64", pairs.texts,
                 noticing.of_the_right_form(sizes_of, inputs_of), 10, form_of),
        Property("sizes", 1, "a ValueError when n_heads does not divide d_model", pairs.uneven, refuses_to_build, 12),
        Property("layers", 1, "each layer brings weights of its own", pairs.any_sizes, noticing.grows(sizes_of), 4),
        Property("no look ahead", 5, "a changed input is noticed by its own place and all later ones, by no earlier one", pairs.written,
                 who_notices(sizes_of, inputs_of, "places (columns) that notice when input j (row) is changed"), 10, noticed),
        Property("padding", 3, "what stands in the source's padding changes nothing", pairs.padded,
                 who_notices(sizes_of, inputs_of, "places (columns) that notice when a place of the padding (row) is changed"), 10, noticed),
        Property("all of the source", 4, "a changed token of the source is noticed at every place", pairs.read,
                 who_notices(sizes_of, inputs_of, "places (columns) that notice when token j (row) of the source is changed"), 10, noticed),
        Property("in company", 2, "a pair gets the same logits alone and in a batch, with padding and without", pairs.texts, in_company, 9,
                 form_of),
        Property("order of the source", 2, "two neighbours of the source that change places are noticed at every place", pairs.source_swapped,
                 who_notices(sizes_of, inputs_of, "places (columns) that notice when tokens j and j + 1 of the source (row) swap"), 10, noticed),
        Property("order of the inputs", 2, "two neighbours among the inputs that change places are noticed, at every later place too",
                 pairs.inputs_swapped, who_notices(sizes_of, inputs_of, "places (columns) that notice when inputs j and j + 1 (row) swap"),
                 10, noticed),
        Property("no idle weights", 2, "training moves every weight", pairs.lesson, noticing.all_move(sizes_of(LESSON | {"n_layers": 2}), dates), 1,
                 patience=60),
        Property("learns", 5, f"trained on {EXAMPLES} small dates it translates fresh ones", pairs.lesson,
                 learns(sizes_of(LESSON), dates, LEAST, BATCH, RATE), 1, answers_right, patience=60),
    ),
    mistakes=(
        M("no triangle: while writing it sees what it will be asked for", translators.SeesAhead),
        M("a source that nobody reads: a language model of the target", translators.SourceUnread),
        M("the first token of the source alone; all of it can be looked at", translators.FirstOfSource),
        M(PADDING, translators.PaddingBoth),
        M("inputs shifted once more: they come shifted already", translators.ShiftedOnceMore),
        M("no positions in the source: a bag of words is translated", translators.NoSourcePositions),
        M("no positions in what is written: the past is a bag of words", translators.NoTargetPositions),
        M("blocks in a Python list, where torch does not see them: neither `.double()` nor an optimiser reaches them. "
          "`nn.ModuleList` is for that", translators.PlainList, raises="RuntimeError"),
        M("a softmax at the end; logits are asked for, and cross-entropy has a softmax in it", translators.Shares),
        M("a head over the source's vocabulary; what is written has one of its own", translators.OneVocabulary),
        M("a model that takes any number of heads, where it should refuse one that does not divide d_model", translators.AnyHeads),
    ),
    hints=(
        "Two towers. The left one is your reader without pooling and head. The right one is the same with two edits: a mask in its own "
        "attention, and a second attention that asks from x and is answered from the left tower's output.",
        "Three masks: the source's padding in the encoder, (B, 1, 1, S); the triangle among the inputs, (T, T); the source's padding again "
        "in the look across. `inputs` come shifted already; do not shift them. Two tables of tokens, a head over vocab_target.",
        "A decoder block: `h = norm1(x)`, `x = x + attn(h, h, triangle)`, `x = x + cross(norm2(x), memory, source_keep[:, None, None, :])`, "
        "`x = x + ffn(norm3(x))`; the triangle is `torch.ones(T, T, dtype=torch.bool).tril()`. A norm at the end of each tower.",
    ),
    explanation=(
        "Masks decide who notices whom, and that can be asked of any model from outside: a triangle of changes on the side of what is "
        "written, all of the source everywhere, nothing of its padding. A translator that sees ahead can copy the word it is "
        "asked for: its loss looks splendid, and tells nothing. What stays unseen from here: a triangle on the look across, since in the memory "
        "every place knows of all others already; and an encoder without a single block."
    ),
    better=(
        "While writing, read the source once and keep it: `encode` when a text comes, `decode` at every step. Then keep keys and values of "
        "what is written too; that is rebuild three."
    ),
)

"""The smallest view of a translator: see translation."""

from html import escape

from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..transformer import EncoderDecoder
from .attention import translated
from .scripts import payload
from .view import View, ready, typed


def translation(
    model: str | EncoderDecoder,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str = "Which letters does it look at while it writes the year?",
) -> View:
    """A text that the reader types, its translation, and where the model looks while it writes each letter of it.

    The shares are the mean over the heads of the last layer's cross-attention; `attention` shows each head by itself.

    Args:
        model: the name of a shipped model, such as "dates", or a translator of your own with its tokenizer.
        text: what it translates first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.

    >>> translation("dates", "January 5, 1987")
    <a live view: translation>
    """
    running, reader = ready(model, tokenizer, EncoderDecoder)
    answer, weights, rows, cols = translated(running, reader, text)
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer), "example": text,
             "reads": "date" if model == "dates" else "text"}  # fmt: skip
    label = "Type a date in English" if model == "dates" else "Type a text to translate"
    fields, said = typed(label, text, ask, "The model writes:", answer)
    return View("translation", state, fields, said, _first(rows, cols, weights.mean(0)[0].tolist()), 430)


def _first(rows: list[str], cols: list[str], shares: list[float]) -> str:
    """The two lines that stand there first: the answer, its first letter asking, and the source, shaded."""
    at = max(range(len(shares)), key=shares.__getitem__)
    rows, cols = ([escape(piece, quote=False) for piece in pieces] for pieces in (rows, cols))
    asks = "".join(f'<label{" class=mt-live-asks" if t == 0 else ""}><span>{piece}</span></label>' for t, piece in enumerate(rows))
    asked = "".join(f'<span style="--weight: {100 * share:.1f}%">{piece}</span>' for piece, share in zip(cols, shares, strict=True))
    return (
        '<div class="mt-live-one"><p class="mt-live-head"><b>Where it looks</b>: from the first line to the second. Choose one of the upper line.</p>'
        f'<div class="mt-live-letters">{asks}</div><div class="mt-live-letters mt-live-keys" aria-hidden="true">{asked}</div>'
        f'<p class="mt-live-sentence">Writing “{rows[0]}” (place 1), the last layer looks at “{cols[at]}” (place {at + 1}) {100 * shares[at]:.1f} %.</p></div>'
    )

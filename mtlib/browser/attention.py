"""The view of a translator at work: see attention."""

from html import escape

import torch
from torch import Tensor

from ..data.batch import BOS, EOS
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..generation import Given, generate
from ..trace import trace
from ..transformer import EncoderDecoder
from .scripts import payload
from .view import View, fresh_id, ready


def attention(
    model: str | EncoderDecoder,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str = "Which letters does the model look at while it writes each letter of its answer?",
) -> View:
    """A translator at work on a text that the reader types: every head, one head letter by letter, heads taken out, letters hidden.

    Args:
        model: the name of a shipped model, such as "dates", or a translator of your own with its tokenizer.
        text: what it translates first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.

    >>> attention("dates", "January 5, 1987")
    <a live view: attention>
    """
    running, reader = ready(model, tokenizer, EncoderDecoder)
    answer, weights = translated(running, reader, text)
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer), "text": text, "example": text,
             "reads": "date" if model == "dates" else "text"}  # fmt: skip
    uid = fresh_id()
    fields = (
        f"<fieldset disabled><legend><span>Guess first</span> {escape(ask, quote=False)}</legend>"
        f'<div class="mt-live-text"><label for="{uid}">{"A date in English" if model == "dates" else "A text to translate"}</label>'
        f'<input id="{uid}" type="text" value="{escape(text)}" autocomplete="off" autocapitalize="off" spellcheck="false"></div></fieldset>'
    )
    said = (
        f'<p class="mt-live-said">The model writes: <output class="mt-live-answer" for="{uid}">{escape(answer)}</output></p>'
        '<p class="mt-live-note" aria-live="polite"></p>'
    )
    return View("attention", state, fields, said, _heads(text, answer, weights), 1000)


def _heads(text: str, answer: str, weights: Tensor) -> str:
    """The picture that stands there first: the last cross-attention, (H, T_q, T_k)."""
    from .. import plot

    rows, cols = [*answer.replace(" ", "␣"), "■"][: weights.size(1)], [*text.replace(" ", "␣")]
    n = weights.size(0)
    at = int(weights.mean(0)[0].argmax())
    says = (
        f"The {n} heads of the last layer's cross-attention. Downwards the answer, letter by letter, to the right the source; "
        f"for the first letter, {rows[0]}, they look most at {cols[at]}, place {at + 1}."
    )
    return f'<figure class="mt-live-first">{plot.to_svg(plot.heads(weights, rows, cols), alt=says)}<figcaption>{escape(says, quote=False)}</figcaption></figure>'


def translated(model: EncoderDecoder, tokenizer: Letters | Subwords, text: str) -> tuple[str, Tensor]:
    """The greedy answer, and the weights of the last cross-attention while it is written."""
    ids = tokenizer.encode(text)
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    source = torch.tensor([ids])
    written = generate(Given(model, source), [[BOS]], max_new=model.config.max_len + 12, stop=(EOS,))[0]
    with torch.no_grad(), trace(model) as seen:
        model(source, torch.tensor([[BOS, *written[:-1]]]))
    return tokenizer.decode(written), seen[f"decoder.blocks.{model.config.n_layers - 1}.cross_attn.core.weights"][0]

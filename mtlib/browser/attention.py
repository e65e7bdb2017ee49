"""The view of a model's attention at work: see attention."""

from html import escape

import torch
from torch import Tensor

from ..data.batch import BOS, EOS
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..generation import Given, generate
from ..trace import trace
from ..transformer import DecoderLM, EncoderDecoder
from .scripts import payload
from .view import View, ready, typed


def attention(
    model: str | EncoderDecoder | DecoderLM,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str | None = None,
) -> View:
    """A model at work on a text that the reader types: every head, one head place by place, heads taken out, places hidden.

    Args:
        model: the name of a shipped model, such as "dates", or a translator or a language model of your own with its tokenizer.
        text: what it reads first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.

    >>> attention("dates", "January 5, 1987")
    <a live view: attention>
    >>> attention("documentation", "If the file")
    <a live view: reading>
    """
    running: EncoderDecoder | DecoderLM
    running, reader = ready(model, tokenizer, EncoderDecoder, DecoderLM)
    dates = model == "dates"
    if isinstance(running, EncoderDecoder):
        answer, weights = translated(running, reader, text)
        rows, cols, shown = [*_seen(answer), "■"][: weights.size(1)], [*_seen(text)], answer
        label, writes = "A date in English" if dates else "A text to translate", "The model writes:"
        says = "the last layer's cross-attention. Downwards the answer, letter by letter, to the right the source; for the first letter,"
        ask = ask or "Which letters does the model look at while it writes each letter of its answer?"
        at, kind, height = 0, "attention", 1000
    else:
        answer, weights, pieces = _read(running, reader, text)
        rows = cols = [_seen(piece) for piece in pieces]
        shown, label, writes = f"“{_seen(answer)}”", "A text to read", "The likeliest next token:"
        says = "the last layer. Downwards the tokens that look, to the right those that are looked at; for the last one,"
        ask = ask or "Which tokens before it does the last one look at, and does the answer hang on that?"
        at, kind, height = len(pieces) - 1, "reading", 800
    best = int(weights.mean(0)[at].argmax())
    said = f"The {len(weights)} heads of {says} {rows[at]}, they look most at {cols[best]}, place {best + 1}."
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer), "text": text, "example": text,
             "reads": "date" if dates else "text"}  # fmt: skip
    fields, answered = typed(label, text, ask, writes, shown)
    return View(kind, state, fields, answered, _heads(weights, rows, cols, said), height)


def _seen(text: str) -> str:
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")


def _heads(weights: Tensor, rows: list[str], cols: list[str], says: str) -> str:
    """The picture that stands there first: one layer's heads, (H, T_q, T_k)."""
    from .. import plot

    return f'<figure class="mt-live-first">{plot.to_svg(plot.heads(weights, rows, cols), alt=says)}<figcaption>{escape(says, quote=False)}</figcaption></figure>'


def _read(model: DecoderLM, tokenizer: Letters | Subwords, text: str) -> tuple[str, Tensor, list[str]]:
    """The likeliest next token, the weights of the last layer, and the tokens that were read."""
    ids = tokenizer.encode(text)[-model.config.max_len :]
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    with torch.no_grad(), trace(model) as seen:
        logits = model(torch.tensor([ids]))
    weights = seen[f"blocks.{model.config.n_layers - 1}.attn.core.weights"][0]
    return tokenizer.decode([int(logits[0, -1].argmax())]), weights, [tokenizer.decode([token]) for token in ids]


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

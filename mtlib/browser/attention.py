"""The view of a model's attention at work: see attention."""

from html import escape
from typing import NamedTuple

import torch
from torch import Tensor

from ..data.batch import BOS, EOS, PAD
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..generation import Given, generate
from ..trace import trace
from ..transformer import DecoderLM, EncoderDecoder, Transformer
from .scripts import payload
from .view import View, ready, typed


def attention(
    model: str | EncoderDecoder | DecoderLM | Transformer,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str | None = None,
) -> View:
    """A model at work on a text that the reader types: every head, one head place by place, heads taken out, places hidden.

    Args:
        model: the name of a shipped model, such as "dates", or a translator, a language model or a classifier of your own, of any
            config, with its tokenizer.
        text: what it reads first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.

    >>> attention("dates", "January 5, 1987")
    <a live view: attention>
    >>> attention("documentation", "If the file")
    <a live view: reading>
    """
    running: EncoderDecoder | DecoderLM | Transformer
    running, reader = ready(model, tokenizer, EncoderDecoder, DecoderLM, Transformer)
    dates, words = model == "dates", WORDS[type(running)]
    if isinstance(running, EncoderDecoder):
        answer, weights, rows, cols = translated(running, reader, text)
    else:
        answer, weights, rows = _read(running, reader, text)
        cols = rows
    at = len(rows) - 1 if isinstance(running, DecoderLM) else 0
    best = int(weights.mean(0)[at].argmax())
    said = f"The {len(weights)} heads of the last layer{words.who} {rows[at]}, they look most at {cols[best]}, place {best + 1}."
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer), "text": text, "example": text,
             "reads": "date" if dates else "text"}  # fmt: skip
    fields, answered = typed("A date in English" if dates else words.label, text, ask or words.ask, words.writes, answer)
    return View(words.view, state, fields, answered, _heads(weights, rows, cols, said), words.height)


class Words(NamedTuple):
    """What the view of one kind of model says, what it is called in js/page.js, and how high it stands in a notebook."""

    label: str
    writes: str
    who: str
    ask: str
    view: str
    height: int


WORDS: dict[type, Words] = {
    EncoderDecoder: Words(
        "A text to translate", "The model writes:",
        "'s cross-attention. Downwards the answer, letter by letter, to the right the source; for the first letter,",
        "Which letters does the model look at while it writes each letter of its answer?", "attention", 1000,
    ),
    DecoderLM: Words(
        "A text to read", "The likeliest next token:",
        ". Downwards the tokens that look, to the right those that are looked at; for the last one,",
        "Which tokens before it does the last one look at, and does the answer hang on that?", "reading", 800,
    ),
    Transformer: Words(
        "A text to read", "The likeliest class:",
        ". Downwards the tokens that look, to the right those that are looked at; for the first one,",
        "Which tokens do the others look at, and does the class hang on them?", "reading", 800,
    ),
}  # fmt: skip


def seen_pieces(tokenizer: Letters | Subwords, ids: list[int]) -> list[str]:
    """Each token as it is drawn; the signs that stand for no text have one of their own."""
    signs = {PAD: "∅", BOS: "▸", EOS: "■"}
    return [signs.get(token) or _seen(tokenizer.decode([token])) for token in ids]


def _seen(text: str) -> str:
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")


def _heads(weights: Tensor, rows: list[str], cols: list[str], says: str) -> str:
    """The picture that stands there first: one layer's heads, (H, T_q, T_k)."""
    from .. import plot

    return f'<figure class="mt-live-first">{plot.to_svg(plot.heads(weights, rows, cols), alt=says)}<figcaption>{escape(says, quote=False)}</figcaption></figure>'


def _read(model: DecoderLM | Transformer, tokenizer: Letters | Subwords, text: str) -> tuple[str, Tensor, list[str]]:
    """The likeliest next token, in quotes, or class; the weights of the last layer; and the tokens that were read."""
    ids = tokenizer.encode(text)[-model.config.max_len :]
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    with torch.no_grad(), trace(model) as seen:
        logits = model(torch.tensor([ids]))
    best, decides = int(logits.flatten(0, -2)[-1].argmax()), isinstance(model, Transformer)
    weights = seen[f"{'encoder.' if decides else ''}blocks.{model.config.n_layers - 1}.attn.core.weights"][0]
    return f"class {best}" if decides else f"“{_seen(tokenizer.decode([best]))}”", weights, seen_pieces(tokenizer, ids)


def translated(model: EncoderDecoder, tokenizer: Letters | Subwords, text: str) -> tuple[str, Tensor, list[str], list[str]]:
    """The greedy answer, the weights of the last cross-attention while it is written, and both texts token by token."""
    ids = tokenizer.encode(text)
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    source, writer = torch.tensor([ids]), model.decoder.config
    room = 0 if writer.parts.position in ("learned", "grid") else 12  # these schemes end at max_len
    written = generate(Given(model, source), [[BOS]], max_new=writer.max_len + room, stop=(EOS,))[0]
    with torch.no_grad(), trace(model) as seen:
        model(source, torch.tensor([[BOS, *written[:-1]]]))
    weights = seen[f"decoder.blocks.{writer.n_layers - 1}.cross_attn.core.weights"][0]
    return tokenizer.decode(written), weights, seen_pieces(tokenizer, written), seen_pieces(tokenizer, ids)

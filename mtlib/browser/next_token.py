"""The view of a language model's next token: see next_token."""

from html import escape

import torch

from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..transformer import DecoderLM
from .scripts import payload
from .view import View, fresh_id, ready

SLIDERS = {"temperature": (30, 10, "1"), "top_k": (10, 0, "off"), "top_p": (19, 19, "off"), "min_p": (9, 0, "off")}  # last stop, first, in words
FIRST_ROWS = 12


def next_token(
    model: str | DecoderLM,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str = "How sure is the model of its next token, and how much do the rules leave of its doubt?",
) -> View:
    """The whole distribution of what follows a text: the model's own, what the rules leave of it, and what a seed draws.

    Args:
        model: the name of a shipped model, such as "documentation", or a language model of your own with its tokenizer.
        text: what it goes on from first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.

    >>> next_token("documentation", "Return the")
    <a live view: next>
    """
    running, reader = ready(model, tokenizer, DecoderLM)
    ids = reader.encode(text)
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    with torch.no_grad():
        shares = running(torch.tensor([ids[-running.config.max_len :]]))[0, -1].softmax(-1)
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer)}
    uid = fresh_id()
    sliders = "".join(_slider(f"{uid}-{name}", name, *about) for name, about in SLIDERS.items())
    fields = (
        f"<fieldset disabled><legend><span>Guess first</span> {escape(ask, quote=False)}</legend>"
        f'<div class="mt-live-text"><label for="{uid}">The beginning of a text</label>'
        f'<textarea id="{uid}" rows="2" autocomplete="off" spellcheck="false">{escape(text, quote=False)}</textarea></div>'
        f'<div class="mt-live-sliders">{sliders}<div><label for="{uid}-seed">seed of the draws</label>'
        f'<input id="{uid}-seed" type="number" min="0" max="999999" value="0" autocomplete="off"></div></div></fieldset>'
    )
    likely = shares.topk(FIRST_ROWS)
    rows = "".join(
        f'<tr><th scope="row">“{escape(shown(reader.decode([token])), quote=False)}”</th><td>{100 * share:.1f} %</td></tr>'
        for share, token in zip(likely.values.tolist(), likely.indices.tolist())
    )
    first = f'<div class="mt-live-table"><table><thead><tr><th scope="col">token</th><th scope="col">the model\'s own</th></tr></thead><tbody>{rows}</tbody></table></div>'
    return View("next", state, fields, '<p class="mt-live-note" aria-live="polite"></p>', first, 1150)


def shown(piece: str) -> str:
    return piece.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥")


def _slider(uid: str, name: str, last: int, first: int, words: str) -> str:
    return (
        f'<div><label for="{uid}">{name.replace("_", "-")}</label>'
        f'<input id="{uid}" name="{name}" type="range" min="0" max="{last}" value="{first}" aria-valuetext="{words}" autocomplete="off">'
        f'<output for="{uid}">{words}</output></div>'
    )

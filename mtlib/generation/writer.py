"""What can be asked for the next token, and what is checked before it is asked.

A writer is a module with new_cache() that, called with ids (B, T) and a cache, gives logits
(B, T, V) for what follows each of them, and whose cache grows by them. A translator becomes
one when it is told its source: p(target | source) is a language model of targets.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .. import _check
from ..position import Learned
from ..transformer import DecoderLM
from .rules import Rules

Prompts = Int64[Tensor, "B T"] | Sequence[Sequence[int]]


class Writer(Protocol):
    """DecoderLM, RecurrentLM, Given, Window, or a module of your own."""

    def new_cache(self) -> Any: ...

    def __call__(self, ids: Tensor, *, cache: Any = None) -> Tensor: ...


class Given(nn.Module):
    """A translator with its source before it: EncoderDecoder, Seq2Seq or AttentiveSeq2Seq as a writer.

    Each source has its text, or one source has them all. Prompts begin with whatever token
    targets began with in training.

    >>> from mtlib.recurrent import Seq2Seq
    >>> model = Seq2Seq(source_vocab=9, vocab=7, d_model=8)
    >>> Given(model, torch.tensor([[1, 2, 3]]))(torch.tensor([[0, 5], [0, 6]])).shape
    torch.Size([2, 2, 7])
    """

    def __init__(
        self, model: nn.Module, source: Int64[Tensor, "B S"], source_keep: Bool[Tensor, "B 1 1 S"] | None = None
    ):
        super().__init__()
        _check.instance(model=(model, nn.Module), source=(source, Tensor))
        if not hasattr(model, "encoder") or not hasattr(model, "decoder"):
            raise TypeError(f"model is a {type(model).__name__}; it must read a source, as EncoderDecoder does")
        self.model = model
        self.register_buffer("source", source, persistent=False)
        self.register_buffer("source_keep", source_keep, persistent=False)

    def new_cache(self) -> Any:
        return self.model.new_cache()

    def forward(self, ids: Int64[Tensor, "B T"], cache: Any = None) -> Float[Tensor, "B T V"]:
        source, keep = self.source, self.source_keep
        if source.size(0) == 1:
            source = source.expand(ids.size(0), -1)
            keep = None if keep is None else keep.expand(ids.size(0), -1, -1, -1)
        return self.model(source, ids, source_keep=keep, cache=cache)


class WindowCache:
    """The text so far, and the writer's own cache until the text outgrows the window."""

    def __init__(self, inner: Any):
        self.inner, self.text = inner, torch.empty(0, 0, dtype=torch.int64)

    def __len__(self) -> int:
        return self.text.size(1)

    def select(self, rows: Int64[Tensor, "B_new"]) -> None:
        self.text = self.text[rows]
        self.inner.select(rows)


class Window(nn.Module):
    """A writer that sees the last `size` tokens only, so that a text may outgrow a table of positions.

    Every token past the window costs a pass over all of it: when the first token leaves, each
    of the others stands at a new position, and what a cache holds of them is out of date. Gives
    the logits of the newest position alone, (B, 1, V).

    >>> import mtlib as mt
    >>> model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1))
    >>> Window(model, 4)(torch.zeros(1, 6, dtype=torch.int64)).shape
    torch.Size([1, 1, 9])
    """

    def __init__(self, model: nn.Module, size: int):
        super().__init__()
        is_writer(model, "model")
        _check.positive(size=size)
        self.model, self.size = model, size
        if (rows := positions(model)) is not None and size > rows:
            raise ValueError(f"size={size} is more than the {rows} positions of the model's table")

    def new_cache(self) -> WindowCache:
        return WindowCache(self.model.new_cache())

    def forward(self, ids: Int64[Tensor, "B T"], cache: WindowCache | None = None) -> Float[Tensor, "B 1 V"]:
        cache = self.new_cache() if cache is None else cache
        text = torch.cat([cache.text.to(ids.device), ids], dim=1) if len(cache) else ids
        if text.size(1) <= self.size:
            logits = self.model(ids, cache=cache.inner)
        else:
            logits = self.model(text[:, -self.size :])
        cache.text = text
        return logits[:, -1:]


def is_writer(model: nn.Module, name: str) -> None:
    """It can write, and nothing in it draws at random."""
    _check.instance(**{name: (model, nn.Module)})
    kind = type(model).__name__
    if hasattr(model, "encoder") and hasattr(model, "decoder"):
        raise TypeError(f"{name} is a {kind}, which writes about a source: take Given({name}, source, source_keep)")
    if not hasattr(model, "new_cache"):
        raise TypeError(f"{name} is a {kind}; it must have new_cache(), as DecoderLM and RecurrentLM do")
    if any(isinstance(part, nn.Dropout) and part.p and part.training for part in model.modules()):
        raise ValueError(f"{name} is in training mode, where dropout makes it another model at each step: call eval()")


def rows_of(prompts: Prompts) -> list[list[int]]:
    """Prompts as lists of ints, at least one, none empty."""
    rows = prompts.tolist() if isinstance(prompts, Tensor) else [list(row) for row in prompts]
    if not rows or not all(isinstance(row, list) and row for row in rows):
        raise ValueError("prompts must be one or more texts of at least one token each; give an empty one a first token")
    if not all(isinstance(token, int) and not isinstance(token, bool) for row in rows for token in row):
        raise TypeError("prompts must hold token ids: a tensor (B, T) of torch.int64, or lists of ints")
    return rows


def fits(model: nn.Module, name: str, longest: int, max_new: int) -> None:
    """The model has a position for every token that it will be fed; the last one written is not."""
    rows, needed = positions(model), longest + max_new - 1
    if rows is not None and needed > rows:
        raise ValueError(
            f"a prompt of {longest} tokens and max_new={max_new} need {needed} positions and {name}'s table has "
            f"{rows}; ask for less, or take Window({name}, {rows})"
        )


def asked(max_new: int, rules: Rules, stop: Collection[int], generator: torch.Generator | None) -> None:
    """The arguments that all ways of writing share."""
    _check.positive(max_new=max_new)
    _check.instance(rules=(rules, Rules))
    if not isinstance(stop, Collection) or isinstance(stop, str):
        raise TypeError(f"stop is a {type(stop).__name__}; it must be a collection of token ids, such as stop=(eos,)")
    if generator is None and not rules.greedy:
        raise ValueError(f"temperature={rules.temperature} draws at random: give generator=torch.Generator()")


def positions(model: nn.Module) -> int | None:
    """Rows of the table of positions, None where there is none."""
    pos = getattr(_target(model), "pos", None)
    return pos.weight.size(0) if isinstance(pos, Learned) else None


def vocabulary(model: nn.Module) -> int | None:
    """V, None for a module of the user's own that does not tell."""
    tok = getattr(_target(model), "tok", None)
    return tok.num_embeddings if isinstance(tok, nn.Embedding) else None


def device_of(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def _target(model: nn.Module) -> nn.Module:
    """The part with the table of what is written; behind a Window no position is too far."""
    model = model.model if isinstance(model, Given) else model
    decoder = getattr(model, "decoder", None)
    return decoder if isinstance(decoder, DecoderLM) else model

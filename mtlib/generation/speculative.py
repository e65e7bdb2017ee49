"""Speculative decoding: a small model guesses several tokens, the large one checks them in one pass.

    token i ~ q_i is accepted with probability min(1, p_i / q_i)
    at the first rejection one is drawn from max(p_i - q_i, 0), normalised; if there is none, from p_G

What comes out has the large model's distribution p exactly, whatever the small one's q is: the
draft decides how fast, never what. Source: Leviathan et al. 2023, section 2.3 and appendix A.1.

Left out: recurrent models. What was guessed in vain must be forgotten, which a KV cache does by
being cut, and a state that has read it cannot.
"""

from collections.abc import Collection, Sequence, Sized
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .. import _check
from .rules import GREEDY, Rules, draw
from .writer import asked, device_of, fits, is_writer, rows_of, vocabulary


class Speculation(NamedTuple):
    """The tokens written, how often the large model ran for them, and how many guesses were made and accepted."""

    tokens: list[int]
    passes: int
    guessed: int
    accepted: int


def accept(
    draft_probs: Float[Tensor, "G V"],
    target_probs: Float[Tensor, "G_1 V"],
    tokens: Int64[Tensor, "G"],
    uniforms: Float[Tensor, "G"],
) -> tuple[int, Float[Tensor, "V"]]:
    """How many of G guesses stand, and the distribution of the token that comes after them.

    target_probs has a row more than there are guesses. Raises ValueError where sizes differ.

    >>> q, p = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.2, 0.8], [0.6, 0.4]])
    >>> accept(q, p, torch.tensor([0]), torch.tensor([0.7]))      # 0.7 is not below 0.2 / 0.5
    (0, tensor([0., 1.]))
    """
    G = tokens.size(0)
    rows = len(draft_probs), len(target_probs), len(uniforms)
    if rows != (G, G + 1, G) or draft_probs.size(-1) != target_probs.size(-1):
        raise ValueError(
            f"{G} tokens want draft_probs (G, V), target_probs (G+1, V), uniforms (G); these are "
            f"{tuple(draft_probs.shape)}, {tuple(target_probs.shape)}, {tuple(uniforms.shape)}"
        )
    p, q = (probs[:G].gather(1, tokens[:, None])[:, 0] for probs in (target_probs, draft_probs))
    stands = uniforms < (p / q).clamp(max=1)
    n = int(stands.long().cumprod(0).sum())
    if n == G:
        return n, target_probs[G]
    rest = (target_probs[n] - draft_probs[n]).clamp(min=0)
    # Only rounding can reject where the two are equal; then p itself is as good.
    return n, rest / rest.sum() if rest.sum() > 0 else target_probs[n]


@torch.inference_mode()
def speculative(
    model: nn.Module,
    draft: nn.Module,
    prompt: Sequence[int],
    *,
    ahead: int = 4,
    max_new: int,
    rules: Rules = GREEDY,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> Speculation:
    """What generate would write by `model`, in fewer of its passes; `draft` guesses `ahead` tokens at a time.

    Other arguments and errors as generate's. Greedy rules give its tokens one for one; others
    give its distribution. Both models have one vocabulary and a ModelCache.

    >>> import mtlib as mt
    >>> model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=1))
    >>> speculative(model, model, [3, 1], ahead=3, max_new=4)[1:]      # a draft that is never wrong
    (1, 3, 3)
    """
    text = _checked(model, draft, prompt, max_new, ahead)
    asked(max_new, rules, stop, generator)
    caches, start, device = (model.new_cache(), draft.new_cache()), len(text), device_of(model)
    passes = guessed = accepted = 0
    while True:
        known = len(text)
        G = min(ahead, start + max_new - known - 1)  # a round ends with a token of the model's own
        q = []
        for _ in range(G):
            probabilities = _next(draft, text, caches[1], 1, rules, device)
            q.append(probabilities[0])
            text.append(int(draw(probabilities, generator)))
        p = _next(model, text, caches[0], G + 1, rules, device)
        guesses = torch.tensor(text[known:], dtype=torch.int64, device=device)
        n, rest = accept(torch.stack(q) if q else p[:0], p, guesses, _uniforms(G, p, generator))
        text[known + n :] = [int(draw(rest[None], generator))]
        for cache in caches:
            cache.truncate(known + n)
        passes, guessed, accepted = passes + 1, guessed + G, accepted + n
        end = next((i for i in range(known, len(text)) if text[i] in stop), None)
        if end is not None or len(text) == start + max_new:
            return Speculation(text[start : None if end is None else end + 1], passes, guessed, accepted)


def _next(
    model: nn.Module, text: list[int], cache: Sized, n: int, rules: Rules, device: torch.device
) -> Float[Tensor, "N V"]:
    """Probabilities of what follows each of the last n prefixes of the text, the whole text among them."""
    logits = model(torch.tensor([text[len(cache) :]], device=device), cache=cache)[0, -n:]
    ids = torch.tensor([text], device=device)
    return torch.cat([rules(logits[i : i + 1], ids[:, : ids.size(1) - n + 1 + i]) for i in range(n)])


def _uniforms(n: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """In [0, 1); zeros accept what greedy rules allow at all."""
    if generator is None:
        return like.new_zeros(n)
    return torch.rand(n, generator=generator, dtype=like.dtype, device=like.device)


def _checked(model: nn.Module, draft: nn.Module, prompt: Sequence[int], max_new: int, ahead: int) -> list[int]:
    """The prompt, when the two models go together."""
    _check.positive(max_new=max_new, ahead=ahead)
    (text,) = rows_of([list(prompt)])
    for name, writer in ("model", model), ("draft", draft):
        is_writer(writer, name)
        if not hasattr(cache := writer.new_cache(), "truncate"):
            raise TypeError(f"{name} keeps a {type(cache).__name__}, which cannot forget what was guessed in vain")
        fits(writer, name, len(text), max_new)
    sizes = vocabulary(model), vocabulary(draft)
    if None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(f"draft has a vocabulary of {sizes[1]} and model of {sizes[0]}; they must be one and the same")
    return text

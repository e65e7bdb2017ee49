"""From logits to the next token: small functions, and a record of which are in force.

    temperature   softmax(z / t): below 1 the likely gain, above 1 the unlikely
    top_k         the k likeliest                                       Fan et al. 2018
    top_p         the fewest likeliest that together weigh p            Holtzman et al. 2020
    min_p         all that weigh at least p times the likeliest         Nguyen et al. 2024
    repetition    what is in the text already loses                     Keskar et al. 2019

A token that a rule takes out stands at -inf. Log-probabilities are logits too, so the rules
take each other's results. Letters: V vocabulary, B batch, T the positions of the text so far.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from .. import _check


def temperature(logits: Float[Tensor, "*any V"], t: float) -> Float[Tensor, "*any V"]:
    """Probabilities over the last axis: softmax(logits / t). At t = 0 all is on the largest, the first of equals.

    Raises ValueError for t < 0. Source: Ackley, Hinton and Sejnowski 1985.

    >>> temperature(torch.tensor([0.0, 1.0, 1.0]), 0.0).tolist()
    [0.0, 1.0, 0.0]
    """
    _logits(logits)
    _at_least_zero(t=t)
    if t == 0:
        return F.one_hot(logits.argmax(-1), logits.size(-1)).to(logits.dtype)
    below = logits - logits.amax(-1, keepdim=True)  # so that a tiny t makes -inf of it, never +inf
    return (below / max(t, torch.finfo(logits.dtype).tiny)).softmax(-1)


def top_k(logits: Float[Tensor, "*any V"], k: int) -> Float[Tensor, "*any V"]:
    """The k largest stay, and all that equal the smallest of them. Raises ValueError for k < 1.

    >>> top_k(torch.tensor([3.0, 1.0, 2.0, 2.0]), 2).tolist()
    [3.0, -inf, 2.0, 2.0]
    """
    _logits(logits)
    _check.positive(k=k)
    kth = logits.topk(min(k, logits.size(-1))).values[..., -1:]
    return logits.masked_fill(logits < kth, -math.inf)


def top_p(logits: Float[Tensor, "*any V"], p: float) -> Float[Tensor, "*any V"]:
    """From the likeliest down, a token stays while those before it weigh less than p; the first always.

    Of equals the lower index comes first. p >= 1 changes nothing; p < 0 raises ValueError.

    >>> top_p(torch.tensor([0.2, 0.5, 0.3]).log(), 0.6).exp()
    tensor([0.0000, 0.5000, 0.3000])
    """
    _logits(logits)
    _at_least_zero(p=p)
    if p >= 1:  # a sum of rounded masses may pass 1 before its end
        return logits
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    before = F.pad(ordered.softmax(-1).cumsum(-1)[..., :-1], (1, 0))
    out = before >= p
    out[..., 0] = False
    return logits.masked_fill(torch.empty_like(out).scatter(-1, order, out), -math.inf)


def min_p(logits: Float[Tensor, "*any V"], p: float) -> Float[Tensor, "*any V"]:
    """Tokens stay whose probability is at least p times the largest. Raises ValueError unless 0 <= p <= 1.

    >>> min_p(torch.tensor([0.1, 0.6, 0.3]).log(), 0.5).exp()
    tensor([0.0000, 0.6000, 0.3000])
    """
    _logits(logits)
    _share(p=p)
    if p == 0:
        return logits
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + math.log(p), -math.inf)


def repetition(
    logits: Float[Tensor, "B V"], text: Int64[Tensor, "B T"], penalty: float
) -> Float[Tensor, "B V"]:
    """Tokens of the text so far: logits above 0 divided by the penalty, those below multiplied by it.

    Raises ValueError unless penalty > 0; below 1 it is a reward.

    >>> repetition(torch.tensor([[2.0, -2.0, 2.0]]), torch.tensor([[0, 1, 1]]), 2.0).tolist()
    [[1.0, -4.0, 2.0]]
    """
    _logits(logits)
    _check.above_zero(penalty=penalty)
    seen = logits.gather(-1, text)
    return logits.scatter(-1, text, torch.where(seen < 0, seen * penalty, seen / penalty))


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How the next token is drawn; as it stands, from the model's own probabilities.

    In this order: repetition, temperature, top_k, top_p, min_p. Temperature 0 is greedy: nothing
    is drawn. ``rules(logits, text)`` are the probabilities. Raises ValueError for what a rule refuses.

    >>> Rules(temperature=0.5, top_k=2)(torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([[0]]))
    tensor([[0.0000, 0.1192, 0.8808]])
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    repetition: float = 1.0

    def __post_init__(self) -> None:
        _at_least_zero(temperature=self.temperature, top_p=self.top_p)
        _share(min_p=self.min_p)
        _check.above_zero(repetition=self.repetition)
        if self.top_k is not None:
            _check.positive(top_k=self.top_k)

    @property
    def greedy(self) -> bool:
        return self.temperature == 0

    def __call__(self, logits: Float[Tensor, "B V"], text: Int64[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        """The probabilities from which the next token of each text is drawn."""
        logits = temperature(self._penalised(logits, text), self.temperature).log()
        if self.top_k is not None:
            logits = top_k(logits, self.top_k)
        return min_p(top_p(logits, self.top_p), self.min_p).softmax(-1)

    def pick(
        self, logits: Float[Tensor, "B V"], text: Int64[Tensor, "B T"], generator: torch.Generator | None
    ) -> Int64[Tensor, "B"]:
        """The next token of each text."""
        if self.greedy:
            return self._penalised(logits, text).argmax(-1)  # no other rule removes the likeliest
        return draw(self(logits, text), generator)

    def _penalised(self, logits: Tensor, text: Tensor) -> Tensor:
        if logits.isnan().any():
            raise ValueError(f"the model gives NaN after {text.size(1)} tokens; look at its weights")
        logits = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
        return logits if self.repetition == 1 else repetition(logits, text, self.repetition)


def draw(probabilities: Float[Tensor, "B V"], generator: torch.Generator | None) -> Int64[Tensor, "B"]:
    """A token of each row; without a generator the rules are greedy, and there is but one to take."""
    if generator is None:
        return probabilities.argmax(-1)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def _logits(x: Tensor) -> None:
    _check.tensor(x, "logits", "(…, V)")
    if x.dim() < 1 or x.size(-1) == 0:
        raise ValueError(f"logits has shape {tuple(x.shape)}; its last axis must be the vocabulary")
    if not x.is_floating_point():
        raise TypeError(f"logits is {x.dtype}; it must be floating")


def _at_least_zero(**values: float) -> None:
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and 0 <= value < math.inf):
            raise ValueError(f"{name}={_check.said(value)} must be a number of at least 0")


def _share(**values: float) -> None:
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise ValueError(f"{name}={_check.said(value)} must lie in [0, 1]")


GREEDY = Rules(temperature=0.0)

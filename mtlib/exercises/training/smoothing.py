"""training.smoothing: cross-entropy against a target that is not quite sure."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs


def reference(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    return variant()(logits, targets, smoothing)


def log_shares(logits: Tensor) -> Tensor:
    return logits.log_softmax(-1)


def towards_all(hot: Tensor, s: float) -> Tensor:
    return (1 - s) * hot + s / hot.shape[-1]


def mean(surprise: Tensor) -> Tensor:
    return surprise.mean()


def variant(log: Callable = log_shares, blend: Callable = towards_all, over: Callable = mean) -> Callable:
    """The loss with a step changed: the logarithm, the target, or what is done with all places."""

    def smoothed_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        hot = (targets[..., None] == torch.arange(logits.shape[-1])).to(logits.dtype)
        return over(-(blend(hot, smoothing) * log(logits)).sum(-1))

    return smoothed_cross_entropy


def _case(d: Draw, lead: tuple[int, ...], smoothing: float, dtype: torch.dtype = torch.float32, low: int = 1) -> dict:
    V = d.size(low=low)
    return {"logits": d.floats(*lead, V, dtype=dtype), "targets": d.integers(*lead, high=V - 1), "smoothing": smoothing}


def plain(d: Draw) -> dict:
    """Nothing smoothed."""
    return _case(d, (d.size(),), 0.0)


def smoothed(d: Draw) -> dict:
    return _case(d, (d.size(),), d.pick(0.5, 0.1, 0.25, 0.9), low=2)


def any_shape(d: Draw) -> dict:
    """Any number of leading axes, none included; one class alone, too."""
    return _case(d, d.lead(3), d.pick(0.1, 0.0, 0.5), d.pick(*DTYPES))


def to_the_end(d: Draw) -> dict:
    """All certainty spread: the target is the same for every token."""
    return _case(d, (d.size(),), 1.0, torch.float64)


def huge(d: Draw) -> dict:
    case = _case(d, (d.size(),), d.pick(0.1, 0.5), torch.float64)
    return case | {"logits": case["logits"] * d.pick(10_000, 1_000)}


def largest(logits: Tensor, *_: object, **__: object) -> float:
    """The largest logit, by which rounding is measured."""
    return float(logits.abs().max())


def _to_the_others(hot: Tensor, s: float) -> Tensor:
    return (1 - s) * hot + s / max(hot.shape[-1] - 1, 1) * (1 - hot)


def _smoothed_prediction(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    shares = towards_all(logits.softmax(-1), smoothing)
    return -shares.gather(-1, targets[..., None]).log().mean()


def _in_place(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    logits -= logits.amax(-1, keepdim=True)
    return reference(logits, targets, smoothing)


EXERCISE = Exercise(
    id="training.smoothing",
    title="A target that is not quite sure",
    answers=("smoothed_cross_entropy",),
    minutes=15,
    read=("q-loss-drives",),
    forbid=("torch.nn.functional.cross_entropy",),
    properties=(
        Property("plain", 2, "without smoothing it is cross-entropy: the mean surprise at what came, in nats",
                 plain, equals(reference, largest), 40),
        Property("smoothed", 3, "the target is (1 − s) of what came, and s spread evenly over all V", smoothed, equals(reference, largest), 60),
        Property("any shape", 2, "any number of leading axes, or none; a 0-d tensor of logits' dtype",
                 any_shape, equals(reference, largest), 45),
        Property("all of it", 1, "smoothing 1: what came does not matter any more", to_the_end, equals(reference, largest), 20),
        Property("huge logits", 1, "logits of many thousands give a finite, exact loss", huge, equals(reference, largest), 30),
        Property("inputs unchanged", 1, "logits and targets are afterwards what they were", any_shape, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("s spread over the other V − 1 tokens; here it goes to all V, what came included",
                variant(blend=_to_the_others)),
        Mistake("smoothing left aside: plain cross-entropy", variant(blend=lambda hot, s: hot)),
        Mistake("s and 1 − s exchanged: the target is mostly even",
                variant(blend=lambda hot, s: s * hot + (1 - s) / hot.shape[-1])),
        Mistake("s for every token, not s / V: the target sums to more than 1",
                variant(blend=lambda hot, s: (1 - s) * hot + s)),
        Mistake("what came not lowered to 1 − s: the target sums to 1 + s",
                variant(blend=lambda hot, s: hot + s / hot.shape[-1])),
        Mistake("the even part forgotten: (1 − s) times plain cross-entropy, which is minimal in the same place as before",
                variant(blend=lambda hot, s: (1 - s) * hot)),
        Mistake("the prediction smoothed; it is the target that should be less sure", _smoothed_prediction),
        Mistake("the sum over all places, where the mean is asked for", variant(over=torch.sum)),
        Mistake("a loss for each place, where their mean is asked for", variant(over=lambda surprise: surprise)),
        Mistake("the log of a softmax, in two steps: a share too small for a float is 0, and its log −inf",
                variant(log=lambda x: x.softmax(-1).log())),
        Mistake("a softmax over the first axis; the tokens are the last", variant(log=lambda x: x.log_softmax(0))),
        Mistake("the mean log-probability without the minus", variant(log=lambda x: -log_shares(x))),
        Mistake("bits; natural logarithms are asked for",
                variant(log=lambda x: log_shares(x) / torch.log(torch.tensor(2.0)).to(x))),
        Mistake("logits shifted in place: the caller's are changed", _in_place),
    ),
    hints=(
        "A cross-entropy is a sum over tokens: target share times −log of predicted share. Write down both shares for V = 3 and "
        "s = 0.3: 0.8, 0.1, 0.1 if the first token came.",
        "The sum falls in two: (1 − s) times the log-share of what came, and s / V times the sum of all log-shares, which is s times "
        "their mean.",
        "`log_q = logits.log_softmax(-1)`; `came = log_q.gather(-1, targets[..., None]).mean()`; then "
        "`-(1 - smoothing) * came - smoothing * log_q.mean()`.",
    ),
    explanation=(
        "Plain cross-entropy is never content: the logit of what came wants to be infinitely far above the others. With smoothing the "
        "best share is 1 − s + s / V and no more, so that a finite gap, ln(1 + V(1 − s)/s), is enough. The 2017 transformer was trained "
        "with s = 0.1: perplexity got worse, translations better (section 5.4)."
    ),
    better=(
        "`F.cross_entropy(logits.reshape(-1, V), targets.reshape(-1), label_smoothing=s)` is the same number. Neither builds the "
        "target of V shares: the two means are all there is."
    ),
)

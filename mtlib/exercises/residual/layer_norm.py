"""residual.layer_norm: every row brought to mean 0 and variance 1, then stretched and shifted."""


from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from . import rows
from .rows import divided, mean, mean_square

LEARNED = ("gain", "bias")


def reference(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return variant()(x, gain, bias, eps)


def variant(mean=mean, spread=mean_square, divide=divided, learn=lambda n, gain, bias: n * gain + bias):
    """LayerNorm with a step changed: what is taken away, how the spread is measured, how it divides, what is learned."""

    def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
        off = x - mean(x)
        return learn(divide(off, spread(off), eps), gain, bias)

    return layer_norm


def values(d: Draw) -> dict:
    return rows.plain(d, LEARNED)


def any_axes(d: Draw) -> dict:
    return rows.plain(d, LEARNED, lead=d.lead(3))


def tiny(d: Draw) -> dict:
    return rows.tiny(d, LEARNED)


def alike(d: Draw) -> dict:
    return rows.alike(d, LEARNED)


def _by_one_less(off: Tensor) -> Tensor:
    return (off * off).sum(-1, keepdim=True) / (off.shape[-1] - 1)


def _in_place(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    x -= mean(x)
    return reference(x, gain, bias, eps)


EXERCISE = Exercise(
    id="residual.layer_norm",
    title="LayerNorm, by hand",
    answers=("layer_norm",),
    minutes=15,
    read=("s-norm",),
    forbid=("torch.nn.functional.layer_norm", "torch.layer_norm", "torch.native_layer_norm"),
    properties=(
        Property("values", 3, "each row less its mean, over its deviation; then gain, then bias", values, equals(reference)),
        Property("any axes", 2, "over the last axis alone, whatever axes stand before it", any_axes, equals(reference)),
        Property("eps", 3, "eps as it is passed, and inside the root", tiny, equals(reference)),
        Property("rows alike", 1, "a row whose numbers are all the same becomes the bias", alike, equals(reference), 30),
        Property("inputs unchanged", 1, "x, gain and bias are afterwards what they were", any_axes, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("LayerNorm with the variance over D − 1; the row is all there is, so it is divided by D", variant(spread=_by_one_less)),
        Mistake("LayerNorm with eps outside the root, added to the deviation",
                variant(divide=lambda off, var, eps: off / (var.sqrt() + eps))),
        Mistake("LayerNorm without eps: a row of equal numbers is 0/0, which is NaN", variant(divide=lambda off, var, eps: off / var.sqrt())),
        Mistake("LayerNorm with an eps of its own, 1e-5, whatever is passed",
                variant(divide=lambda off, var, eps: divided(off, var, 1e-5))),
        Mistake("a division by the variance; by its root, the deviation, every row comes to variance 1",
                variant(divide=lambda off, var, eps: off / (var + eps))),
        Mistake("eps squared inside the root", variant(divide=lambda off, var, eps: divided(off, var, eps * eps))),
        Mistake("RMSNorm with a shift: the mean is not taken away", variant(mean=lambda x: 0.0)),
        Mistake("the mean taken away and nothing divided: every row keeps its own scale", variant(divide=lambda off, var, eps: off)),
        Mistake("every row brought to length 1; LayerNorm brings it to variance 1, which is length √D",
                variant(spread=lambda off: (off * off).sum(-1, keepdim=True))),
        Mistake("one mean and one variance for the whole tensor, where each row has its own",
                variant(mean=lambda x: x.mean(), spread=lambda off: (off * off).mean())),
        Mistake("the bias added before the gain, so that the gain stretches it too", variant(learn=lambda n, gain, bias: (n + bias) * gain)),
        Mistake("LayerNorm without the learned gain and bias", variant(learn=lambda n, gain, bias: n)),
        Mistake("1 + gain in place of gain, as some models store it", variant(learn=lambda n, gain, bias: n * (1 + gain) + bias)),
        Mistake("the mean taken away in place, so that the caller's x is changed", _in_place),
    ),
    hints=(
        "Three steps for each row by itself: take its mean away, divide by its deviation, then gain and bias. Which axis does one row "
        "lie along?",
        "The variance is the mean of the squares of what is left, over all D of them. eps joins it before the root is taken, so that "
        "a row of equal numbers divides 0 by √eps and not by 0.",
        "`off = x - x.mean(-1, keepdim=True)`, then `off / (off.square().mean(-1, keepdim=True) + eps).sqrt()`; times gain, plus bias.",
    ),
    explanation=(
        "Nothing crosses from one row to another, so a token is normalised alike whatever stands beside it and however large the batch "
        "is: that is what batch norm could not promise a language model. And eps is no mere guard: of a row whose deviation is far "
        "below √eps it lets only a shadow through."
    ),
    better=(
        "`torch.nn.functional.layer_norm` makes one pass over x and is what mtlib uses when fused. If you write it yourself, do not use "
        "mean(x²) − mean(x)²: with a mean of 1,000 and a spread of 0.1, float32 has no digits left for the difference."
    ),
)

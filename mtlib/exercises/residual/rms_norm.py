"""residual.rms_norm: every row brought to the same length, its mean left in."""

from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from . import rows
from .rows import divided, mean, mean_square

EPS = (1e-6, 1e-4, 1e-9, 1.0)


def reference(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return variant()(x, gain, eps)


def variant(centre=lambda x: x, spread=mean_square, divide=divided, learn=lambda n, gain: n * gain, default: float = 1e-6):
    """RMSNorm with a step changed: whether it centres, how the size is measured, how it divides, what is learned."""

    def rms_norm(x: Tensor, gain: Tensor, eps: float = default) -> Tensor:
        off = centre(x)
        return learn(divide(off, spread(off), eps), gain)

    return rms_norm


def values(d: Draw) -> dict:
    return rows.plain(d, ("gain",))


def any_axes(d: Draw) -> dict:
    return rows.plain(d, ("gain",), lead=d.lead(3))


def tiny(d: Draw) -> dict:
    return rows.tiny(d, ("gain",), EPS)


def tiny_by_default(d: Draw) -> dict:
    """Rows of thousandths, and eps left to its default."""
    return {name: value for name, value in tiny(d).items() if name != "eps"}


def alike(d: Draw) -> dict:
    return rows.alike(d, ("gain",), EPS)


def of_zeros(d: Draw) -> dict:
    return rows.of_zeros(d, ("gain",), EPS)


def _in_place(x: Tensor, gain: Tensor, eps: float = 1e-6) -> Tensor:
    return x.copy_(reference(x, gain, eps))


EXERCISE = Exercise(
    id="residual.rms_norm",
    title="RMSNorm: the same without the mean",
    answers=("rms_norm",),
    minutes=10,
    read=("rms-norm",),
    forbid=("torch.nn.functional.rms_norm", "torch.rms_norm"),
    properties=(
        Property("values", 2, "each row over the root of its mean square, times gain", values, equals(reference)),
        Property("any axes", 1, "over the last axis alone, whatever axes stand before it", any_axes, equals(reference)),
        Property("eps", 2, "eps as it is passed, and inside the root", tiny, equals(reference)),
        Property("eps left out", 1, "eps is 1e-6 unless it is passed", tiny_by_default, equals(reference), 30),
        Property("rows alike", 1, "nothing is centred: a row of equal numbers stays one", alike, equals(reference), 30),
        Property("rows of zeros", 1, "a row of zeros stays one", of_zeros, equals(reference), 30),
        Property("inputs unchanged", 1, "x and gain are afterwards what they were", any_axes, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("LayerNorm without its bias: RMSNorm takes no mean away", variant(centre=lambda x: x - mean(x))),
        Mistake("RMSNorm with eps outside the root", variant(divide=lambda x, square, eps: x / (square.sqrt() + eps))),
        Mistake("RMSNorm without eps: a row of zeros is 0/0, which is NaN", variant(divide=lambda x, square, eps: x / square.sqrt())),
        Mistake("RMSNorm with an eps of its own, 1e-6, whatever is passed",
                variant(divide=lambda x, square, eps: divided(x, square, 1e-6))),
        Mistake("RMSNorm whose eps is 1e-5 unless it is passed; here it is 1e-6", variant(default=1e-5)),
        Mistake("a division by the mean square; by its root, every row comes to the same size",
                variant(divide=lambda x, square, eps: x / (square + eps))),
        Mistake("a division by the length: the row comes to length 1, where it should come to √D",
                variant(spread=lambda x: (x * x).sum(-1, keepdim=True))),
        Mistake("the mean of the sizes |x|, where the root of the mean square is meant",
                variant(spread=lambda x: mean(x.abs()).square())),
        Mistake("the deviation from the mean as the divisor, while the mean itself is left in",
                variant(spread=lambda x: mean_square(x - mean(x)))),
        Mistake("one size for the whole tensor, where each row has its own", variant(spread=lambda x: (x * x).mean())),
        Mistake("RMSNorm without the learned gain", variant(learn=lambda n, gain: n)),
        Mistake("1 + gain in place of gain, as some models store it", variant(learn=lambda n, gain: n * (1 + gain))),
        Mistake("RMSNorm in float32, whatever comes in", lambda x, gain, eps=1e-6: reference(x.float(), gain.float(), eps).to(x.dtype)),
        Mistake("RMSNorm in place, so that the caller's x is gone", _in_place),
    ),
    hints=(
        "Your layer_norm with one step fewer. What is the mean square of a row that was not centred first?",
        "Root, mean, square, read from the back: square each number, take the mean over the row, add eps, take the root, divide.",
        "`x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * gain`.",
    ),
    explanation=(
        "The row keeps its direction; only its length is brought to √D, where the gain then stretches each axis by its own. Most "
        "language models since Llama use it. Its eps differs from model to model, 1e-5 or 1e-6, and must be copied with the weights."
    ),
    better=(
        "`x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * gain` has one division fewer. In bfloat16 the mean square is taken "
        "in float32, `x.float().square()`, and the result brought back: squares of large activations leave no digits otherwise."
    ),
)

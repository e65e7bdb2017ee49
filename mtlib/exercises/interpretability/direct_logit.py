"""interpretability.direct_logit: whose doing is this logit?"""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(parts: Tensor, scale: Tensor, gain: Tensor, w_u: Tensor) -> Tensor:
    return variant()(parts, scale, gain, w_u)


def centred(parts: Tensor) -> Tensor:
    return parts - parts.mean(-1, keepdim=True)


def variant(centre=centred, divide=lambda x, scale: x / scale, stretch=lambda x, gain: x * gain, read=lambda x, w_u: x @ w_u):
    """The attribution with a step changed: the mean, the scale, the gain, the product with the token's row."""
    return lambda parts, scale, gain, w_u: read(stretch(divide(centre(parts), scale), gain), w_u)


def _parts(d: Draw, dtype: torch.dtype) -> dict:
    N, D = d.size(high=3, rough=7), d.size(low=2, high=4, rough=8)
    parts, gain, w_u = d.floats(N, D, dtype=dtype), d.floats(D, dtype=dtype), d.floats(D, dtype=dtype)
    scale = torch.tensor(d.pick(0.5, 2.0, 1.0, 3.0, 0.25), dtype=dtype)
    return {"parts": parts, "scale": scale, "gain": gain + 0.5, "w_u": w_u}


def any_parts(d: Draw) -> dict:
    return _parts(d, d.pick(*DTYPES))


def lifted(d: Draw) -> dict:
    """Parts with means far from 0, each with its own."""
    case = _parts(d, torch.float64)
    return case | {"parts": case["parts"] + 10 * d.floats(len(case["parts"]), 1, dtype=torch.float64)}


def one_part(d: Draw) -> dict:
    case = _parts(d, torch.float64)
    return case | {"parts": case["parts"][:1]}


def with_bias(d: Draw) -> dict:
    """A whole stream vector, and the shift of the LayerNorm that it passes."""
    case = _parts(d, torch.float64)
    del case["scale"]
    return case | {"bias": d.floats(len(case["gain"]), dtype=torch.float64)}


def largest(parts: Tensor, scale: Tensor, gain: Tensor, w_u: Tensor) -> float:
    """How large a sum of terms can get on the way."""
    return float((parts.abs().amax() * 2 / scale * gain.abs().amax() * w_u.abs().sum()).clamp(min=1))


def adds_up_to_the_logit(case: dict, subject: Subject) -> None:
    """All parts together, and what the shift gives, are the logit of the vector that they add up to."""
    parts, gain, w_u, bias = case.values()
    x, eps = parts.sum(0), 1e-5
    scale = (x.var(correction=0) + eps).sqrt()
    logit = torch.nn.functional.layer_norm(x, x.shape, gain, bias, eps) @ w_u
    found = value_of(subject.call(parts, scale, gain, w_u))
    agree_in_form(found, reference(parts, scale, gain, w_u))
    largest_on_the_way = largest(parts, scale, gain, w_u) * len(parts)
    agree(found.sum() + bias @ w_u, logit, largest_on_the_way, why="the sum of all parts and of bias @ w_u should be the logit")


def _by_its_own(x: Tensor, scale: Tensor) -> Tensor:
    """Each part divided by its own deviation."""
    return x / (x.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()


EXERCISE = Exercise(
    id="interpretability.direct_logit",
    title="Whose doing is this logit?",
    answers=("direct_logit",),
    minutes=15,
    read=("q-wo-mix",),
    properties=(
        Property("values", 3, "each part centred, divided by the one scale, stretched, times the token's row", any_parts,
                 equals(reference, largest)),
        Property("means", 2, "what a part adds to all columns alike adds nothing to a logit", lifted, equals(reference, largest), 40),
        Property("one part", 1, "a single part gives a single number, (1,)", one_part, equals(reference, largest), 20),
        Property("adds up", 3, "all parts and the norm's bias together are the logit", with_bias, adds_up_to_the_logit, 40),
        Property("inputs unchanged", 1, "all four arguments are afterwards what they were", any_parts, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("no centring: LayerNorm takes each vector's mean away, and so from each part its own", variant(centre=lambda x: x)),
        Mistake("the mean over the parts taken away: it is the mean over the D columns",
                variant(centre=lambda x: x - x.mean(0))),
        Mistake("one mean for all parts: each has its own", variant(centre=lambda x: x - x.mean())),
        Mistake("each part divided by its own deviation: the scale is that of the whole stream, frozen", variant(divide=_by_its_own)),
        Mistake("no division by the scale", variant(divide=lambda x, scale: x)),
        Mistake("times the scale, where it divides", variant(divide=lambda x, scale: x * scale)),
        Mistake("a division by the root of the scale: it is a deviation already", variant(divide=lambda x, scale: x / scale.sqrt())),
        Mistake("a division by the scale's square: it is a deviation and no variance", variant(divide=lambda x, scale: x / scale**2)),
        Mistake("the gain left out", variant(stretch=lambda x, gain: x)),
        Mistake("1 + gain in place of the gain", variant(stretch=lambda x, gain: x * (1 + gain))),
        Mistake("stretched first and centred then: LayerNorm centres before its gain",
                variant(centre=lambda x: x, read=lambda x, w_u: centred(x) @ w_u)),
        Mistake("the sum over the parts, one number: what each gives is asked for",
                lambda *args: reference(*args).sum()),
        Mistake("shares of the sum: the contributions themselves are asked for",
                lambda *args: reference(*args) / reference(*args).sum()),
        Mistake("the columns not added up: a logit's part is one number", variant(read=lambda x, w_u: x * w_u)),
        Mistake("the sizes of the contributions: a part can speak against a token", lambda *args: reference(*args).abs()),
    ),
    hints=(
        "Write down what LayerNorm does to the whole stream x, without its bias, and then put x = Σ parts into it. Which steps may be done to "
        "each part by itself?",
        "Centring is linear, so each part gives its own mean away. The deviation is not: it is measured on the whole, once, and handed to you "
        "as `scale`. Gain and product are linear again.",
        "`(parts - parts.mean(-1, keepdim=True)) / scale * gain @ w_u`.",
    ),
    explanation=(
        "With the scale frozen, the way from stream to logit is linear, so a logit is a sum in which every head and every FFN has a term, "
        "of either sign. What a part does through later layers is not in it, nor that without this part the scale would be another."
    ),
    better=(
        "Ask for the difference of two tokens: put `w_u[right] - w_u[wrong]` in place of the row, and what raises both alike drops out. "
        "`mtlib.interp.logit_parts` names the parts of a real model and does this for each."
    ),
)

"""statistics.cross_entropy: the mean surprise at what came, leaving out what does not count."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import differentiates, equals, leaves_inputs


def reference(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    return variant()(logits, targets, ignore_index)


def log_shares(logits: Tensor) -> Tensor:
    return logits.log_softmax(-1)


def mean_of_kept(surprise: Tensor, kept: Tensor) -> Tensor:
    return (surprise * kept).sum() / kept.sum().clamp(min=1)


def variant(log=log_shares, mean=mean_of_kept, ignored=None):
    """Cross-entropy with a step changed: the logarithm of the shares, the mean, or which target is ignored."""

    def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
        kept = targets != (ignore_index if ignored is None else ignored)
        came = targets.where(kept, 0) % logits.shape[-1]  # whatever is ignored must still be a place to look at
        surprise = -log(logits).gather(-1, came[..., None]).squeeze(-1)
        return mean(surprise, kept)

    return cross_entropy


def _case(d: Draw, lead: tuple[int, ...], dtype: torch.dtype = torch.float32, **given) -> dict:
    V = d.size(low=1)
    return {"logits": d.floats(*lead, V, dtype=dtype, **given), "targets": d.integers(*lead, high=V - 1)}


def all_kept(d: Draw) -> dict:
    """A row of places; the default for ignore_index is tried."""
    return _case(d, (d.size(),))


def any_shape(d: Draw) -> dict:
    """Any number of leading axes, none included."""
    return _case(d, d.lead(3), d.pick(*DTYPES))


def some_ignored(d: Draw) -> dict:
    """At least one place is ignored and one is not; the index to ignore may be a letter like any other."""
    lead = (d.size(low=2), *d.lead(1))
    case = _case(d, lead, d.pick(*DTYPES))
    V = case["logits"].shape[-1]
    ignore = d.pick(-100, V, -1, 0, V + 7, V - 1)
    targets = case["targets"].masked_fill(~d.keep(*lead), ignore)
    targets.view(-1)[d.whole(0, targets.numel() - 1)] = ignore
    if (targets == ignore).all() and V > 1:
        targets.view(-1)[0] = (ignore + 1) % V
    return case | {"targets": targets, "ignore_index": ignore}


def by_default(d: Draw) -> dict:
    """Targets of -100 are ignored without a word."""
    case = _case(d, (d.size(low=2),))
    case["targets"][d.whole(0, len(case["targets"]) - 1)] = -100
    return case


def nothing_kept(d: Draw) -> dict:
    """Every target is ignored; what arrives from above is there to ask for the gradient as well."""
    lead = d.lead(2)
    case, ignore = _case(d, lead, torch.float64), d.pick(-100, 0, -1)
    targets = torch.full(lead, ignore, dtype=torch.int64)
    return case | {"targets": targets, "ignore_index": ignore, "cotangent": torch.tensor(1.0, dtype=torch.float64)}


def huge(d: Draw) -> dict:
    """Logits of many thousands, and places where something wildly unlikely came."""
    case = _case(d, (d.size(),), torch.float64)
    return case | {"logits": case["logits"] * d.pick(10_000, 1_000, 50_000)}


def gradient(d: Draw) -> dict:
    case = some_ignored(d) if d.flag() else any_shape(d)
    return case | {"logits": case["logits"].double(), "cotangent": d.floats(dtype=torch.float64) + 1.0}


def largest(logits: Tensor, *_, **__) -> float:
    """The largest logit, by which rounding is measured."""
    return float(logits.abs().max())


def _zero_with_its_gradient(case: dict, subject) -> None:
    arguments = {name: value for name, value in case.items() if name != "cotangent"}
    equals(reference, largest)(arguments, subject)
    differentiates(reference, largest)(case, subject)


def _mean_of_all(surprise: Tensor, kept: Tensor) -> Tensor:
    return (surprise * kept).sum() / kept.numel()


def _nan_of_nothing(surprise: Tensor, kept: Tensor) -> Tensor:
    return (surprise * kept).sum() / kept.sum()


def _zero_from_nowhere(surprise: Tensor, kept: Tensor) -> Tensor:
    return mean_of_kept(surprise, kept) if kept.any() else surprise.new_zeros(())


def _row_by_row(surprise: Tensor, kept: Tensor) -> Tensor:
    if surprise.ndim < 2:
        return mean_of_kept(surprise, kept)
    rows = zip(surprise.flatten(1), kept.flatten(1), strict=True)
    return torch.stack([mean_of_kept(*row) for row in rows]).mean()


def _over_the_first_axis(logits: Tensor) -> Tensor:
    return logits.log_softmax(0)


EXERCISE = Exercise(
    id="statistics.cross_entropy",
    title="Cross-entropy, from logits",
    answers=("cross_entropy",),
    minutes=25,
    read=("cross-entropy",),
    forbid=("torch.nn.functional.cross_entropy",),
    properties=(
        Property("values", 3, "the mean of −log of the share given to what came, in nats", all_kept, equals(reference, largest)),
        Property("any shape", 2, "any number of leading axes, or none; a 0-d tensor of logits' dtype", any_shape, equals(reference, largest)),
        Property("ignored", 3, "targets equal to ignore_index count neither above nor below the line", some_ignored, equals(reference, largest)),
        Property("by default", 1, "without a word, −100 is ignored", by_default, equals(reference, largest), 20),
        Property("huge logits", 2, "logits of many thousands give a finite, exact loss", huge, equals(reference, largest), 40),
        Property("nothing kept", 2, "all ignored: 0, with a gradient of 0", nothing_kept, _zero_with_its_gradient, 30),
        Property("gradients", 2, "(softmax − one-hot) over the number kept", gradient, differentiates(reference, largest), 40),
        Property("inputs unchanged", 1, "logits and targets are afterwards what they were", some_ignored, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the log of a softmax, in two steps: a share too small for a float is 0, and its log −inf",
                variant(log=lambda x: x.softmax(-1).log())),
        Mistake("a small number added inside the log: no infinity any more, and no exact loss either",
                variant(log=lambda x: (x.softmax(-1) + 1e-9).log())),
        Mistake("the sum of the surprises, where the mean is asked for", variant(mean=lambda s, kept: (s * kept).sum())),
        Mistake("ignored places left out above the line and counted below it: the mean comes out too small", variant(mean=_mean_of_all)),
        Mistake("ignore_index left aside: places that should be ignored count like any other",
                variant(mean=lambda s, kept: s.mean())),
        Mistake("−100 ignored, whatever ignore_index says", variant(ignored=-100)),
        Mistake("0 over 0 when everything is ignored, which is NaN", variant(mean=_nan_of_nothing)),
        Mistake("a fresh 0 when everything is ignored: it hangs on nothing, and backward() fails", variant(mean=_zero_from_nowhere)),
        Mistake("a mean of each row's mean: rows with few places left weigh as much as full ones", variant(mean=_row_by_row)),
        Mistake("a softmax over the first axis; the classes are the last", variant(log=_over_the_first_axis)),
        Mistake("the mean log-probability without the minus: it should be what you pay", variant(log=lambda x: -log_shares(x))),
        Mistake("bits; natural logarithms are asked for", variant(log=lambda x: log_shares(x) / torch.log(torch.tensor(2.0)).to(x))),
        Mistake("one less the share, without the logarithm", variant(log=lambda x: x.softmax(-1) - 1)),
        Mistake("a softmax of a softmax: the logits must go in as they are", variant(log=lambda x: x.softmax(-1).log_softmax(-1))),
        Mistake("the bare logit of what came, its sign turned: the others must be heard too", variant(log=lambda x: x)),
    ),
    hints=(
        "Take one place first: the logarithms of all shares, and of these the one that came. Then all places at once, and only "
        "then what must be ignored.",
        "log of softmax is `logits - logits.logsumexp(-1, keepdim=True)`, which never overflows. To pick what came, torch has "
        "`gather`; the ignored index may be no legal place to pick from, so put a legal one there and give it weight 0.",
        "`kept = targets != ignore_index`; `came = targets.where(kept, 0)`; `surprise = -log_q.gather(-1, came[..., None])"
        ".squeeze(-1)`; then `(surprise * kept).sum() / kept.sum().clamp(min=1)`.",
    ),
    explanation=(
        "The number below the line is how many places count, not how many there are: otherwise a batch with more padding would "
        "have a smaller loss for no merit of the model's. When nothing counts, torch's own gives NaN, and one such batch ruins "
        "a run; a 0 that still hangs on the logits lets training go on."
    ),
    better=(
        "`F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=…)` is the same but for the empty case. With a "
        "large vocabulary the logits are the largest tensor of a training step: computing the loss in chunks of places, or in a "
        "fused kernel that never stores them, saves more memory than anything else in the model."
    ),
)

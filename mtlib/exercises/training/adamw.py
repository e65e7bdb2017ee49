"""training.adamw: one step of the optimiser that trains nearly everything."""

import torch
from torch import Tensor

from mtlib.grading.compare import gap
from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, equals, value_of
from mtlib.grading.subject import Subject

from .adamw_steps import average, late_decay, paper_eps, param_in_place, reference, state_in_place, variant

NAMES = ("param", "state")


def _settings(d: Draw, decay: bool) -> dict:
    return {
        "lr": d.pick(0.1, 1.0, 0.01),
        "betas": d.pick((0.9, 0.999), (0.5, 0.75), (0.9, 0.95), (0.0, 0.99)),
        "eps": d.pick(1e-8, 0.1, 0.01),
        "weight_decay": d.pick(0.1, 0.5, 0.01) if decay else 0.0,
    }


def _tensors(d: Draw, shape: tuple[int, ...], names: tuple[str, ...], dtype: torch.dtype = torch.float64) -> dict:
    return {name: d.floats(*shape, dtype=dtype) for name in names}


def first_step(d: Draw) -> dict:
    """Nothing remembered, no decay."""
    shape = (*d.lead(), d.size())
    return {**_tensors(d, shape, ("param", "grad"), d.pick(*DTYPES)), "state": {}, **_settings(d, False)}


def decayed(d: Draw) -> dict:
    return {**_tensors(d, (d.size(),), ("param", "grad")), "state": {}, **_settings(d, True)}


def later_step(d: Draw) -> dict:
    """After a few steps that were taken already."""
    shape, settings = (*d.lead(1), d.size()), _settings(d, d.flag())
    state: dict = {}
    for _ in range(d.whole(1, 3)):
        _, state = reference(*_tensors(d, shape, ("param", "grad")).values(), state, **settings)
    return {**_tensors(d, shape, ("param", "grad")), "state": state, **settings}


def ten_steps(d: Draw) -> dict:
    shape = (d.size(),)
    return {"param": d.floats(*shape, dtype=torch.float64), "grads": d.floats(10, *shape, dtype=torch.float64), **_settings(d, d.flag())}


def two(d: Draw) -> dict:
    """Two parameters of one shape, each with three gradients."""
    n = d.size()
    return {"params": d.floats(2, n, dtype=torch.float64), "grads": d.floats(3, 2, n, dtype=torch.float64), **_settings(d, d.flag())}


def follows(case: dict, subject: Subject) -> None:
    """Ten steps, each from what the last gave."""
    param, grads, *settings = case.values()
    _follow([param], [[grad] for grad in grads], settings, subject)


def keeps_two_apart(case: dict, subject: Subject) -> None:
    """Two parameters by turns, each with its own state."""
    params, grads, *settings = case.values()
    _follow(list(params), [list(pair) for pair in grads], settings, subject)


def _follow(params: list[Tensor], grads: list[list[Tensor]], settings: list, subject: Subject) -> None:
    mine: list[tuple[Tensor, dict]] = [(param, {}) for param in params]
    yours = list(mine)
    for turn, each in enumerate(grads):
        for i, grad in enumerate(each):
            mine[i] = reference(mine[i][0], grad, mine[i][1], *settings)
            yours[i] = value_of(subject.call(yours[i][0], grad, yours[i][1], *settings))
            who = f"parameter {i + 1}, " if len(params) > 1 else ""
            agree(yours[i], mine[i], names=NAMES, why=f"{who}step {turn + 1}")


def leaves_all(case: dict, subject: Subject) -> None:
    param, state = reference(*case.values())
    reply = subject.call(*case.values())
    given = value_of(reply)
    if type(given) is not tuple or len(given) != 2 or type(given[1]) is not dict:
        agree(given, (param, state), names=NAMES)
    agree_in_form(given[0], param)
    for place, name in enumerate(("param", "grad", "state")):
        if gap(reply.after[place], case[name]) is not None:
            raise Wrong(f"{name} is changed in place", reply.after[place], case[name], f"{name} after the call")


right = equals(reference, names=NAMES)

EXERCISE = Exercise(
    id="training.adamw",
    title="AdamW, one step",
    answers=("adamw_step",),
    minutes=25,
    read=("q-stable", "q-memory"),
    forbid=("torch.optim.AdamW", "torch.optim.Adam"),
    properties=(
        Property("first step", 3, "from an empty state: param moves by about lr, whatever grad's size", first_step, right, 30),
        Property("decay", 2, "param shrinks by lr·weight_decay of itself, beside the step", decayed, right, 20),
        Property("a later step", 3, "step, m and v go on from what the state holds", later_step, right, 30),
        Property("ten steps", 3, "each from what the last gave, as torch does them", ten_steps, follows, 9),
        Property("two parameters", 2, "two of them by turns, each with a state of its own", two, keeps_two_apart, 9),
        Property("inputs unchanged", 1, "param, grad and state are afterwards what they were", later_step, leaves_all, 15),
    ),
    mistakes=(
        Mistake("decay added to the gradient: that is Adam with L2, where large gradients decay less; AdamW's was made to part the two",
                variant(feel=lambda g, p, wd: g + wd * p, end=lambda p, delta, lr, wd: p - delta)),
        Mistake("decay without lr: weights shrink by weight_decay in each step",
                variant(end=lambda p, delta, lr, wd: p * (1 - wd) - delta)),
        Mistake("no decay at all", variant(end=lambda p, delta, lr, wd: p - delta)),
        Mistake("decay of what has moved already; param shrinks first, and then moves", variant(end=late_decay)),
        Mistake("decay that makes weights grow: 1 + lr·weight_decay",
                variant(end=lambda p, delta, lr, wd: p * (1 + lr * wd) - delta)),
        Mistake("no correction of the averages, which start at 0 and are too small at first",
                variant(hat=lambda x, beta, step: x)),
        Mistake("corrected averages stored: the next step would correct them again",
                variant(store=lambda m, v, m_hat, v_hat: (m_hat, v_hat))),
        Mistake("a correction as if each step were the first: step must go on from the state",
                variant(count=lambda before: 1)),
        Mistake("a correction with the number of steps before this one, which is 0 at first: 0 over 0",
                variant(count=lambda before: before + 1, hat=lambda x, beta, step: x / torch.tensor(1 - beta ** (step - 1)).to(x))),
        Mistake("the two betas exchanged", lambda p, g, s, lr, betas, *rest: reference(p, g, s, lr, betas[::-1], *rest)),
        Mistake("eps inside the root; it is added to the root", variant(move=lambda m, v, eps: m / (v + eps).sqrt())),
        Mistake("eps added to the root of v before it is corrected: with an eps of 0.1 that shows", paper_eps),
        Mistake("a division by v itself: the root is missing", variant(move=lambda m, v, eps: m / (v + eps))),
        Mistake("an average of |grad| in v, where squares are averaged",
                variant(second=lambda old, new, beta: average(old, new.abs(), beta))),
        Mistake("beta·m + grad: the new gradient must weigh 1 − beta", variant(first=lambda old, new, beta: beta * old + new)),
        Mistake("the weights of old and new exchanged: beta belongs to the old",
                variant(first=lambda old, new, beta: average(old, new, 1 - beta))),
        Mistake("uphill: the step must be taken away", variant(end=lambda p, delta, lr, wd: p * (1 - lr * wd) + delta)),
        Mistake("param changed in place", param_in_place),
        Mistake("the caller's state changed in place: two calls with one state must give the same", state_in_place),
    ),
    hints=(
        "Two running averages, of the gradient and of its square. At first they are mostly the 0 they began with: after one step, m is "
        "only 1 − beta1 of grad. What must it be divided by?",
        "m = b1·m + (1 − b1)·g, v = b2·v + (1 − b2)·g²; m_hat = m / (1 − b1ᵗ), v_hat likewise with b2. The step is "
        "lr·m_hat / (√v_hat + eps), and the decay touches param alone.",
        "`state.get(\"m\", 0.0)` serves the empty state. Return `param * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps)` and a "
        "new dict of step, m and v.",
    ),
    explanation=(
        "In the first step m_hat is g and v_hat is g², so every number moves by lr up or down, be its gradient 10 or 0.00001: as far "
        "as if every gradient to come had agreed, on the word of a single batch. A warm-up keeps these steps small. And for every number of the model it "
        "remembers two more, so a model in training takes four times its own size before any activation: weights, gradients, m, v."
    ),
    better=(
        "`torch.optim.AdamW(…, fused=True)` does it for all parameters in one kernel. `torch.lerp(m, grad, 1 - b1)` is the first "
        "average in one call. Which parameters decay is a choice: `mt.training.adamw` leaves norms, biases and tables out."
    ),
)

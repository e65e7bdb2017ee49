"""Steps of AdamW for training.adamw: the right one, and those with a part gone wrong."""

from collections.abc import Callable

from torch import Tensor


def reference(
    param: Tensor, grad: Tensor, state: dict, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
) -> tuple[Tensor, dict]:
    return variant()(param, grad, state, lr, betas, eps, weight_decay)


def average(old: Tensor | float, new: Tensor, beta: float) -> Tensor:
    return beta * old + (1 - beta) * new


def plain(grad: Tensor, param: Tensor, weight_decay: float) -> Tensor:
    return grad


def decoupled(param: Tensor, delta: Tensor, lr: float, weight_decay: float) -> Tensor:
    return param * (1 - lr * weight_decay) - delta


def corrected(mean: Tensor, beta: float, step: int) -> Tensor:
    return mean / (1 - beta**step)


def over_root(m: Tensor, v: Tensor, eps: float) -> Tensor:
    return m / (v.sqrt() + eps)


def uncorrected(m: Tensor, v: Tensor, m_hat: Tensor, v_hat: Tensor) -> tuple[Tensor, Tensor]:
    return m, v


def variant(
    feel: Callable = plain,
    count: Callable = lambda before: before + 1,
    first: Callable = average,
    second: Callable = lambda old, new, beta: average(old, new**2, beta),
    hat: Callable = corrected,
    move: Callable = over_root,
    end: Callable = decoupled,
    store: Callable = uncorrected,
) -> Callable:
    """A step with a part of it changed."""

    def adamw_step(
        param: Tensor, grad: Tensor, state: dict, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
    ) -> tuple[Tensor, dict]:
        grad = feel(grad, param, weight_decay)
        step = count(state.get("step", 0))
        m, v = first(state.get("m", 0.0), grad, betas[0]), second(state.get("v", 0.0), grad, betas[1])
        m_hat, v_hat = hat(m, betas[0], step), hat(v, betas[1], step)
        kept = dict(zip("mv", store(m, v, m_hat, v_hat), strict=True))
        return end(param, lr * move(m_hat, v_hat, eps), lr, weight_decay), {"step": step, **kept}

    return adamw_step


def late_decay(param: Tensor, delta: Tensor, lr: float, weight_decay: float) -> Tensor:
    return (param - delta) * (1 - lr * weight_decay)


def paper_eps(param, grad, state, lr, betas, eps, weight_decay):
    """The order of the paper's end of section 2, in which eps meets the uncorrected root."""
    step = state.get("step", 0) + 1
    m, v = average(state.get("m", 0.0), grad, betas[0]), average(state.get("v", 0.0), grad**2, betas[1])
    rate = lr * (1 - betas[1] ** step) ** 0.5 / (1 - betas[0] ** step)
    return param * (1 - lr * weight_decay) - rate * m / (v.sqrt() + eps), {"step": step, "m": m, "v": v}


def param_in_place(param, grad, state, *settings):
    fresh, state = reference(param, grad, state, *settings)
    return param.copy_(fresh), state


def state_in_place(param, grad, state, *settings):
    fresh, after = reference(param, grad, state, *settings)
    state.update(after)
    return fresh, state

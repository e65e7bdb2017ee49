"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def gelu_by_normal(x):
    return x * torch.distributions.Normal(0.0, 1.0).cdf(x)


def gelu_by_erfc(x):
    return x / 2 * torch.special.erfc(-x / 2**0.5)


def gelu_by_ndtr(x):
    return torch.special.ndtr(x).mul(x)


def gelu_by_its_symmetry(x):
    """x where x is positive, plus what is left: both sides share one bump."""
    return x.clamp(min=0) - x.abs() * 0.5 * torch.erfc(x.abs() / math.sqrt(2))


def ffn_by_linear(x, w_in, b_in, w_out, b_out, activation):
    return F.linear(activation(F.linear(x, w_in.T, b_in)), w_out.T, b_out)


def ffn_by_einsum(x, w_in, b_in, w_out, b_out, activation):
    hidden = activation(torch.einsum("...d,df->...f", x, w_in) + b_in)
    return torch.einsum("...f,fd->...d", hidden, w_out) + b_out


def ffn_by_position(x, w_in, b_in, w_out, b_out, activation):
    flat = x.reshape(-1, x.shape[-1])
    return torch.stack([activation(b_in + row @ w_in) @ w_out + b_out for row in flat]).reshape(x.shape)


def ffn_as_keys_and_values(x, w_in, b_in, w_out, b_out, activation):
    out = b_out.expand_as(x)
    for key, bias, value in zip(w_in.unbind(1), b_in, w_out):
        out = out + activation(x @ key + bias)[..., None] * value
    return out


def swiglu_by_sigmoid(x, w_gate, w_up, w_down):
    gate = x @ w_gate
    return torch.matmul(gate * torch.sigmoid(gate) * (x @ w_up), w_down)


def swiglu_side_by_side(x, w_gate, w_up, w_down):
    gate, up = (x @ torch.cat([w_gate, w_up], dim=1)).chunk(2, dim=-1)
    return torch.einsum("...f,fd->...d", F.silu(gate) * up, w_down)


def swiglu_by_tanh(x, w_gate, w_up, w_down):
    gate = x @ w_gate
    return (gate * (1 + torch.tanh(gate / 2)) / 2 * (x @ w_up)) @ w_down


def linear_by_both_laws(f, d):
    for _ in range(60):
        x, y = (torch.randn(7, d, dtype=torch.float64) for _ in "xy")
        a, b = torch.randn(2, dtype=torch.float64)
        if (f(a * x + b * y) - a * f(x) - b * f(y)).abs().max() > 1e-5:
            return False
    return True


def linear_by_numpy(f, d):
    x, y = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 500, d)))
    return bool(np.allclose(f(x + y).numpy(), (f(x) + f(y)).numpy(), atol=1e-7))


def linear_by_finding_the_matrix(f, d):
    """If it is linear, then it is this matrix."""
    matrix, x = f(torch.eye(d, dtype=torch.float64)), torch.randn(200, d, dtype=torch.float64)
    return bool((f(x) - x @ matrix).abs().max() < 1e-6) and bool((f(0 * x).abs() < 1e-9).all())


ANSWERS = {
    "ffn.is_linear": [(linear_by_both_laws,), (linear_by_numpy,), (linear_by_finding_the_matrix,)],
    "ffn.gelu": [(gelu_by_normal,), (gelu_by_erfc,), (gelu_by_ndtr,), (gelu_by_its_symmetry,)],
    "ffn.feed_forward": [(ffn_by_linear,), (ffn_by_einsum,), (ffn_by_position,), (ffn_as_keys_and_values,)],
    "ffn.swiglu": [(swiglu_by_sigmoid,), (swiglu_side_by_side,), (swiglu_by_tanh,)],
}

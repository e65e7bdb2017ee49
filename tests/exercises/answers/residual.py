"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import numpy as np
import torch


def layer_norm_by_var(x, gain, bias, eps=1e-5):
    var, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return gain * ((x - mean) * torch.rsqrt(var + eps)) + bias


def layer_norm_by_row(x, gain, bias, eps=1e-5):
    """One row after the other, in plain Python where it can be."""
    out = torch.empty_like(x)
    for row, place in zip(x.reshape(-1, x.shape[-1]), np.ndindex(*x.shape[:-1]), strict=True):
        off = row - row.sum() / len(row)
        out[place] = off / torch.sqrt(off @ off / len(row) + eps) * gain + bias
    return out


def layer_norm_by_numpy(x, gain, bias, eps=1e-5):
    a = x.numpy()
    n = (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + eps)
    return torch.from_numpy(n) * gain + bias


def layer_norm_by_projection(x, gain, bias, eps=1e-5):
    """Take away what lies along the row of ones, then bring to length √D, or nearly; in float64 on the way."""
    D = x.size(-1)
    ones = torch.full((D, 1), D**-0.5, dtype=torch.float64)
    off = x.double() - x.double() @ ones @ ones.T
    return (off * D**0.5 / ((off**2).sum(-1, keepdim=True) + D * eps) ** 0.5).to(x.dtype) * gain + bias


def rms_norm_by_rsqrt(x, gain, eps=1e-6):
    return x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + eps) * gain


def rms_norm_by_length(x, gain, eps=1e-6):
    D = x.shape[-1]
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return gain * x / torch.sqrt(length**2 / D + eps)


def rms_norm_by_einsum(x, gain, eps=1e-6):
    square = torch.einsum("...d,...d->...", x, x) / x.size(-1)
    return torch.einsum("...d,...,d->...d", x, (square + eps) ** -0.5, gain)


def rms_norm_by_numpy(x, gain, eps=1e-6):
    a = x.numpy()
    return torch.from_numpy(a / np.sqrt(np.mean(a * a, axis=-1, keepdims=True) + a.dtype.type(eps))) * gain


def wire_by_names(x, sublayer, norm, placement):
    if placement not in ("pre", "post"):
        raise ValueError(f"placement is {placement!r}; it must be 'pre' or 'post'")
    inside = norm(x) if placement == "pre" else x
    added = torch.add(x, sublayer(inside))
    return added if placement == "pre" else norm(added)


def wire_by_table(x, sublayer, norm, placement):
    ways = {"pre": lambda: sublayer(norm(x)) + x, "post": lambda: norm(sublayer(x) + x)}
    if placement in ways:
        return ways[placement]()
    raise ValueError(placement)


def wire_by_match(x, sublayer, norm, placement):
    match placement:
        case "pre":
            change = sublayer(norm(x)).clone()
            change += x
            return change
        case "post":
            return norm(torch.stack([x, sublayer(x)]).sum(0))
        case _:
            raise ValueError(f"{placement} is neither pre nor post")


def share_by_row_vector(jacobian, grad_out):
    road, branch = (torch.linalg.vector_norm(v).item() for v in (grad_out, grad_out @ jacobian))
    return road / (road + branch)


def share_by_autograd(jacobian, grad_out):
    x = torch.zeros_like(grad_out, requires_grad=True)
    (branch,) = torch.autograd.grad(jacobian @ x, x, grad_out)
    return 1 / (1 + branch.norm() / grad_out.norm())


def share_by_numpy(jacobian, grad_out):
    road, branch = np.linalg.norm(grad_out.numpy()), np.linalg.norm(jacobian.numpy().T @ grad_out.numpy())
    return float(road / (road + branch))


def share_by_loops(jacobian, grad_out):
    D = len(grad_out)
    branch = [sum(float(jacobian[i, j]) * float(grad_out[i]) for i in range(D)) for j in range(D)]
    lengths = [sum(float(v) ** 2 for v in each) ** 0.5 for each in (grad_out, branch)]
    return lengths[0] / sum(lengths)


ANSWERS = {
    "residual.layer_norm": [
        (layer_norm_by_var,),
        (layer_norm_by_row,),
        (layer_norm_by_numpy,),
        (layer_norm_by_projection,),
    ],
    "residual.rms_norm": [(rms_norm_by_rsqrt,), (rms_norm_by_length,), (rms_norm_by_einsum,), (rms_norm_by_numpy,)],
    "residual.wire": [(wire_by_names,), (wire_by_table,), (wire_by_match,)],
    "residual.gradient_share": [(share_by_row_vector,), (share_by_autograd,), (share_by_numpy,), (share_by_loops,)],
}

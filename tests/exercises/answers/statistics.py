"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def softmax_by_logsumexp(x, dim):
    return torch.exp(x - torch.logsumexp(x, dim, keepdim=True))


def softmax_by_max(x, dim):
    e = torch.exp(x - x.max(dim, keepdim=True).values)
    return torch.div(e, torch.sum(e, dim=dim, keepdim=True))


def softmax_by_moving_the_axis(x, dim):
    rows = x.movedim(dim, 0)
    e = (rows - rows.max(0)[0]).exp()
    return (e / e.sum(0)).movedim(0, dim)


def softmax_by_numpy(x, dim):
    a = x.numpy()
    e = np.exp(a - a.max(axis=dim, keepdims=True))
    return torch.from_numpy(e / e.sum(axis=dim, keepdims=True))


def softmax_by_differences(x, dim):
    """1 over the sum of what each rival is worth against it: slow, and right without any maximum but for −inf."""
    rows = x.movedim(dim, -1)
    against = (rows[..., None, :] - rows[..., :, None]).nan_to_num(0.0, posinf=math.inf, neginf=-math.inf).exp().sum(-1)
    return (1 / against).where(rows > -math.inf, 0.0).movedim(-1, dim)


def ce_by_torch(logits, targets, ignore_index=-100):
    """torch's own pieces, flat; the empty case apart, still hanging on the logits."""
    log_q, came = F.log_softmax(logits, -1).reshape(-1, logits.shape[-1]), targets.reshape(-1)
    if (came == ignore_index).all():
        return (logits * 0).sum()
    return F.nll_loss(log_q, came, ignore_index=ignore_index)


def ce_by_selection(logits, targets, ignore_index=-100):
    kept = targets.ne(ignore_index)
    rows, came = logits[kept], targets[kept]
    if came.numel() == 0:
        return logits.sum() * 0
    return (rows.logsumexp(-1) - rows[torch.arange(len(came)), came]).mean()


def ce_by_one_hot(logits, targets, ignore_index=-100):
    V = logits.size(-1)
    hot = (targets.unsqueeze(-1) == torch.arange(V)) & (targets != ignore_index).unsqueeze(-1)
    top = logits.detach().max(-1, keepdim=True).values
    log_q = logits - top - (logits - top).exp().sum(-1, keepdim=True).log()
    return -(log_q * hot).sum() / max(int(hot.sum()), 1)


def ce_by_weights(logits, targets, ignore_index=-100):
    weight = (targets != ignore_index).to(logits.dtype)
    safe = torch.where(targets == ignore_index, torch.zeros_like(targets), targets)
    q_of_it = torch.take_along_dim(logits.log_softmax(dim=-1), safe.unsqueeze(-1), dim=-1)[..., 0]
    return -(q_of_it * weight).sum() / torch.maximum(weight.sum(), torch.ones((), dtype=logits.dtype))


def variance_by_moments(d, var_q, var_k, mean_q=0, mean_k=0):
    return d * ((var_q + mean_q**2) * (var_k + mean_k**2) - (mean_q * mean_k) ** 2)


def variance_term_by_term(d, var_q, var_k, mean_q=0, mean_k=0):
    return float(sum(var_q * (var_k + mean_k * mean_k) + mean_q * mean_q * var_k for _ in range(d)))


def variance_by_tensors(d, var_q, var_k, mean_q=0, mean_k=0):
    mean_q, mean_k, var_q, var_k = (torch.full((d,), float(value)) for value in (mean_q, mean_k, var_q, var_k))
    return (var_q * var_k).sum() + (mean_q**2 * var_k).sum() + (mean_k**2 * var_q).sum()


def variance_by_trace(d, var_q, var_k, mean_q=0, mean_k=0):
    eye, ones = np.eye(d), np.ones(d)
    q, k, a, b = var_q * eye, var_k * eye, mean_q * ones, mean_k * ones
    return float(np.trace(q @ k) + a @ k @ a + b @ q @ b)


ANSWERS = {
    "statistics.softmax": [
        (softmax_by_logsumexp,),
        (softmax_by_max,),
        (softmax_by_moving_the_axis,),
        (softmax_by_numpy,),
        (softmax_by_differences,),
    ],
    "statistics.cross_entropy": [(ce_by_torch,), (ce_by_selection,), (ce_by_one_hot,), (ce_by_weights,)],
    "statistics.dot_variance": [
        (variance_by_moments,),
        (variance_term_by_term,),
        (variance_by_tensors,),
        (variance_by_trace,),
    ],
}

"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import cmath
import math

import numpy as np
import torch
import torch.nn.functional as F


def turn_by_complex_numbers(degrees):
    arrows = (1 + 0j, 1j)
    turned = [arrow * cmath.exp(1j * math.radians(degrees)) for arrow in arrows]
    return torch.tensor([[arrow.real, arrow.imag] for arrow in turned], dtype=torch.float64)


def turn_by_exponential(degrees):
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    return torch.matrix_exp(math.radians(degrees) * quarter)


def turn_by_numpy(degrees):
    a = np.deg2rad(degrees)
    return torch.from_numpy(np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))


def dots_by_einsum(q, k):
    return torch.einsum("id,jd->ij", q, k)


def dots_by_sum(q, k):
    return (q[:, None] * k).sum(-1)


def dots_by_loops(q, k):
    return torch.stack([torch.stack([(a * b).sum() for b in k]) for a in q])


def cosines_by_normalize(q, k):
    def unit(x):
        return F.normalize(x, dim=-1) * (x != 0).any(-1, keepdim=True)

    return unit(q) @ unit(k).T


def cosines_over_lengths(q, k):
    lengths = q.norm(dim=1)[:, None] * k.norm(dim=1)[None]
    met = lengths > 0
    return torch.where(met, q @ k.T, 0.0) / torch.where(met, lengths, torch.ones_like(lengths))


def cosines_by_masking(q, k):
    def unit(x):
        empty = (x == 0).all(-1, keepdim=True)
        x = x.masked_fill(empty, 0)
        return x / (x**2).sum(-1, keepdim=True).masked_fill(empty, 1).sqrt()

    return torch.einsum("id,jd->ij", unit(q), unit(k))


def cosines_by_pairs(q, k):
    def one(a, b):
        if not a.any() or not b.any():
            return 0.0 * a.detach().sum()
        return a @ b / (a.norm() * b.norm())

    table = torch.stack([torch.stack([one(a, b) for b in k]) for a in q])
    return table + 0 * (q.sum() + k.sum())


def projected_by_lstsq(x, basis):
    flat = x.reshape(-1, x.shape[-1])
    return (basis @ torch.linalg.lstsq(basis, flat.T).solution).T.reshape(x.shape)


def projected_by_pinv(x, basis):
    return x @ (basis @ torch.linalg.pinv(basis)).T


def projected_by_normal_equations(x, basis):
    return x @ basis @ torch.linalg.inv(basis.T @ basis) @ basis.T


def projected_by_gram_schmidt(x, basis):
    done = []
    for column in basis.unbind(1):
        for _ in range(2):  # once more, against rounding
            for other in done:
                column = column - (column @ other) * other
        done.append(column / column.norm())
    return sum((x @ u)[..., None] * u for u in done)


def projected_by_svd(x, basis):
    u, _, _ = torch.linalg.svd(basis, full_matrices=False)
    return torch.einsum("...d,dr,er->...e", x, u, u)


ANSWERS = {
    "algebra.turn": [(turn_by_complex_numbers,), (turn_by_exponential,), (turn_by_numpy,)],
    "algebra.similarity": [
        (dots_by_einsum, cosines_by_normalize),
        (dots_by_sum, cosines_over_lengths),
        (dots_by_loops, cosines_by_masking),
        (dots_by_loops, cosines_by_pairs),
    ],
    "algebra.projection": [
        (projected_by_lstsq,),
        (projected_by_pinv,),
        (projected_by_normal_equations,),
        (projected_by_gram_schmidt,),
        (projected_by_svd,),
    ],
}

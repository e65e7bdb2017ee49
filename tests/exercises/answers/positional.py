"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import numpy as np
import torch


def _odd(d_model):
    if d_model % 2 == 1:
        raise ValueError("odd")


def waves_filled_in(T, d_model, base=10000.0):
    _odd(d_model)
    out = torch.empty(T, d_model, dtype=torch.float64)
    rate = torch.exp(torch.arange(0, d_model, 2).double() * (-math.log(base) / d_model))
    out[:, 0::2] = torch.sin(torch.arange(T).double()[:, None] * rate)
    out[:, 1::2] = torch.cos(torch.arange(T).double()[:, None] * rate)
    return out


def waves_by_numpy(T, d_model, base=10000.0):
    _odd(d_model)
    columns = np.arange(d_model)
    angles = np.arange(T)[:, None] / np.power(base, 2 * (columns // 2) / d_model)
    return torch.from_numpy(np.where(columns % 2, np.cos(angles), np.sin(angles)))


def waves_by_a_shifted_sine(T, d_model, base=10000.0):
    _odd(d_model)
    column = torch.arange(d_model, dtype=torch.float64)
    angles = torch.outer(torch.arange(T, dtype=torch.float64), base ** (-(column - column % 2) / d_model))
    return torch.sin(angles + (column % 2) * math.pi / 2)


def shift_by_exponential(k, d_model, base=10000.0):
    _odd(d_model)
    step = torch.zeros(d_model, d_model, dtype=torch.float64)
    for i in range(d_model // 2):
        step[2 * i, 2 * i + 1] = base ** (-2 * i / d_model)
        step[2 * i + 1, 2 * i] = -step[2 * i, 2 * i + 1]
    return torch.matrix_exp(k * step)


def shift_by_blocks(k, d_model, base=10000.0):
    _odd(d_model)
    angles = k * base ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
    c, s = angles.cos(), angles.sin()
    blocks = torch.stack([c, s, -s, c], dim=1).view(-1, 2, 2)
    return torch.block_diag(*blocks)


def shift_by_solving(k, d_model, base=10000.0):
    """Two rows of one pair, at angles 0 and a quarter turn, and the same rows k places on."""
    _odd(d_model)
    out = torch.zeros(d_model, d_model, dtype=torch.float64)
    for i in range(0, d_model, 2):
        a = k * base ** (-i / d_model)
        before = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
        after = torch.tensor([[math.sin(x + a), math.cos(x + a)] for x in (0, math.pi / 2)], dtype=torch.float64)
        out[i : i + 2, i : i + 2] = torch.linalg.solve(before, after).T
    return out


def rotary_complex(x, positions, base=10000.0):
    _odd(x.shape[-1])
    angles = positions.double()[:, None] * base ** (-torch.arange(0, x.shape[-1], 2).double() / x.shape[-1])
    hands = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(hands * torch.polar(torch.ones_like(angles), angles)).flatten(-2).to(x.dtype)


def rotary_quarter_turn(x, positions, base=10000.0):
    _odd(x.shape[-1])
    angles = torch.outer(positions.to(x.dtype), base ** (-torch.arange(0, x.shape[-1], 2).to(x.dtype) / x.shape[-1]))
    cos, sin = (f(angles).repeat_interleave(2, dim=-1) for f in (torch.cos, torch.sin))
    quarter = torch.stack([-x[..., 1::2], x[..., ::2]], -1).reshape(x.shape)
    return x * cos + quarter * sin


def rotary_by_loops(x, positions, base=10000.0):
    E = x.shape[-1]
    _odd(E)
    out = x.clone()
    for t, p in enumerate(positions.tolist()):
        for i in range(E // 2):
            a = p * base ** (-2 * i / E)
            first, second = x[..., t, 2 * i], x[..., t, 2 * i + 1]
            out[..., t, 2 * i] = first * math.cos(a) - second * math.sin(a)
            out[..., t, 2 * i + 1] = first * math.sin(a) + second * math.cos(a)
    return out


def alibi_by_powers(n_heads, T_q, T_k):
    if math.log2(n_heads) % 1:
        raise ValueError("no power of two")
    ratio = 2 ** (-8 / n_heads)
    slopes = ratio ** torch.arange(1, n_heads + 1)
    i, j = torch.arange(T_q)[:, None], torch.arange(T_k)[None]
    return -(slopes.view(-1, 1, 1) * (T_k - T_q + i - j).abs().float())


def alibi_by_loops(n_heads, T_q, T_k):
    if bin(n_heads).count("1") != 1:
        raise ValueError("no power of two")
    return torch.tensor([
        [[-(2.0 ** (-8 * h / n_heads)) * abs(T_k - T_q + i - j) for j in range(T_k)] for i in range(T_q)]
        for h in range(1, n_heads + 1)
    ])


def buckets_one_by_one(offset, n_buckets, max_distance, bidirectional):
    def one(o):
        start, room = 0, n_buckets
        if bidirectional:
            room //= 2
            start = room if o > 0 else 0
            d = abs(o)
        else:
            d = max(-o, 0)
        exact = room // 2
        if d < exact:
            return start + d
        share = math.log(d / exact) / math.log(max_distance / exact)
        return start + min(room - 1, exact + math.floor(share * (room - exact)))

    return torch.tensor([one(o) for o in offset.flatten().tolist()], dtype=torch.int64).reshape(offset.shape)


def buckets_by_edges(offset, n_buckets, max_distance, bidirectional):
    room = n_buckets // 2 if bidirectional else n_buckets
    exact = room // 2
    growth = (max_distance / exact) ** (1 / (room - exact))
    edges = [*range(1, exact + 1), *(exact * growth**n for n in range(1, room - exact))]
    distance = offset.abs() if bidirectional else torch.relu(-offset)
    bucket = torch.bucketize(distance.double(), torch.tensor(edges, dtype=torch.float64), right=True)
    return torch.where(offset > 0, bucket + room, bucket) if bidirectional else bucket


def grid_by_loops(height, width, d_model):
    if d_model % 4 != 0:
        raise ValueError("no multiple of 4")
    half = waves_by_numpy(max(height, width), d_model // 2)
    return torch.stack([torch.cat([half[r], half[c]]) for r in range(height) for c in range(width)])


def grid_by_meshgrid(height, width, d_model):
    if d_model & 3:
        raise ValueError("no multiple of 4")
    r, c = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    rate = 10000.0 ** (-torch.arange(0, d_model // 2, 2).double() / (d_model // 2))
    out = torch.empty(height * width, d_model, dtype=torch.float64)
    for first, place in ((0, r), (d_model // 2, c)):
        angles = place.flatten()[:, None] * rate
        out[:, first : first + d_model // 2 : 2] = angles.sin()
        out[:, first + 1 : first + d_model // 2 : 2] = angles.cos()
    return out


def grid_by_repeating(height, width, d_model):
    if d_model % 4:
        raise ValueError("no multiple of 4")
    down, across = (waves_filled_in(n, d_model // 2) for n in (height, width))
    return torch.hstack([down.repeat_interleave(width, 0), across.repeat(height, 1)])


ANSWERS = {
    "positional.sinusoidal": [(waves_filled_in,), (waves_by_numpy,), (waves_by_a_shifted_sine,)],
    "positional.shift": [(shift_by_exponential,), (shift_by_blocks,), (shift_by_solving,)],
    "positional.rotary": [(rotary_complex,), (rotary_quarter_turn,), (rotary_by_loops,)],
    "positional.alibi": [(alibi_by_powers,), (alibi_by_loops,)],
    "positional.t5_bucket": [(buckets_one_by_one,), (buckets_by_edges,)],
    "positional.grid": [(grid_by_loops,), (grid_by_meshgrid,), (grid_by_repeating,)],
}

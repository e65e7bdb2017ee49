"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import torch
from torch.utils.flop_counter import FlopCounterMode


def shapes_by_letters(batch, length, vocab, d_model, n_heads, d_ff, n_classes):
    E, left = divmod(d_model, n_heads)
    if left:
        raise ValueError("uneven")
    size = dict(B=batch, T=length, D=d_model, H=n_heads, E=E, F=d_ff, C=n_classes)
    said = (
        "ids BT embedded BTD positioned BTD q BHTE k BHTE v BHTE scores BHTT weights BHTT heads BHTE "
        "merged BTD attention_out BTD ffn_hidden BTF ffn_out BTD pooled BD logits BC"
    ).split()
    return {name: tuple(size[axis] for axis in axes) for name, axes in zip(said[::2], said[1::2])}


def shapes_by_a_run(batch, length, vocab, d_model, n_heads, d_ff, n_classes):
    """Run it, with zeros."""
    if d_model % n_heads != 0:
        raise ValueError(f"{n_heads} heads, {d_model} columns")
    found = {}

    def see(name, x):
        found[name] = tuple(x.shape)
        return x

    ids = see("ids", torch.zeros(batch, length, dtype=torch.int64))
    x = see("positioned", see("embedded", torch.zeros(vocab, d_model)[ids]) + torch.zeros(length, d_model))
    q, k, v = (see(name, x.reshape(batch, length, n_heads, -1).transpose(1, 2)) for name in "qkv")
    weights = see("weights", see("scores", q @ k.mT).softmax(-1))
    merged = see("merged", see("heads", weights @ v).transpose(1, 2).reshape(batch, length, d_model))
    x = see("attention_out", merged @ torch.zeros(d_model, d_model))
    x = see("ffn_out", see("ffn_hidden", x @ torch.zeros(d_model, d_ff)) @ torch.zeros(d_ff, d_model))
    see("logits", see("pooled", x.mean(1)) @ torch.zeros(d_model, n_classes))
    return found


def merged_by_einsum(heads, w_o):
    B, H, T, E = heads.shape
    return torch.einsum("bhte,hed->bhtd", heads, w_o.view(H, E, -1) if w_o.is_contiguous() else w_o.reshape(H, E, -1))


def merged_one_head_at_a_time(heads, w_o):
    E = heads.size(-1)
    return torch.stack([head @ w_o[h * E : (h + 1) * E] for h, head in enumerate(heads.unbind(1))], dim=1)


def merged_by_silencing(heads, w_o):
    """All heads but one set to zero, then merge and multiply as always."""
    B, H, T, E = heads.shape
    alone = heads[:, None] * torch.eye(H, dtype=heads.dtype).view(1, H, H, 1, 1)
    return alone.transpose(2, 3).flatten(3) @ w_o


def parameters_by_building(vocab, max_len, d_model, n_heads, n_layers, d_ff, bias, tied):
    """Shapes of every tensor, listed and multiplied out."""
    D, F = d_model, d_ff

    def linear(n, m):
        return n * m + (m if bias else 0)

    def norm():
        return D + D

    counts = dict.fromkeys(("embedding", "positions", "attention", "ffn", "norms", "head"), 0)
    counts["embedding"], counts["positions"] = vocab * D, max_len * D
    for _ in range(n_layers):
        for _ in "qkvo":
            counts["attention"] += linear(D, D)
        counts["ffn"] += linear(D, F) + linear(F, D)
        counts["norms"] += norm() + norm()
    counts["norms"] += norm()
    if not tied:
        counts["head"] += vocab * D
    counts["total"] = sum(counts.values())
    return counts


def parameters_by_shapes(vocab, max_len, d_model, n_heads, n_layers, d_ff, bias, tied):
    """Every tensor's shape, and what they multiply out to."""
    D = d_model
    ones = [(D,)] * 4 if bias else []
    shapes = {
        "embedding": [(vocab, D)],
        "positions": [(max_len, D)],
        "attention": n_layers * ([(D, D)] * 4 + ones),
        "ffn": n_layers * ([(D, d_ff), (d_ff, D)] + ([(d_ff,), (D,)] if bias else [])),
        "norms": (1 + 2 * n_layers) * [(D,), (D,)],
        "head": [] if tied else [(D, vocab)],
    }
    counts = {name: sum(math.prod(shape) for shape in found) for name, found in shapes.items()}
    return counts | {"total": sum(counts.values())}


def flops_per_token(vocab, d_model, n_layers, d_ff, T):
    per_token = n_layers * (8 * d_model**2 + 4 * d_model * d_ff + 4 * T * d_model) + 2 * d_model * vocab
    return per_token * T


def flops_by_products(vocab, d_model, n_layers, d_ff, T):
    total, D = 0, d_model
    for rows, inner, columns, times in (
        (T, D, D, 4 * n_layers),
        (T, D, T, n_layers),
        (T, T, D, n_layers),
        (T, D, d_ff, n_layers),
        (T, d_ff, D, n_layers),
        (T, D, vocab, 1),
    ):
        total += 2 * rows * inner * columns * times
    return total


def flops_by_counter(vocab, d_model, n_layers, d_ff, T):
    """torch counts one block and the head, without a number being computed."""

    def zeros(*shape):
        return torch.zeros(*shape, device="meta")

    x = zeros(T, d_model)
    with FlopCounterMode(display=False) as block:
        q, k, v = (x @ zeros(d_model, d_model) for _ in range(3))
        (q @ k.T @ v) @ zeros(d_model, d_model)
        x @ zeros(d_model, d_ff) @ zeros(d_ff, d_model)
    with FlopCounterMode(display=False) as head:
        x @ zeros(d_model, vocab)
    return n_layers * block.get_total_flops() + head.get_total_flops()


ANSWERS = {
    "dimensions.shapes": [(shapes_by_letters,), (shapes_by_a_run,)],
    "dimensions.merge": [(merged_by_einsum,), (merged_one_head_at_a_time,), (merged_by_silencing,)],
    "dimensions.parameters": [(parameters_by_building,), (parameters_by_shapes,)],
    "dimensions.flops": [(flops_per_token,), (flops_by_products,), (flops_by_counter,)],
}

"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import torch
import torch.nn.functional as F


def rnn_by_one_product(x, h, w_x, w_h, b):
    return torch.tanh(torch.cat([x, h], dim=1) @ torch.cat([w_x, w_h]) + b)


def rnn_row_by_row(x, h, w_x, w_h, b):
    return torch.stack([torch.addmv(torch.addmv(b, w_x.T, one), w_h.T, state).tanh() for one, state in zip(x, h)])


def rnn_by_sigmoid(x, h, w_x, w_h, b):
    return 2 * torch.sigmoid(2 * (F.linear(x, w_x.t()) + F.linear(h, w_h.t(), b))) - 1


def lstm_by_one_product(x, h, c, w_x, w_h, b):
    z = torch.cat([x, h], dim=-1) @ torch.cat([w_x, w_h], dim=0) + b
    D = c.size(1)
    let_in, kept, shown = z[:, :D].sigmoid(), z[:, D : 2 * D].sigmoid(), z[:, 3 * D :].sigmoid()
    new = torch.addcmul(kept * c, let_in, z[:, 2 * D : 3 * D].tanh())
    return shown * new.tanh(), new


def lstm_gate_by_gate(x, h, c, w_x, w_h, b):
    zs = [x @ wx + h @ wh + bias for wx, wh, bias in zip(w_x.chunk(4, 1), w_h.chunk(4, 1), b.chunk(4))]
    i, f, o = (torch.sigmoid(zs[k]) for k in (0, 1, 3))
    cell = c * f + i * torch.tanh(zs[2])
    return (torch.tanh(cell) * o, cell)


def lstm_by_view(x, h, c, w_x, w_h, b):
    gates = (torch.addmm(b, x, w_x) + torch.mm(h, w_h)).reshape(len(x), 4, -1)
    shares = torch.special.expit(gates)
    c = shares[:, 1] * c + shares[:, 0] * gates[:, 2].tanh()
    return shares[:, 3] * c.tanh(), c


def attention_row_by_row(query, keys, w_q, w_k, v, keep=None):
    contexts, all_weights = [], []
    for b in range(len(query)):
        scores = torch.stack([torch.dot(torch.tanh(query[b] @ w_q + key @ w_k), v) for key in keys[b]])
        there = torch.ones(len(scores), dtype=torch.bool) if keep is None else keep[b]
        weights = torch.zeros_like(scores)
        if there.any():
            weights[there] = torch.softmax(scores[there], 0)
        contexts.append(weights @ keys[b])
        all_weights.append(weights)
    return torch.stack(contexts), torch.stack(all_weights)


def attention_by_where(query, keys, w_q, w_k, v, keep=None):
    scores = torch.einsum("bta,a->bt", torch.tanh(torch.matmul(query, w_q).unsqueeze(1) + torch.matmul(keys, w_k)), v)
    if keep is None:
        keep = torch.ones_like(scores).bool()
    scores = torch.where(keep, scores, torch.finfo(scores.dtype).min)
    e = torch.exp(scores - scores.amax(1, keepdim=True)) * keep
    weights = e / e.sum(1, keepdim=True).clamp_min(torch.finfo(e.dtype).tiny)
    return torch.bmm(weights.unsqueeze(1), keys).squeeze(1), weights


def path_by_walking(design, i, j, n):
    """Counted, one application after another, until j hangs on i."""
    if design not in {"rnn", "self_attention", "cnn3"} or min(i, j) < 0 or max(i, j) >= n:
        raise ValueError("no such path")
    if design == "self_attention":
        return 1
    if design == "rnn":
        return len(range(i, j + 1)) or -1
    reached, layers = {i}, 0
    while not layers or j not in reached:
        reached |= {p + step for p in reached for step in (-1, 1)}
        layers += 1
    return layers


def path_by_match(design, i, j, n):
    if i not in range(n) or j not in range(n):
        raise ValueError(f"{i} or {j} is no place of {n}")
    match design:
        case "rnn":
            return -1 if i > j else 1 + j - i
        case "self_attention":
            return 1
        case "cnn3":
            return abs(j - i) or 1
    raise ValueError(f"unknown design {design}")


ANSWERS = {
    "recurrent.rnn_step": [(rnn_by_one_product,), (rnn_row_by_row,), (rnn_by_sigmoid,)],
    "recurrent.lstm_step": [(lstm_by_one_product,), (lstm_gate_by_gate,), (lstm_by_view,)],
    "recurrent.additive_attention": [(attention_row_by_row,), (attention_by_where,)],
    "recurrent.path_length": [(path_by_walking,), (path_by_match,)],
}

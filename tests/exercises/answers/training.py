"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def init_by_normal_(state, std, n_layers, generator):
    """Backwards through the names, with an in-place draw into an empty tensor."""
    out = {}
    for name in reversed(list(state)):
        w = state[name].detach().clone()
        if "norm" not in name:
            scale = std * (2 * n_layers) ** -0.5 if name.split(".")[-2] in ("o_proj", "w_out") else std
            w = w.zero_() if name.endswith(".bias") else w.normal_(0.0, scale, generator=generator)
        out[name] = w
    return {name: out[name] for name in state}


def init_by_torch_normal(state, std, n_layers, generator):
    def one(name, old):
        if "norm" in name:
            return torch.empty_like(old).copy_(old)
        if old.dim() == 1:
            return old * 0
        s = std / (2 * n_layers) ** 0.5 if name.endswith("o_proj.weight") or name.endswith("w_out.weight") else std
        return torch.normal(0.0, s, size=tuple(old.shape), generator=generator, dtype=old.dtype)

    return {name: one(name, old) for name, old in state.items()}


def smoothed_by_target(logits, targets, smoothing):
    V = logits.size(-1)
    target = F.one_hot(targets, V).to(logits.dtype) * (1 - smoothing) + smoothing / V
    log_q = logits - logits.logsumexp(-1, keepdim=True)
    return -(target * log_q).sum(-1).mean()


def smoothed_by_numpy(logits, targets, smoothing):
    x = logits.numpy().astype(np.float64).reshape(-1, logits.shape[-1])
    x = x - x.max(1, keepdims=True)
    log_q = x - np.log(np.exp(x).sum(1, keepdims=True))
    came = log_q[np.arange(len(x)), targets.numpy().reshape(-1)]
    return torch.tensor(np.mean(-(1 - smoothing) * came - smoothing * log_q.mean(1)), dtype=logits.dtype)


def smoothed_by_nll(logits, targets, smoothing):
    rows = F.log_softmax(logits.reshape(-1, logits.shape[-1]), dim=1)
    return torch.lerp(F.nll_loss(rows, targets.reshape(-1)), -rows.mean(), smoothing)


def softmax_back_by_jacobian(weights, grad):
    jacobian = torch.diag_embed(weights) - weights.unsqueeze(-1) * weights.unsqueeze(-2)
    return (jacobian @ grad.unsqueeze(-1)).squeeze(-1)


def softmax_back_by_einsum(weights, grad):
    return weights * grad - weights * torch.einsum("...i,...i->...", weights, grad).unsqueeze(-1)


def softmax_back_by_differences(weights, grad):
    """Each pair of weights compares what is wanted of it."""
    wanted = grad.unsqueeze(-1) - grad.unsqueeze(-2)
    return torch.einsum("...i,...j,...ij->...i", weights, weights, wanted)


def attention_back_by_outputs(q, k, v, grad_out, keep=None):
    """With grad·out in place of the weighted sum, as fused kernels have it."""
    scale = q.size(-1) ** -0.5
    s = torch.einsum("...id,...jd->...ij", q * scale, k)
    if keep is not None:
        s = torch.where(keep, s, -torch.inf)
    w = torch.nan_to_num(s.softmax(-1))
    out = w @ v
    ds = w * (torch.matmul(grad_out, v.transpose(-2, -1)) - (grad_out * out).sum(-1, keepdim=True)) * scale
    return torch.matmul(ds, k), torch.matmul(ds.transpose(-1, -2), q), torch.matmul(w.transpose(-1, -2), grad_out)


def attention_back_query_by_query(q, k, v, grad_out, keep=None):
    T_q, T_k, root = q.shape[-2], k.shape[-2], math.sqrt(q.shape[-1])
    keep = torch.ones(T_q, T_k, dtype=torch.bool) if keep is None else keep
    keep = keep.expand(*q.shape[:-1], T_k)
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    for place in np.ndindex(*q.shape[:-1]):
        lead, kept = place[:-1], keep[place]
        if not kept.any():
            continue
        keys, values = k[lead][kept], v[lead][kept]
        w = (keys @ q[place] / root).softmax(0)
        heard = values @ grad_out[place]
        ds = w * (heard - w @ heard) / root
        dq[place] = ds @ keys
        dk[lead][kept] += torch.outer(ds, q[place])
        dv[lead][kept] += torch.outer(w, grad_out[place])
    return dq, dk, dv


def clip_by_one_vector(grads, max_norm):
    there = [g.reshape(-1) for g in grads if g is not None]
    norm = torch.cat(there).norm() if there else torch.tensor(0.0)
    if norm <= max_norm:
        return [None if g is None else g.clone() for g in grads], norm
    return [None if g is None else g / norm * max_norm for g in grads], norm


def clip_by_hypot(grads, max_norm):
    norm = 0.0
    for g in grads:
        if g is not None:
            norm = math.hypot(norm, float(torch.linalg.vector_norm(g)))
    factor = min(1.0, max_norm / norm) if norm else 1.0
    return list(map(lambda g: g if g is None else factor * g, grads)), norm


def adamw_by_lerp(param, grad, state, lr, betas, eps, weight_decay):
    if not state:
        state = {"step": 0, "m": torch.zeros_like(param), "v": torch.zeros_like(param)}
    t = state["step"] + 1
    m = torch.lerp(state["m"], grad, 1 - betas[0])
    v = torch.addcmul(state["v"] * betas[1], grad, grad, value=1 - betas[1])
    denominator = v.sqrt() / math.sqrt(1 - betas[1] ** t) + eps
    param = param - lr * weight_decay * param
    return torch.addcdiv(param, m, denominator, value=-lr / (1 - betas[0] ** t)), dict(step=t, m=m, v=v)


def adamw_on_copies(param, grad, state, lr, betas, eps, weight_decay):
    """In place, as torch does it, but on copies."""
    p = param.clone()
    s = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()}
    s.setdefault("step", 0)
    s.setdefault("m", torch.zeros_like(p))
    s.setdefault("v", torch.zeros_like(p))
    s["step"] += 1
    s["m"].mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    s["v"].mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
    p.mul_(1 - lr * weight_decay)
    p.sub_(lr * (s["m"] / (1 - betas[0] ** s["step"])) / ((s["v"] / (1 - betas[1] ** s["step"])) ** 0.5 + eps))
    return p, s


def rate_by_pieces(step, warmup, total, peak, floor):
    if step >= total:
        return floor
    if step >= warmup:
        return peak + (floor - peak) * math.sin(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2
    return (step + 1) * peak / warmup


def rate_by_numpy(step, warmup, total, peak, floor):
    if warmup > 0 and step + 1 <= warmup:
        return float(np.linspace(0.0, peak, warmup + 1)[step + 1])
    x = np.clip((step - warmup) / (total - warmup), 0, 1)
    return float(0.5 * (peak + floor) + 0.5 * (peak - floor) * np.cos(np.pi * x))


def rate_by_tensors(step, warmup, total, peak, floor):
    x = torch.tensor([(step - warmup) / (total - warmup)], dtype=torch.float64).clamp(0, 1)
    low, high = torch.tensor([floor, peak], dtype=torch.float64)
    down = torch.lerp(low, high, (1 + torch.cos(x * math.pi)) / 2)
    return down[0] if step >= warmup else torch.tensor(peak * (step + 1) / warmup)


def fit_by_momentum(model, batches, steps):
    """SGD with momentum, clipped, at a rate that falls."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    losses = []
    for step, (inputs, targets) in zip(range(steps), batches):
        model.zero_grad()
        logits = model(inputs)
        loss = F.nll_loss(logits.log_softmax(-1).transpose(1, 2), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.param_groups[0]["lr"] = 1.0 * (1 - step / steps)
        optimiser.step()
        losses.append(float(loss))
    return losses


def fit_by_hand(model, batches, steps):
    """Adam without an optimiser, and autograd without backward."""
    parameters, losses = list(model.parameters()), []
    states = [{} for _ in parameters]
    for step in range(steps):
        inputs, targets = next(batches)
        loss = F.cross_entropy(model(inputs).mT, targets)
        losses += [loss.item()]
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        with torch.no_grad():
            for i, (p, g) in enumerate(zip(parameters, grads)):
                if g is not None:
                    fresh, states[i] = adamw_by_lerp(p, g, states[i], 0.02, (0.9, 0.99), 1e-8, 0.0)
                    p.copy_(fresh)
    return losses


def bits_by_log2(nll, n_bytes):
    return nll * math.log2(math.e) / n_bytes


def bits_by_bytes(nll, n_bytes):
    return 8 * (nll / n_bytes) / math.log(256)


ANSWERS = {
    "training.init": [(init_by_normal_,), (init_by_torch_normal,)],
    "training.smoothing": [(smoothed_by_target,), (smoothed_by_numpy,), (smoothed_by_nll,)],
    "training.softmax_backward": [(softmax_back_by_jacobian,), (softmax_back_by_einsum,), (softmax_back_by_differences,)],
    "training.attention_backward": [(attention_back_by_outputs,), (attention_back_query_by_query,)],
    "training.clip": [(clip_by_one_vector,), (clip_by_hypot,)],
    "training.adamw": [(adamw_by_lerp,), (adamw_on_copies,)],
    "training.schedule": [(rate_by_pieces,), (rate_by_numpy,), (rate_by_tensors,)],
    "training.loop": [(fit_by_momentum,), (fit_by_hand,)],
    "training.bits_per_byte": [(bits_by_log2,), (bits_by_bytes,)],
}

"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import heapq
import math

import torch
import torch.nn.functional as F


def temperature_from_the_top(logits, t):
    if t < 0:
        raise ValueError("colder than cold")
    below = logits - logits.amax(-1, keepdim=True)
    if t == 0:
        first = (below == 0).cumsum(-1).eq(1) & (below == 0)
        return first.to(logits.dtype)
    e = (below / t).exp()
    return e / e.sum(-1, keepdim=True)


def temperature_row_by_row(logits, t):
    if not t >= 0:
        raise ValueError(t)
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]):
        if t:
            rows.append(torch.softmax(row / t, dim=0))
        else:
            only = torch.zeros_like(row)
            only[row.argmax()] = 1
            rows.append(only)
    return torch.stack(rows).reshape(logits.shape)


def top_k_by_sorting(logits, k):
    if k <= 0:
        raise ValueError("at least one")
    if k >= logits.size(-1):
        return logits
    kth = logits.sort(dim=-1, descending=True)[0].narrow(-1, k - 1, 1)
    return torch.where(logits >= kth, logits, torch.tensor(-math.inf, dtype=logits.dtype))


def top_k_by_counting(logits, k):
    """Out is what has k or more above it."""
    if k < 1:
        raise ValueError(k)
    above = (logits[..., None, :] > logits[..., :, None]).sum(-1)
    return logits.masked_fill(above >= k, float("-inf"))


def top_p_row_by_row(logits, p):
    if p >= 1:
        return logits.clone()
    rows = []
    for row in logits.reshape(-1, logits.size(-1)):
        shares = row.double().softmax(0).tolist()
        out, before = torch.full_like(row, -math.inf), 0.0
        for i in sorted(range(len(shares)), key=lambda i: (-float(row[i]), i)):
            if before < p or before == 0:
                out[i] = row[i]
            before += shares[i]
        rows.append(out)
    return torch.stack(rows).view(logits.shape)


def top_p_by_comparing(logits, p):
    """What weighs before a token: all that is larger, and equals of lower index."""
    if p >= 1:
        return logits
    shares, place = logits.softmax(-1), torch.arange(logits.size(-1))
    larger = logits[..., None, :] > logits[..., :, None]
    equal_before = (logits[..., None, :] == logits[..., :, None]) & (place < place[:, None])
    ahead = larger | equal_before
    before = (shares[..., None, :] * ahead).sum(-1)
    return logits.masked_fill((before >= p) & ahead.any(-1), -math.inf)


def top_p_shifted(logits, p):
    values, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    sums = F.pad(values.softmax(-1).cumsum(-1), (1, 0))[..., :-1]
    stays = (sums < p) | (p >= 1)
    stays = torch.cat([torch.ones_like(stays[..., :1]), stays[..., 1:]], dim=-1)
    values = values.masked_fill(~stays, float("-inf"))
    return torch.zeros_like(logits).scatter_(-1, order, values)


def min_p_by_logits(logits, p):
    if p == 0:
        return logits
    return torch.where(logits >= logits.max(-1, keepdim=True).values + math.log(p), logits, -math.inf)


def min_p_by_ratio(logits, p):
    ratio = (logits - logits.amax(dim=-1, keepdim=True)).exp()
    return logits.masked_fill(~(ratio >= p), float("-inf"))


def cached_by_fused_attention(q, k_new, v_new, cache=None):
    if cache is None:
        return F.scaled_dot_product_attention(q, k_new, v_new, is_causal=True), (k_new, v_new)
    k, v = (torch.cat(pair, dim=-2) for pair in zip(cache, (k_new, v_new)))
    place = torch.arange(k.size(2))
    keep = place <= place[-q.size(2) :, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=keep), (k, v)


def cached_one_at_a_time(q, k_new, v_new, cache=None):
    """Position after position, so that no mask is needed."""
    k, v = (k_new[:, :, :0], v_new[:, :, :0]) if cache is None else cache
    rows = []
    for t in range(q.shape[2]):
        k = torch.cat([k, k_new[:, :, t : t + 1]], dim=2)
        v = torch.cat([v, v_new[:, :, t : t + 1]], dim=2)
        scores = torch.einsum("bhe,bhte->bht", q[:, :, t], k) / math.sqrt(q.shape[-1])
        rows.append(torch.einsum("bht,bhte->bhe", F.softmax(scores, dim=-1), v))
    return torch.stack(rows, dim=2), (k, v)


def cached_with_bias(q, k_new, v_new, cache=None):
    k, v = k_new, v_new
    if cache is not None:
        k, v = torch.cat((cache[0], k_new), 2), torch.cat((cache[1], v_new), 2)
    n, T = q.size(-2), k.size(-2)
    bias = torch.full((n, T), float("-inf"), dtype=q.dtype).triu(T - n + 1)
    weights = torch.softmax(q * q.size(-1) ** -0.5 @ k.transpose(2, 3) + bias, -1)
    return weights @ v, (k, v)


def beam_by_tensors(table, bos, eos, width, max_len):
    texts, totals = [[]], torch.zeros(1, dtype=table.dtype)
    for _ in range(max_len):
        alive = [i for i, text in enumerate(texts) if text[-1:] != [eos]]
        if not alive:
            break
        done = [i for i in range(len(texts)) if i not in alive]
        last = torch.tensor([texts[i][-1] if texts[i] else bos for i in alive])
        grown = (totals[alive][:, None] + table[last]).flatten()
        every = torch.cat([grown, totals[done]])
        totals, best = every.topk(min(width, len(every)))
        fresh, V = [], len(table)
        for i in best.tolist():
            fresh.append(texts[alive[i // V]] + [i % V] if i < len(grown) else texts[done[i - len(grown)]])
        texts = fresh
    return texts[0], float(totals[0])


def beam_by_heap(table, bos, eos, width, max_len):
    steps = table.tolist()
    beams = [(0.0, [])]
    while max_len > 0 and any(not text or text[-1] != eos for _, text in beams):
        rivals = []
        for total, text in beams:
            if text and text[-1] == eos:
                rivals.append((total, text))
                continue
            for token, step in enumerate(steps[text[-1] if text else bos]):
                rivals.append((total + step, text + [token]))
        beams = heapq.nlargest(width, rivals)
        max_len -= 1
    total, text = beams[0]
    return text, total


def accept_at_once(draft_probs, target_probs, tokens, uniforms):
    G = len(tokens)
    p = target_probs[:G].gather(1, tokens[:, None])[:, 0]
    q = draft_probs.gather(1, tokens[:, None])[:, 0]
    stands = uniforms < torch.minimum(torch.ones_like(p), p / q)
    n = int(stands.long().cumprod(0).sum())
    if n == G:
        return n, target_probs[-1]
    rest = torch.relu(target_probs[n] - draft_probs[n])
    return n, F.normalize(rest, p=1, dim=0)


def accept_without_division(draft_probs, target_probs, tokens, uniforms):
    n = 0
    for row_q, row_p, token, u in zip(draft_probs, target_probs, tokens.tolist(), uniforms.tolist()):
        if u * row_q[token] >= row_p[token]:
            missing = row_p - torch.minimum(row_p, row_q)
            return n, missing / missing.sum()
        n += 1
    return n, target_probs[n].clone()


ANSWERS = {
    "inference.temperature": [(temperature_from_the_top,), (temperature_row_by_row,)],
    "inference.top_k": [(top_k_by_sorting,), (top_k_by_counting,)],
    "inference.top_p": [(top_p_row_by_row,), (top_p_by_comparing,), (top_p_shifted,)],
    "inference.min_p": [(min_p_by_logits,), (min_p_by_ratio,)],
    "inference.cached_step": [(cached_by_fused_attention,), (cached_one_at_a_time,), (cached_with_bias,)],
    "inference.beam": [(beam_by_tensors,), (beam_by_heap,)],
    "inference.speculative": [(accept_at_once,), (accept_without_division,)],
}

"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import torch
import torch.nn.functional as F


def mlm_by_indexing(ids, special, mask_id, vocab, choose, roll, replace):
    inputs, targets = ids.clone(), torch.full_like(ids, -100)
    chosen = choose.lt(0.15).logical_and(special.logical_not())
    targets[chosen] = ids[chosen]
    inputs[chosen & (roll < 0.8)] = mask_id
    other = chosen & (roll >= 0.8) & (roll < 0.9)
    inputs[other] = replace[other]
    return inputs, targets


def mlm_place_by_place(ids, special, mask_id, vocab, choose, roll, replace):
    inputs, targets = ids.flatten().tolist(), [-100] * ids.numel()
    flat = zip(special.flatten(), choose.double().flatten(), roll.double().flatten(), replace.flatten())
    for i, (no, chance, r, other) in enumerate(flat):
        if not no and chance < 0.15:
            targets[i] = inputs[i]
            inputs[i] = mask_id if r < 0.8 else int(other) if r < 0.9 else inputs[i]
    return torch.tensor(inputs).view(ids.shape), torch.tensor(targets).view(ids.shape)


def mlm_by_fills(ids, special, mask_id, vocab, choose, roll, replace):
    left = special | (choose >= 0.15)
    inputs = ids.masked_fill(~left & (roll < 0.8), mask_id)
    return torch.where(left | (roll < 0.8) | (roll >= 0.9), inputs, replace), ids.masked_fill(left, -100)


def nce_by_cross_entropy(a, b, t):
    scores = F.cosine_similarity(a[:, None], b[None], dim=-1) / t
    partner = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(scores, partner) + F.cross_entropy(scores.T, partner))


def nce_by_logsumexp(a, b, t):
    scores = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / t
    return ((scores.logsumexp(0) + scores.logsumexp(1)) / 2 - scores.diag()).mean()


def nce_pair_by_pair(a, b, t):
    cosine = torch.stack([torch.stack([x @ y / (x @ x * (y @ y)).sqrt() for y in b]) for x in a]) / t
    total = 0
    for i in range(len(a)):
        total = total + torch.logsumexp(cosine[i], 0) + torch.logsumexp(cosine[:, i], 0) - 2 * cosine[i, i]
    return total / (2 * len(a))


ANSWERS = {
    "objectives.mlm_batch": [(mlm_by_indexing,), (mlm_place_by_place,), (mlm_by_fills,)],
    "objectives.info_nce": [(nce_by_cross_entropy,), (nce_by_logsumexp,), (nce_pair_by_pair,)],
}

"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

from collections import defaultdict

import torch
import torch.nn.functional as F


def embed_by_one_hot(ids, table):
    return F.one_hot(ids, len(table)).to(table.dtype) @ table


def embed_by_index_select(ids, table):
    return table.index_select(0, ids.reshape(-1)).reshape(*ids.shape, table.shape[1])


def embed_by_gather(ids, table):
    rows = ids.reshape(-1, 1).expand(-1, table.size(1))
    return torch.gather(table, 0, rows).view(ids.shape + table.shape[1:])


def classify_by_product(hidden, keep, w, b):
    weights = keep.to(hidden.dtype)
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1)
    return F.log_softmax(torch.einsum("bt,btd->bd", weights, hidden) @ w + b, dim=1)


def classify_text_by_text(hidden, keep, w, b):
    rows = []
    for x, k in zip(hidden, keep):
        mean = x[k].mean(0) if k.any() else torch.zeros(x.size(1), dtype=x.dtype)
        z = mean @ w + b
        rows.append(z - z.logsumexp(0))
    return torch.stack(rows)


def classify_by_where(hidden, keep, w, b):
    there = torch.where(keep.unsqueeze(-1), hidden, torch.zeros((), dtype=hidden.dtype))
    mean = there.sum(dim=1) / torch.maximum(keep.sum(1), torch.tensor(1)).unsqueeze(1)
    return torch.addmm(b, mean, w).log_softmax(dim=-1)


def merges_by_strings(words, n):
    """Symbols between spaces, joined by hand."""
    spelled = {tuple(word): count for word, count in words.items()}
    out = []
    while len(out) < n:
        counts = defaultdict(int)
        for symbols, count in spelled.items():
            for i in range(len(symbols) - 1):
                counts[symbols[i], symbols[i + 1]] += count
        if not counts:
            return out
        top = max(counts.values())
        pair = sorted(p for p in counts if counts[p] == top)[-1]
        out.append(pair)
        fresh = {}
        for symbols, count in spelled.items():
            rest, done = list(symbols), []
            while rest:
                if len(rest) > 1 and (rest[0], rest[1]) == pair:
                    done.append(rest.pop(0) + rest.pop(0))
                else:
                    done.append(rest.pop(0))
            fresh[tuple(done)] = count
        spelled = fresh
    return out


def merges_by_marks(words, n):
    """Gaps between letters, open or closed: a merge closes gaps."""
    texts = [[list(word), count] for word, count in words.items()]
    merges = []
    for _ in range(n):
        counts = {}
        for symbols, count in texts:
            for a, b in zip(symbols, symbols[1:]):
                counts[(a, b)] = counts.get((a, b), 0) + count
        if len(counts) == 0:
            break
        a, b = max(counts.items(), key=lambda item: (item[1], item[0]))[0]
        merges += [(a, b)]
        for text in texts:
            symbols, i = text[0], 0
            while i < len(symbols) - 1:
                if symbols[i] == a and symbols[i + 1] == b:
                    symbols[i : i + 2] = [a + b]
                i += 1
    return merges


ANSWERS = {
    "encoder.embed": [(embed_by_one_hot,), (embed_by_index_select,), (embed_by_gather,)],
    "encoder.classify": [(classify_by_product,), (classify_text_by_text,), (classify_by_where,)],
    "encoder.byte_pair_merges": [(merges_by_strings,), (merges_by_marks,)],
}

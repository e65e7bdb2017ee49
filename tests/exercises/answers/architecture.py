"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math
import statistics

import torch


def compare_by_statistics(a, b):
    d = [x - y for x, y in zip(a, b, strict=True)]
    mean, se = statistics.mean(d), statistics.stdev(d) / math.sqrt(len(d))
    return mean, se, "b" if mean > 2 * se else "a" if mean < -2 * se else "undecided"


def compare_in_float32(a, b):
    d = torch.tensor(a) - torch.tensor(b)
    mean, se = d.mean().item(), (d.var() / d.numel()).sqrt().item()
    return mean, se, {(True, False): "b", (False, True): "a"}.get((mean > 2 * se, mean < -2 * se), "undecided")


def compare_by_every_pair(a, b):
    """The variance from the squared differences of all pairs."""
    d, n = [x - y for x, y in zip(a, b, strict=True)], len(a)
    se = math.sqrt(sum((x - y) ** 2 for x in d for y in d) / (2 * n * (n - 1)) / n)
    low, high = math.fsum(d) / n - 2 * se, math.fsum(d) / n + 2 * se
    return math.fsum(d) / n, se, "b" if low > 0 else "a" if high < 0 else "undecided"


def fit_by_halving_steps(n, loss):
    """Two sums solved on paper, and alpha by ever smaller steps."""

    def both(alpha):
        x = [(size / min(n)) ** -alpha for size in n]
        mx, my = sum(x) / len(x), sum(loss) / len(loss)
        a = sum((p - mx) * (q - my) for p, q in zip(x, loss, strict=True)) / sum((p - mx) ** 2 for p in x)
        floor = my - a * mx
        error = sum((floor + a * p - q) ** 2 for p, q in zip(x, loss, strict=True))
        return error, a * min(n) ** alpha, floor

    alpha, step = 0.5, 0.2
    while step > 1e-4:
        nearby = [alpha + step * k for k in (-1, 0, 1) if alpha + step * k > 0.01]
        best = min(nearby, key=lambda each: both(each)[0])
        alpha, step = best, step if best != alpha else step / 2
    _, a, floor = both(alpha)
    return a, alpha, floor


def fit_by_newton(n, loss):
    """Levenberg and Marquardt's steps on the relative error, in logarithms, so that nothing falls below 0."""
    n, loss = torch.tensor(n, dtype=torch.float64), torch.tensor(loss, dtype=torch.float64)
    x = (n / n.min()).log()

    def off_and_slope(p):
        alpha, floor = p[1].exp(), p[2].exp()
        falling = (p[0] - alpha * x).exp()
        return (floor + falling) / loss - 1, torch.stack([falling, -alpha * x * falling, floor.expand(12)], 1) / loss[:, None]

    low, high = loss.min(), loss.max()
    p = torch.stack([(high - low).log(), torch.tensor(0.4, dtype=torch.float64).log(), (0.8 * low).log()])
    caution = 1e-2
    for _ in range(60):
        now, slope = off_and_slope(p)
        square = slope.T @ slope
        step = torch.linalg.solve(square + caution * square.diagonal().diag(), slope.T @ now)
        better = off_and_slope(p - step)[0].square().sum() < now.square().sum()
        p, caution = (p - step, caution / 5) if better else (p, caution * 5)
    alpha = p[1].exp()
    return (p[0].exp() * n.min() ** alpha).item(), alpha.item(), p[2].exp().item()


def fit_twice(n, loss):
    """A coarse grid, and a fine one round its best."""
    n, loss = torch.tensor(n, dtype=torch.float64), torch.tensor(loss, dtype=torch.float64)[:, None]

    def best(alphas):
        tried = []
        for alpha in alphas:
            columns = torch.cat([(n[:, None] / n.min()) ** -alpha, torch.ones_like(loss)], 1)
            a, floor = torch.linalg.pinv(columns) @ loss
            tried.append((float((columns @ torch.stack([a, floor]) - loss).norm()), float(alpha), a, floor))
        return min(tried)[1:]

    coarse, *_ = best(torch.arange(0.1, 1.05, 0.1).double())
    alpha, a, floor = best(coarse + torch.arange(-0.1, 0.1, 0.01).double())
    return float(a) * float(n.min()) ** alpha, alpha, max(float(floor), 0.0)


def lookup_by_exp(keys, values, query, t):
    scores = torch.einsum("nd,d->n", keys, query)
    lead = scores - scores.amax()
    shares = torch.exp(lead / t) if t > 0 else (lead == 0).to(lead.dtype)
    return (shares[:, None] * values).sum(0) / shares.sum()


def lookup_nearly_frozen(keys, values, query, t):
    """No limit is taken: at a millionth every lead that is drawn decides."""
    return torch.softmax((keys * query).sum(-1) / max(t, 1e-6), dim=-1) @ values


def lookup_one_by_one(keys, values, query, t):
    scores = keys @ query
    if t == 0.0:
        return torch.stack([value for value, score in zip(values, scores, strict=True) if score >= scores.max()]).mean(0)
    return torch.einsum("n,nv->v", (scores / t - torch.logsumexp(scores / t, 0)).exp(), values)


ANSWERS = {
    "architecture.ablation": [(compare_by_statistics,), (compare_in_float32,), (compare_by_every_pair,)],
    "architecture.scaling_fit": [(fit_by_halving_steps,), (fit_by_newton,), (fit_twice,)],
    "architecture.retrieval": [(lookup_by_exp,), (lookup_nearly_frozen,), (lookup_one_by_one,)],
}

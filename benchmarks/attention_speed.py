"""mtlib's attention against torch.nn's in one run: forward, and forward with backward.

Both are timed in turn, so that a slow moment of the machine meets both; what is printed is the
ratio, mtlib's time over torch's, at the median.
"""

import statistics
import time

import torch

import mtlib as mt

SIZES = [(8, 64, 128, 4), (4, 256, 256, 8)]  # B, T, D, H
ROUNDS = 30


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    torch.manual_seed(0)
    print(f"{'B, T, D, H':>18} {'core':>9} {'forward':>8} {'and backward':>13}   (mtlib over torch.nn, below 1 is faster)")
    for B, T, D, H in SIZES:
        x = torch.randn(B, T, D)
        theirs = torch.nn.MultiheadAttention(D, H, batch_first=True)
        for swap in (mt.use_explicit, mt.use_fused):
            ours = swap(mt.MultiHeadAttention(D, H))
            rounds = [(
                seconds(lambda: ours(x)), seconds(lambda: theirs(x, x, x, need_weights=False)),
                seconds(lambda: ours(x).sum().backward()),
                seconds(lambda: theirs(x, x, x, need_weights=False)[0].sum().backward()),
            ) for _ in range(ROUNDS)][5:]
            a, b, c, d = (statistics.median(column) for column in zip(*rounds))
            print(f"{f'{B}, {T}, {D}, {H}':>18} {swap.__name__[4:]:>9} {a / b:8.2f} {c / d:13.2f}")


if __name__ == "__main__":
    main()

"""The learning rate of every step, as a function of the step and of nothing else.

    cosine         up in a line over `warmup` steps, then half a cosine down to the floor
    inverse-sqrt   up in a line, then as 1/√step, with no end in sight

Adam's first steps divide by averages of almost nothing; the warm-up keeps them small.
"""

import math

FLOOR = 0.1  # of the peak, where a cosine ends: Hoffmann et al. 2022, appendix B


def cosine(step: int, *, warmup: int, total: int, peak: float, floor: float = 0.0) -> float:
    """peak · (step+1)/warmup, then floor + (peak - floor)(1 + cos πx)/2 with x from 0 to 1; the floor from total on.

    Source: Loshchilov and Hutter 2017, equation 5, without restarts.

    >>> [round(cosine(step, warmup=2, total=6, peak=1.0), 3) for step in range(7)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    _span(step, warmup)
    if not warmup < total:
        raise ValueError(f"warmup={warmup} must be less than the total of {total} steps")
    if step < warmup:
        return peak * (step + 1) / warmup
    if step >= total:
        return floor
    x = (step - warmup) / (total - warmup)
    return floor + (peak - floor) * (1 + math.cos(math.pi * x)) / 2


def inverse_sqrt(step: int, *, warmup: int, peak: float) -> float:
    """peak · (step+1)/warmup, then peak · √(warmup/(step+1)): both are the peak where they meet.

    Source: Vaswani et al. 2017, section 5.3, whose peak is 1/√(d_model · warmup).

    >>> [round(inverse_sqrt(step, warmup=4, peak=1.0), 3) for step in (0, 3, 15)]
    [0.25, 1.0, 0.5]
    """
    _span(step, warmup)
    warmup = max(warmup, 1)
    return peak * min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))


def _span(step: int, warmup: int) -> None:
    if step < 0 or warmup < 0:
        raise ValueError(f"step={step} and warmup={warmup} must be 0 or more")

"""Planted laws: twelve losses that fall with size towards a floor, clean or with a little noise."""

import torch

from mtlib.grading.draw import Draw

Numbers = list[float]
Law = tuple[float, float, float]  # a, alpha, floor
NOISE = 0.002
ROUND = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 10_000.0)


def curve(law: Law, n: Numbers) -> Numbers:
    a, alpha, floor = law
    return [floor + a * x**-alpha for x in n]


def _planted(n: Numbers, alpha: float, floor: float, above: float) -> dict:
    """A law whose falling part at the smallest n is so many floors."""
    law = (above * floor * min(n) ** alpha, alpha, floor)
    return {"n": n, "loss": curve(law, n), "law": law}


def clean(d: Draw) -> dict:
    """Twelve points on the curve itself."""
    if not d.rough:
        start = d.pick(1.0, 10.0, 1000.0)
        return _planted([start * x for x in ROUND], d.pick(0.5, 0.25, 0.75, 0.2, 0.8), d.pick(1.0, 2.0), d.pick(1.0, 2.0, 4.0))
    start = 10.0 ** (d.whole(0, 60) / 10)
    n = [start * 10 ** (4 * i / 11) for i in range(12)]
    return _planted(n, d.whole(20, 80) / 100, d.whole(5, 40) / 10, d.whole(10, 40) / 10)


def noisy(d: Draw) -> dict:
    """The same points, each off by 0.2 % or so."""
    case = clean(d)
    off = torch.randn(12, generator=d.generator(), dtype=torch.float64).clamp(-2, 2) * NOISE
    return case | {"loss": [y * (1 + e) for y, e in zip(case["loss"], off.tolist(), strict=True)]}


def shuffled(d: Draw) -> dict:
    case = noisy(d)
    order = torch.randperm(12, generator=d.generator()).tolist()
    return case | {name: [case[name][i] for i in order] for name in ("n", "loss")}


def other_units(d: Draw) -> dict:
    """Sizes counted in thousands or in thousandths, losses ten times as large or small."""
    case = noisy(d)
    size, unit = d.pick(1.0, 1e3, 1e-3), d.pick(1.0, 10.0, 0.1)
    a, alpha, floor = case["law"]
    law = (a * unit * size**alpha, alpha, floor * unit)
    return {"n": [size * x for x in case["n"]], "loss": [unit * y for y in case["loss"]], "law": law}


def without_the_law(d: Draw) -> dict:
    case = shuffled(d)
    return {"n": case["n"], "loss": case["loss"]}

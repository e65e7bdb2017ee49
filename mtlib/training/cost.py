"""What a recipe will cost, before it is run: operations, bytes, hours."""

from typing import NamedTuple

from torch.utils.flop_counter import FlopCounterMode

from ..memory import training
from ..table import Table
from .losses import cross_entropy, info_nce
from .recipe import Built, Recipe

H100 = 989e12  # bfloat16 multiply-adds, dense, counted as 2: the maker's peak for the SXM card
SHARE = 0.4  # of a GPU's peak that training reaches without effort; see benchmarks/gpt124m.py


class Cost(NamedTuple):
    """What, how much, and how it was counted."""

    what: str
    much: str
    counted: str


def costs(recipe: Recipe, built: Built) -> Table[Cost]:
    """Parameters, bytes held, operations of an update and of the run, and hours on one H100; built on the meta device."""
    train = recipe.train
    n = sum(p.numel() for p in built.model.parameters())
    held = training(n)
    update = flops(built, train.batch // train.accumulate) * train.accumulate
    whole = update * train.steps
    asked = built.data.batch(0, 1).targets
    tokens = 1 if asked is None or asked.dim() == 1 else asked.size(1)
    rows = [
        Cost("parameters", f"{n:,}", "a tied one once"),
        *(Cost(name, _bytes(float(held[name])), "float32, held from step to step") for name in ("weights", "gradients", "adamw")),
        Cost("an update", _flops(float(update)), f"forward and backward of {train.batch:,} rows, each matrix product counted"),
        Cost("the run", _flops(float(whole)), f"{train.steps:,} updates, {train.steps * train.batch * tokens:,} places"),
        Cost("on an H100", _hours(whole / (SHARE * H100)), f"at {SHARE:.0%} of its 989 TFLOP/s in bf16"),
    ]
    return Table(tuple(rows), caption=f"What {recipe.name} costs")


def flops(built: Built, rows: int) -> int:
    """Operations of forward and backward over `rows` rows, counted as they pass on the meta device."""
    batch = built.data.batch(0, rows)
    model, inputs = built.model, [x.to("meta") for x in batch.inputs]
    with FlopCounterMode(display=False) as counter:
        outputs = model(*inputs)
        loss = info_nce(*outputs) if batch.targets is None else cross_entropy(outputs, batch.targets.to("meta"), asked=1)
        loss.backward()
    model.zero_grad()
    return counter.get_total_flops()


def _bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if n < 1024:
            return f"{n:.3g} {unit}"
        n /= 1024
    return f"{n:.3g} GiB"


def _flops(n: float) -> str:
    for unit in ("", "k", "M", "G", "T", "P"):
        if n < 1000:
            return f"{n:.3g} {unit}FLOP"
        n /= 1000
    return f"{n:,.3g} EFLOP"


def _hours(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 6000 else f"{seconds / 3600:.2g} h"

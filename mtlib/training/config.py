"""How a model is trained, as numbers and words: one frozen record, checked once."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from .. import _check
from .schedule import FLOOR, cosine, inverse_sqrt

Schedule = Literal["cosine", "inverse-sqrt"]
Precision = Literal["float32", "bf16", "bf16-stream"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The [train] table of a recipe.

    steps, batch: updates, and rows in each. accumulate: pieces that a batch is cut into, where
    it does not fit the memory; the update stays the same. lr: the peak of the schedule, after
    `warmup` steps; 'cosine' ends at a tenth of it. clip: the largest norm of all gradients
    together; None lets them be. label_smoothing: see losses.cross_entropy. precision: 'bf16'
    multiplies in bfloat16 where the hardware has it, 'bf16-stream' also carries the residual
    stream in it, which is faster and coarser; the weights stay float32. compile: whether
    torch.compile makes kernels of the step. seed: of the data's order and of dropout.
    eval_every, save_every: in steps, 0 for the end only. eval_rows: held-out rows to measure on.

    >>> TrainConfig(steps=100, batch=32, lr=1e-3, warmup=10).learning_rate(9)
    0.001
    """

    steps: int
    batch: int
    lr: float
    schedule: Schedule = "cosine"
    warmup: int = 0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float | None = 1.0
    accumulate: int = 1
    label_smoothing: float = 0.0
    precision: Precision = "float32"
    compile: bool = False
    seed: int = 0
    eval_every: int = 0
    save_every: int = 0
    eval_rows: int = 512

    def __post_init__(self) -> None:
        _check.positive(steps=self.steps, batch=self.batch, accumulate=self.accumulate, eval_rows=self.eval_rows)
        _check.above_zero(lr=self.lr, **({} if self.clip is None else {"clip": self.clip}))
        _check.fraction(label_smoothing=self.label_smoothing)
        _check.one_of(schedule=(self.schedule, get_args(Schedule)), precision=(self.precision, get_args(Precision)))
        for name in ("warmup", "seed", "eval_every", "save_every"):
            _not_negative(name, getattr(self, name), int)
        _not_negative("weight_decay", self.weight_decay, (int, float))
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas={self.betas} must be two numbers in [0, 1)")
        if self.batch % self.accumulate:
            raise ValueError(f"batch={self.batch} rows do not split into accumulate={self.accumulate} equal pieces")
        if self.warmup >= self.steps:
            raise ValueError(f"warmup={self.warmup} must be less than steps={self.steps}")

    def learning_rate(self, step: int) -> float:
        """Of update number `step`, the first being 0."""
        if self.schedule == "cosine":
            return cosine(step, warmup=self.warmup, total=self.steps, peak=self.lr, floor=FLOOR * self.lr)
        return inverse_sqrt(step, warmup=self.warmup, peak=self.lr)


def _not_negative(name: str, value: Any, kind: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not value >= 0:
        raise ValueError(f"{name}={value!r} must be a {'whole number' if kind is int else 'number'} of 0 or more")

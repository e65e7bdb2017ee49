"""Train a model: fit(model, data, TrainConfig(…)).

    for step in range(steps):
        batch = data.batch(step, …)          a function of its number: the run's place is `step`
        loss = update(step, batch)           update.py: forward, backward, clip, AdamW

The random numbers of a step, dropout's above all, are a function of (seed, step, rank) too. So a
run that was killed goes on to the same bits, one that is repeated on the same machine gives the
same bits, and nothing but `step` must be remembered for that. (On a GPU some kernels add in any
order: torch.use_deterministic_algorithms(True) forbids them, and costs time.)
"""

import math
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from . import checkpoint
from .config import TrainConfig
from .crew import ALONE, RECORD, Alone, state_of
from .evaluate import Scores, evaluate, yardsticks
from .progress import Progress
from .randomness import own_randomness, seed_all, versions
from .record import Eval, Log, Record
from .resume import same_run
from .stop import Stop
from .tables import RecipeError
from .update import Update

if TYPE_CHECKING:
    from ..data import Batch, Data


class NotFinite(ArithmeticError):
    """The loss or its gradient is no number any more."""


def fit(
    model: nn.Module,
    data: "Data",
    train: TrainConfig,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    quiet: bool = False,
    crew: Alone = ALONE,
    about: Mapping[str, Any] | None = None,
) -> Record:
    """Train `model` in place on `data`, as `train` says; returns losses and scores.

    Args:
        out: a folder for log.csv and checkpoints/; without it nothing is written.
        resume: go on from the newest whole checkpoint in `out`, if there is one.
        quiet: show no bar, no curve and no line.
        crew: the processes that train together; see distributed.py.
        about: what a checkpoint is to say besides, as JSON: the recipe.

    Ctrl-C ends it after the step at hand, keeps that in `out` and says so. A loss or gradient
    that is not finite raises NotFinite and names step and learning rate; the checkpoints stay
    those of before. The caller's random state is left as it was.

    >>> from mtlib.training.example import Repeats
    >>> import mtlib as mt; config = mt.ModelConfig(vocab=8, max_len=8, d_model=16, n_heads=2, n_layers=1)
    >>> model = mt.DecoderLM(config)
    >>> fit(model, Repeats(), TrainConfig(steps=3, batch=4, lr=1e-3, eval_rows=8), quiet=True)
    <Record of 3 updates, loss 2..., held-out 2...>
    """
    run = _Run(model, data, train, None if out is None else Path(out), crew, quiet)
    with own_randomness(run.update.device), Stop(run.give_up if crew.size > 1 else None) as stop:
        try:
            run.start(resume, about or {})
            run.go(stop)
        finally:
            run.close()
    return run.record


class _Run:
    """What fit holds while it runs."""

    def __init__(self, model: nn.Module, data: "Data", train: TrainConfig, out: Path | None, crew: Alone, quiet: bool):
        self.model, self.data, self.train, self.out, self.crew = model, data, train, out, crew
        self.quiet = quiet or crew.rank > 0
        self.update = Update(model, train, crew)
        self.record, self.done, self.kept = Record(), 0, 0
        self.log: Log | None = None
        self.progress: Progress | None = None

    def start(self, resume: bool, about: Mapping[str, Any]) -> None:
        self.about = {"train": asdict(self.train), **about, "versions": versions(), "processes": self.crew.size}
        if self.out is not None:
            self.out.mkdir(parents=True, exist_ok=True)
            found = checkpoint.newest(self.folder, self.warn)
            if found is not None and not resume:
                raise RecipeError(f"{self.out} holds a run already, at step {found.step}: resume it, or take another folder")
            if found is not None:
                self.restore(found)
            if self.crew.rank == 0:
                self.log = Log(self.out / "log.csv", self.done)
        self.progress = Progress(self.train.steps, self.done, self.record, quiet=self.quiet)
        if not self.done:
            first = self.score()
            rows = {"batch": self.train.batch, "rows": self.train.eval_rows, "seed": self.train.seed}
            self.record.yardsticks = yardsticks(self.data, first.choices, **rows)

    def go(self, stop: Stop) -> None:
        self.model.train()
        batch = self.batch()
        while self.done < self.train.steps and not self.record.stopped:
            began, step = time.perf_counter(), self.done
            seed_all(self.train.seed, step, self.crew.rank)
            values = self.update(step, batch)  # type: ignore[arg-type]  # None comes after the last
            self.done += 1
            batch = self.batch()  # drawn while a GPU is still at work on the last
            self.take(step, values, stop.asked, began)
            if self.done == self.train.steps or _due(self.done, self.train.eval_every):
                self.score()
            if self.record.stopped or self.done == self.train.steps or _due(self.done, self.train.save_every):
                self.save()
        if self.record.stopped:
            where = "nothing is kept" if self.out is None else f"kept in {self.out}: resume goes on from there"
            self.progress.say(f"stopped after {self.done} of {self.train.steps} updates; {where}")  # type: ignore[union-attr]  # start has made it

    def batch(self) -> "Batch | None":
        if self.done == self.train.steps:
            return None
        return self.data.batch(self.done, self.train.batch, split="train", seed=self.train.seed)

    def take(self, step: int, values: Tensor, asked_to_stop: bool, began: float) -> None:
        """Wait for the step's numbers and note them; all processes learn that one was asked to stop."""
        mine = torch.stack([values[0], values[1] / self.crew.size, torch.full_like(values[0], float(asked_to_stop))])
        loss, norm, stops = self.crew.together(mine).tolist()
        lr, seconds = self.train.learning_rate(step), time.perf_counter() - began
        if not (math.isfinite(loss) and math.isfinite(norm)):
            what = f"loss is {loss}" if not math.isfinite(loss) else f"gradients' norm is {norm}"
            raise NotFinite(f"the {what} at step {step}, with a learning rate of {lr:.3g}: try a smaller lr or a longer warmup")
        self.record.losses.append(loss)
        self.record.norms.append(norm)
        self.record.seconds += seconds
        self.record.stopped = stops > 0
        if self.log is not None:
            self.log.row(step, loss, lr, norm, round(seconds, 6))
        self.progress.update(loss, lr)  # type: ignore[union-attr]

    def score(self) -> Scores:
        size = self.train.batch // self.train.accumulate  # what is known to fit the memory
        scores = evaluate(
            self.model, self.data, rows=self.train.eval_rows, batch=size, seed=self.train.seed, crew=self.crew
        )  # fmt: skip
        self.record.evals.append(Eval(self.done, scores))
        if self.log is not None:
            self.log.row(self.done, "", "", "", "", scores.loss, scores.accuracy, scores.exact)
        self.progress.scores(self.record.evals[-1])  # type: ignore[union-attr]
        return scores

    @property
    def folder(self) -> Path:
        return self.out / "checkpoints"  # type: ignore[operator]  # asked for only where there is one

    def save(self) -> None:
        if self.out is None:
            return
        about, history = self.record.kept()
        state = state_of(self.model, self.update.optimiser)
        self.crew.save(self.folder, self.done, state, history, self.about | about)
        self.kept = self.done

    def restore(self, found: checkpoint.Checkpoint) -> None:
        same_run(self.out, found.about, self.about)  # type: ignore[arg-type]
        self.crew.restore(found, self.model, self.update.optimiser)
        self.record = Record.of(found.about, found.tensors(RECORD))
        self.done = self.kept = found.step

    def warn(self, line: str) -> None:
        if self.crew.rank == 0:  # also when quiet: something is wrong with the disk
            print(f"mtlib: {line}", file=sys.stderr)

    def give_up(self) -> None:
        """The line of a process whose peers are gone."""
        kept = f"what is kept is of step {self.kept}: resume goes on from there" if self.kept else "nothing was kept yet"
        who = f"process {self.crew.rank} of {self.crew.size}"
        print(f"mtlib: {who} was told to end at step {self.done}; {kept}", file=sys.stderr)

    def close(self) -> None:
        for open_one in (self.update, self.log, self.progress):
            if open_one is not None:
                open_one.close()


def _due(done: int, every: int) -> bool:
    return every > 0 and done % every == 0

"""python -m mtlib.training.prove: a run is killed at twenty random moments and must not show it.

Each time a run of a small model with dropout is begun in a process of its own, killed by SIGKILL
at a moment drawn from a fixed seed (before, in and after the writing of checkpoints, which it
does after every update), resumed, killed again, resumed, and compared with a run that nobody
killed: the sha256 of all weights, the optimiser's state and every loss must be equal.
"""

import hashlib
import multiprocessing
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import torch._dynamo  # the first optimiser would load it, in every process anew

from ...config import ModelConfig
from ...transformer import DecoderLM
from .. import TrainConfig, checkpoint, fit
from ..example import Repeats

MOMENTS = 20
TRAIN = TrainConfig(steps=16, batch=8, lr=3e-3, warmup=4, save_every=1, eval_every=4, eval_rows=16)


class Proof:
    """One run that nobody kills, in `folder`, and any number that are.

    Processes are forked from one that has loaded torch already, where the system can do that.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        methods = multiprocessing.get_all_start_methods()
        self._kind = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._kind.set_forkserver_preload([__name__])
        self._run(folder / "warm-up")  # the first one waits for torch to load
        began = time.monotonic()
        self.expected = self._run(folder / "whole")
        self.seconds = time.monotonic() - began

    def killed(self, moment: int, *, of: int = MOMENTS) -> str:
        """What went wrong when a run was killed in slice number `moment` of `of`, resumed, and killed again; '' for nothing."""
        dice, out = random.Random(moment), self.folder / f"killed-{moment}"
        for share in (dice.uniform(moment, moment + 1) / of, dice.random()):
            self._run(out, kill_after=share * self.seconds)
        try:
            result = self._run(out)
        except EOFError:
            return f"moment {moment}: the resumed run ended without a result"
        return "" if result == self.expected else f"moment {moment}: the resumed run ended in other bits"

    def _run(self, out: Path, kill_after: float | None = None) -> str | None:
        hears, tells = self._kind.Pipe(duplex=False)
        process = self._kind.Process(target=victim, args=(str(out), tells))  # type: ignore[attr-defined]  # a context has it
        process.start()
        tells.close()
        if kill_after is None:
            result = hears.recv()
        else:
            result = None
            time.sleep(kill_after)
            process.kill()
        process.join()
        return result


def victim(out: str, tells: Connection) -> None:
    """What is killed: it trains in `out`, or goes on there, and tells what came of it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = DecoderLM(ModelConfig(vocab=8, max_len=7, d_model=32, n_heads=2, n_layers=2, dropout=0.1))
    record = fit(model, Repeats(), TRAIN, out=out, resume=True, quiet=True)  # type: ignore[arg-type]  # its rows are a Batch in all but name
    files = checkpoint.newest(Path(out) / "checkpoints", print).about["files"]  # type: ignore[union-attr]  # the sha256 of each, by name
    tells.send(hashlib.sha256(repr((sorted(files.items()), record.losses, record.evals)).encode()).hexdigest())

"""One recipe on one process and on two: the command is another, the run is the same.

    mtlib train configs/documentation.toml …
    torchrun --standalone --nproc-per-node=2 -m mtlib train configs/documentation.toml …

The two share every batch, each on a CPU of this machine, and add up their gradients; on GPUs the
same words start the same run. Dropout is off: each process would throw dice of its own.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..training import command  # what both run; its code is part of the result's hash

CONFIG = Path(__file__).parents[2] / "configs" / "documentation.toml"
SMALLER = (
    "train.steps=20", "train.warmup=2", "train.batch=8", "train.eval_rows=16", "train.eval_every=0", "train.save_every=0",
    "model.d_model=64", "model.n_layers=2", "model.dropout=0.0",
)  # fmt: skip


def words(processes: int, out: Path) -> list[str]:
    """The command line."""
    crew = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"] if processes > 1 else []
    recipe = ["train", str(CONFIG), *SMALLER, "--quiet", "--device", "cpu", "--out", str(out)]
    return [sys.executable, "-m", *crew, command.__name__.partition(".")[0], *recipe]


def losses(processes: int) -> list[float]:
    """Of every update."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        subprocess.run(words(processes, out), check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        with (out / "log.csv").open(encoding="utf8", newline="") as log:
            return [float(row["loss"]) for row in csv.DictReader(log) if row["loss"]]


def measure() -> list[dict[str, object]]:
    """Both; about a minute."""
    return [{"processes": n, "losses": losses(n)} for n in (1, 2)]

"""Two processes see what one would: the same losses, and checkpoints that any number can read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mtlib import cli
from mtlib.training import checkpoint, fit
from mtlib.training.distributed import gather

from .toys import Copies, config, decoder

ROOT = Path(__file__).parents[2]
JOB = """
import os, sys, torch
from tests.training.toys import Copies, config, decoder
from mtlib.training import fit
from mtlib.training.distributed import DistributedConfig, WorkerLost, crew
mode, out, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Deadly(Copies):
    def batch(self, step, size, *, split="train", seed=0):
        if os.environ.get("KILL") == f"{os.environ['RANK']} {step}" and split == "train":
            os.kill(os.getpid(), 9)
        return super().batch(step, size, split=split, seed=seed)

torch.set_num_threads(1)
try:
    with crew(DistributedConfig(mode=mode)) as c:
        train = config(steps=20, save_every=4, accumulate=2)
        record = fit(decoder(), Deadly(), train, out=out, resume=True, quiet=True, crew=c)
        print(" ".join(map(repr, record.losses)) if c.rank == 0 else "")
except WorkerLost as error:
    sys.exit(f"mtlib: {error}")
"""


def torchrun(*words, **environ):
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*run, *map(str, words)], capture_output=True, text=True, cwd=ROOT, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", **environ},
    )  # fmt: skip


def test_parts_of_a_model_have_the_losses_of_the_whole_and_survive_a_death(tmp_path):
    whole = decoder()
    record = fit(whole, Copies(), config(steps=20), quiet=True)
    job = ["--no-python", sys.executable, "-c", JOB, "fsdp", tmp_path, 20]
    died = torchrun(*job, KILL="1 10")
    assert died.returncode != 0
    lines = [line for line in died.stderr.splitlines() if line.startswith("mtlib: ")]
    assert any("the job ends; with --resume it goes on" in line or "was told to end" in line for line in lines), died.stderr
    assert checkpoint.newest(tmp_path / "checkpoints", pytest.fail).step == 8
    ended = torchrun(*job)
    assert ended.returncode == 0, ended.stderr
    losses = [float(word) for word in ended.stdout.split()]
    assert losses == pytest.approx(record.losses, rel=0, abs=1e-5)

    # What they wrote, one process reads: as a run to go on with, and as a plain file of weights.
    newest = checkpoint.newest(tmp_path / "checkpoints", pytest.fail)
    assert newest.step == 20 and newest.about["processes"] == 2 and not (newest.folder / "model.safetensors").exists()
    gather(newest.folder, tmp_path / "weights.safetensors")
    weights = load_file(tmp_path / "weights.safetensors")
    assert weights.keys() == whole.state_dict().keys()
    for name, t in whole.state_dict().items():
        torch.testing.assert_close(weights[name], t, atol=1e-4, rtol=0)
    resumed = decoder()
    again = fit(resumed, Copies(), config(steps=20, accumulate=2), out=tmp_path, resume=True, quiet=True)
    assert again.losses == losses and torch.equal(resumed.tok.weight, weights["tok.weight"])


def test_torchrun_of_a_recipe_has_the_losses_of_one_process(tmp_path):
    words = [ROOT / "configs" / "copy.toml", "--quiet", "--device", "cpu", "train.steps=20", "train.warmup=2", "train.batch=16",
             "train.eval_rows=32", "model.d_model=16", "model.n_heads=2"]  # fmt: skip
    assert cli.main(["train", *map(str, words), "--out", str(tmp_path / "one")]) == 0
    ran = torchrun("-m", "mtlib", "train", *words, "--out", tmp_path / "two")
    assert ran.returncode == 0, ran.stderr
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    assert (one["processes"], two["processes"]) == (1, 2) and two["scores"]["rows"] == one["scores"]["rows"]
    for key in "loss", "accuracy":
        assert two["scores"][key] == pytest.approx(one["scores"][key], abs=1e-3)
    rows = [[row.split(",") for row in (tmp_path / name / "log.csv").read_text().splitlines()] for name in ("one", "two")]
    losses = [[float(row[1]) for row in table[1:] if row[1]] for table in rows]
    assert len(losses[0]) == 20 and losses[1] == pytest.approx(losses[0], rel=0, abs=1e-5)

"""Two processes see what one would: the same losses, and checkpoints that any number can read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

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


def job(mode, out, **environ):
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python", sys.executable]
    ran = subprocess.run(
        [*run, "-c", JOB, mode, str(out), "20"], capture_output=True, text=True, cwd=ROOT, timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", **environ},
    )  # fmt: skip
    return ran


@pytest.fixture(scope="module")
def alone():
    model = decoder()
    return model, fit(model, Copies(), config(steps=20), quiet=True)


@pytest.mark.parametrize("mode", ["ddp", "fsdp"])
def test_two_processes_have_the_losses_of_one_and_survive_a_death(mode, tmp_path, alone):
    model, record = alone
    died = job(mode, tmp_path, KILL="1 10")
    assert died.returncode != 0
    lines = [line for line in died.stderr.splitlines() if line.startswith("mtlib: ")]
    assert any("the job ends; with --resume it goes on" in line or "was told to end" in line for line in lines), died.stderr
    assert checkpoint.newest(tmp_path / "checkpoints", pytest.fail).step == 8
    ended = job(mode, tmp_path)
    assert ended.returncode == 0, ended.stderr
    losses = [float(word) for word in ended.stdout.split()]
    assert losses == pytest.approx(record.losses, rel=0, abs=1e-5)

    # What they wrote, one process reads: as a run to go on with, and as a plain file of weights.
    newest = checkpoint.newest(tmp_path / "checkpoints", pytest.fail)
    assert newest.step == 20 and newest.about["processes"] == 2
    gather(newest.folder, tmp_path / "weights.safetensors")
    from safetensors.torch import load_file

    weights = load_file(tmp_path / "weights.safetensors")
    for name, t in model.state_dict().items():
        torch.testing.assert_close(weights[name], t, atol=1e-4, rtol=0)
    assert weights.keys() == model.state_dict().keys()
    resumed = decoder()
    again = fit(resumed, Copies(), config(steps=20, accumulate=2), out=tmp_path, resume=True, quiet=True)
    assert again.losses == losses and torch.equal(resumed.tok.weight, weights["tok.weight"])

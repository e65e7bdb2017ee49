"""A run survives a kill at any moment, and a file that was tampered with is found out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mtlib.training import checkpoint, fit
from mtlib.training.checkpoint import Damaged
from mtlib.training.prove import Proof

from .test_fit import same
from .toys import Copies, config, decoder

ROOT = Path(__file__).parents[2]


def run(out, **changes):
    model = decoder(dropout=0.1)
    record = fit(model, Copies(), config(save_every=2, **changes), out=out, quiet=True)
    return model, record


def test_the_last_two_are_kept_and_each_says_what_it_is(tmp_path):
    model, _ = run(tmp_path)
    folder = tmp_path / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["step-00000004", "step-00000006"]
    found = checkpoint.newest(folder, pytest.fail)
    assert found.step == 6 and found.about["train"]["lr"] == 3e-3 and found.about["versions"]["torch"] == torch.__version__
    weights = found.tensors("model.safetensors")
    assert all(torch.equal(weights[name], t) for name, t in model.state_dict().items())
    assert set(found.about["files"]) == {"model.safetensors", "optimiser.safetensors", "record.safetensors"}


def test_a_resumed_run_ends_in_the_same_bits(tmp_path):
    through, record = run(tmp_path / "a")
    half = decoder(dropout=0.1)

    class Breaks(Copies):
        def batch(self, step, size, *, split="train", seed=0):
            if step == 5 and split == "train":
                raise OSError("the disk is gone")
            return super().batch(step, size, split=split, seed=seed)

    with pytest.raises(OSError, match="the disk is gone"):
        fit(half, Breaks(), config(save_every=2), out=tmp_path / "b", quiet=True)
    resumed = decoder(dropout=0.1)
    with torch.no_grad():
        resumed.norm.weight.zero_()
    again = fit(resumed, Copies(), config(save_every=2), out=tmp_path / "b", resume=True, quiet=True)
    assert same(through, resumed)
    assert (again.losses, again.norms, again.evals) == (record.losses, record.norms, record.evals)


HARM = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "emptied": lambda path: path.write_bytes(b""),
    "one bit changed": lambda path: path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("file", ["model.safetensors", "optimiser.safetensors", "record.safetensors", "checkpoint.json"])
def test_a_harmed_checkpoint_is_refused_in_one_line_and_the_one_before_it_serves(tmp_path, harm, file):
    for step in 1, 2:
        files = {name: {"x": torch.full((3,), float(step))} for name in ("model.safetensors", "optimiser.safetensors", "record.safetensors")}
        checkpoint.write(tmp_path, step, files, {})
    HARM[harm](tmp_path / "step-00000002" / file)
    said = []
    found = checkpoint.newest(tmp_path, said.append)
    assert found.step == 1 and found.tensors("model.safetensors")["x"][0] == 1
    assert len(said) == 1 and "\n" not in said[0] and f"step-00000002/{file}" in said[0]


def test_a_number_changed_in_the_json_is_found_out(tmp_path):
    folder = checkpoint.write(tmp_path, 3, {"model.safetensors": {"x": torch.zeros(1)}}, {})
    file = folder / "checkpoint.json"
    about = json.loads(file.read_text())
    file.write_text(json.dumps(about | {"step": 2}))
    with pytest.raises(Damaged, match="checkpoint.json was changed"):
        checkpoint.read(folder)


def test_resuming_says_when_the_recipe_or_the_model_is_another(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="was begun with train.lr=0.003, not 0.1: resume it as it was"):
        fit(decoder(), Copies(), config(save_every=2, lr=0.1), out=tmp_path, resume=True, quiet=True)
    with pytest.raises(ValueError, match=r"blocks.0.attn.k_proj.bias is \(16,\) in the checkpoint and \(32,\) in this model"):
        fit(decoder(d_model=32), Copies(), config(save_every=2), out=tmp_path, resume=True, quiet=True)
    with pytest.raises(ValueError, match="holds a run already, at step 6: resume it, or take another folder"):
        fit(decoder(), Copies(), config(), out=tmp_path, quiet=True)
    with pytest.raises(ValueError, match="was begun with data.length=None, not 3"):
        fit(decoder(), Copies(), config(), out=tmp_path, quiet=True, resume=True, about={"data": {"length": 3}})


def test_what_was_left_unfinished_is_never_read_and_goes(tmp_path):
    run(tmp_path)
    folder = tmp_path / "checkpoints"
    left = folder / ".unfinished-00000099"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half of it")
    assert checkpoint.newest(folder, pytest.fail).step == 6
    checkpoint.start(folder, 7)
    assert not left.exists()


def test_a_run_killed_outright_resumes_to_the_same_bits(tmp_path):
    proof = Proof(tmp_path)
    assert [proof.killed(moment, of=3) for moment in range(3)] == ["", "", ""]


UNPICKLES = """
import pickle, sys
from tests.training.toys import Copies, config, decoder
from mtlib.training import fit
fit(decoder(), Copies(), config(save_every=2), out=sys.argv[1], quiet=True)
def no(*args, **kw): raise AssertionError("unpickled")
pickle.load = pickle.loads = pickle.Unpickler = no
print(fit(decoder(), Copies(), config(save_every=3), out=sys.argv[1], resume=True, quiet=True))
"""


def test_nothing_is_unpickled(tmp_path):
    ran = subprocess.run([sys.executable, "-c", UNPICKLES, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0 and "6 updates" in ran.stdout, ran.stderr

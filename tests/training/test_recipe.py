"""A recipe is a file: what is wrong in it is said in a line, what is right trains, and its result says what it is."""

import json

import pytest
import torch

from mtlib import cli, count
from mtlib.training import command, recipe, sources
from mtlib.training.cost import flops
from mtlib.training.example import Repeats

TOML = """
[model]
kind = "decoder-lm"
d_model = 16
n_heads = 2
n_layers = 1
[model.parts]
norm = "rms"
[data]
name = "repeats"
[train]
steps = 4
batch = 8
lr = 0.003
betas = [0.9, 0.95]
clip = "none"
eval_rows = 16
save_every = 2
"""


class Sourced(Repeats):
    """With what a source of the course may have besides: options, and a hash of itself."""

    fingerprint = "abc"

    def __init__(self, *, shift: int = 0):
        self.shift = shift


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "SOURCES", {"repeats": f"{__name__}.Sourced"})
    path = tmp_path / "toy.toml"
    path.write_text(TOML)
    return path


def test_sizes_that_are_left_out_are_the_datas_and_the_rest_is_as_written(file):
    read = recipe.read(file, ["train.steps=5", "data.shift=3", "model.n_layers=2"])
    model, data = recipe.build(read)
    assert (model.config.vocab, model.config.max_len, model.config.n_layers, data.shift) == (8, 7, 2, 3)
    assert model.config.parts.norm == "rms" and read.train.clip is None and read.train.betas == (0.9, 0.95)
    assert read.train.steps == 5 and read.name == "toy" and read.distributed.mode == "ddp"
    again = recipe.from_tables({k: v for k, v in read.as_tables().items() if k != "name"}, "toy", "kept")
    assert again == read and json.loads(json.dumps(read.as_tables())) == read.as_tables()


WRONG = {
    "an unknown key": ("warmups = 3", r"\[train\] has no key 'warmups'; did you mean 'warmup'\?"),
    "a word for a number": ('warmup = "3"', r"\[train\], warmup is '3'; it must be a whole number"),
    "a number for a switch": ("compile = 1", r"\[train\], compile is 1; it must be true or false"),
    "an unknown word": ('schedule = "line"', r"\[train\], schedule is 'line'; it must be one of: cosine, inverse-sqrt"),
    "a value out of range": ("warmup = 9", r"\[train\]: warmup=9 must be less than steps=4"),
    "no TOML": ("[train", "is not TOML"),
}
SET = {
    "model.kind=gpt": r"\[model\] kind is 'gpt'; it must be one of: decoder-lm, transformer",
    "model.d_modle=3": r"\[model\] has no key 'd_modle'; did you mean 'd_model'\?",
    "model.n_heads=3": r"\[model\]: d_model=16 does not split into n_heads=3",
    "model.vocab=5": r"\[model\], vocab is 5; the data need at least 8",
    "model.parts=gpt9": r"\[model\], parts is 'gpt9'; it must be a table or one of: original, bert",
    "model.parts.norm=batch": r"\[model.parts\], norm is 'batch'; it must be one of: layer, rms",
    "data.name=dreams": r"\[data\], name is 'dreams'; it must be one of: repeats",
    "data.sift=1": r"\[data\] has no key 'sift'; did you mean 'shift'\?",
    "distributed.mode=magic": r"\[distributed\], mode is 'magic'; it must be one of: ddp, fsdp",
    "train.betas=[0.9]": r"\[train\], betas is \[0.9\]; it must be a list of 2 numbers",
    "trian.steps=1": r"has no key 'trian'; did you mean 'train'\?",
    "steps=1": "'steps=1' must be table.key=value, such as train.steps=100",
    "model.kind=transformer": r"lacks 'n_classes', which the data do not tell",
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_in_the_file_gets_one_line_that_names_the_key(file, case, capsys):
    line, message = WRONG[case]
    file.write_text(TOML + line)
    with pytest.raises(recipe.RecipeError, match=message) as caught:
        recipe.read(file)
    assert "\n" not in str(caught.value) and "toy.toml" in str(caught.value)


@pytest.mark.parametrize("word", SET)
def test_a_mistake_on_the_command_line_gets_one_line_too(file, word, capsys):
    assert cli.main(["train", str(file), "--out", str(file.parent / "out"), word]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and line.startswith("mtlib: ")
    with pytest.raises(recipe.RecipeError, match=SET[word]):
        recipe.build(recipe.read(file, [word]))


def test_a_file_that_is_not_there_gets_one_line(tmp_path, capsys):
    assert cli.main(["train", str(tmp_path / "none.toml")]) == 1
    assert "none.toml cannot be read: No such file or directory" in capsys.readouterr().err


def test_train_leaves_a_result_that_says_what_it_is_and_can_be_loaded(file, capsys):
    out = file.parent / "out"
    assert cli.main(["train", str(file), "--out", str(out), "--quiet", "train.seed=7"]) == 0
    result = json.loads((out / "result.json").read_text())
    assert result["finished"] and result["seed"] == 7 and result["data"] == "abc"
    assert result["recipe"]["train"]["seed"] == 7 and result["versions"]["torch"] == torch.__version__
    assert {"loss", "accuracy", "exact"} <= result["scores"].keys() and len(result["curve"]) == 4
    model, data = command.load(out)
    assert not model.training and model(torch.tensor([[1, 2]])).shape == (1, 2, 8) and isinstance(data, Sourced)
    assert result["parameters"] == sum(p.numel() for p in model.parameters())

    assert cli.main(["train", str(file), "--out", str(out)]) == 1
    assert "holds a run already, at step 4" in capsys.readouterr().err
    assert cli.main(["train", str(file), "--out", str(out), "--resume", "--quiet", "train.seed=7"]) == 0
    assert json.loads((out / "result.json").read_text())["scores"] == result["scores"]
    with pytest.raises(recipe.RecipeError, match="holds no trained model"):
        command.load(file.parent)


def test_params_prints_shapes_parameters_and_costs(file, capsys):
    assert cli.main(["params", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Every value of DecoderLM" in said and "Every parameter of DecoderLM" in said and "What toy costs" in said


def test_the_operations_counted_are_those_of_the_closed_form(file):
    built = recipe.build(recipe.read(file, ["model.n_layers=3"]), device="meta")
    assert flops(built, rows=5) == 3 * count.flops(built.model.config, T=7, batch=5)["total"]


KINDS = {
    "masked-lm": "", "rnn-lm": "", "lstm-lm": "", "decoder-lm": "",
    "transformer": "n_classes = 3", "lstm-classifier": "n_classes = 3", "rnn-classifier": "n_classes = 3",
    "encoder-decoder": "", "lstm-seq2seq": "source_vocab = 9", "lstm-attentive": "source_vocab = 9",
    "rnn-seq2seq": "source_vocab = 9", "rnn-attentive": "source_vocab = 9", "two-texts": "d_out = 4",
}  # fmt: skip


def test_every_kind_of_model_can_be_named():
    assert set(KINDS) == set(recipe.models.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_built_from_a_table_and_runs(kind, file):
    recurrent = kind.startswith(("rnn", "lstm"))
    sizes = "d_model = 16\n" + ("" if recurrent else "n_heads = 2\nn_layers = 1\n") + KINDS[kind]
    file.write_text(f'[model]\nkind = "{kind}"\n{sizes}\n[data]\nname = "repeats"\n[train]\nsteps = 1\nbatch = 1\nlr = 1.0')
    model, _ = recipe.build(recipe.read(file))
    ids = torch.tensor([[1, 2, 3]])
    two = kind.endswith(("decoder", "seq2seq", "attentive"))
    out = model(ids, None, ids, None) if kind == "two-texts" else model(ids, ids) if two else model(ids)
    shape = {"transformer": (1, 3), "rnn-classifier": (1, 3), "lstm-classifier": (1, 3)}.get(kind, (1, 3, 8))
    assert (out[0].shape == (1, 4)) if kind == "two-texts" else (out.shape == shape)


def test_a_run_starts_from_the_weights_of_another_and_says_in_a_line_what_does_not_fit(file, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert cli.main(["train", str(file), "--out", str(first), "--quiet"]) == 0
    assert cli.main(["train", str(file), "--out", str(second), "--quiet", f"model.start={first}", "train.steps=1"]) == 0
    results = [json.loads((folder / "result.json").read_text()) for folder in (first, second)]
    assert results[1]["evals"][0]["loss"] == results[0]["evals"][-1]["loss"] != results[0]["evals"][0]["loss"]
    command.load(second)  # needs no folder to start from
    for words, line in (
        (["model.start=nowhere"], "start is 'nowhere', and no trained model is there; train it first, with --out nowhere"),
        ([f"model.start={first}", "model.n_layers=2"], "a model of other sizes: Missing key(s) in state_dict"),
    ):
        assert cli.main(["train", str(file), "--out", str(tmp_path / "third"), "--quiet", *words]) == 1
        assert line in capsys.readouterr().err

"""`mtlib sample` writes what generate writes, from the folder of a run, and errs in one line."""

from argparse import Namespace
from pathlib import Path

import pytest
import torch

from mtlib import cli, sample
from mtlib.data.letters import Letters
from mtlib.generation import Given, Rules, generate

from .writers import LMS, MAX_LEN, TRANSLATORS, V

LETTERS = Letters("abcdefgh")
assert len(LETTERS) == V


@pytest.fixture
def run_of(monkeypatch):
    """Gives `mtlib sample` a model, as if a run's folder held it."""

    def put(model):
        data = Namespace(tokenizer=LETTERS)
        monkeypatch.setattr("mtlib.training.command.load", lambda folder: (model, data))

    return put


def test_a_language_model_goes_on_with_the_prompt(run_of, capsys):
    run_of(model := LMS["gpt2"]())
    assert cli.main(["sample", "run", "--prompt", "abc", "--temperature", "0", "--max-new", "8"]) == 0
    wrote = generate(model, [LETTERS.encode("abc")], max_new=8, stop=(2,))[0]
    assert capsys.readouterr().out == "abc" + LETTERS.decode(wrote) + "\n"


def test_options_are_the_rules_and_the_seed_the_generators(run_of, capsys):
    run_of(model := LMS["llama"]())
    options = "--temperature 1.5 --top-k 9 --top-p 0.9 --min-p 0.01 --repetition 1.1 --seed 7 --max-new 9".split()
    assert cli.main(["sample", "run", "--prompt", "a", *options]) == 0
    rules = Rules(temperature=1.5, top_k=9, top_p=0.9, min_p=0.01, repetition=1.1)
    wrote = generate(model, [LETTERS.encode("a")], max_new=9, rules=rules, stop=(2,), generator=torch.Generator().manual_seed(7))
    assert capsys.readouterr().out == "a" + LETTERS.decode(wrote[0]) + "\n"


@pytest.mark.parametrize("kind", ["encoder-decoder", "seq2seq"])
def test_a_translator_answers_the_prompt(kind, run_of, capsys):
    run_of(model := TRANSLATORS[kind]())
    assert cli.main(["sample", "run", "--prompt", "abba", "--temperature", "0", "--max-new", "6"]) == 0
    wrote = generate(Given(model, torch.tensor([LETTERS.encode("abba")])), [[1]], max_new=6, stop=(2,))[0]
    assert capsys.readouterr().out == LETTERS.decode(wrote) + "\n"


def test_as_much_is_written_as_there_are_positions_and_a_window_has_no_end(run_of, monkeypatch):
    run_of(LMS["gpt2"]())
    counts = []
    stream = sample.stream
    monkeypatch.setattr(sample, "stream", lambda *args, max_new, **more: counts.append(max_new) or stream(*args, max_new=2, **more))
    for more in [], ["--window", "4"]:
        assert cli.main(["sample", "run", "--prompt", "abc", *more]) == 0
    assert counts == [MAX_LEN - 3 + 1, sample.MAX_NEW]


@pytest.mark.parametrize("words, line", [
    (["--prompt", ""], "there is nothing to go on with: say it with --prompt TEXT"),
    (["--prompt", "a", "--temperature", "-1"], "temperature=-1.0 must be a number of at least 0"),
    (["--prompt", "a", "--max-new", "99"], "a prompt of 1 tokens and max_new=99 need 99 positions and model's table has 16"),
    (["--prompt", "xyz"], "text holds 'x', which is not in the alphabet 'abcdefgh'"),
    (["--prompt", "a", "--chat"], "--chat is for smollm2"),
])  # fmt: skip
def test_what_can_be_mended_is_told_in_one_line(words, line, run_of, capsys):
    run_of(LMS["gpt2"]())
    assert cli.main(["sample", "run", *words]) == 1
    said = capsys.readouterr().err
    assert said.startswith("mtlib: ") and line in said and said.count("\n") == 1


def test_a_folder_without_a_model_says_how_to_make_one(tmp_path: Path, capsys):
    assert cli.main(["sample", str(tmp_path), "--prompt", "a"]) == 1
    assert "holds no trained model" in capsys.readouterr().err

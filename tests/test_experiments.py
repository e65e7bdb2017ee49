"""Kept results: they belong to today's code, and say so when they do not."""

import json

import pytest
import torch

from mtlib import experiments
from mtlib._reach import reached
from mtlib.experiments import compare, two_jobs

pytestmark = pytest.mark.ch06


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_every_kept_result_belongs_to_todays_code(name):
    rows = experiments.kept(name)
    assert rows


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = {(row["variant"], row["seed"]): row for row in experiments.kept("two_jobs")}
    for variant in ("as it is", "one head"):
        now = two_jobs.accuracy(two_jobs.train(variant, 3))
        for job in two_jobs.JOBS:
            assert now[job] == pytest.approx(then[variant, 3][job], abs=0.05)


def test_changed_code_makes_a_result_stale_and_a_changed_comment_does_not(monkeypatch):
    source = experiments._source
    change = {}
    monkeypatch.setattr(experiments, "_source", lambda path: source(path) + change.get(path.name, ""))
    before = experiments.code_hash("two_jobs")
    change["attention.py"] = "\n# a better sentence\n"
    assert experiments.code_hash("two_jobs") == before
    change["trace.py"] = "\nnew = 1\n"  # reached only through mtlib.attention
    assert experiments.code_hash("two_jobs") != before
    with pytest.raises(experiments.Stale, match="run `make runs` and commit two_jobs.json"):
        experiments.kept("two_jobs")


def test_what_an_experiment_does_not_use_is_not_in_its_hash():
    files = {path.name for path in reached("import mtlib.experiments.two_jobs")}
    assert {"two_jobs.py", "attention.py", "cache.py", "trace.py"} <= files
    assert not {"style.py", "pretrained.py", "encoder.py"} & files


def test_running_keeps_command_versions_and_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(experiments, "HERE", tmp_path)
    monkeypatch.setattr(two_jobs, "measure", lambda: [{"variant": "as it is", "seed": 0, "mirror": 1.0, "before": 0.5}])
    record = json.loads(experiments.run("two_jobs").read_text())
    assert record["command"] == "python -m mtlib.experiments two_jobs"
    assert record["versions"]["torch"] == torch.__version__
    assert experiments.kept("two_jobs") == record["rows"]


def test_an_unknown_experiment_is_told_the_known_ones():
    with pytest.raises(ValueError, match="no experiment is called 'tea'; there are: two_jobs"):
        experiments.kept("tea")


def test_a_divisor_of_root_E_is_attention_itself():
    q, k, v = torch.randn(3, 2, 5, 16)
    torch.testing.assert_close(two_jobs.DividedBy(4.0)(q, k, v), two_jobs.ExplicitCore()(q, k, v))


def test_the_answers_of_the_task_are_the_mirror_and_the_letter_before():
    ids, answers = two_jobs.batch(1, torch.Generator().manual_seed(0))
    row = ids[0].tolist()
    assert answers[0, :, 0].tolist() == row[::-1]
    assert answers[0, :, 1].tolist() == [row[t - 1] for t in range(9)]


def test_mcnemars_test_on_known_tables():
    a, b = [True] * 9 + [False] * 3, [False] * 8 + [True] * 4  # 8 for a alone, 3 for b alone, 1 for both
    assert compare.mcnemar_exact(a, b) == pytest.approx(2 * (1 + 11 + 55 + 165) / 2**11)
    assert compare.mcnemar_exact([True], [True]) == 1.0
    with pytest.raises(ValueError, match="2 runs of one variant and 1 of the other"):
        compare.mcnemar_exact([True, True], [True])


def test_a_head_that_does_a_job_has_its_whole_share():
    mirror = torch.eye(9).flip(1)
    assert two_jobs.shares(mirror[None])["mirror"] == [1.0]
    assert two_jobs.shares(torch.eye(9).roll(-1, dims=1)[None])["before"] == [1.0]

"""Machines with less than a whole sandbox, and graders that die: said, bounded, and no one else's loss."""

import os

from mtlib.grading import batch, grade, sandbox

from .notebook import with_answers
from .test_attacks import graded, impatient, scoring

__all__ = ["impatient"]  # the fixture: an endless loop is one after a second and a half


def test_a_worker_without_bubblewrap_runs_with_limits_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    bare = sandbox.Nursery()
    try:
        assert "no bubblewrap" in bare.warning and "your files are open to them" in bare.warning
        for body, says in (("while True: os.fork()", "Permission"), ("os.kill(os.getppid(), 9)", "Permission"),
                           ("bytearray(64 << 30)", "MemoryError"), ("while True: pass", "without an end")):  # fmt: skip
            marks = graded(with_answers(tmp_path / "n.ipynb", scores=scoring(body)), bare)
            assert marks["scores"].earned == 0 and says in marks["scores"].message
            assert marks["causal_keep"].earned == 6
    finally:
        bare.close()


def test_a_kernel_without_nested_namespaces_gets_a_sandbox_for_each_worker(tmp_path, monkeypatch):
    """As such a kernel would: the fork server says no, and each submission starts a sandbox of its own."""
    monkeypatch.setattr(sandbox.Nursery, "_start", lambda self: False)
    alone = sandbox.Nursery()
    try:
        assert "for each submission" in alone.warning
        marks = graded(with_answers(tmp_path / "n.ipynb", scores=scoring("os.fork()")), alone)
        assert "PermissionError" in marks["scores"].message and marks["padding_keep"].earned == 6
    finally:
        alone.close()


def test_a_grader_that_dies_costs_its_own_file(tmp_path):
    paths = [tmp_path / f"{n}.ipynb" for n in range(3)]

    def one(path):
        if path.stem == "1":
            os._exit(9)
        return grade.Sheet(str(path), seed=5)

    sheets = {sheet.file: sheet for sheet in batch.grade_files(paths, 2, one)}
    assert [bool(sheets[str(path)].notes) for path in paths] == [False, True, False]

"""Wrong answers that fight back. Each earns nothing for what it attacks, and what stands beside it keeps its points."""

import os
from pathlib import Path

import pytest

from mtlib import exercises
from mtlib.grading import remote, sandbox, subject
from mtlib.grading.grade import grade_file

from .notebook import with_answers

MINE = ("attention.scores", "attention.causal_keep", "attention.padding_keep")


@pytest.fixture(scope="module")
def nursery():
    """Attacks run in a sandbox or not at all: none is to be tried on the machine that runs the tests."""
    nursery = sandbox.Nursery()
    assert nursery.warning == "", f"attacks need bubblewrap (see .ci/run): {nursery.warning}"
    yield nursery
    nursery.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Three exercises of the chapter, and an endless loop is one after a second and a half."""
    mine = tuple(map(exercises.find, MINE))
    monkeypatch.setattr(exercises, "of_chapter", lambda chapter: mine if chapter == "06_attention" else ())
    monkeypatch.setattr(subject, "CALL_SECONDS", 1.5)
    monkeypatch.setattr(remote, "CELL_SECONDS", 1.5)
    monkeypatch.setattr(remote, "SECOND_CALL_SECONDS", 0.3)
    monkeypatch.setattr(sandbox, "GRACE_SECONDS", 1.0)
    monkeypatch.setattr("mtlib.grading.run.CALL_SECONDS", 1.5)
    monkeypatch.setattr("mtlib.grading.search.SHRINK_SECONDS", 0.3)


def marks_of(sheet):
    return {mark.id.partition(".")[2]: mark for mark in sheet.marks}


def graded(path, nursery):
    return marks_of(grade_file(path, nursery, "06_attention", seed=1))


def scoring(body: str) -> str:
    return "def scores(q, k):\n" + "\n".join(f"    {line}" for line in body.splitlines())


ATTACKS = {
    "an endless loop": ("while True: pass", "without an end"),
    "an endless loop that catches all": ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", ""),
    "os._exit": ("os._exit(0)", "ended Python"),
    "sys.exit": ("sys.exit()", "SystemExit"),
    "an exception that is none": ("class No(BaseException): pass\nraise No", "No"),
    "an exception that cannot be told": ("class No(Exception):\n    def __str__(self): os._exit(1)\nraise No", "ended"),
    "a signal to the parent": ("os.kill(os.getppid(), 9)\nreturn q @ k.mT", "PermissionError"),
    "signals to all": ("os.kill(-1, 9)\nreturn q @ k.mT", "PermissionError"),
    "its own end": ("import ctypes; ctypes.string_at(0)", "SIGSEGV|signal|ended"),
    "64 GiB": ("x = bytearray(64 << 30)\nreturn q @ k.mT", "MemoryError"),
    "64 GiB of a tensor": ("x = torch.ones(1 << 34)\nreturn q @ k.mT", "RuntimeError"),
    "a fork bomb": ("while True: os.fork()", "PermissionError"),
    "a bomb of threads": (
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()", "",
    ),
    "a gigabyte of print": ("for _ in range(100): print('x' * 10**7)\nreturn q @ k.mT", "difference"),
    "a gigabyte of file": ("open('/tmp/x', 'wb').write(bytes(10**9))\nreturn q @ k.mT", "OSError"),
    "the network": ("import socket\nsocket.create_connection(('1.1.1.1', 53), 1)\nreturn q @ k.mT", "Error"),
    "another process": ("import subprocess\nsubprocess.run(['/usr/bin/true'])\nreturn q @ k.mT", "PermissionError"),
    "the exercises": ("from mtlib.exercises.attention.scores import reference\nreturn reference(q, k)", "mtlib"),
    "site-packages": ("open(torch.__file__, 'a').close()  # writes nothing, wherever it runs\nreturn q @ k.mT", "Read-only|Permission"),
    "an object equal to all": ("class Yes:\n    __eq__ = lambda s, o: True\nreturn Yes()", "Yes"),
    "a pickle": ("class P(torch.Tensor):\n    def __reduce__(self): return (os._exit, (3,))\nreturn (q @ k.mT).as_subclass(P)", "P"),
    "a reply of another question": (
        "import gc, socket\n"
        "[s.sendall(bytes(8)) for s in gc.get_objects() if type(s) is socket.socket and s.fileno() > 0]\nreturn q @ k.mT", "",
    ),
    "a reply without an end": (
        "import gc, socket\n"
        "[s.sendall(b'\\xff' * 4096) for s in gc.get_objects() if type(s) is socket.socket and s.fileno() > 0]\nreturn q @ k.mT",
        "cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_nothing_and_costs_no_other_exercise(name, nursery, tmp_path):
    body, says = ATTACKS[name]
    marks = graded(with_answers(tmp_path / "n.ipynb", scores=scoring(body)), nursery)
    assert marks["scores"].earned <= 1  # the one point for unchanged inputs, where a call came back at all
    assert any(part in marks["scores"].message for part in says.split("|")), marks["scores"].message
    assert (marks["causal_keep"].earned, marks["padding_keep"].earned) == (6, 6)


PATCHES = {
    "torch.allclose": "torch.allclose = torch.equal = lambda *a, **k: True",
    "torch.testing": "import torch.testing\ntorch.testing.assert_close = lambda *a, **k: None",
    "builtins": "import builtins\nbuiltins.abs = builtins.max = lambda *a, **k: 0\nbuiltins.isinstance = lambda *a: True",
    "Tensor": "torch.Tensor.__eq__ = lambda a, b: torch.ones(1, dtype=torch.bool)\ntorch.Tensor.sub = lambda a, b: a * 0",
    "hypothesis": "sys.modules['hypothesis'] = None\nsys.modules['mtlib.grading.judge'] = None",
    "the package": "import mtlib.grading.compare as c\nc.gap = lambda *a, **k: None",
    "the forbidding": "import mtlib.grading.forbid as f\nf.found = f.library_of = lambda *a: None",
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_changes_no_verdict(name, nursery, tmp_path):
    wrong = "def scores(q, k):\n    return q @ k.mT"
    marks = graded(with_answers(tmp_path / "n.ipynb", PATCHES[name], scores=wrong, first=(PATCHES[name],)), nursery)
    assert marks["scores"].mistake == "the plain dot product, without the division by √d_k"
    assert marks["scores"].earned == 1


CELLS = {
    "an endless loop": "while True: pass",
    "os._exit": "os._exit(1)",
    "sys.exit": "sys.exit(1)",
    "an error": "1 / 0",
    "no Python": "this is (no Python",
    "a magic": "%matplotlib inline\n!ls\nx = !ls\n?torch",
    "a cell magic": "%%bash\nrm -rf x",
    "a gigabyte of print": "print('x' * 10**9)",
    "a display": "display(get_ipython())",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "a check with another id": 'check("something.else", scores)\nhint("nothing")',
    "a null": "x = 1\0",
    "a loop that is deep": "x = " + "(" * 500 + ")" * 500,
}


@pytest.mark.parametrize("name", CELLS)
def test_a_bad_cell_costs_no_points(name, nursery, tmp_path):
    marks = graded(with_answers(tmp_path / "n.ipynb", "x = scores", first=(CELLS[name],)), nursery)
    assert {name: mark.earned for name, mark in marks.items()} == {"scores": 8, "causal_keep": 6, "padding_keep": 6}


def test_a_right_answer_that_prints_and_warns_keeps_its_points(nursery, tmp_path):
    noisy = "import warnings\ndef scores(q, k):\n    print('hm')\n    warnings.warn('hm')\n    sys.stderr.write('hm')\n    return q @ k.mT / q.shape[-1] ** 0.5"
    assert graded(with_answers(tmp_path / "n.ipynb", scores=noisy), nursery)["scores"].earned == 8


SECRETS = {
    "the checks": str(Path(exercises.__file__).parent / "attention" / "scores.py"),
    "the solutions": str(Path(exercises.__file__).parents[2] / "solutions" / "06_attention.md"),
    "the home folder": os.path.expanduser("~/.profile"),
    "the passwords": "/etc/passwd",
}


@pytest.mark.parametrize("name", [*SECRETS, "another submission"])
def test_what_a_worker_may_not_see_is_not_there(name, nursery, tmp_path):
    other = with_answers(tmp_path / "other.ipynb")
    path = SECRETS.get(name, str(other))
    body = f"if not os.path.exists({path!r}): raise KeyError('not there')\nreturn q @ k.mT / q.shape[-1] ** 0.5"
    marks = graded(with_answers(tmp_path / "n.ipynb", scores=scoring(body)), nursery)
    assert "KeyError: 'not there'" in marks["scores"].message


def test_workers_do_not_meet(nursery):
    """Neither by files nor as processes, and the second starts as clean as the first."""
    first, second = (remote.Workplace(nursery, [("cell 1", f"import os\nopen('/dev/shm/{n}', 'w').close()")]) for n in "ab")
    seen = "def seen():\n    return (os.listdir('/dev/shm'), os.listdir('/proc'), os.getpid())"
    for place in (first, second):
        place._cells.append(("cell 2", seen))
    try:
        for place, own in ((first, "a"), (second, "b"), (first, "a")):
            worker = place._ready()
            worker.ask({"word": "answer", "name": "seen", "on": 1, "forbid": (), "allow": ()}, 5)
            assert worker.ask({"word": "call", "on": 1, "args": ()}, 5)["value"] == ([own], [], 1)
    finally:
        first.close(), second.close()

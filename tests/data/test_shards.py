"""Text is tokenised once: what is on disk is whole, is what was written, and is the text."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.data import shards
from mtlib.data.shards import Shards, ShardsDamaged, check, kept, write

ROWS = st.lists(st.lists(st.integers(0, 70_000), max_size=9), max_size=6)


@given(rows=ROWS, shard=st.integers(1, 12), cut=st.data())
@settings(max_examples=30, deadline=None)
def test_any_piece_is_what_was_written_however_it_is_spread_over_files(tmp_path_factory, rows, shard, cut):
    folder = tmp_path_factory.mktemp("shards")
    write(folder, "train", rows, vocab=70_001, shard=shard)
    flat = [i for row in rows for i in row]
    ids = Shards(folder, "train")
    start = cut.draw(st.integers(0, len(flat)))
    n = cut.draw(st.integers(0, len(flat) - start))
    assert len(ids) == len(flat) and ids.read(start, n).tolist() == flat[start : start + n]
    assert all(len(np.load(file)) <= shard for file in folder.iterdir())
    with pytest.raises(IndexError, match=f"there are {len(flat)}"):
        ids.read(len(flat), 1)


@pytest.mark.parametrize("vocab, kind", [(256, np.uint16), (65_536, np.uint16), (65_537, np.uint32)])
def test_ids_take_the_smallest_type_that_holds_the_vocabulary(tmp_path, vocab, kind):
    write(tmp_path, "valid", [[vocab - 1]], vocab=vocab)
    assert np.load(tmp_path / "valid-00000.npy").dtype == kind
    assert Shards(tmp_path, "valid").read(0, 1).tolist() == [vocab - 1]


def make(folder):
    make.times += 1
    write(folder, "train", [range(50)], vocab=256, shard=20)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path))
    make.times = 0
    return kept("some", {"text": "abc"}, make)


def test_what_is_there_is_used_again_and_another_text_makes_another(folder):
    assert kept("some", {"text": "abc"}, make) == folder and make.times == 1
    assert kept("some", {"text": "abd"}, make) != folder and make.times == 2
    assert sorted(p.name for p in folder.parent.iterdir() if p.name.startswith(".")) == []  # nothing unfinished stays


DAMAGE = {
    "cut": (lambda f: (f / "train-00001.npy").write_bytes((f / "train-00001.npy").read_bytes()[:-1]), r"train-00001.npy is not whole, 167 of 168 bytes are left"),
    "gone": (lambda f: (f / "train-00002.npy").unlink(), "train-00002.npy is not whole, it is missing"),
    "changed": (lambda f: (f / "train-00000.npy").write_bytes((f / "train-00000.npy").read_bytes()[:-1] + b"\x07"), "train-00000.npy was changed"),
    "no about": (lambda f: (f / "about.json").unlink(), "about.json is missing or cut"),
    "half an about": (lambda f: (f / "about.json").write_text((f / "about.json").read_text()[:40]), "about.json is missing or cut"),
    "another about": (lambda f: (f / "about.json").write_text(json.dumps({**json.loads((f / "about.json").read_text()), "of": 1})), "about.json was changed"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_folder_is_refused_in_one_line_that_says_how_to_mend_it(what, folder):
    harm, message = DAMAGE[what]
    harm(folder)
    with pytest.raises(ShardsDamaged, match=message) as caught:
        kept("some", {"text": "abc"}, make)
    assert "\n" not in str(caught.value) and f"delete the folder {folder}" in str(caught.value)


def test_a_making_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path))

    def fail(folder):
        write(folder, "train", [[1]], vocab=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept("some", {}, fail)
    assert list((tmp_path / "data").iterdir()) == []


def test_of_two_that_make_the_same_at_once_both_are_served(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path))
    make.times = 0

    def slow(folder):
        kept("some", {"a": 1}, make)  # another process, which is quicker
        make(folder)

    check(kept("some", {"a": 1}, slow))
    assert make.times == 2 and len(list((tmp_path / "data").iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path / "file"))
    with pytest.raises(shards.DataMissing, match="some could not be kept in .*file.data: Not a directory"):
        kept("some", {}, make)

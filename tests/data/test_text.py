"""Running text: windows are the text, what is held out is whole and read once, and a wrong file is one line."""

import sys
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.data import DataMissing, Subwords, TextFile, documentation
from mtlib.data.textfile import blocks
from mtlib.data.windows import divided

from .sources import LINES, textfile

SETTLED = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=30)


@pytest.mark.parametrize("vocab", [256, 300])
def test_held_out_windows_one_after_the_other_are_the_held_out_text(tmp_path, vocab):
    data = textfile(tmp_path, vocab=vocab)
    batches = [data.batch(step, 7, split="valid") for step in range(-(-data.held_out_rows // 7))]
    ids = torch.cat([batch.targets for batch in batches])[: data.held_out_rows].flatten()
    whole = data.ids["valid"].read(0, len(data.ids["valid"]))
    assert ids.tolist() == whole[1 : len(ids) + 1].tolist() and len(whole) - len(ids) <= data.max_len
    assert len(data.tokenizer.decode(whole).encode()) == data.bytes["valid"]


def test_targets_are_the_next_tokens(tmp_path):
    data = textfile(tmp_path)
    batch = data.batch(0, 3)
    assert torch.equal(batch.inputs[0][:, 1:], batch.targets[:, :-1])
    text = data.tokenizer.decode(data.ids["train"].read(0, len(data.ids["train"])))
    for inputs, targets in zip(batch.inputs[0], batch.targets):
        assert data.tokenizer.decode([*inputs.tolist(), targets[-1].item()]) in text


def test_both_sides_together_are_the_file(tmp_path):
    data = textfile(tmp_path)
    both = data.text("train") + data.text("valid")
    lines = [line for line in both.splitlines(keepends=True) if line.strip()]
    assert sorted(lines) == sorted(LINES.splitlines(keepends=True))
    assert 0.05 < data.bytes["valid"] / sum(data.bytes.values()) < 0.2


def test_a_text_is_tokenised_once_and_a_changed_one_anew(tmp_path):
    first, again = textfile(tmp_path), textfile(tmp_path, name="copy.txt")
    other, tokens = textfile(tmp_path, text=LINES + "One more.\n"), textfile(tmp_path, vocab=300)
    assert first.folder == again.folder and len({first.folder, other.folder, tokens.folder}) == 3
    assert len({first.fingerprint, other.fingerprint, tokens.fingerprint}) == 3 and first.fingerprint == again.fingerprint


def test_bits_per_byte_do_not_depend_on_the_vocabulary(tmp_path):
    data, tokens = textfile(tmp_path), textfile(tmp_path, vocab=300)
    assert data.bits_per_byte(torch.tensor(256.0).log().item()) == pytest.approx(8)
    text_nats = 1000.0  # what a model says of the whole held-out text
    each = [d.bits_per_byte(text_nats / len(d.ids["valid"])) for d in (data, tokens)]
    assert each[0] == pytest.approx(each[1])


@given(documents=st.lists(st.text("ab", max_size=3), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_like_documents_fall_on_one_side(documents):
    if len(set(documents)) == 1:
        with pytest.raises(ValueError, match="holds 1 different documents"):
            divided("some", documents)
        return
    corpus = divided("some", documents)
    assert corpus.train and corpus.valid and not set(corpus.train) & set(corpus.valid)
    assert sorted(corpus.train + corpus.valid) == sorted(documents)


@given(text=st.text("ab\n ", max_size=300))
@settings(max_examples=40, deadline=None)
def test_blocks_put_together_are_the_text(text):
    joined = "".join(blocks(text))
    assert text.startswith(joined) and not text[len(joined) :].strip()


@given(text=SETTLED)
@settings(max_examples=30, deadline=None)
def test_subwords_spell_any_text_and_come_back(text):
    assert subwords().decode(subwords().encode(text)) == text


@cache
def subwords():
    return Subwords.learn([LINES], vocab=280)


def test_a_text_about_a_sign_is_not_the_sign():
    assert not {0, 1, 2} & set(subwords().encode("<pad><bos><eos>"))
    with pytest.raises(ValueError, match="vocab=258 must be at least 259"):
        Subwords.learn(["a"], vocab=258)


FILES = {
    "missing": (None, "missing.txt cannot be read: No such file or directory"),
    "empty": (b" \n", "empty.txt is empty"),
    "short": (b"a", "short.txt has too little text"),
    "latin": ("née\n".encode("latin1") * 99, "latin.txt is not UTF-8: byte 1 makes no letter"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_one_line(name, tmp_path):
    body, message = FILES[name]
    if body is not None:
        (tmp_path / f"{name}.txt").write_bytes(body)
    with pytest.raises(DataMissing, match=message) as caught:
        TextFile(str(tmp_path / f"{name}.txt"))
    assert "\n" not in str(caught.value)


def test_a_window_longer_than_the_held_out_text_is_refused(tmp_path, shapes_unchecked):
    with pytest.raises(ValueError, match="max_len=99999 must be less than the .* tokens of textfile's valid split|train split"):
        textfile(tmp_path, max_len=99_999)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A standard library of three modules and the topics."""
    files = {
        "a.py": '"""One.\n\nA paragraph that is long enough to be known when it comes again."""\ndef f():\n    """Two."""\n',
        "b.py": '"""Three.\n\nA paragraph that is long enough to be known when it comes again."""\nraise SystemExit\n',
        "broken.py": "def (",
        "test/c.py": '"""A test documents nothing."""',
        "site-packages/d.py": '"""Of others."""',
        "pydoc_data/topics.py": "topics = {'z': 'Last.', 'if': 'What if.'}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf8")
    monkeypatch.setattr(documentation.sysconfig, "get_path", lambda name: str(tmp_path))
    documentation.corpus.cache_clear()
    yield tmp_path
    documentation.corpus.cache_clear()


def test_the_documentation_is_docstrings_and_topics_each_paragraph_once_and_nothing_is_run(library):
    corpus = documentation.corpus()
    long = "A paragraph that is long enough to be known when it comes again."
    assert set(corpus.train + corpus.valid) == {f"One.\n\n{long}\n\nTwo.", "Three.", "What if.", "Last."}
    assert corpus.name == f"python-{'.'.join(map(str, sys.version_info[:3]))}-documentation"


def test_a_python_without_sources_is_one_line(library):
    for path in library.rglob("*.py"):
        path.unlink()
    with pytest.raises(DataMissing, match="this Python came without its library's sources"):
        documentation.corpus()

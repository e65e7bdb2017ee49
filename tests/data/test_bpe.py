"""Our byte-pair encoder against the tokenizers library: the same merges, the same ids, on any text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, trainers
from tokenizers import pre_tokenizers as cuts

from mtlib.data import BytePairEncoder, from_tokenizer_json
from mtlib.data.bpe import GPT2_CUT, ONE_DIGIT_CUT, byte_letters, learn

OURS = """The river took the bridge, and nobody was surprised. It's 1987, or 1988; who'd have counted?
The bridge had never liked the river. They'll build another, and the river will wait for it.
"""
BYTE_LEVEL = cuts.ByteLevel(add_prefix_space=False)
CUTS = {GPT2_CUT: BYTE_LEVEL, ONE_DIGIT_CUT: cuts.Sequence([cuts.Digits(individual_digits=True), BYTE_LEVEL])}
# Letters younger than a package's Unicode table are symbols to it, and the tables differ by a version.
settled = st.characters(exclude_categories=["Cs", "Cn"])
texts = st.text(settled) | st.text(st.sampled_from("aé'ßs tll9½٣\n\t\u00a0\u3000e\u0301🐌👩\u200d🔬日\x00"), max_size=40)


def library(text: str, vocab: int, cut: str = GPT2_CUT, special: tuple[str, ...] = ()) -> Tokenizer:
    """The tokenizers library, trained with the settings that ours has."""
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer, theirs.decoder = CUTS[cut], decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, initial_alphabet=BYTE_LEVEL.alphabet(), special_tokens=list(special), show_progress=False
    )
    theirs.train_from_iterator([text], trainer)
    return theirs


def merges_of(theirs: Tokenizer) -> list[tuple[str, ...]]:
    return [tuple(pair) for pair in json.loads(theirs.to_str())["model"]["merges"]]


def written(encoder: BytePairEncoder) -> list[tuple[str, ...]]:
    letter = byte_letters()
    return [tuple("".join(letter[byte] for byte in part) for part in pair) for pair in encoder.merges]


@pytest.mark.parametrize("cut", CUTS)
def test_trained_on_the_same_text_both_learn_the_same_merges_and_ids(cut):
    special = ("<|endoftext|>", "<|end|>")
    theirs, ours = library(OURS, 320, cut, special), BytePairEncoder.train(OURS, 320, special, cut)
    assert written(ours) == merges_of(theirs) and len(ours) == 320
    assert ours.encode(OURS) == theirs.encode(OURS).ids


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("aab b"), max_size=80), vocab=st.integers(256, 290))
def test_ties_and_overlapping_runs_are_settled_as_the_library_settles_them(text, vocab):
    assert written(BytePairEncoder.train(text, vocab)) == merges_of(library(text, vocab))


def test_of_equally_frequent_pairs_the_lower_ids_join_first():
    assert learn({b"zz": 1, b"ba": 1, b"ab": 1}, 3) == [(b"a", b"b"), (b"b", b"a"), (b"z", b"z")]
    assert learn({b" a": 1, b"za": 1}, 1) == [(b"z", b"a")]  # a space is numbered after all that prints


def test_a_merge_counts_every_place_times_its_word_and_ends_when_no_pair_is_left():
    assert learn({b"aaa": 2, b"bc": 3}, 9) == [(b"a", b"a"), (b"b", b"c"), (b"aa", b"a")]
    assert learn({b"x": 5}, 3) == [] == BytePairEncoder.train("", 300).merges


@pytest.fixture(scope="module", params=CUTS, ids=["GPT-2's cut", "single digits"])
def pair(request) -> tuple[BytePairEncoder, Tokenizer]:
    """One vocabulary, in our encoder and in the library."""
    theirs = library(OURS, 320, request.param, ("<|endoftext|>", "<|end|>"))
    return from_tokenizer_json(theirs.to_str()), theirs


@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_any_text_gets_the_librarys_ids_and_comes_back_whole(pair, text):
    ours, theirs = pair
    ids = ours.encode(text)
    assert ids == theirs.encode(text).ids
    assert ours.decode(ids) == text


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.sampled_from(["<|end|>", "<|endoftext|>", "<|end", "river ", "|>", " "]), max_size=8))
def test_a_special_token_is_never_cut_and_never_joined(pair, parts):
    ours, theirs = pair
    text = "".join(parts)
    assert ours.encode(text) == theirs.encode(text).ids
    assert ours.decode(ours.encode(text)) == text


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(st.integers(0, 319), max_size=12))
def test_any_ids_decode_as_the_library_decodes_them_broken_characters_too(pair, ids):
    ours, theirs = pair
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=False)


def test_what_was_read_from_the_library_is_what_was_trained(pair):
    ours, theirs = pair
    assert written(ours) == merges_of(theirs) and len(ours) == theirs.get_vocab_size() == 320
    assert {s: theirs.token_to_id(s) for s in ours.special} == ours.special and len(ours.special) == 2


def test_a_byte_the_vocabulary_lacks_vanishes_in_both():
    theirs = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    theirs.pre_tokenizer = BYTE_LEVEL
    assert from_tokenizer_json(theirs.to_str()).encode("acbé ab") == theirs.encode("acbé ab").ids == [2, 2]


def test_every_byte_has_a_letter_of_its_own_that_the_library_knows():
    assert sorted(byte_letters().values()) == sorted(BYTE_LEVEL.alphabet())
    assert sorted(byte_letters()) == list(range(256))


def _file(change) -> str:
    spec = json.loads(library(OURS, 260, special=("<|end|>",)).to_str())
    change(spec)
    return json.dumps(spec)


def _byte_level(**change):
    return lambda spec: spec["pre_tokenizer"].update(change)


trained = BytePairEncoder.train(OURS, 260)
CASES = {
    "no room for the bytes": (lambda: BytePairEncoder.train(OURS, 200), "vocab=200 must be at least 256"),
    "no room for the special": (lambda: BytePairEncoder.train(OURS, 256, ["<s>"]), "vocab=256 must be at least 257"),
    "half a token": (lambda: BytePairEncoder.train(OURS, 300.5), "vocab=300.5 must be a whole number"),
    "one sign twice": (lambda: BytePairEncoder.train(OURS, 300, ["<s>", "<s>"]), "special=.* must be different signs"),
    "an empty sign": (lambda: BytePairEncoder.train(OURS, 300, [""]), "special=.* none of them empty"),
    "bytes for text": (lambda: trained.encode(b"river"), "text is a bytes; it must be a str"),
    "half a surrogate": (lambda: trained.encode("ab\ud83d"), "text holds half a surrogate pair at position 2"),
    "an unknown id": (lambda: trained.decode([3, 260]), "ids holds 260, which is none of this vocabulary's 260 tokens"),
    "a merge of nothing": (lambda: BytePairEncoder({b"a": 0}, [(b"a", b"a")]), "merges holds .*, and ids no number for"),
    "not a tokenizer": (lambda: from_tokenizer_json("[]"), "text has no 'model'"),
    "another model": (lambda: from_tokenizer_json(Tokenizer(models.WordLevel({"a": 0}, "a")).to_str()), "the model is 'WordLevel'; it must be 'BPE'"),
    "a normalizer": (lambda: from_tokenizer_json(_file(lambda s: s.update(normalizer=json.loads(normalizers.NFC().__getstate__())))), "the normalizer is 'NFC'; there must be none"),
    "dropout": (lambda: from_tokenizer_json(_file(lambda s: s["model"].update(dropout=0.1))), "dropout=0.1 is set"),
    "a sign that eats spaces": (lambda: from_tokenizer_json(_file(lambda s: s["added_tokens"][0].update(lstrip=True))), "'<|end|>' sets lstrip"),
    "a prefix space": (lambda: from_tokenizer_json(_file(_byte_level(add_prefix_space=True))), "the pre-tokenizer is ByteLevel; it must be"),
    "no cut": (lambda: from_tokenizer_json(_file(lambda s: s.update(pre_tokenizer=None))), "the pre-tokenizer is None; it must be"),
    "letters, not bytes": (lambda: from_tokenizer_json(_file(lambda s: s["model"]["vocab"].update({"日": 260}))), "holds '日', which stands for no byte"),
}


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_line(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)

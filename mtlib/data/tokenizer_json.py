"""A byte-level vocabulary of the tokenizers library, in our own encoder.

Only what our encoder does is read; anything else in the file is refused by name, since ids that
are almost right are worse than none.
"""

import json

from .bpe import GPT2_CUT, ONE_DIGIT_CUT, BytePairEncoder, byte_letters

_MUST_BE_OFF = (
    "unk_token", "dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges",
)


def from_tokenizer_json(text: str) -> BytePairEncoder:
    """The encoder that a tokenizer.json, or ``tokenizers.Tokenizer.to_str()``, describes.

    Its ids are the library's on every text. (One thing can differ: a letter that entered Unicode
    after one of the two packages was made is a symbol to it.) What a post-processor sets around
    a text, a [CLS] say, is left to the caller.

    Raises ValueError for a file that describes another kind of tokenizer.

    >>> import tokenizers as t
    >>> theirs = t.Tokenizer(t.models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    >>> theirs.pre_tokenizer = t.pre_tokenizers.ByteLevel(add_prefix_space=False)
    >>> from_tokenizer_json(theirs.to_str()).encode("abba")
    [2, 1, 0]
    """
    spec = json.loads(text)
    if not isinstance(spec, dict) or "model" not in spec:
        raise ValueError("text has no 'model'; it must be what tokenizers.Tokenizer.to_str() gives")
    model = spec["model"]
    if model.get("type", "BPE") != "BPE" or "merges" not in model:
        raise ValueError(f"the model is {model.get('type')!r}; it must be 'BPE'")
    if spec.get("normalizer"):
        raise ValueError(f"the normalizer is {spec['normalizer']['type']!r}; there must be none")
    if on := [name for name in _MUST_BE_OFF if model.get(name)]:
        raise ValueError(f"{on[0]}={model[on[0]]!r} is set; this encoder does without it")
    for sign in spec["added_tokens"]:
        if on := [name for name in ("lstrip", "rstrip", "single_word") if sign[name]]:
            raise ValueError(f"the special token {sign['content']!r} sets {on[0]}; this encoder does without it")
    special = {sign["content"]: sign["id"] for sign in spec["added_tokens"]}
    byte = {letter: b for b, letter in byte_letters().items()}

    def spelt(token: str) -> bytes:
        try:
            return bytes(map(byte.__getitem__, token))
        except KeyError as error:
            raise ValueError(f"the token {token!r} holds {error}, which stands for no byte") from None

    ids = {spelt(token): i for token, i in model["vocab"].items() if token not in special}
    # Older files write a merge as "a b", newer ones as ["a", "b"].
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    merges = [(spelt(left), spelt(right)) for left, right in pairs]
    return BytePairEncoder(ids, merges, special, _cut(spec["pre_tokenizer"]))


def _cut(pre: dict | None) -> str:
    steps = pre["pretokenizers"] if pre and pre["type"] == "Sequence" else [pre or {"type": None}]
    match [{"use_regex": True, **step} for step in steps]:
        case [{"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]:
            return GPT2_CUT
        case [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        ]:
            return ONE_DIGIT_CUT
    kinds = ", ".join(str(step["type"]) for step in steps)
    raise ValueError(
        f"the pre-tokenizer is {kinds}; it must be ByteLevel without prefix space, alone or after single Digits"
    )

"""Our GGUF reader against files that the gguf package wrote, and what it says of files it cannot read."""

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind

from mtlib._gguf import GGUF, LlamaSizes

LETTERS = ["<|end|>", "a", "b", "ab", "Ġ", "1"]
TENSORS = {  # more than one block a row, one row, a vector; every kind that is read
    "table.weight": ((6, 64), Kind.Q8_0),
    "wide.weight": ((3, 96), Kind.Q4_1),
    "row.weight": ((1, 32), Kind.Q4_1),
    "norm.weight": ((5,), Kind.F32),
    "plain.weight": ((2, 7), Kind.F32),
}


def write(path, *, architecture="llama", cut="smollm", tensors=TENSORS, align=32):
    """A tiny Llama's file; returns each tensor as the gguf package decodes it."""
    file = gguf.GGUFWriter(path, architecture)
    file.add_custom_alignment(align)
    file.add_context_length(77)
    file.add_embedding_length(64)
    file.add_block_count(3)
    file.add_feed_forward_length(96)
    file.add_head_count(4)
    file.add_head_count_kv(2)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_freq_base(100_000.0)
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre(cut)
    file.add_token_list(LETTERS)
    file.add_token_types([3, 1, 1, 1, 1, 1])
    file.add_token_merges(["a b"])
    decoded, rng = {}, np.random.default_rng(0)
    for name, (shape, kind) in tensors.items():
        data = gguf.quantize(rng.standard_normal(shape, dtype=np.float32), kind)
        file.add_tensor(name, data, raw_dtype=kind)
        decoded[name] = gguf.dequantize(data, kind)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return decoded


@pytest.mark.parametrize("align", [32, 128])
def test_every_weight_is_bit_for_bit_what_the_gguf_package_reads(tmp_path, align):
    wanted = write(tmp_path / "tiny.gguf", align=align)
    found = GGUF(tmp_path / "tiny.gguf").weights()
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        assert value.dtype == torch.float32 and tuple(value.shape) == TENSORS[name][0]
        assert np.array_equal(value.numpy(), wanted[name]), name


def test_weights_can_be_trained_further_without_touching_the_file(tmp_path):
    write(tmp_path / "tiny.gguf")
    before = (tmp_path / "tiny.gguf").read_bytes()
    for value in GGUF(tmp_path / "tiny.gguf").weights().values():
        value.requires_grad_().sum().backward()
        with torch.no_grad():
            value.zero_()
    assert (tmp_path / "tiny.gguf").read_bytes() == before


def test_the_sizes_are_those_that_were_written(tmp_path):
    write(tmp_path / "tiny.gguf")
    assert GGUF(tmp_path / "tiny.gguf").sizes() == LlamaSizes(
        vocab=6, max_len=77, d_model=64, n_heads=4, n_kv_heads=2, n_layers=3, d_ff=96, rotary_base=100_000.0, norm_eps=1e-5
    )


def test_the_tokenizer_joins_keeps_special_tokens_whole_and_every_digit_alone(tmp_path):
    write(tmp_path / "tiny.gguf")
    tokenizer = GGUF(tmp_path / "tiny.gguf").tokenizer()
    assert tokenizer.encode("abba<|end|>11 1").tokens == ["ab", "b", "a", "<|end|>", "1", "1", "Ġ", "1"]
    assert tokenizer.decode(tokenizer.encode("ab 11").ids) == "ab 11"


def _unknown_kind(path):
    write(path, tensors={"t.weight": ((2, 32), Kind.Q5_0)})
    return GGUF(path).weights()


def _half_a_head(path):
    write(path)
    path.write_bytes(path.read_bytes()[:100])
    return GGUF(path)


def _half_a_tensor(path):
    write(path)
    path.write_bytes(path.read_bytes()[:-200])
    return GGUF(path).weights()


def _not_gguf(path):
    path.write_bytes(b"PK\x03\x04 a wheel")
    return GGUF(path)


def _another(path, ask, **what):
    write(path, **what)
    return getattr(GGUF(path), ask)()


CASES = {
    "not a GGUF file": (_not_gguf, r"tiny.gguf begins b'PK\\x03\\x04'; a GGUF file begins b'GGUF'"),
    "half a head": (_half_a_head, "tiny.gguf ends inside its head: it was cut short"),
    "half a tensor": (_half_a_tensor, r"\w+.weight ends at byte \d+ and tiny.gguf at \d+: it was cut short"),
    "blocks of another kind": (_unknown_kind, r"t.weight is kept as kind 6; known here are 0 \(F32\), 3 \(Q4_1\) and 8"),
    "another architecture": (lambda p: _another(p, "sizes", architecture="gpt2"), "the architecture 'gpt2'; it must be 'llama'"),
    "another tokenizer": (lambda p: _another(p, "tokenizer", cut="llama-bpe"), "the tokenizer is 'gpt2', cut 'llama-bpe'; it must be"),
}


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_gets_one_clear_line(tmp_path, case):
    call, message = CASES[case]
    with pytest.raises(ValueError, match=message) as caught:
        call(tmp_path / "tiny.gguf")
    assert "\n" not in str(caught.value)

"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

SIGN = "the sign is for the last map before it to learn; nobody looks at its numbers"
SUM = "a sum commutes"
AXIS = "an axis that is not named is taken whole"

EQUIVALENT: dict[str, dict[str, str]] = {
    "projects.heads": {
        "pool_attention: weights[..., None] * hidden -> hidden * weights[..., None]": "a product commutes",
    },
    "projects.sft": {
        "sft_loss: surprise * asked -> asked * surprise": "a product commutes",
    },
    "projects.encoder_text_open": {
        "TextClassifier.forward: self.tok(ids) + self.pos.weight[:ids.size(1)] -> self.tok(ids) - self.pos.weight[:ids.size(1)]": SIGN,
        "TextClassifier.forward: self.tok(ids) + self.pos.weight[:ids.size(1)] -> self.pos.weight[:ids.size(1)] + self.tok(ids)": SUM,
        "TextClassifier.forward: kept.sum(1) / keep.sum(1, keepdim=True) -> kept.sum(1) * keep.sum(1, keepdim=True)":
            "which pooling is free, as long as padding has no say: this one is the mean times the square of the length",
        "TextClassifier.forward: (:, None, None, :) -> (:, None, None)": AXIS,
        "Block.look: x + self.attention(h, h, may) -> x - self.attention(h, h, may)": SIGN,
        "Block.look: x + self.attention(h, h, may) -> self.attention(h, h, may) + x": SUM,
        "Block.think: x + self.w_out(F.gelu(self.w_in(self.norm2(x)))) -> x - self.w_out(F.gelu(self.w_in(self.norm2(x))))": SIGN,
        "Block.think: x + self.w_out(F.gelu(self.w_in(self.norm2(x)))) -> self.w_out(F.gelu(self.w_in(self.norm2(x)))) + x": SUM,
        "Block.__init__: 4 * d_model -> d_model * 4": "a product commutes",
        "Attention.forward.cut: (self.n_heads, -1) -> (-1, self.n_heads)":
            "as many heads as a head was wide: a legal attention, and the weights, which are the learner's own, have the same shapes",
    },
    "projects.seq2seq_from_signatures": {
        "Seq2Seq.encode: (:, None, None, :) -> (:, None, None)": AXIS,
        "Seq2Seq.decode: (:, None, None, :) -> (:, None, None)": AXIS,
        "Table.forward: self.tok(ids) + self.pos.weight[:ids.size(1)] -> self.tok(ids) - self.pos.weight[:ids.size(1)]": SIGN,
        "Table.forward: self.tok(ids) + self.pos.weight[:ids.size(1)] -> self.pos.weight[:ids.size(1)] + self.tok(ids)": SUM,
        "Writing.forward: x + self.across(self.norm_across(x), memory, memory_keep) -> x - self.across(self.norm_across(x), memory, memory_keep)": SIGN,
        "Writing.forward: x + self.across(self.norm_across(x), memory, memory_keep) -> self.across(self.norm_across(x), memory, memory_keep) + x": SUM,
    },
    "projects.decoder_from_empty": {
        "LM.forward: start + ids.size(1) -> ids.size(1) + start": SUM,
        "LM.forward: self.tok(ids) + self.pos.weight[start:stop] -> self.pos.weight[start:stop] + self.tok(ids)": SUM,
        "Layer.forward: x + seen_now -> seen_now + x": SUM,
        "Layer.forward: x + self.ffn['w_out'](F.gelu(self.ffn['w_in'](self.norm2(x)))) -> self.ffn['w_out'](F.gelu(self.ffn['w_in'](self.norm2(x)))) + x": SUM,
        "Layer.__init__: 4 * d_model -> d_model * 4": "a product commutes",
    },
}

"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT: dict[str, dict[str, str]] = {
    "decoder.block": {
        "DecoderBlock.forward: x + self.attn(h, h, may) -> x - self.attn(h, h, may)": "the sign is o_proj's, or the FFN's, to learn; nobody looks at their numbers",
        "DecoderBlock.forward: x + self.attn(h, h, may) -> self.attn(h, h, may) + x": "a sum commutes",
        "DecoderBlock.forward: x + self.cross_attn(self.norm_cross(x), memory, across) -> x - self.cross_attn(self.norm_cross(x), memory, across)": "the sign is o_proj's, or the FFN's, to learn; nobody looks at their numbers",
        "DecoderBlock.forward: x + self.cross_attn(self.norm_cross(x), memory, across) -> self.cross_attn(self.norm_cross(x), memory, across) + x": "a sum commutes",
        "DecoderBlock.forward: x + self.ffn(self.norm2(x)) -> x - self.ffn(self.norm2(x))": "the sign is o_proj's, or the FFN's, to learn; nobody looks at their numbers",
        "DecoderBlock.forward: x + self.ffn(self.norm2(x)) -> self.ffn(self.norm2(x)) + x": "a sum commutes",
        "DecoderBlock.forward: may & keep[:, None, None, :] -> keep[:, None, None, :] & may": "and commutes",
        "DecoderBlock.forward: (:, None, None, :) -> (:, None, None)": "an axis that is not named is taken whole",
    },
    "decoder.teacher_forcing": {
        "teacher_forced_loss: surprise * asked.flatten() -> asked.flatten() * surprise": "a product commutes",
    },
}

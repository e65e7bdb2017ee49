"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "residual.layer_norm": {
        "layer_norm: off / (variance + eps).sqrt() * gain + bias -> bias + off / (variance + eps).sqrt() * gain": "a sum commutes",
        "layer_norm: off / (variance + eps).sqrt() * gain -> gain * (off / (variance + eps).sqrt())": "a product commutes",
        "layer_norm: variance + eps -> eps + variance": "a sum commutes",
    },
    "residual.rms_norm": {
        "rms_norm: x / (mean_square + eps).sqrt() * gain -> gain * (x / (mean_square + eps).sqrt())": "a product commutes",
        "rms_norm: mean_square + eps -> eps + mean_square": "a sum commutes",
    },
    "residual.wire": {
        "residual: x + sublayer(norm(x)) -> sublayer(norm(x)) + x": "a sum commutes",
        "residual: x + sublayer(x) -> sublayer(x) + x": "a sum commutes",
    },
    "residual.gradient_share": {
        "identity_share: straight + by_f -> by_f + straight": "a sum commutes",
    },
}

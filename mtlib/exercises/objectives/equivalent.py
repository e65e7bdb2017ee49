"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "objectives.mlm_batch": {
        "mlm_batch: ~special & (choose < 0.15) -> (choose < 0.15) & ~special": "a product commutes",
    },
    "objectives.info_nce": {
        "info_nce: (scores.log_softmax(1).diagonal(), scores.log_softmax(0).diagonal()) -> "
        "(scores.log_softmax(0).diagonal(), scores.log_softmax(1).diagonal())": "both directions weigh the same",
        "info_nce: (a, b) -> (b, a)": "a and b may change places",
        "info_nce: forth.mean() + back.mean() -> back.mean() + forth.mean()": "a sum commutes",
        "info_nce: -1 -> 1": "a matrix's last axis is axis 1",
    },
}

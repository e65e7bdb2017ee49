"""Interpretability: where a head looks, what it is worth, and whose doing an answer is."""

CHAPTER = "14_interpretability"
ORDER = (
    "entropy",
    "induction",
    "ablate",
    "patch",
    "logit_lens",
    "direct_logit",
    "probe",
)

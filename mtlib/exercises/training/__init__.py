"""A training run, in its order: start, loss, gradients, their norm, a step, its rate, the loop, the score."""

CHAPTER = "12_training"
ORDER = ("init", "smoothing", "softmax_backward", "attention_backward", "clip", "adamw", "schedule", "loop", "bits_per_byte")

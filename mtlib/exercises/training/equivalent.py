"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

PRODUCT, SUM = "a product commutes", "a sum commutes"

EQUIVALENT = {
    "training.init": {
        "init_weights: sigma * torch.randn(old.shape, generator=generator, dtype=old.dtype) -> "
        "torch.randn(old.shape, generator=generator, dtype=old.dtype) * sigma": PRODUCT,
        "init_weights: ('o_proj.weight', 'w_out.weight') -> ('w_out.weight', 'o_proj.weight')":
            "an ending is looked for among both, in either order",
        "init_weights: 2 * n_layers -> n_layers * 2": PRODUCT,
    },
    "training.smoothing": {
        "smoothed_cross_entropy: -(1 - smoothing) * came -> came * -(1 - smoothing)": PRODUCT,
        "smoothed_cross_entropy: smoothing * log_q.mean() -> log_q.mean() * smoothing": PRODUCT,
    },
    "training.softmax_backward": {
        "softmax_backward: weights * (grad - average) -> (grad - average) * weights": PRODUCT,
        "softmax_backward: weights * grad -> grad * weights": PRODUCT,
    },
    "training.clip": {
        "clip_gradients: g * factor -> factor * g": PRODUCT,
    },
    "training.adamw": {
        "adamw_step: state.get('step', 0) + 1 -> 1 + state.get('step', 0)": SUM,
        "adamw_step: beta1 * state.get('m', 0.0) + (1 - beta1) * grad -> "
        "(1 - beta1) * grad + beta1 * state.get('m', 0.0)": SUM,
        "adamw_step: beta2 * state.get('v', 0.0) + (1 - beta2) * grad ** 2 -> "
        "(1 - beta2) * grad ** 2 + beta2 * state.get('v', 0.0)": SUM,
        "adamw_step: beta1 * state.get('m', 0.0) -> state.get('m', 0.0) * beta1": PRODUCT,
        "adamw_step: (1 - beta1) * grad -> grad * (1 - beta1)": PRODUCT,
        "adamw_step: beta2 * state.get('v', 0.0) -> state.get('v', 0.0) * beta2": PRODUCT,
        "adamw_step: (1 - beta2) * grad ** 2 -> grad ** 2 * (1 - beta2)": PRODUCT,
        "adamw_step: param * (1 - lr * weight_decay) -> (1 - lr * weight_decay) * param": PRODUCT,
        "adamw_step: lr * m_hat -> m_hat * lr": PRODUCT,
        "adamw_step: v_hat.sqrt() + eps -> eps + v_hat.sqrt()": SUM,
        "adamw_step: lr * weight_decay -> weight_decay * lr": PRODUCT,
    },
    "training.schedule": {
        "learning_rate: floor + (peak - floor) * (1 + math.cos(math.pi * done)) / 2 -> "
        "(peak - floor) * (1 + math.cos(math.pi * done)) / 2 + floor": SUM,
        "learning_rate: peak * (step + 1) -> (step + 1) * peak": PRODUCT,
        "learning_rate: (peak - floor) * (1 + math.cos(math.pi * done)) -> "
        "(1 + math.cos(math.pi * done)) * (peak - floor)": PRODUCT,
        "learning_rate: step + 1 -> 1 + step": SUM,
        "learning_rate: 1 + math.cos(math.pi * done) -> math.cos(math.pi * done) + 1": SUM,
        "learning_rate: math.pi * done -> done * math.pi": PRODUCT,
    },
}

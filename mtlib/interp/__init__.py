"""Looking into a model and reaching into it: who looks where, who says what, what if not.

Everything stands on mt.trace, and leaves the model as it was. Layers, heads and neurons are
counted from 0; `inputs` is what the model is called with, ids or a tuple. A model with two
stacks shows its decoder.

    capture       the stream, head outputs, attention weights
    scores        what pattern each head follows; entropy; repeated tokens
    ablate        a part silent, or held at its mean
    patch         a value of one run put into another
    lens          the head applied to every layer
    attribution   a logit as a sum of parts
    circuits      a head as two matrices
    neurons       what makes one fire, what it promotes
    probe         a linear map read off the vectors
"""

from .ablate import ablate_attention as ablate_attention
from .ablate import ablate_ffn as ablate_ffn
from .ablate import ablate_head as ablate_head
from .ablate import ablate_neuron as ablate_neuron
from .ablate import ablation_sweep as ablation_sweep
from .ablate import mean_at as mean_at
from .ablate import set_all as set_all
from .ablate import set_head as set_head
from .ablate import set_unit as set_unit
from .attribution import LogitParts as LogitParts
from .attribution import direct_logit as direct_logit
from .attribution import direct_logit_rms as direct_logit_rms
from .attribution import logit_parts as logit_parts
from .attribution import norm_scale as norm_scale
from .capture import attention_weights as attention_weights
from .capture import head_outputs as head_outputs
from .capture import residual_stream as residual_stream
from .circuits import copying_score as copying_score
from .circuits import direct_effect as direct_effect
from .circuits import ov_circuit as ov_circuit
from .circuits import ov_vocabulary as ov_vocabulary
from .circuits import qk_circuit as qk_circuit
from .lens import logit_lens as logit_lens
from .neurons import Context as Context
from .neurons import neuron_contexts as neuron_contexts
from .neurons import neuron_values as neuron_values
from .neurons import promoted_tokens as promoted_tokens
from .patch import patch_heads as patch_heads
from .patch import patch_positions as patch_positions
from .patch import patched_logits as patched_logits
from .patch import patching_effect as patching_effect
from .probe import ridge_probe as ridge_probe
from .scores import PATTERNS as PATTERNS
from .scores import attention_entropy as attention_entropy
from .scores import copying_loss as copying_loss
from .scores import duplicate_token as duplicate_token
from .scores import first_token as first_token
from .scores import head_scores as head_scores
from .scores import induction as induction
from .scores import induction_score as induction_score
from .scores import pattern_score as pattern_score
from .scores import previous_token as previous_token
from .scores import repeated_tokens as repeated_tokens

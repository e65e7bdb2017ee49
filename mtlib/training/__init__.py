"""Training: ``fit(model, data, TrainConfig(…))``, and what it is made of.

One batch, one method: everything that trains is ``loss(model(*batch.inputs), batch.targets)``.
Read update.py for one step, fit.py for a run of them, checkpoint.py for how it survives a kill,
recipe.py for the TOML files of configs/, distributed.py for many processes.
"""

from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import Damaged as Damaged
from .config import TrainConfig as TrainConfig
from .evaluate import Scores as Scores
from .evaluate import evaluate as evaluate
from .evaluate import yardsticks as yardsticks
from .fit import NotFinite as NotFinite
from .fit import fit as fit
from .losses import IGNORE as IGNORE
from .losses import bits_per_byte as bits_per_byte
from .losses import cross_entropy as cross_entropy
from .losses import info_nce as info_nce
from .losses import mlm_batch as mlm_batch
from .losses import sft_targets as sft_targets
from .optimiser import adamw as adamw
from .record import Record as Record
from .schedule import cosine as cosine
from .schedule import inverse_sqrt as inverse_sqrt
from .update import Update as Update

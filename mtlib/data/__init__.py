"""What goes into the models: tokenizers, and sources of batches.

Every source is the same to a trainer: see batch.py. SOURCES are those that a recipe can name.
Each is read or drawn on the reader's own machine; what is not there says so in one line.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .batch import BOS as BOS
from .batch import EOS as EOS
from .batch import PAD as PAD
from .batch import Batch as Batch
from .batch import Data as Data
from .batch import exact_match as exact_match
from .batch import held_out as held_out
from .bpe import BytePairEncoder as BytePairEncoder
from .dates import Dates as Dates
from .digits import Digits as Digits
from .documentation import Documentation as Documentation
from .intents import Intents as Intents
from .letters import Letters as Letters
from .needs import DataMissing as DataMissing
from .repeats import Repeats as Repeats
from .requests import Requests as Requests
from .sentiment import Sentiment as Sentiment
from .tasks import Task as Task
from .textfile import TextFile as TextFile
from .tokenizer_json import from_tokenizer_json as from_tokenizer_json
from .vocabulary import Bytes as Bytes
from .vocabulary import Subwords as Subwords
from .yardsticks import yardsticks as yardsticks

SOURCES: Mapping[str, Callable[..., Data]] = MappingProxyType({
    "task": Task,
    "induction": Repeats,
    "dates": Dates,
    "sentiment": Sentiment,
    "intents": Intents,
    "requests": Requests,
    "digits": Digits,
    "documentation": Documentation,
    "textfile": TextFile,
})

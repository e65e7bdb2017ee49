"""The same weights under other libraries' names, both ways; one file a library or family.

    state = mt.interop.from_gpt2(theirs.state_dict(), config)        # theirs -> ours
    theirs.load_state_dict(mt.interop.to_gpt2(ours.state_dict(), config))

Only names and tensors pass here: transformers is not imported, and its configs are read by
their attributes. Nothing is copied without need, so a result may be views of what came in;
load_state_dict copies.
"""

from .bert import config_from_bert as config_from_bert
from .bert import from_bert as from_bert
from .bert import from_bert_mlm as from_bert_mlm
from .bert import to_bert as to_bert
from .bert import to_bert_mlm as to_bert_mlm
from .gguf import config_from_gguf as config_from_gguf
from .gguf import from_gguf as from_gguf
from .gpt2 import config_from_gpt2 as config_from_gpt2
from .gpt2 import from_gpt2 as from_gpt2
from .gpt2 import to_gpt2 as to_gpt2
from .llama import config_from_llama as config_from_llama
from .llama import from_llama as from_llama
from .llama import to_llama as to_llama
from .t5 import config_from_t5 as config_from_t5
from .t5 import from_t5 as from_t5
from .t5 import to_t5 as to_t5
from .torch_nn import from_torch as from_torch
from .torch_nn import to_torch as to_torch

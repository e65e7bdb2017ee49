"""What goes into the models: tokenizers."""

from .bpe import BytePairEncoder as BytePairEncoder
from .tokenizer_json import from_tokenizer_json as from_tokenizer_json

"""Writing: which token comes next, again and again.

    mt.generate(model, [[3, 1, 4]], max_new=20)                                    the likeliest
    mt.generate(…, rules=Rules(temperature=0.8, top_p=0.9), generator=generator)   drawn
    mt.generate(Given(translator, source), [[bos]], max_new=20, stop=(eos,))       about a source

What writes is a *writer*: ``model(ids, cache=cache)`` goes on where the cache left off, and
``model.new_cache()`` gives an empty one. DecoderLM and RecurrentLM are writers; Given makes one
of a translator and a source, Window of a writer whose table of positions is short.

    rules.py         temperature, top-k, top-p, min-p, repetition: functions of the logits
    writer.py        Given, Window, and what is checked before anything is computed
    generate.py      batches, and a stream of one text
    swift.py         the step of a fused DecoderLM with nothing in the way
    beam.py          the best of many continuations at once
    speculative.py   a small model guesses, the large one checks
"""

from .beam import Beam as Beam
from .beam import beam_search as beam_search
from .generate import generate as generate
from .generate import spell as spell
from .generate import stream as stream
from .rules import GREEDY as GREEDY
from .rules import Rules as Rules
from .rules import min_p as min_p
from .rules import repetition as repetition
from .rules import temperature as temperature
from .rules import top_k as top_k
from .rules import top_p as top_p
from .speculative import Speculation as Speculation
from .speculative import accept as accept
from .speculative import speculative as speculative
from .writer import Given as Given
from .writer import Window as Window
from .writer import Writer as Writer

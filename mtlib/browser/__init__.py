"""The course's models in the reader's browser: their forward pass in plain JavaScript, and views of it.

js/ holds the same model again, file beside file: attention.js is attention.py, rules.js is
rules.py. A page carries two scripts: one for itself, and one that runs the model in a thread of
its own, so that typing never waits. Both are made here, from modules that can also be read and
tested one by one. Nothing is fetched: over file:// a page may not.
"""

from .attention import attention as attention
from .layers import layers as layers
from .next_token import next_token as next_token
from .scripts import page_script as page_script
from .scripts import payload as payload
from .scripts import worker_script as worker_script
from .translation import translation as translation
from .view import View as View

"""The benchmark's library: what the workflow's scripts, the tests and a notebook call.

In a notebook `jindbench.annotate(query, reference, label_key=...)` labels cells, and `jindbench.pl` draws them.
"""

import os
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

# How often an idle thread of OpenMP looks for work before it sleeps; read when torch is imported. By default it looks
# for milliseconds, and where others use the cores too, keeps them from running: beside two other processes on two
# cores, two threads trained for 31 to 39 seconds, with this for 14. Where nothing else runs, it makes no difference.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")


def __getattr__(name: str) -> ModuleType:
    """What a notebook uses, imported when it is: the workflow imports this package often, and needs neither."""
    if name in ("annotate", "pl"):
        return import_module(f"jindbench.{name}")
    raise AttributeError(f"module 'jindbench' has no attribute '{name}'")

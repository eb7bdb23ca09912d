"""The benchmark's library: what the workflow's scripts, the tests and a notebook call.

In a notebook `jindbench.annotate(query, reference, label_key=...)` labels cells, and `jindbench.pl` draws them.
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """What a notebook uses, imported when it is: the workflow imports this package often, and needs neither."""
    if name in ("annotate", "pl"):
        return import_module(f"jindbench.{name}")
    raise AttributeError(f"module 'jindbench' has no attribute '{name}'")

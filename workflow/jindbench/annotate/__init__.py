"""Annotating a user's own cells from a labelled reference: `snakemake annotate` and `jindbench annotate`.

`settings` says what can be asked for, `process` runs whatever opens a file, `command` is the whole way. What it calls,
in this order: `formats` (what a file is), `cells` with `h5ad` and `tenx` (its names and values), `content` (which
matrix holds counts), `genes` (which gene is which), `reference` (the model, fitted or stored), `labelling` (all cells,
block by block), `columns` (what is told of each), `findings` (what to look at first), `writing` and `page`. `notebook`
does it for objects in memory, and this module can be called as that: `jindbench.annotate(query, reference, ...)`.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """As `jindbench.annotate.notebook.annotate`."""
        from jindbench.annotate.notebook import annotate  # only here: it is slow to import

        return annotate(*arguments, **options)


sys.modules[__name__].__class__ = _Callable

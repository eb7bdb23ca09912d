"""Annotating a user's own cells from a labelled reference: `snakemake annotate` and `jindbench annotate`.

`settings` says what can be asked for, `process` runs whatever opens a file, `command` is the whole way. What it calls,
in this order: `formats` (what a file is), `cells` with `h5ad` and `tenx` (its names and values), `content` (which
matrix holds counts), `genes` (which gene is which), `reference` (the model, fitted or stored), `labelling` (all cells,
block by block), `findings` (what to look at first), `writing` and `page`.
"""

"""Annotating a user's own cells from a labelled reference: `snakemake annotate` and `jindbench annotate`.

`settings` says what can be asked for, `run` is the whole way; what it calls stands in the other files, in this order:
`reading` (which matrix of a file holds counts), `genes` (which gene is which), `reference` (the model, fitted or
stored), `labelling` (all cells, block by block), `findings` (what to look at first), `writing` and `page`.
"""

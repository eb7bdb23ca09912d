"""Datasets: one file each, found by its name.

A dataset file defines, with light imports at its top (the Snakefile imports it when it is parsed):

`Parameters`
    a subclass of `jindbench.parameters.CountParameters`, or of `Parameters` where X is no counts: the keys that the
    configuration may set.
`files(parameters) -> list[str]`
    the files of this machine that `load` reads; a change of one makes everything that rests on it run again.
`batches(parameters) -> list[str]`
    the names of the batches, fast and without loading the data; raises `InputError` where the data cannot be had.
`load(parameters) -> AnnData`
    cells x genes with `obs["label"]`, `obs["batch"]` if there are batches, `uns["x_kind"]` and `uns["source"]`.
"""

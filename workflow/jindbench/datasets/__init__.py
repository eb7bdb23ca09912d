"""Datasets: one file each, found by its name.

A dataset file defines the following, with fast imports at its top (the Snakefile imports it whenever it is parsed):

`Parameters`
    the keys that the configuration may set: a subclass of `jindbench.data.parameters.CountParameters`, or of
    `jindbench.parameters.Parameters` if X cannot be counts.
`origins(parameters) -> list[Origin]`
    where the file that `load` reads can come from: a path on this machine, or addresses in order of preference; empty
    for embedded data. If the file changes, everything made from it is made again.
`batches(parameters) -> list[str] | None`
    the names of the batches, without loading the data; None if only the downloaded file will tell. Raises `InputError`
    if a file on this machine cannot be read.
`load(parameters, path) -> AnnData`
    cells x genes with `obs["label"]`, `obs["batch"]` if there are batches, `uns["x_kind"]` and `uns["source"]`. `path`
    is the file, wherever it came from; None for embedded data.

It may define

`shape(parameters) -> tuple[int, int] | None`
    numbers of cells and genes, without loading the data; None if only the downloaded file will tell. The expected
    memory and time of jobs depend on it.
`CONTENT`
    a `jindbench.data.checks.Content`: what a published file must hold, and the shape where there is no `shape`.
"""

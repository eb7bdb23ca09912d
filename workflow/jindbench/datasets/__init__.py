"""Datasets: one file each, found by its name.

A dataset file defines, with light imports at its top (the Snakefile imports it when it is parsed):

`Parameters`
    a subclass of `jindbench.parameters.CountParameters`, or of `Parameters` where X is no counts: the keys that the
    configuration may set.
`origins(parameters) -> list[Origin]`
    where the one file that `load` reads may be had, in order of preference: a path of this machine, or addresses to
    download it from; empty for embedded data. A change of the file makes everything that rests on it run again.
`batches(parameters) -> list[str] | None`
    the names of the batches, fast and without loading the data, None where only the downloaded file will tell; raises
    `InputError` where a file of this machine cannot be read.
`load(parameters, path) -> AnnData`
    cells x genes with `obs["label"]`, `obs["batch"]` if there are batches, `uns["x_kind"]` and `uns["source"]`. `path`
    is the file, whichever source it came from; None for embedded data.

It may define

`R_PACKAGES`
    a tuple of the R packages that it needs.
`shape(parameters) -> tuple[int, int] | None`
    cells and genes, fast and without loading the data, None where only the downloaded file will tell; or `CONTENT`,
    what a published dataset must hold. Memory and time of jobs are expected by it.
"""

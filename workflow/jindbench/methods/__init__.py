"""Methods: one file each, found by its name.

A method file defines, with light imports at its top (the Snakefile imports it when it is parsed; import torch,
scikit-learn and the like inside `run`):

`TITLE`
    the method's name in tables and figures.
`PARENT`
    the method whose stored model this one starts from, or None.
`Parameters`
    a subclass of `jindbench.parameters.Parameters`: the keys that the configuration may set, with their defaults.
`run(source, target, parameters, *, seed, threads, model_dir, parent_dir) -> Predictions`
    `source`: AnnData with `obs["label"]`; `target`: AnnData with the same genes in the same order and no labels. Both
    have X as CSR float32 and state in `uns["x_kind"]` what it holds. `model_dir` is an empty folder to store the model
    in; `parent_dir` is the parent's, or None. Returns `jindbench.predictions.Predictions`.

    It may raise `jindbench.errors.NotAvailable`: its cells in the tables then say "not run" and why.

    A table `history.tsv` in `model_dir`, with a row for each epoch and columns `epoch`, `kept` and any quantities, is
    drawn in the report. What the method warns of by `logging` is shown there too.

It may define

`RANDOM = False`
    nothing depends on the seed: it is run once, with the run's first seed.
`SEES_LABELS = True`
    it is a control: the target has `obs["label"]`, which a method never sees.
`PACKAGES`, `R_PACKAGES`
    tuples of the Python modules that it needs beside requirements.txt (their packages are named in envs/methods.txt and
    methods.yaml), and of the R packages. Where one is missing the method is not run.
`NOTE`
    a sentence for the foot of the tables.
"""

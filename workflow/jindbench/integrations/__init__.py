"""Integrations: one file each, found by its name. They correct a task's source and target towards each other.

An integration file defines, with light imports at its top (the Snakefile imports it when it is parsed):

`TITLE`
    the integration's name in tables and figures.
`Parameters`
    a subclass of `jindbench.parameters.Parameters`: the keys that the configuration may set, with their defaults.
`integrate(source, target, parameters, *, seed, threads) -> (AnnData, AnnData)`
    `source`, `target`: as a method gets them, but neither has labels. Returns both with corrected values of the same
    genes in the same order, X as CSR float32; `jindbench.execution.components` adds the rest.

It may define `R_PACKAGES`, a tuple of the R packages that it needs. The configuration makes a method read an
integration's result by `input:`; the method's file does not change.
"""

"""The figures of a run: one file each, found by its name.

A figure is its module here, and its entry in `workflow/rules/figures.smk`, which says what it is drawn from. A module
defines

`draw(...) -> jindbench.plots.Drawn`
    Reads the files and returns the picture with its title, its caption and the tables that go with it. Its arguments
    are the entry's files (paths), its values and the name in its path, by name. It trains nothing.

What several figures draw with lies in `jindbench.plots`; all colours are in `jindbench.plots.palette`.
"""

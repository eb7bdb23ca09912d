"""The figures of a run: one file each, found by its name.

A figure is three files: its module here; its entry in `workflow/rules/figures.smk`, which says what it is drawn from;
its caption `workflow/report/NAME.rst`. A module defines

`draw(...) -> tuple[Figure, dict[str, DataFrame]]`
    Reads the files and returns the picture, and the tables that go with it by the name of their output. Its arguments
    are the entry's files (paths), its values and the name in its path, by name. It trains nothing.

What several figures draw with lies in `jindbench.plots`; all colours are in `jindbench.plots.palette`.
"""

"""The whole way from a user's files to labelled copies, tables and pages: what `annotate` does, in order."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd

from jindbench import io
from jindbench.annotate import content, page, reference, writing
from jindbench.annotate.cells import Cells
from jindbench.annotate.content import Content
from jindbench.annotate.findings import Annotation, look_first, several
from jindbench.annotate.formats import open_cells
from jindbench.annotate.labelling import ALIGNED_CELLS, Query, has_counts, label, sample
from jindbench.annotate.settings import COPY, PAGE, TABLE, Settings
from jindbench.data import genes
from jindbench.errors import InputError
from jindbench.jind.model import MIN_GENE_SHARE
from jindbench.plots.tsne import tsne_map

# Cells that the tSNE is made of: its time grows with them, and more are not told apart on a page. Others are placed
# among their nearest neighbours, so many at one time.
MAPPED_CELLS = 20_000
PLACED_AT_ONCE = 20_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """A user's files, opened and found to fit together.

    Attributes
    ----------
    queries
        Each query's cells, by the path that was given.
    chosen
        The matrix that is taken of each file, by its path.
    matches
        Each query's genes and those of the reference, by the path that was given.
    source, labels, rows
        The labelled cells, their types, and the positions of the genes that all queries have too, which training sees;
        None for a stored model.
    fitted
        The stored model; None where one is to be trained.
    """

    queries: dict[str, Cells]
    chosen: dict[Path, Content]
    matches: dict[str, genes.Match]
    source: Cells | None
    labels: pd.Series | None
    rows: np.ndarray | None
    fitted: reference.Reference | None


def preview(settings: Settings) -> None:
    """Check all inputs by headers, names and first cells: what Snakemake does before the job starts.

    Where first cells cannot be read without all others, the job is left to look at values.

    Raises
    ------
    InputError
        For the first fault found, in one line.
    """
    _look(settings, cheaply=True)


def inspect(settings: Settings) -> Inputs:
    """Check all inputs and all cells of the matrices that are taken, before anything is trained or written.

    Raises
    ------
    InputError
        For the first fault found, in one line.
    """
    inputs = _look(settings)
    chosen, source = dict(inputs.chosen), inputs.source
    if source is not None:
        chosen[source.path] = content.check(source, chosen[source.path], inputs.rows, "reference_layer")
        say(source, chosen[source.path], "reference_layer")
    for path, cells in inputs.queries.items():
        chosen[cells.path] = content.check(cells, chosen[cells.path], inputs.matches[path].query, "layer")
        say(cells, chosen[cells.path], "layer")
    return replace(inputs, chosen=chosen)


def _look(settings: Settings, *, cheaply: bool = False) -> Inputs | None:
    """Open all inputs, and find which matrices to take and which genes match; None where `cheaply` does not do."""
    settings.check()
    queries = {path: open_cells(path) for path in settings.query}
    for cells in queries.values():
        writing.check_names(cells)
    source = labels = rows = fitted = None
    if settings.stored:
        fitted = reference.load(settings)
    else:
        source, labels = reference.open_reference(settings)
    sides = [(source, settings.reference_layer)] if source else []
    sides += [(cells, settings.layer) for cells in queries.values()]
    places = {cells: content.places(cells, layer) for cells, layer in sides}
    if cheaply and not all(cells.has_cheap_sample(place) for cells, among in places.items() for place in among):
        return None
    found = {cells.path: content.contents(cells, among) for cells, among in places.items()}
    if fitted is not None:
        chosen = content.choose(found, only=fitted.jind.model_.x_kind)
        known, least = fitted.genes, int(np.ceil(MIN_GENE_SHARE * len(fitted.genes)))
    else:
        chosen = content.choose(found)
        known, least = source.genes[chosen[source.path].place], genes.FEWEST
        reference.check_names(source, chosen[source.path], labels, settings.label_key)
    matches = {}
    for path, cells in queries.items():
        query_genes = cells.genes[chosen[cells.path].place]
        matches[path] = genes.match(known, query_genes, path, least=least)
        log.info("%s: %d genes in common, by %s", path, len(matches[path].query), matches[path].how)
    if source is not None:
        rows = reduce(np.intersect1d, [match.reference for match in matches.values()])
        if len(rows) < least:
            raise InputError(f"query: all queries together have {len(rows)} genes of the reference; expected {least}")
        matches = {path: match.within(rows) for path, match in matches.items()}
    return Inputs(queries, chosen, matches, source, labels, rows, fitted)


def annotate(settings: Settings, *, threads: int) -> None:
    """Annotate every query from one reference, and write what was found into a folder for each.

    Raises
    ------
    InputError
        As `inspect` does.
    """
    seconds = {}
    with timed("reading and checking", seconds):
        inputs = inspect(settings)
    fitted, chosen = inputs.fitted, inputs.chosen
    if fitted is None:
        with timed("training on the reference", seconds):
            fitted = reference.fit(inputs.source, chosen[inputs.source.path], inputs.labels, inputs.rows, settings)
        fitted.save(settings.model_folder)
    for path, folder in settings.folders().items():
        cells = inputs.queries[path]
        annotation = annotated(cells, chosen[cells.path], inputs.matches[path], fitted, settings.seed, threads, seconds)
        with timed("writing", annotation.seconds):
            writing.write_copy(
                cells, annotation.labelled.table, annotation.labelled.codes, annotation.tsne, folder / COPY
            )
            io.write_table(annotation.labelled.table, folder / TABLE)
            io.write_text(page.render(annotation, folder.name, settings.seed), folder / PAGE)
        for sentence in look_first(annotation):
            log.info("%s: %s", folder.name, sentence)
        log.info("%s: see %s", folder.name, folder / PAGE)


def annotated(
    cells: Cells,
    taken: Content,
    match: genes.Match,
    fitted: reference.Reference,
    seed: int,
    threads: int,
    seconds: dict[str, float],
) -> Annotation:
    """Align the reference's model to one query, label all its cells and place them on a tSNE.

    Parameters
    ----------
    seconds
        How long the stages before took.
    """
    n, seconds = len(cells.cell_ids), dict(seconds)
    with timed(f"{cells.path}: alignment", seconds, "alignment"):
        rows = sample(n, ALIGNED_CELLS, seed)
        X = cells.rows(taken.place, rows)
        filled = has_counts(X, match)
        rows = rows[filled]
        target = fitted.expression(X[filled], match, cells.cell_ids[rows])
        aligned = fitted.jind.align(target)
    with timed(f"{cells.path}: labels", seconds, "labels"):
        query = Query(cells, taken, match)
        labelled = label(query, fitted, aligned)
    with timed(f"{cells.path}: tSNE", seconds, "tSNE"):
        drawn = sample(n, MAPPED_CELLS, seed)
        tsne = place(labelled.codes, drawn, seed, threads)
    return Annotation(query, fitted, aligned, labelled, tsne, drawn, len(rows), seconds)


def place(codes: np.ndarray, drawn: np.ndarray, seed: int, threads: int) -> np.ndarray:
    """Coordinates of all cells, n x 2: a tSNE of those that are drawn, the others placed on it."""
    fitted = tsne_map(codes[drawn], seed, threads)
    coordinates = np.empty((len(codes), 2))
    coordinates[drawn] = fitted.coordinates
    others = np.setdiff1d(np.arange(len(codes)), drawn)
    for start in range(0, len(others), PLACED_AT_ONCE):
        rows = others[start : start + PLACED_AT_ONCE]
        coordinates[rows] = fitted.place(codes[rows])
    return coordinates


def say(cells: Cells, taken: Content, key: str) -> None:
    """Log which matrix is taken, and why; `key` names another."""
    log.info("%s (%s): uses %s, %s: %s", cells.path, cells.format, taken.place, taken.kind, taken.why)
    if taken.others:
        log.warning("%s: %s", cells.path, several(taken, key))


@contextmanager
def timed(stage: str, seconds: dict[str, float], key: str | None = None) -> Iterator[None]:
    """Say that a stage begins, and how long it took; keep that."""
    log.info("%s ...", stage)
    clock = time.perf_counter()
    yield
    seconds[key or stage] = time.perf_counter() - clock
    log.info("%s: %.0f seconds", stage, seconds[key or stage])

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

from jindbench import io, tsne
from jindbench.annotate import content, hierarchy, reference, writing
from jindbench.annotate.by_method import ByMethod
from jindbench.annotate.cells import Cells
from jindbench.annotate.columns import BROAD_LABEL, OTHER_LABEL, TERM
from jindbench.annotate.content import Content
from jindbench.annotate.findings import AT_THE_TOP, Annotation, by_type, look_first, prospects, several, summary
from jindbench.annotate.forecast import FEWEST, PART, Forecast, fit, forecast, limit
from jindbench.annotate.formats import open_cells
from jindbench.annotate.h5ad import AnnDataFile
from jindbench.annotate.labelling import ALIGNED_CELLS, Labelled, Query, above, completed, has_counts, label, sample
from jindbench.annotate.settings import COPY, PAGE, TABLE, Settings, can_forecast
from jindbench.data import genes
from jindbench.errors import InputError
from jindbench.execution import guard
from jindbench.jind.estimator import JIND
from jindbench.jind.model import MIN_GENE_SHARE
from jindbench.names import UNASSIGNED

# Cells that the tSNE is made of: its time grows with them, and more are not told apart on a page. Others are placed
# among their nearest neighbours, so many at one time.
MAPPED_CELLS = 20_000
NEIGHBOURS = 25  # whose median is a placed cell's place; openTSNE looks for three times the perplexity, else for 150
PLACED_AT_ONCE = 20_000
# The tSNE of 2,000 cells is about as good as by openTSNE's defaults (divergence 1.096 to 1.087) in 37 % of the time.
QUICK = {"early_exaggeration_iter": 100, "n_iter": 250, "theta": 0.8}
SAMPLE_CELLS = 1_000  # that alignment sees of each of many samples, at least

# A cell's sample or cluster where the column has none.
NONE = "(none)"

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
    columns
        Each query's samples and clusters by the names of their keys, as far as keys were given.
    groups
        Broader types that were named in this run, with their types; None where none were.
    """

    queries: dict[str, Cells]
    chosen: dict[Path, Content]
    matches: dict[str, genes.Match]
    source: Cells | None
    labels: pd.Series | None
    rows: np.ndarray | None
    fitted: reference.Reference | None
    columns: dict[str, dict[str, pd.Series]]
    groups: hierarchy.Groups | None


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
        writing.check_names(cells, with_terms=settings.ontology is not None)
    columns = {path: _columns(cells, settings) for path, cells in queries.items()}
    source = labels = rows = fitted = None
    if settings.stored:
        fitted = reference.load(settings)
    else:
        source, labels = reference.open_reference(settings)
    types = fitted.jind.model_.classes if fitted else sorted(labels.dropna().unique())
    groups = hierarchy.given(settings, source, labels, types) if settings.broad_key else None
    if fitted is not None and groups is not None:
        fitted = replace(fitted, groups=groups)
    if settings.ontology is not None:
        hierarchy.terms(settings.ontology, types)
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
    return Inputs(queries, chosen, matches, source, labels, rows, fitted, columns, groups)


def _columns(cells: Cells, settings: Settings) -> dict[str, pd.Series]:
    """Samples and clusters of a query's cells, as text, by the names of `Query`'s attributes."""
    found = {}
    for name, key in (("samples", settings.sample_key), ("clusters", settings.cluster_key)):
        if key is None:
            continue
        if not isinstance(cells, AnnDataFile):
            raise InputError(f"{cells.path}: a {cells.format} has no columns of cells; leave {name[:-1]}_key out")
        obs = cells.obs(key)
        if key not in obs or len(obs) != len(cells.cell_ids):
            there = ", ".join(cells.columns) or "none"
            raise InputError(f"{cells.path}: {name[:-1]}_key '{key}' is not a column of obs (there are: {there})")
        values = obs[key].reset_index(drop=True)
        found[name] = values.astype(str).where(values.notna(), NONE)
        if (n := found[name].nunique()) > len(values) / 2 > 1:
            raise InputError(f"{cells.path}: {name[:-1]}_key '{key}' has {n} different values in {len(values)} cells")
    return found


def annotate(settings: Settings, *, threads: int, check: bool = False, pages: bool = True) -> None:
    """Annotate every query from one reference, and write what was found into a folder for each.

    Parameters
    ----------
    check
        Only say how many labels would be right, and store the model.
    pages
        Draw a page for each query.

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
            fitted = replace(fitted, groups=inputs.groups)
        fitted.save(settings.model_folder)
    if not check:  # an interrupted run must not leave an earlier one's labels beside its own
        for result in settings.results():
            result.unlink(missing_ok=True)
    for path, folder in settings.folders().items():
        cells = inputs.queries[path]
        query = Query(cells, chosen[cells.path], inputs.matches[path], **inputs.columns[path])
        if check:
            look_ahead(query, fitted, settings, folder.name)
            continue
        annotation = annotated(query, fitted, settings, folder, threads, seconds)
        with timed("writing", annotation.seconds):
            uns = writing.record(settings, fitted, fitted.jind.model_.classes, annotation.forecast)
            writing.write_copy(cells, annotation.labelled, annotation.tsne, uns, folder / COPY)
            if pages:
                from jindbench.annotate import page  # now that there are labels: its libraries take long to import

                io.write_text(page.render(annotation, folder.name, settings), folder / PAGE)
        expected = prospects(annotation, settings.max_error)
        for sentence in [*summary(annotation, settings.max_error), *expected, *look_first(annotation)[:AT_THE_TOP]]:
            log.info("%s: %s", folder.name, sentence)
        if pages:
            log.info("%s: see %s", folder.name, folder / PAGE)


def annotated(
    query: Query,
    fitted: reference.Reference,
    settings: Settings,
    folder: Path,
    threads: int,
    seconds: dict[str, float],
) -> Annotation:
    """Align the reference's model to a query, or to each of its samples, label all cells and place them on a tSNE.

    The table of labels is written as soon as it is known.

    Parameters
    ----------
    seconds
        How long the stages before took.
    """
    n, seconds, name = len(query.cell_ids), dict(seconds), query.cells.path
    with timed(f"{name}: alignment", seconds, "alignment"):
        aligned = align(query, fitted, settings)
    codes, components = aligned.codes, None
    if codes is not None and len(codes) >= tsne.FEWEST:
        from sklearn.decomposition import PCA

        codes = codes[sample(len(codes), MAPPED_CELLS, settings.seed)].astype(np.float64)
        n_components = min(tsne.N_COMPONENTS, len(codes) - 1, codes.shape[1])
        components = PCA(n_components, svd_solver="covariance_eigh").fit(codes)
    with timed(f"{name}: labels", seconds, "labels"):
        labelled = label(
            query, fitted, aligned.models, components, aligned.limits, probabilities=settings.probabilities
        )
        if fitted.bake_off is not None:
            add_other_labels(labelled.table, query, fitted)
        if settings.ontology is not None:
            terms = hierarchy.terms(settings.ontology, fitted.jind.model_.classes)
            labelled.table[TERM] = labelled.table[BROAD_LABEL].map(terms).fillna("unknown")
        io.write_table(writing.whole_table(labelled), folder / TABLE)
    drawn, coordinates = sample(n, MAPPED_CELLS, settings.seed), None
    if components is not None:
        with timed(f"{name}: tSNE", seconds, "tSNE"):
            coordinates = place(labelled.codes, drawn, settings.seed, threads)
    return Annotation(
        query, fitted, aligned.models, labelled, coordinates, drawn, len(aligned.seen), aligned.forecast, seconds
    )


def add_other_labels(table: pd.DataFrame, query: Query, fitted: reference.Reference) -> None:
    """Add the labels of the bake-off's next best method, which reads the whole query into memory."""
    if fitted.bake_off.other is None or len(table) > ALIGNED_CELLS:
        log.warning("%s: no labels of another method: there is none, or more than %d cells", OTHER_LABEL, ALIGNED_CELLS)
        return
    X = query.cells.rows(query.content.place, np.arange(len(table)))
    filled = np.flatnonzero(has_counts(X, query.match))
    cells = fitted.measured(X[filled], query.match, query.cell_ids[filled])
    try:
        labels = fitted.bake_off.other_labels(cells)
    except Exception as error:  # which is no reason to lose the labels that there are
        log.warning("%s: no labels of %s: %s", OTHER_LABEL, fitted.bake_off.other, guard.reason_of(error))
        return
    table[OTHER_LABEL] = UNASSIGNED
    table.loc[filled, OTHER_LABEL] = labels


def look_ahead(query: Query, fitted: reference.Reference, settings: Settings, name: str) -> None:
    """Log how many labels would be right, in all and by type, and what is odd, by the cells that alignment sees."""
    aligned = align(query, fitted, settings)
    if not len(aligned.seen):
        log.warning("%s: no cell has a count in the genes in common", name)
        return
    nothing = pd.DataFrame()
    labelled = Labelled(aligned.seen, None, None, np.zeros(len(aligned.seen), dtype=bool), nothing, nothing)
    ahead = Annotation(
        query, fitted, aligned.models, labelled, None, np.arange(0), len(aligned.seen), aligned.forecast, {}
    )
    of_types = by_type(ahead).round(2).rename_axis("most probable type").to_string().splitlines()
    for line in [*prospects(ahead, settings.max_error), *look_first(ahead), *of_types]:
        log.info("%s: %s", name, line)
    log.info("%s: nothing was labelled; the model is in %s and can be named as reference", name, settings.model_folder)


@dataclass(frozen=True)
class Aligned:
    """The reference's model aligned to each part of a query, and what it says of the cells that alignment saw.

    Attributes
    ----------
    models
        By part.
    seen
        The table of these cells, with their `PART`.
    codes
        Their latent codes; None without an embedding.
    limits
        By part, the confidence that a label demands; None where the model's thresholds hold.
    forecast
        How many labels should be right; None for few cells, or with a method that has none.
    """

    models: dict[str, JIND | ByMethod]
    seen: pd.DataFrame
    codes: np.ndarray | None
    limits: dict[str, float] | None
    forecast: Forecast | None


def align(query: Query, fitted: reference.Reference, settings: Settings) -> Aligned:
    """Align the reference's model. A part without any count in the genes in common has it as it is."""
    parts = query.parts.groupby(query.parts).indices
    most = ALIGNED_CELLS if len(parts) == 1 else max(ALIGNED_CELLS // len(parts), SAMPLE_CELLS)
    if isinstance(fitted.jind, ByMethod):  # which would train anew for the others
        most = len(query.cell_ids)
    rows = np.sort(np.concatenate([of_part[sample(len(of_part), most, settings.seed)] for of_part in parts.values()]))
    X = query.cells.rows(query.content.place, rows)
    filled = has_counts(X, query.match)
    rows = rows[filled]
    target = fitted.expression(X[filled], query.match, query.cell_ids[rows], first=True)
    of_row = query.parts.to_numpy()[rows]
    models, fits, seen, codes = dict.fromkeys(parts, fitted.jind), {}, [pd.DataFrame()], []
    limits = None if settings.max_error is None else dict.fromkeys(parts, 1.0)
    for part in parts:
        if (of_row == part).any():
            cells = target[of_row == part]
            models[part] = fitted.jind.align(cells)
            if settings.embedding:
                table, of_cells = models[part].predict_and_code(cells, probabilities=True)
                codes.append(of_cells)
            else:
                table = models[part].predict(cells, probabilities=True)
            fits[part] = fit(table, models[part].model_)
            if limits is not None:
                limits[part] = limit(table, models[part].model_, fits[part], settings.max_error)
                table = above(table, limits[part], models[part].model_)
            table, _ = completed(table, models[part].model_, np.zeros(len(table), dtype=bool))
            seen.append(table.assign(**{PART: part}))
    seen = pd.concat(seen, ignore_index=True)
    expected = forecast(models, seen, fits) if can_forecast(fitted.method) and len(seen) >= FEWEST else None
    return Aligned(models, seen, np.concatenate(codes) if codes else None, limits, expected)


def place(codes: np.ndarray, drawn: np.ndarray, seed: int, threads: int) -> np.ndarray:
    """Coordinates of all cells, n x 2: a tSNE of those that are drawn, the others placed among their neighbours."""
    fitted = tsne.embed(codes[drawn], seed, threads, **QUICK)
    coordinates = np.empty((len(codes), 2))
    coordinates[drawn] = fitted
    others = np.setdiff1d(np.arange(len(codes)), drawn)
    for start in range(0, len(others), PLACED_AT_ONCE):
        rows = others[start : start + PLACED_AT_ONCE]
        coordinates[rows] = fitted.prepare_partial(codes[rows].astype(float), k=NEIGHBOURS, perplexity=NEIGHBOURS / 3)
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

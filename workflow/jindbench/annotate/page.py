"""The page of an annotated query: one self-contained HTML file, every name in it escaped."""

import base64
import io as streams

import jinja2
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from jindbench.annotate.by_method import ByMethod
from jindbench.annotate.columns import BROAD_LABEL, OTHER_LABEL, STATUS
from jindbench.annotate.findings import (
    AT_THE_TOP,
    Annotation,
    broader,
    by_type,
    clusters,
    composition,
    composition_of_samples,
    look_first,
    prospects,
    samples,
    summary,
)
from jindbench.annotate.forecast import FEWEST
from jindbench.annotate.labelling import STATUSES, Query, groups, new_type, top_genes
from jindbench.annotate.reference import Reference
from jindbench.annotate.settings import Settings
from jindbench.data import genes
from jindbench.execution import job
from jindbench.names import LABEL, NOVELTY, RAW_LABEL, UNASSIGNED
from jindbench.plots import annotation as pictures

DOTS = 60  # genes of the dot plot

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("jindbench.annotate", "."),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(annotation: Annotation, name: str, settings: Settings) -> str:
    """The page, as HTML."""
    query, table, reference = annotation.query, annotation.labelled.table, annotation.reference
    new_above, found = new_type(reference.jind.model_).above, look_first(annotation)
    counts = composition(annotation)
    shares = (100 * counts / counts.sum().clip(lower=1)).round(2)
    histories = {"training on the reference": reference.jind.history_}
    if len(annotation.aligned) == 1:
        histories = {"alignment": next(iter(annotation.aligned.values())).history_} | histories
    return TEMPLATES.get_template("page.html").render(
        name=name,
        summary=[*summary(annotation, settings.max_error)],
        prospects=[*prospects(annotation, settings.max_error)],
        look_first=found[:AT_THE_TOP],
        look_then=found[AT_THE_TOP:],
        new_above=new_above,
        by_expression=reference.jind.model_.profiles is not None,
        n_cells=len(table),
        n_drawn=len(annotation.drawn),
        aligned=not isinstance(reference.jind, ByMethod),
        statuses=pd.crosstab(table[STATUS], table[BROAD_LABEL] != UNASSIGNED).reindex(
            index=STATUSES, columns=[True, False], fill_value=0
        ),
        tree=broader(annotation),
        has_groups=len(reference.hierarchy.groups) > 0,
        groups_given=reference.groups is not None,
        n_without=int((table[BROAD_LABEL] == UNASSIGNED).sum()),
        composition=_picture(pictures.composition(shares)),
        counts=counts.join(shares.add_suffix(" %")),
        maps=_maps(annotation, new_above),
        confidence=_picture(pictures.confidence(table)),
        by_type=by_type(annotation),
        has_forecast=annotation.forecast is not None,
        fewest=FEWEST,
        samples=samples(annotation) if query.samples is not None else None,
        of_samples=composition_of_samples(annotation) if query.samples is not None else None,
        clusters=clusters(annotation) if query.clusters is not None else None,
        **_genes(annotation),
        has_symbols=genes.kind_of(gene_names(query, reference)[0]) == "symbols",
        bake_off=reference.bake_off,
        n_disagree=int((table[OTHER_LABEL] != table[RAW_LABEL])[~annotation.labelled.empty].sum())
        if OTHER_LABEL in table
        else None,
        histories=histories,
        epochs=_picture(pictures.epochs(histories["alignment"])) if _has_epochs(histories.get("alignment")) else None,
        genes={
            "genes in common": f"{len(query.match.query):,} of the query's {query.match.n_query:,} and the reference's "
            f"{query.match.n_reference:,}",
            "matched by": query.match.how,
            "left out, since their name is repeated on a side": f"{query.match.repeated:,}",
        },
        made={
            "query": f"{query.cells.path} ({query.cells.format})",
            "matrix taken": f"{query.content.place}: {query.content.kind} ({query.content.why})",
            "matrices that cannot be used": "; ".join(query.content.unusable) or "none",
            "cells used for alignment": f"{annotation.n_aligned:,}",
            "seconds": ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in annotation.seconds.items()),
            "seed": str(settings.seed),
        },
        reference=reference.facts,
        surroundings=job.surroundings(),
        versions=job.imported_versions(),
    )


def _maps(annotation: Annotation, new_above: float) -> dict[str, str] | None:
    """The pictures of the tSNE, by what they show."""
    if annotation.tsne is None:
        return None
    table = annotation.labelled.table[[LABEL, STATUS, NOVELTY]].iloc[annotation.drawn].reset_index(drop=True)
    points = pd.DataFrame(annotation.tsne[annotation.drawn], columns=["tsne_1", "tsne_2"]).join(table)
    filled = points[~annotation.labelled.empty[annotation.drawn]]
    return {
        "labels": _picture(pictures.on_the_map(points, annotation.reference.jind.model_.classes)),
        "rejected": _picture(pictures.statuses(points, STATUSES)),
        "novelty": _picture(pictures.novelty(filled, new_above)),
    }


def _genes(annotation: Annotation) -> dict:
    """The table and the dots of each group's top genes."""
    names, ids = gene_names(annotation.query, annotation.reference)
    labelled, top = annotation.labelled, top_genes(annotation.labelled)
    sizes = groups(labelled.table).value_counts()
    rows = [{"label": group, "cells": sizes[group], "genes": ", ".join(names[best])} for group, best in top.items()]
    if ids is not None:
        rows = [row | {"ids": ", ".join(ids[best])} for row, best in zip(rows, top.values(), strict=True)]
    drawn = list(dict.fromkeys(gene for best in top.values() for gene in best[: max(1, DOTS // len(top))]))[:DOTS]
    if not drawn:
        return {"top_genes": pd.DataFrame(rows), "dots": None}
    of_groups = [of.loc[[*top]].iloc[:, drawn] for of in (labelled.expression, labelled.expressing)]
    picture = pictures.dots(*[of.set_axis(names[drawn], axis=1) for of in of_groups])
    return {"top_genes": pd.DataFrame(rows), "dots": _picture(picture)}


def gene_names(query: Query, reference: Reference) -> tuple[pd.Index, pd.Index | None]:
    """Names of a query's genes for people, and the ids beside them where these are others.

    Where the query's file has ids alone, genes in common have the reference's symbols.
    """
    symbols = genes.symbols(query.genes)
    if genes.kind_of(symbols) != "symbols":
        theirs = genes.symbols(reference.genes)
        if genes.kind_of(theirs) == "symbols":
            known = symbols.to_numpy(dtype=object, copy=True)
            known[query.match.query] = theirs[query.match.reference]
            return pd.Index(known), symbols
    ids = pd.Index(query.genes.index.astype(str))
    return symbols, ids if genes.kind_of(ids) == "Ensembl ids" and not ids.equals(symbols) else None


def _has_epochs(history: pd.DataFrame | None) -> bool:
    return history is not None and {"epoch", "kept"} <= {*history}


def _picture(figure: Figure) -> str:
    """A figure as a data URI, which carries the image itself."""
    content = streams.BytesIO()
    with rc_context({"svg.hashsalt": "jindbench"}):
        figure.savefig(content, format="svg", dpi=150, metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(content.getvalue()).decode()

"""The page of an annotated query: one self-contained HTML file, every name in it escaped."""

import base64
import io as streams

import jinja2
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from jindbench.annotate.findings import Annotation, by_type, composition, look_first
from jindbench.annotate.labelling import STATUS, STATUSES, new_type, top_genes
from jindbench.data import genes
from jindbench.execution import job
from jindbench.names import LABEL, NOVELTY
from jindbench.plots import annotation as pictures

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("jindbench.annotate", "."),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(annotation: Annotation, name: str, seed: int) -> str:
    """The page, as HTML."""
    query, table, reference = annotation.query, annotation.labelled.table, annotation.reference
    points = pd.DataFrame(annotation.tsne[annotation.drawn], columns=["tsne_1", "tsne_2"])
    columns = table[[LABEL, STATUS, NOVELTY]].iloc[annotation.drawn]
    points = points.assign(**columns.reset_index(drop=True))
    counts = composition(annotation)
    shares = (100 * counts / counts.sum().clip(lower=1)).round(2)
    symbols = genes.symbols(query.genes)
    return TEMPLATES.get_template("page.html").render(
        name=name,
        look_first=look_first(annotation),
        new_above=new_type(reference.jind.model_).above,
        by_expression=reference.jind.model_.profiles is not None,
        n_cells=len(table),
        n_drawn=len(points),
        statuses=table[STATUS].value_counts().reindex(STATUSES, fill_value=0),
        composition=_picture(pictures.composition(shares)),
        counts=counts.join(shares.add_suffix(" %")),
        labels=_picture(pictures.on_the_map(points, reference.jind.model_.classes)),
        rejected=_picture(pictures.statuses(points, STATUSES)),
        novelty=_picture(pictures.novelty(points[~annotation.labelled.empty[annotation.drawn]])),
        confidence=_picture(pictures.confidence(table)),
        by_type=by_type(annotation),
        top_genes=top_genes(annotation.labelled, symbols),
        histories={
            "alignment": _stage(annotation.aligned.history_),
            "training on the reference": _stage(reference.jind.history_),
        },
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
            "seed": str(seed),
        },
        reference=reference.facts,
        surroundings=job.surroundings(),
        versions=job.imported_versions(),
    )


def _stage(history: pd.DataFrame) -> tuple[pd.DataFrame, str | None, int]:
    """A stage's table of epochs, its picture (None for a table of another kind), and the number of models."""
    if not {"epoch", "kept"} <= {*history}:
        return history, None, 0
    return history, _picture(pictures.epochs(history)), int(history["kept"].sum())


def _picture(figure: Figure) -> str:
    """A figure as a data URI, which carries the image itself."""
    content = streams.BytesIO()
    with rc_context({"svg.hashsalt": "jindbench"}):
        figure.savefig(content, format="svg", dpi=150, metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(content.getvalue()).decode()

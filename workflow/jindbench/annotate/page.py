"""The page of an annotated query: one HTML file that needs nothing else, every name in it escaped."""

import base64
import io as streams

import jinja2
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from jindbench.annotate import genes
from jindbench.annotate.findings import Outcome, by_type, composition, look_first
from jindbench.annotate.labelling import ASSIGNED, LOW_CONFIDENCE, NEW_TYPE, STATUS, new_type, top_genes
from jindbench.execution import job
from jindbench.names import LABEL, NOVELTY
from jindbench.plots import annotation

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("jindbench.annotate", "."),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(outcome: Outcome, name: str, seed: int) -> str:
    """The page, as HTML."""
    table, match, reference = outcome.labelled.table, outcome.match, outcome.reference
    points = pd.DataFrame(outcome.tsne[outcome.drawn], columns=["tsne_1", "tsne_2"])
    points = points.assign(**{column: table[column].to_numpy()[outcome.drawn] for column in (LABEL, STATUS, NOVELTY)})
    counts = composition(outcome)
    shares = (100 * counts / counts.sum().clip(lower=1)).round(2)
    symbols = genes.symbols(outcome.cells.genes[outcome.content.place])
    return TEMPLATES.get_template("page.html").render(
        name=name,
        look_first=look_first(outcome),
        new_above=new_type(reference.jind.model_).above,
        by_expression=reference.jind.model_.profiles is not None,
        n_cells=len(table),
        n_drawn=len(points),
        statuses=table[STATUS].value_counts().reindex([ASSIGNED, LOW_CONFIDENCE, NEW_TYPE], fill_value=0),
        composition=_picture(annotation.composition(shares)),
        counts=counts.join(shares.add_suffix(" %")),
        labels=_picture(annotation.on_the_map(points, reference.jind.model_.classes)),
        rejected=_picture(annotation.statuses(points, (ASSIGNED, LOW_CONFIDENCE, NEW_TYPE))),
        novelty=_picture(annotation.novelty(points[~outcome.labelled.empty[outcome.drawn]])),
        confidence=_picture(annotation.confidence(table)),
        by_type=by_type(outcome),
        top_genes=top_genes(outcome.labelled, symbols),
        histories={
            "alignment": _stage(outcome.aligned.history_),
            "training on the reference": _stage(reference.jind.history_),
        },
        genes={
            "genes in common": f"{len(match.query):,} of the query's {match.n_query:,} and the reference's "
            f"{match.n_reference:,}",
            "matched by": match.how,
            "left out, since a side has the name more than once": f"{match.repeated:,}",
        },
        made={
            "query": f"{outcome.cells.path} ({outcome.cells.format})",
            "matrix taken": f"{outcome.content.place}: {outcome.content.kind} ({outcome.content.why})",
            "cells that alignment saw": f"{outcome.n_aligned:,}",
            "seconds": ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in outcome.seconds.items()),
            "seed": str(seed),
        },
        reference=reference.facts,
        surroundings=job.surroundings(),
        versions=job.imported_versions(),
    )


def _stage(history: pd.DataFrame) -> tuple[pd.DataFrame, str | None, int]:
    """The table of a stage's epochs, a picture of it, and of how many models; no picture of another table."""
    if not {"epoch", "kept"} <= {*history}:
        return history, None, 0
    return history, _picture(annotation.epochs(history)), int(history["kept"].sum())


def _picture(figure: Figure) -> str:
    """A figure as the address of an image that carries its own content."""
    content = streams.BytesIO()
    with rc_context({"svg.hashsalt": "jindbench"}):
        figure.savefig(content, format="svg", dpi=150, metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(content.getvalue()).decode()

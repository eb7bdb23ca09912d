"""What is known of a query after its annotation, and what its owner should look at first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from jindbench.annotate.by_method import ByMethod
from jindbench.annotate.columns import (
    BROAD_LABEL,
    CLUSTER_LABEL,
    CLUSTER_SHARE,
    DEPTH,
    SECOND_LABEL,
    SECOND_PROBABILITY,
    STATUS,
)
from jindbench.annotate.content import Content
from jindbench.annotate.forecast import BROKEN, FEWEST, KEPT, MEASURED, RISKY, Estimate, Forecast, HeldOut
from jindbench.annotate.labelling import NEW_TYPE, UNFIT, Labelled, Query, new_type, unlike_share
from jindbench.annotate.reference import Reference
from jindbench.annotate.settings import CONSENSUS, can_forecast
from jindbench.jind.composition import STRANGE
from jindbench.jind.estimator import JIND
from jindbench.names import CONFIDENCE, LABEL, LOG, NOVELTY, RAW_LABEL, UNASSIGNED

# Limits beyond which the page warns. None of them changes a label.
MANY_REJECTED = 0.2  # of the cells
NEW_CELLS = 2  # times as many as are flagged where there is nothing new
UNLIKE_CELLS = 30  # % of the cells nearest to a type
FAR_COMPOSITION = 0.3  # total variation: the share of cells that would have to be of another type
FEW_GENES = 500  # in common
SMALL_SHARE = 0.5  # of the smaller side's genes
MODEL_GENES = 0.95  # of those that the model reads, by how high they are expressed
LOW_ACCURACY = 0.8  # on held-out reference cells, or forecast
USELESS = 0.5  # accuracy that the forecast does not expect to be reached
OTHER_TOTAL = 2  # quotient of both sides' totals, or of how much they differ from cell to cell
SMALL_TYPE = 10  # cells of the reference: a threshold rests on a fifth to a third of them
FEW_CELLS = 50  # which do not have a composition to speak of
AT_THE_TOP = 3  # things to look at
CLOSE = 0.2  # probability of the second type, from which a cell lies between two
SURE = 0.95  # median confidence that needs no doubt
MIXED = 0.6  # share of a cluster that its most frequent label has

ON_LOGARITHMS = "The labels rest on logarithms, since a side has no counts."
ALIKE = "They look as if they were made in the same way"

REJECTED, UNLIKE = "rejected %", "unlike the type %"  # columns of `by_type`


@dataclass(frozen=True)
class Annotation:
    """All that is known of one query after its annotation.

    Attributes
    ----------
    query
        The cells.
    reference
        The model before alignment.
    aligned
        After it, for each part of the query: its samples, or all cells.
    labelled
        The labels.
    tsne
        Coordinates of all cells, n x 2; None without an embedding.
    drawn
        Positions of the cells that the tSNE was made of; the others were placed among them.
    n_aligned
        Number of cells that alignment saw.
    forecast
        How many labels should be right, by these cells; None where it is not known.
    seconds
        How long each stage took.
    """

    query: Query
    reference: Reference
    aligned: dict[str, JIND | ByMethod]
    labelled: Labelled
    tsne: np.ndarray | None
    drawn: np.ndarray
    n_aligned: int
    forecast: Forecast | None
    seconds: dict[str, float]


def composition(annotation: Annotation, by: str = LABEL) -> pd.DataFrame:
    """Cells of each of the reference's types: columns `reference` (where known) and `query`; the largest first.

    `by`: the label, or the most probable type, which rejected cells have too.
    """
    types = annotation.reference.jind.model_.classes
    cells = annotation.labelled.table.loc[~annotation.labelled.empty, by]
    counts = pd.DataFrame({"query": cells.value_counts().reindex(types, fill_value=0)})
    if (known := annotation.reference.composition) is not None:
        counts.insert(0, "reference", known.reindex(types, fill_value=0))
    return counts.sort_values(counts.columns[0], ascending=False, kind="stable")


def by_type(annotation: Annotation) -> pd.DataFrame:
    """A row for each most probable type: cells, shares of them rejected, possibly new and unlike it, median confidence.

    Unlike it are those whose novelty is as high as that of the possibly new ones, rejected or not, where novelty asks
    for the expression. (It compares with the type that was most probable before alignment, which for few cells is
    another.) Cells without counts are left out.
    """
    model, table = annotation.reference.jind.model_, annotation.labelled.table[~annotation.labelled.empty]
    unlike = table[NOVELTY] > new_type(model).above
    status = {"rejected": table[LABEL] == UNASSIGNED, "new": table[STATUS] == NEW_TYPE}
    rows = table.assign(**status, unlike=unlike).groupby(RAW_LABEL)
    counted = pd.DataFrame(
        {
            "cells": rows.size(),
            REJECTED: 100 * rows["rejected"].mean(),
            "possibly new %": 100 * rows["new"].mean(),
            UNLIKE: 100 * rows["unlike"].mean(),
            "median confidence": rows[CONFIDENCE].median(),
        }
    ).sort_values("cells", ascending=False)
    if annotation.forecast is not None:
        counted["forecast: right %"] = [_as_text(annotation.forecast.types.get(name)) for name in counted.index]
    return counted.drop(columns=UNLIKE) if model.profiles is None else counted


def broader(annotation: Annotation) -> pd.DataFrame:
    """The tree of types, a row for each group and type, from the root on: its cells, and what it demands of them.

    `cells` have exactly this label; `with those below` also have that of a group or type in it.
    """
    counts = annotation.labelled.table.groupby([BROAD_LABEL, DEPTH]).size()
    tree, rows = [*annotation.reference.hierarchy.rows()], []
    for name, types, depth, threshold in tree:
        own = [counts.get((other, at), 0) for other, theirs, at, _ in tree if {*theirs} <= {*types}]
        rows.append((name, depth, counts.get((name, depth), 0), sum(own), threshold))
    return pd.DataFrame(rows, columns=["label", "depth", "cells", "with those below", "demands"])


def samples(annotation: Annotation) -> pd.DataFrame:
    """A row for each sample: cells, shares with a label, with none and possibly new, its composition, what is odd."""
    rows, of_sample = [], annotation.query.parts
    for name, model in annotation.aligned.items():
        chosen = (of_sample == name).to_numpy()
        labelled = replace(
            annotation.labelled, table=annotation.labelled.table[chosen], empty=annotation.labelled.empty[chosen]
        )
        # The forecast by type is that of all samples: it is told once, not here.
        sample = replace(annotation, labelled=labelled, aligned={name: model}, forecast=None)
        table, distance = labelled.table, far(composition(sample, RAW_LABEL))
        rows.append(
            {
                "sample": name,
                "cells": len(table),
                "with a label %": 100 * (table[LABEL] != UNASSIGNED).mean(),
                "without any %": 100 * (table[BROAD_LABEL] == UNASSIGNED).mean(),
                "possibly new %": 100 * (table[STATUS] == NEW_TYPE).mean(),
                "median confidence": table[CONFIDENCE].median(),
                "total variation": "" if distance is None else f"{distance:.2f}",
                "forecast: right %": _as_text(annotation.forecast and annotation.forecast.samples.get(name)),
                "look at": " ".join([*_misfit(sample), *_odd(sample)]),
            }
        )
    return pd.DataFrame(rows)


def composition_of_samples(annotation: Annotation) -> pd.DataFrame:
    """Samples x types, in per cent of the sample's cells; unassigned cells are a column too."""
    labels = annotation.labelled.table[LABEL].to_numpy()
    return 100 * pd.crosstab(annotation.query.parts.to_numpy(), labels, normalize="index")


def clusters(annotation: Annotation) -> pd.DataFrame:
    """A row for each cluster: cells, the label that won and its share, the next label and its share."""
    table = annotation.labelled.table.assign(cluster=annotation.query.clusters.to_numpy())
    rows, numbers = [], table["cluster"].str.isdecimal().all()
    for name, cells in sorted(table.groupby("cluster"), key=lambda of: int(of[0]) if numbers else of[0]):
        shares = cells[LABEL].value_counts(normalize=True).drop(cells[CLUSTER_LABEL].iloc[0])
        rows.append(
            {
                "cluster": name,
                "cells": len(cells),
                "label": cells[CLUSTER_LABEL].iloc[0],
                "share %": 100 * cells[CLUSTER_SHARE].iloc[0],
                "next label": shares.index[0] if len(shares) else "",
                "its share %": 100 * shares.iloc[0] if len(shares) else 0.0,
            }
        )
    return pd.DataFrame(rows)


def far(counts: pd.DataFrame) -> float | None:
    """Total variation between the compositions that `composition` counts; None where one is unknown."""
    if "reference" not in counts or not counts["query"].sum():
        return None
    shares = counts / counts.sum().clip(lower=1)
    return (shares["query"] - shares["reference"]).abs().sum() / 2


def unaligned_was_kept(model: JIND | ByMethod) -> bool:
    """Whether of all epochs of the alignment the start, which is the unaligned model, was kept."""
    history = model.history_
    return {"epoch", "kept"} <= {*history} and bool((history.loc[history["kept"].astype(bool), "epoch"] == 0).any())


def several(content: Content, key: str) -> str:
    """That a file has several matrices of the kind that was taken, and how to choose."""
    return (
        f"{content.kind} were taken from {content.place}; {', '.join(content.others)} hold {content.kind} too: the "
        f"option `{key}` takes another."
    )


def look_first(annotation: Annotation) -> list[str]:
    """What to look at, the most important first: what labels rest on, what is odd, else what is least sure.

    There are three at least where there are so many to tell. Where the reference does not fit, nothing else matters.
    """
    if misfit := [*_misfit(annotation)]:
        return [*misfit, *_basis(annotation)]
    found = [*_basis(annotation), *_odd(annotation), *_minor(annotation)]
    return found + [*_least_sure(annotation)][: max(AT_THE_TOP - len(found), 0)]


def _misfit(annotation: Annotation) -> Iterator[str]:
    """Why the labels should not be used at all."""
    table, whole = annotation.labelled.table, annotation.forecast and annotation.forecast.whole
    if (share := unlike_share(table, annotation.reference.jind.model_)) > UNFIT:
        which = "with a label " if (table[LABEL] != UNASSIGNED).any() else ""
        yield (
            f"This reference does not fit: {share:.0%} of the cells {which}are unlike its cells of that type. Do "
            "not use these labels. Take a reference of the same tissue, with the types that you expect."
        )
    elif whole is not None and whole.high < USELESS:
        yield (
            f"By the forecast, at most {whole.high:.0%} of the cells are of their most probable type. Do not use these "
            "labels. Take a reference of the same tissue, with the types that you expect."
        )


def prospects(annotation: Annotation, max_error: float | None) -> Iterator[str]:
    """How many labels should be right, by the forecast."""
    forecast, method = annotation.forecast, annotation.reference.method
    if forecast is None:
        few = f"fewer than {FEWEST} cells have a count in the genes in common"
        yield f"No forecast: {few if can_forecast(method) else f'not available with {method}'}."
        return
    whole, labelled = forecast.whole, forecast.labelled
    if whole.accuracy == 0:
        yield "Forecast: hardly any cell is of its most probable type, since the reference does not fit."
        return
    all_types = "that the reference has all types of the query"
    if doubt := [*_possibly_new(annotation), *_unlike_types(annotation)]:
        yield f"The forecast supposes {all_types}. That is in doubt (see below): expect more errors than it says."
    yield (
        f"Forecast: {whole.accuracy:.0%} of the cells are of their most probable type (80 % interval: "
        f"{_interval(whole)})."
    )
    if labelled is not None:
        yield (
            f"Of the labels, {1 - labelled.accuracy:.1%} are expected to be wrong (80 % interval: "
            f"{100 * (1 - labelled.high):.1f} to {100 * (1 - labelled.low):.1f} %)."
        )
    if not doubt:
        yield f"This supposes {all_types}."
    if method != CONSENSUS:
        yield (
            f"These are the labels of {method}. The forecast was tuned on {CONSENSUS}; how accurate it is for {method} "
            f"{'is in docs/forecast.md' if method in MEASURED else 'was not measured'}."
        )
        return
    if max_error is not None:
        risky = whole.low < RISKY
        first, *others = ((f"{100 * wrong:.3g} %", f"where {100 * stated:.3g} %") for stated, wrong in KEPT.items())
        kept = [f"{first[0]} were wrong on average {first[1]} were asked for", *map(" ".join, others)]
        yield (
            f"At most {100 * max_error:.3g} % wrong labels were asked for. On real pairs whose reference had the "
            f"query's types, {', '.join(kept)}. Of the pairs "
            f"whose forecast, as here, {'reached' if risky else 'did not reach'} below {RISKY:.0%} with its interval, "
            f"{BROKEN[risky]:.0%} had more than 7.5 % where 5 % were asked for."
        )


def _interval(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.0f} to {100 * estimate.high:.0f} %"


def _as_text(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{100 * estimate.accuracy:.0f} ({_interval(estimate).removesuffix(' %')})"


def summary(annotation: Annotation, max_error: float | None) -> Iterator[str]:
    """How many cells have a label, a broader one, none."""
    table, empty = annotation.labelled.table, annotation.labelled.empty
    rejected, without = table[LABEL] == UNASSIGNED, table[BROAD_LABEL] == UNASSIGNED
    if not rejected.any():
        yield f"All {len(table):,} cells have a label."
        return
    sentence = (
        f"{(~rejected).sum():,} of {len(table):,} cells have a label; {rejected.mean():.1%} are unassigned: "
        f"{(rejected & ~without).sum():,} have a broader label, {without.sum():,} ({without.mean():.1%}) have none."
    )
    if rejected[~empty].mean() > MANY_REJECTED:
        asked = "" if max_error is None else f"at most {100 * max_error:.3g} % wrong labels were asked for, or "
        sentence += (
            f" That is many: {asked}the query may hold types that the reference lacks, or differ strongly from it."
        )
    yield sentence
    if empty.any():
        yield (f"{_cells(empty.sum())} no count in the genes in common, so no label and no part in alignment.")


def _basis(annotation: Annotation) -> Iterator[str]:
    """What labels rest on: the matrix, the genes, the model."""
    content, match, reference = annotation.query.content, annotation.query.match, annotation.reference
    if content.kind == LOG and ALIKE not in (said := logarithms(content.totals, reference.totals)):
        yield f"{ON_LOGARITHMS} {said}"

    share = len(match.query) / min(match.n_reference, match.n_query)
    if len(match.query) < FEW_GENES:
        yield (
            f"Only {len(match.query):,} genes are common to both. Fewer than {FEW_GENES} tell few types apart: labels "
            "may be wrong despite a high confidence."
        )
    elif share < SMALL_SHARE:
        yield f"Only {len(match.query):,} genes are common to both ({share:.0%} of the smaller side's)."
    model = reference.jind.model_
    found = pd.Index(model.genes).isin(reference.genes.index[match.reference])
    expression = np.ones(len(found)) if model.profiles is None else model.profiles.means.mean(axis=0)
    if (part := expression[found].sum() / expression.sum()) < MODEL_GENES:
        by_expression = "" if model.profiles is None else f", with {part:.0%} of their expression in the reference"
        yield (
            f"The query has {found.sum():,} of the model's {len(found):,} genes ({found.mean():.0%}{by_expression}); "
            "the others count as not expressed. A model trained on the genes in common labels better: give the "
            "labelled cells (.h5ad) as reference, and label_key, instead of the model's folder."
        )
    if (accuracy := validation_accuracy(reference.jind.history_)) is not None and accuracy < LOW_ACCURACY:
        yield (
            f"The model is {accuracy:.0%} accurate on held-out reference cells: these types are hard to tell apart by "
            "these genes, and labels of the query will not be more reliable."
        )


def logarithms(query: tuple[float, ...], reference: tuple[float, ...] | None) -> str:
    """Whether both sides' logarithms are comparable, by what the cells' totals were before (`Content.totals`)."""
    if reference is None:
        return "They are comparable only if both were made in the same way: same base, same total of each cell."
    (low, ours, high), (their_low, their, their_high) = query, reference
    totals = (
        f"in the genes in common cells have a total of {ours:,.0f} here (most {low:,.0f} to {high:,.0f}) and of "
        f"{their:,.0f} in the reference (most {their_low:,.0f} to {their_high:,.0f})"
    )
    spreads = high / low, their_high / their_low
    if max(ours, their) > OTHER_TOTAL * min(ours, their) or max(spreads) > OTHER_TOTAL * min(spreads):
        return (
            f"They were NOT made in the same way, so the labels may be wrong: undone, {totals}. Give counts, or "
            "normalise both sides to the same total and take natural logarithms."
        )
    return f"{ALIKE}: undone, {totals}."


def validation_accuracy(history: pd.DataFrame) -> float | None:
    """Accuracy on held-out reference cells, 0 to 1; None where it is not known."""
    if not {"kept", "validation_accuracy"} <= {*history}:
        return None
    return history.loc[history["kept"].astype(bool), "validation_accuracy"].mean()


def _odd(annotation: Annotation) -> Iterator[str]:
    """What is odd about the labels."""
    table = annotation.labelled.table
    if strong := [name for name, model in annotation.aligned.items() if _batch_effect(model) > STRANGE[1]]:
        yield (
            f"The batch effect{_of(strong, annotation)} is strong: whatever the composition, these cells are less "
            "typical of their types than the reference's cells are. Expect more errors, and compare the labels with "
            "those of another method, such as svm_rej."
        )
    yield from _possibly_new(annotation)
    yield from _doubtful_types(annotation)
    types = by_type(annotation)
    if len(odd := types[(types[REJECTED] > 50) & (types["cells"] >= SMALL_TYPE)]):
        yield f"More than half of the cells nearest to {_listed(odd.index)} were rejected."
    yield from _unlike_types(annotation)

    if kept := [name for name, model in annotation.aligned.items() if unaligned_was_kept(model)]:
        yield f"Alignment{_of(kept, annotation)} was not kept: these are the labels of the unaligned model."

    counts = composition(annotation, RAW_LABEL)
    if "reference" in counts and counts["query"].sum() >= FEW_CELLS:
        if (distance := far(counts) or 0) > FAR_COMPOSITION:
            shares = counts / counts.sum().clip(lower=1)
            largest = (shares["query"] - shares["reference"]).abs().sort_values(ascending=False).index[:2]
            changes = ", ".join(
                f"{name} {shares['reference'][name]:.0%} there and {shares['query'][name]:.0%} here" for name in largest
            )
            yield (
                f"By the most probable types, the composition differs strongly from the reference's: {changes} (total "
                f"variation {distance:.2f}: that share of the cells would have to be of another type). "
                f"{_correction(annotation)}: check these labels by their genes."
            )
        labelled = composition(annotation)
        missing = labelled.index[(labelled["query"] == 0) & (labelled["reference"] > 0)]
        yield from _without_cells(table, missing)


def _of(parts: list[str], annotation: Annotation) -> str:
    """Of which samples, where there are several."""
    return f" of {_listed(pd.Index(parts))}" if len(annotation.aligned) > 1 else ""


def _batch_effect(model: JIND | ByMethod) -> float:
    """What no composition explains of a linear model's lower confidence; 0 where it was not looked at."""
    history = model.history_
    return history["unexplained"].fillna(0).iloc[-1] if "unexplained" in history else 0.0


def _correction(annotation: Annotation) -> str:
    """What was made of another composition."""
    if annotation.reference.jind.alignment.method == "adversarial":
        return "Alignment assumes that both are the same"
    if any(HeldOut.of(model.model_).evidence > 0 for model in annotation.aligned.values()):
        return "Labels are corrected for that by an uncertain estimate"
    return "Labels are not corrected for that"


def _possibly_new(annotation: Annotation) -> Iterator[str]:
    """That more cells are possibly new than would be by mistake."""
    table = annotation.labelled.table
    new = table[table[STATUS] == NEW_TYPE]
    mistaken = new_type(annotation.reference.jind.model_).mistaken
    if len(new) > NEW_CELLS * mistaken * len(table):
        nearest = _counted(new[RAW_LABEL].value_counts()[:3])
        yield (
            f"{len(new):,} cells ({len(new) / len(table):.1%}) may be of a type that the reference lacks. Of cells "
            f"whose type it has, {mistaken:.1%} are flagged by mistake. The types nearest to them: "
            f"{nearest}. See where they lie on the map, and which genes they express."
        )


def _unlike_types(annotation: Annotation) -> Iterator[str]:
    """To which types many cells are nearest without being like them."""
    if len(odd := _unlike(annotation, by_type(annotation))):
        shares = pd.Index([f"{name} ({share:.0f} %)" for name, share in odd.items()])
        yield (
            f"Many of the cells nearest to {_listed(shares)} are unlike the reference's cells of that type, with a "
            "label or without. They may be of a type that the reference lacks, or were measured by another technology: "
            "see which genes they express."
        )


def _doubtful_types(annotation: Annotation) -> Iterator[str]:
    """Types whose nearest cells should often be of another."""
    found = annotation.forecast.types if annotation.forecast and annotation.forecast.whole.accuracy else {}
    doubtful = sorted((of.accuracy, name) for name, of in found.items() if of.accuracy < LOW_ACCURACY)
    if doubtful:
        listed = _listed(pd.Index([f"{name} ({_interval(found[name])} right)" for _, name in doubtful]))
        yield f"By the forecast, many of the cells nearest to these types are of another: {listed}."


def _without_cells(table: pd.DataFrame, types: pd.Index) -> Iterator[str]:
    """Which types no cell was labelled as, and where the cells went that were likely of them."""
    gone = {}
    for name in types:
        rejected = (table[RAW_LABEL] == name).sum()
        between = table[(table[SECOND_LABEL] == name) & (table[SECOND_PROBABILITY] > CLOSE)]
        told = [f"{_cells(rejected, '')} nearest to it got no label"] * bool(rejected)
        if len(between):
            labels = _counted(between[LABEL].value_counts()[:3])
            told.append(f"{_cells(len(between))} it as the second type, with a probability above {CLOSE:.0%}: {labels}")
        gone[name] = "; ".join(told)
    for name in (name for name in types if gone[name]):
        yield f"No cell gets the label {name}, which the reference has; {gone[name]}."
    if len(none := pd.Index([name for name in types if not gone[name]])):
        yield (
            f"No cell gets the label {_listed(none)}, which the reference has, and none has a probability above "
            f"{CLOSE:.0%} of being one. That does not show that there are none."
        )


def _minor(annotation: Annotation) -> Iterator[str]:
    """What may matter, and mostly does not."""
    counts, content = composition(annotation), annotation.query.content
    if "reference" in counts and len(small := counts.index[counts["reference"] < SMALL_TYPE]):
        yield f"The reference has fewer than {SMALL_TYPE} cells of {_listed(small)}: little to learn from."
    if content.kind == LOG and ALIKE in (said := logarithms(content.totals, annotation.reference.totals)):
        yield f"{ON_LOGARITHMS} {said}"
    if content.others:
        yield several(content, "layer")
    if annotation.query.clusters is not None:
        found = clusters(annotation)
        mixed = found[(found["share %"] < 100 * MIXED) & (found["cells"] >= SMALL_TYPE)]
        if len(mixed):
            said = [
                f"{row.cluster} ({row.label} {share:.0f} %)"
                for row, share in zip(mixed.itertuples(), mixed["share %"], strict=True)
            ]
            yield f"In these clusters, no label has {MIXED:.0%} of the cells: {_listed(pd.Index(said))}."
    if n_repeated := annotation.query.cell_ids.duplicated().sum():
        yield f"{_cells(n_repeated)} the id of another cell; rows are in the order of the file."


def _least_sure(annotation: Annotation) -> Iterator[str]:
    """Where to doubt first although nothing is odd."""
    table = annotation.labelled.table[~annotation.labelled.empty]
    between = table[table[SECOND_PROBABILITY] > CLOSE]
    if len(between):
        pairs = pd.DataFrame(np.sort(between[[RAW_LABEL, SECOND_LABEL]].to_numpy(dtype=str), axis=1)).value_counts()
        (first, second), n = pairs.index[0], pairs.iloc[0]
        yield (
            f"The closest types are {first} and {second}: {_cells(n)} one of them as the most probable type and a "
            f"probability above {CLOSE:.0%} of being the other."
        )
    table = table[table[LABEL] != UNASSIGNED]
    sizes = table[LABEL].value_counts()
    medians = table.groupby(LABEL)[CONFIDENCE].median()[sizes.index[sizes >= SMALL_TYPE]].sort_values()
    if len(medians) > 1 and medians.iloc[0] < SURE:
        name, median = medians.index[0], medians.iloc[0]
        yield f"The least confident label is {name}: half of its cells have a confidence below {median:.2f}."
    yield "Check a marker gene of each label among the top expressed genes: wrong labels can be confident."


def _unlike(annotation: Annotation, types: pd.DataFrame) -> pd.Series:
    """By type the share of cells that are unlike it, in %, where it is large and both sides have cells to compare."""
    if UNLIKE not in types:
        return pd.Series()
    enough = types["cells"] >= SMALL_TYPE
    if (known := annotation.reference.composition) is not None:
        enough &= known.reindex(types.index) >= SMALL_TYPE
    return types.loc[enough & (types[UNLIKE] > UNLIKE_CELLS), UNLIKE].sort_values(ascending=False)


def _cells(n: int, has: str = "has") -> str:
    """So many cells, and that they have something."""
    return " ".join([f"{n:,} cell", has] if n == 1 else [f"{n:,} cells", "have" if has else ""]).strip()


def _counted(counts: pd.Series) -> str:
    return ", ".join(f"{name} ({n:,})" for name, n in counts.items())


def _listed(names: pd.Index, most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

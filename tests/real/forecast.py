"""What `annotate` forecasts and promises, on real cells: the tables of docs/forecast.md, and what its constants rest on.

    PYTHONPATH=workflow python -W ignore tests/real/forecast.py [SEED] > forecast.md

One seed at a time, 0 by default. The constants of `jindbench.annotate.forecast` were chosen on the first three groups of targets.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
import torch
from targets import (
    BARON,
    BETWEEN_SPECIES,
    CHOSEN,
    FRESH,
    KEPT_ASIDE,
    LAST,
    LATER,
    PANCREAS,
    PBMC,
    STUDIES,
    UNSEEN,
    Target,
    read,
)
from threadpoolctl import threadpool_limits

from jindbench.annotate.by_method import ByMethod
from jindbench.annotate.forecast import FEWEST, LOWERED, PART, RISKY, HeldOut, expected, fit, forecast, limit
from jindbench.annotate.labelling import above, new_type, unlike_share
from jindbench.jind.estimator import JIND
from jindbench.names import CONFIDENCE, LABEL, MEASURED, NOVELTY, RAW_LABEL, UNASSIGNED

STATED = (0.01, 0.05, 0.1)
METHODS = ("logreg", "svm_rej", "knn")  # beside the consensus
FEWEST_CELLS = 10  # of a type on both sides, to leave it out
USED, LATER_UNSEEN = "chosen, kept aside, fresh", "later, unseen"
SHIFTED, SPECIES, WRONG, MISSING = ", shifted", "between species", "another tissue", "one type missing"


@dataclass(frozen=True)
class OtherTissue:
    """A reference of blood for the pancreas, or the other way round, in the genes of both."""

    file: str
    source: str
    other_file: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.source.split('_')[0]} to {self.target.split('_')[0]}"

    def cells(self) -> tuple[ad.AnnData, ad.AnnData]:
        source, target = read(self.file)[self.source], read(self.other_file)[self.target]
        genes = source.var_names.intersection(target.var_names)
        return source[:, genes], target[:, genes]


def cases() -> Iterator[tuple[str, str, ad.AnnData, list[tuple[str, ad.AnnData]]]]:
    """A group, a source, and its targets with their names."""
    groups = {USED: [*CHOSEN, *KEPT_ASIDE, *FRESH], LATER_UNSEEN: [*LATER, *UNSEEN], "last": LAST}
    studies = (BARON, *STUDIES)
    wrong = [OtherTissue(PANCREAS, study, PBMC, batch) for study in studies for batch in ("3pv1", "5p")]
    wrong += [OtherTissue(PBMC, batch, PANCREAS, study) for study in studies for batch in ("3pv2", "5p")]
    by_source = {}
    for group, targets in (groups | {SPECIES: BETWEEN_SPECIES, WRONG: wrong}).items():
        for target in targets:
            source, cells = target.cells()
            is_target = isinstance(target, Target)
            of_group = SPECIES if is_target and target.file == BETWEEN_SPECIES[0].file else group
            if is_target and target.shift is not None:
                of_group += SHIFTED
            types = tuple(sorted(source.obs[LABEL].unique()))
            of_source = by_source.setdefault((target.file, target.source, types, source.n_vars), (source, []))
            of_source[1].append((of_group, target.name, cells))
    yield from by_source.values()
    for target in (target for target in CHOSEN if target.shift is None):
        source, cells = target.cells()
        counts, theirs = source.obs[LABEL].value_counts(), cells.obs[LABEL].value_counts()
        for name in counts.index[(counts >= FEWEST_CELLS) & (theirs.reindex(counts.index) >= FEWEST_CELLS)]:
            rest = source[source.obs[LABEL] != name]
            yield rest, [(MISSING, f"{target.name}, no {name}", cells)]


def by_confidence(table: pd.DataFrame, right: np.ndarray, stated: float) -> tuple[float, float]:
    """Coverage and error if as many of the surest cells have a label as their own confidence allows."""
    order = np.argsort(-table[CONFIDENCE].to_numpy(), kind="stable")
    wrong = 1 - np.cumsum(table[CONFIDENCE].to_numpy()[order]) / np.arange(1, len(order) + 1)
    n = int((wrong <= stated).sum())
    return n / len(order), (1 - right[order[:n]].mean()) if n else 0.0


def by_limit(aligned: JIND | ByMethod, table: pd.DataFrame, right: np.ndarray, stated: float) -> tuple[float, float]:
    """Coverage and error with `--max-error`."""
    least = limit(table, aligned.model_, fit(table, aligned.model_), stated)
    kept = (above(table, least, aligned.model_)[LABEL] != UNASSIGNED).to_numpy()
    return kept.mean(), (1 - right[kept].mean()) if kept.any() else 0.0


def of_method(reference: ByMethod, cells: ad.AnnData) -> dict:
    """What `row` says of a target, as far as the tables of other methods ask for it."""
    truth, bare = cells.obs[LABEL].to_numpy(dtype=str), ad.AnnData(cells.X, var=cells.var[[]], uns=cells.uns)
    bare.var[MEASURED] = True
    bare = reference.seen(bare)
    aligned = reference.align(bare)
    unaligned, table = reference.predict(bare), aligned.predict(bare).assign(**{PART: ""})
    right = (table[RAW_LABEL] == truth).to_numpy()
    whole = forecast({"": aligned}, table, {"": fit(table, aligned.model_)}).whole
    found = {
        "without composition": (unaligned[RAW_LABEL] == truth).mean(),
        "true": right.mean(),
        "forecast": whole.accuracy,
        "inside": whole.low - 1e-9 <= right.mean() <= whole.high + 1e-9,
    }
    found = {f"{reference.name} {name}": value for name, value in found.items()}
    return found | {(reference.name, stated): by_limit(aligned, table, right, stated) for stated in STATED}


def row(reference: JIND, source: ad.AnnData, cells: ad.AnnData) -> tuple[dict, list[dict]]:
    """What is forecast and promised of a target, and what is true; and the same of its types."""
    truth, bare = cells.obs[LABEL].to_numpy(dtype=str), cells.copy()
    bare.obs = bare.obs[[]]
    aligned = reference.align(bare)
    table = aligned.predict(bare).assign(**{PART: ""})
    right = (table[RAW_LABEL] == truth).to_numpy()
    fits = fit(table, aligned.model_)
    found, held = forecast({"": aligned}, table, {"": fits}), HeldOut.of(aligned.model_)
    labelled = (table[LABEL] != UNASSIGNED).to_numpy()
    flagged, known = ~labelled & (table[NOVELTY] > new_type(aligned.model_).above), np.isin(truth, source.obs[LABEL])
    estimates = {"whole": (found.whole, right.mean())}
    if found.labelled:
        estimates["labelled"] = found.labelled, right[labelled].mean()
    of_target = {
        "n": len(right),
        "confidence": table[CONFIDENCE].mean(),
        "odds": expected(table[CONFIDENCE].mean(), held.mean_excess()) + LOWERED,
        "evidence": held.evidence,
        "unlike": unlike_share(table, aligned.model_),
        "labelled cells": labelled.mean(),
        "low": found.whole.low,
        "flagged of the missing type": flagged[~known].mean(),
        "flagged of others": flagged[known].mean(),
    }
    for name, (estimate, true) in estimates.items():
        of_target |= {f"{name} true": true, f"{name} forecast": estimate.accuracy}
        of_target |= {f"{name} inside": estimate.low - 1e-9 <= true <= estimate.high + 1e-9}
    for stated in STATED:
        of_target["consensus", stated] = by_limit(aligned, table, right, stated)
        of_target["consensus, by its confidence", stated] = by_confidence(table, right, stated)
    types = [
        {
            "n": of_type.cells,
            "true": right[table[RAW_LABEL] == name].mean(),
            "forecast": of_type.accuracy,
            "low": of_type.low,
            "high": of_type.high,
        }
        for name, of_type in found.types.items()
    ]
    return of_target, types


def forecasts(rows: pd.DataFrame) -> Iterator[str]:
    """The table of forecasts."""
    yield "| targets | n | true | error of the mean confidence | of the forecast | bias | inside | worst |"
    yield "|---|---|---|---|---|---|---|---|"
    for group, of_group in rows.groupby("group", sort=False):
        error = of_group["whole forecast"] - of_group["whole true"]
        worst = of_group.loc[error.abs().idxmax()]
        plain = (of_group["confidence"] - of_group["whole true"]).abs().mean()
        yield (
            f"| {group} | {len(error)} | {of_group['whole true'].mean():.3f} | {plain:.3f} | {error.abs().mean():.3f} | "
            f"{error.mean():+.3f} | {of_group['whole inside'].mean():.0%} | {worst['name']}: {worst['whole true']:.2f}, "
            f"forecast {worst['whole forecast']:.2f} |"
        )


def of_methods(rows: pd.DataFrame) -> Iterator[str]:
    """The table of the other methods: true accuracy, without and with the composition, and the forecast's error."""
    yield "| method | targets | n | without composition | true | error of the forecast | inside |"
    yield "|---|---|---|---|---|---|---|"
    for group, of_group in together(rows):
        for name in METHODS:
            found = {key: of_group[f"{name} {key}"] for key in ("without composition", "true", "forecast", "inside")}
            error = (found["forecast"] - found["true"]).abs().mean()
            yield (
                f"| {name} | {group} | {len(of_group)} | {found['without composition'].mean():.3f} | "
                f"{found['true'].mean():.3f} | {error:.3f} | {found['inside'].astype(float).mean():.0%} |"
            )


def together(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The groups of targets, those before the last ones together, without those of which a type is missing."""
    names = {USED: "118 targets, pairs", LATER_UNSEEN: "118 targets, pairs"}
    names |= {of + SHIFTED: "118 targets, shifted" for of in (USED, LATER_UNSEEN)}
    rows = rows[rows["group"] != MISSING]
    yield from rows.groupby(rows["group"].replace(names), sort=False)


def outcomes(rows: pd.DataFrame, method: str, stated: float) -> list[tuple[float, float]]:
    """Coverage and error of each target."""
    return rows[[(method, stated)]].iloc[:, 0].tolist()


def ledger(rows: pd.DataFrame) -> Iterator[str]:
    """The table of stated against realised errors.

    The mean, the share of targets with more than 1.5 times as much, and the share of cells with a label.
    """
    heads = [f"{stated:.0%} stated: realised | above {1.5 * stated:.3g} | cells with a label" for stated in STATED]
    yield f"| method | targets | {' | '.join(heads)} |"
    yield "|" + "---|" * (2 + 3 * len(STATED))
    for group, of_group in together(rows):
        for method in dict.fromkeys(column[0] for column in rows.columns if isinstance(column, tuple)):
            cells = []
            for stated in STATED:
                covered, wrong = np.array(outcomes(of_group, method, stated)).T
                cells.append(f"{wrong.mean():.1%} | {(wrong > 1.5 * stated).mean():.0%} | {covered.mean():.0%}")
            yield f"| {method} | {group} | {' | '.join(cells)} |"


def measured(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row for each target, and for each of their types."""
    rows, types = [], []
    with threadpool_limits(1):
        for source, targets in cases():
            reference = JIND("consensus", seed=seed, progress=False).fit(source)
            missing = targets[0][0] == MISSING
            others = [] if missing else [ByMethod.fit(name, source.copy(), seed=seed) for name in METHODS]
            for group, name, cells in targets:
                of_target, of_types = row(reference, source, cells)
                for other in others:
                    of_target |= of_method(other, cells)
                rows.append({"group": group, "name": name} | of_target)
                types += [{"group": group} | of_type for of_type in of_types]
    return pd.DataFrame(rows), pd.DataFrame(types)


def main() -> None:
    """Print the tables."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    order = [USED, USED + SHIFTED, LATER_UNSEEN, LATER_UNSEEN + SHIFTED, "last", "last" + SHIFTED]
    order += [SPECIES, SPECIES + SHIFTED, WRONG, MISSING]
    rows, types = (
        table.sort_values("group", key=lambda groups: groups.map(order.index), kind="stable")
        for table in measured(seed)
    )
    print(*forecasts(rows), "", *of_methods(rows), "", *ledger(rows), "", sep="\n")
    print(f"\nTypes of at least {FEWEST} cells:\n\n| targets | n | error | weighted by cells | inside | below |")
    print("|---|---|---|---|---|---|")
    for group, of_group in types.groupby("group", sort=False):
        error = (of_group["forecast"] - of_group["true"]).abs()
        inside = (of_group["low"] - 1e-9 <= of_group["true"]) & (of_group["true"] <= of_group["high"] + 1e-9)
        print(
            f"| {group} | {len(error)} | {error.mean():.3f} | {np.average(error, weights=of_group['n']):.3f} | "
            f"{inside.mean():.0%} | {(of_group['true'] < of_group['low'] - 1e-9).mean():.0%} |"
        )
    known = rows[rows["group"].isin(order[:4])]
    errors = pd.DataFrame({stated: [error for _, error in outcomes(known, "consensus", stated)] for stated in STATED})
    print("\nRealised errors over the 118 targets:", errors.mean().round(4).to_dict())
    broken = (errors[0.05] > 1.5 * 0.05).groupby((known["low"] < RISKY).to_numpy()).agg(["mean", "size"])
    print(f"More than 7.5 % for 5 %, by whether the forecast reaches below {RISKY}:\n{broken.round(3)}")
    labelled = rows.dropna(subset="labelled true")
    error = (labelled["labelled forecast"] - labelled["labelled true"]).abs()
    print("\nOf the cells with a label, by group: error, inside")
    print(
        pd.concat([error, labelled["labelled inside"].astype(float)], axis=1)
        .groupby(labelled["group"], sort=False)
        .mean()
    )
    first = rows[rows["group"].isin(order[:2])]
    true = first["whole true"].clip(0.001, 0.999)
    residual = np.log(true / (1 - true)) - first["odds"]
    quantiles = residual.groupby(pd.cut(first["evidence"], [-1, 0.1, 0.5, 1])).quantile([0.1, 0.5, 0.9]).unstack()
    print("\nLog-odds of the truth less those of the two estimates' mean, on the first group, by the evidence:")
    print(quantiles.round(2))
    print("\nShare of the labelled cells that are unlike their type, lowest and highest:")
    print(rows.groupby("group", sort=False)["unlike"].agg(["min", "median", "max"]).round(3))
    print("\nShare of the cells that are called a possible new type, mean over targets:")
    print(rows.groupby("group", sort=False)[["flagged of the missing type", "flagged of others"]].mean().round(3))
    with pd.option_context("display.max_rows", None, "display.width", 200):
        print(
            rows[["group", "name", "n", "whole true", "whole forecast", "whole inside", "unlike"]].round(3).to_string()
        )


if __name__ == "__main__":
    main()

"""`--method auto`: is a method better on the reference itself than the consensus, by more than chance?

Parts of the reference are labelled by methods that were trained on the others: its batches in turn, where they are
known, else three parts drawn at random. These say nothing of a batch effect between reference and query.
"""

import logging
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy.stats import binomtest

from jindbench.annotate import by_method
from jindbench.annotate.settings import AUTO, CONSENSUS, PRESETS, check_method, methods
from jindbench.errors import InputError
from jindbench.execution import guard, job
from jindbench.names import LABEL

MINUTES = 5  # for all methods beside the consensus together
CELLS, BATCHES = 3_000, 5  # that are labelled at most
COVERAGE = 0.9  # the share of the cells, the surest, of which the effective accuracy is
CHANCE = 0.05

RIGHT, SUREST, SECONDS, NOTE = "right %", f"right % of the surest {COVERAGE:.0%}", "seconds", "note"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BakeOff:
    """What it found.

    Attributes
    ----------
    table
        A row for each method, the best first; `note` says which is used, or why there are no figures.
    used, other
        The method that labels, and the best of the others; None without one.
    sentences
        What a person wants to know of it.
    source
        The labelled cells, by which the other method labels too.
    """

    table: pd.DataFrame
    used: str
    other: str | None
    sentences: list[str]
    source: AnnData

    def other_labels(self, cells: AnnData) -> np.ndarray:
        """The most probable type of each of n cells by the other method."""
        classes = np.unique(self.source.obs[LABEL].to_numpy(dtype=str))
        return by_method.run(self.other, self.source, cells, classes, seed=0)[1]


def bake_off(source: AnnData, batches: np.ndarray | None, *, seed: int) -> BakeOff:
    """Compare all methods that can run here with the consensus.

    Parameters
    ----------
    source
        Labelled cells.
    batches
        The batch of each, NaN of cells that are left out here; None where it is not known.
    """
    known = np.ones(source.n_obs, dtype=bool) if batches is None else pd.notna(batches)
    rows = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(known))[:CELLS])
    cells, labels = source[rows], source.obs[LABEL].to_numpy(dtype=str)[rows]
    parts = [*by_method.folds(labels)] if batches is None else _by_batch(labels, batches[rows])
    if not parts:
        raise InputError("batch_key: no batch has cells of types that other batches have too")
    truth = np.concatenate([labels[test] for _, test in parts])
    challengers = [name for name in methods() if name not in (AUTO, *PRESETS)]
    found, rows, until = {}, [], None
    for place, name in enumerate([CONSENSUS, *challengers]):
        limit = None if until is None else max(until - time.monotonic(), 0) / (len(challengers) - place + 1)
        labelled, note, seconds = _labelled(name, cells, parts, seed, limit)
        until = until or time.monotonic() + 60 * MINUTES
        row = {"method": name, RIGHT: np.nan, SUREST: np.nan, SECONDS: seconds, NOTE: note}
        if labelled is not None:
            found[name] = labelled
            row |= _accuracies(*labelled, truth)
        elif name == CONSENSUS:
            raise InputError(f"method: {CONSENSUS}, to which others are compared, {note}")
        rows.append(row)
        log.info("%s: %s", name, note or f"{row[RIGHT]:.1f} % right in {seconds:.0f} s")
    table = pd.DataFrame(rows).sort_values(RIGHT, ascending=False, kind="stable", ignore_index=True)
    right = {name: best == truth for name, (best, _) in found.items()}
    sizes = [len(test) for _, test in parts]
    used = _best(right, sizes)
    others = [name for name in table["method"] if name in found and name != used]
    other = others[0] if others else None
    table.loc[table["method"] == used, NOTE] = "used"
    sentences = _said(used, other, found, right, sizes, batches is not None)
    for sentence in sentences:
        log.info("%s", sentence)
    table = table.astype(object).where(table.notna(), "")
    return BakeOff(table, used, other, sentences, source)


def _by_batch(labels: np.ndarray, batches: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of training and held-out cells: the largest batches, without types that no other batch has."""
    parts = []
    for name in pd.Series(batches).value_counts().index[:BATCHES]:
        train = np.flatnonzero(batches != name)
        test = np.flatnonzero((batches == name) & np.isin(labels, labels[train]))
        if len(test) and len(np.unique(labels[train])) > 1:
            parts.append((train, test))
    return parts


def _labelled(
    name: str, cells: AnnData, parts: list[tuple[np.ndarray, np.ndarray]], seed: int, limit: float | None
) -> tuple[tuple[np.ndarray, np.ndarray] | None, str, float]:
    """Labels and confidence of all held-out cells, or why there are none, and seconds."""
    try:
        check_method(name, None)
    except InputError as error:
        return None, f"not run: {str(error).removeprefix('method: ')}", np.nan

    def run() -> dict:
        # In a notebook, torch may have had threads, which a fork lacks and would wait for.
        torch.set_num_threads(1)
        job.limit_threads(1)
        classes, best, confidence = np.unique(cells.obs[LABEL].to_numpy(dtype=str)), [], []
        for train, test in parts:
            probabilities, labels = by_method.run(name, cells[train], cells[test], classes, seed=seed)
            best.append(labels)
            confidence.append(probabilities.max(axis=1))
        return {"best": np.concatenate(best), "confidence": np.concatenate(confidence)}

    # `guarded` ends a run a minute before its limit, or after half of it.
    outcome = guard.guarded(run, minutes=None if limit is None else min(2 * limit, limit + 60) / 60)
    seconds = outcome.record["seconds"]
    if outcome.status != "ok":
        late = limit is not None and seconds > limit
        return None, f"not done in {limit:.0f} s" if late else f"{outcome.status}: {outcome.reason}", seconds
    return (outcome.result["best"], outcome.result["confidence"]), "", seconds


def _accuracies(best: np.ndarray, confidence: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    right = best == truth
    surest = np.argsort(-confidence, kind="stable")[: int(np.ceil(COVERAGE * len(right)))]
    return {RIGHT: 100 * right.mean(), SUREST: 100 * right[surest].mean()}


def _best(right: dict[str, np.ndarray], sizes: list[int]) -> str:
    """The method with most right labels that beats the consensus by more than chance; else the consensus.

    By an exact sign test over the cells on which one of both is right, corrected for the number of methods, and in most
    of the parts, since the cells of a part err together.
    """
    ours, ends = right[CONSENSUS], np.cumsum(sizes)[:-1]
    for name in sorted(right, key=lambda name: -right[name].mean()):
        if right[name].mean() <= ours.mean():
            break
        more, fewer = int((right[name] & ~ours).sum()), int((ours & ~right[name]).sum())
        p = binomtest(more, more + fewer, alternative="greater").pvalue * (len(right) - 1)
        better = [of.mean() > 0 for of in np.split(right[name].astype(int) - ours, ends)]
        if p < CHANCE and np.mean(better) > 0.5:
            return name
    return CONSENSUS


def _said(
    used: str,
    other: str | None,
    found: dict[str, tuple[np.ndarray, np.ndarray]],
    right: dict[str, np.ndarray],
    sizes: list[int],
    by_batch: bool,
) -> list[str]:
    of_parts = [100 * part.mean() for part in np.split(right[used], np.cumsum(sizes)[:-1])]
    where = "left-out batches" if by_batch else "held-out parts"
    said = [
        f"Of the reference's own cells in {len(sizes)} {where}, {used} labels {100 * right[used].mean():.1f} % right "
        f"(worst {min(of_parts):.0f} %, best {max(of_parts):.0f} %)"
        + (
            f", {CONSENSUS} {100 * right[CONSENSUS].mean():.1f} %: more than by chance."
            if used != CONSENSUS
            else "; no other method is better by more than chance."
        )
    ]
    if other is not None:
        agree = found[used][0] == found[other][0]
        sentence = (
            f"{other} comes next ({100 * right[other].mean():.1f} %) and gives {agree.mean():.0%} of the "
            f"{len(agree):,} held-out cells the same label"
        )
        if 0 < agree.mean() < 1:
            inside, outside = (f"{100 * right[used][which].mean():.0f} %" for which in (agree, ~agree))
            sentence += f"; of these {used} has {inside} right, of the others {outside}"
        said.append(f"{sentence}.")
    return said

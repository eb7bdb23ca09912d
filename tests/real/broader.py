"""How far to trust the broader labels of `annotate`, on real cells: the table of docs/annotate.md.

    PYTHONPATH=workflow python -W ignore tests/real/broader.py > broader.md

One seed. The tree and what a group demands were chosen on the first three groups of targets, by two seeds. A broader
label is wrong if its group lacks the cell's type, so each one is wrong for a type that the reference lacks.
"""

import logging
import sys

import anndata as ad
import numpy as np
import pandas as pd
import torch
from forecast import cases
from threadpoolctl import threadpool_limits

from jindbench.annotate.columns import BROAD_LABEL
from jindbench.annotate.forecast import PART, fit, limit
from jindbench.annotate.hierarchy import Hierarchy
from jindbench.annotate.labelling import UNFIT, above, completed, unlike_share
from jindbench.jind.estimator import JIND
from jindbench.names import LABEL, THRESHOLD, UNASSIGNED

STATED = 0.05


def outcome(labelled: np.ndarray, right: np.ndarray, broader: np.ndarray, holds: np.ndarray, size: np.ndarray) -> dict:
    """Shares of the cells with a label, a broader one and none, and of these labels that are wrong.

    Parameters
    ----------
    labelled, broader
        Which cells have a label, and a broader one instead.
    right, holds
        Whether the label is the type, and whether the group has it.
    size
        Share of the reference's types in the group.
    """
    wrong = (labelled & ~right) | (broader & ~holds)
    return {
        "unassigned": 1 - labelled.mean(),
        "without any": 1 - (labelled | broader).mean(),
        "wrong labels": (labelled & ~right).sum() / max(labelled.sum(), 1),
        "wrong with broader": wrong.sum() / max((labelled | broader).sum(), 1),
        "broader": broader.sum(),
        "broader wrong": (broader & ~holds).sum(),
        "size": size[broader].sum(),
    }


def rows(reference: JIND, cells: ad.AnnData) -> dict[str, dict]:
    """What comes of a target, by rule."""
    truth, bare = cells.obs[LABEL].to_numpy(dtype=str), cells.copy()
    bare.obs = bare.obs[[]]
    aligned, nothing = reference.align(bare), np.zeros(len(truth), dtype=bool)
    model, types = aligned.model_, np.array(reference.model_.classes)
    known, tree = np.searchsorted(types, truth).clip(max=len(types) - 1), Hierarchy.of(reference.model_, None)
    known = np.where(types[known] == truth, known, -1)
    predicted = aligned.predict(bare, probabilities=True)
    fits = fit(predicted.assign(**{PART: ""}), model)
    stated = above(predicted, limit(predicted, model, fits, STATED), model)
    found = {}
    for rule, given in (("the tree", predicted), (f"the tree, `--max-error {STATED}`", stated)):
        table, of_types = completed(given, model, nothing)
        broad = tree.label(table, of_types, nothing)[BROAD_LABEL].to_numpy()
        labelled = (table[LABEL] != UNASSIGNED).to_numpy()
        broader = ~labelled & (broad != UNASSIGNED) & (unlike_share(table, model) <= UNFIT)
        members = {group.name: group.types for group in tree.groups}
        holds = np.array([k in members.get(name, ()) for k, name in zip(known, broad, strict=True)])
        sizes = np.array([len(members.get(name, ())) for name in broad]) / len(types)
        found[rule] = outcome(labelled, (table[LABEL] == truth).to_numpy(), broader, holds, sizes)
        if rule == "the tree":
            best = np.argsort(-of_types, axis=1)[:, :2]
            held_out = np.sort(reference.model_.validation.numpy(), axis=1)[:, -2:].sum(axis=1)
            demanded = np.maximum(np.quantile(held_out, 0.05), table[THRESHOLD].to_numpy())
            two = ~labelled & (np.take_along_axis(of_types, best, axis=1).sum(axis=1) > demanded)
            holds = (best == known[:, None]).any(axis=1)
            size = np.full(len(truth), 2 / len(types))
            found["the best two types"] = outcome(labelled, (table[LABEL] == truth).to_numpy(), two, holds, size)
    return found


def main() -> None:
    """Print the table; with a group's name, such as `last`, that of this group's targets alone."""
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    only, measured = sys.argv[1:], []
    with threadpool_limits(1):
        for source, targets in cases():
            asked = [target for target in targets if not only or target[0].removesuffix(", shifted") in only]
            if asked:
                reference = JIND("consensus", seed=0, progress=False).fit(source)
            for group, name, cells in asked:
                for rule, of_rule in rows(reference, cells).items():
                    measured.append({"targets": group, "rule": rule, "name": name} | of_rule)
    measured = pd.DataFrame(measured)
    print(
        "| targets | rule | n | unassigned | without any | wrong labels | with broader ones | broader: wrong | types |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for (group, rule), of_rule in measured.groupby(["targets", "rule"], sort=False):
        mean, broader = of_rule.mean(numeric_only=True), max(of_rule["broader"].sum(), 1)
        print(
            f"| {group} | {rule} | {len(of_rule)} | {mean['unassigned']:.1%} | {mean['without any']:.1%} | "
            f"{mean['wrong labels']:.1%} | {mean['wrong with broader']:.1%} | "
            f"{of_rule['broader wrong'].sum() / broader:.1%} of {of_rule['broader'].sum():,} | "
            f"{of_rule['size'].sum() / broader:.0%} |"
        )
    more = measured["wrong with broader"] > measured["wrong labels"] + 0.002
    print("\nTargets on which broader labels make more of them wrong, by more than .2 points:\n")
    print(measured[more & (measured["rule"] == "the tree")].drop(columns="rule").round(3).to_string())


if __name__ == "__main__":
    main()

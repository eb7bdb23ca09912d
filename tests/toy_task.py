"""A small task of two simulated batches."""

from jindbench.data import tasks
from jindbench.datasets import toy

TOY = {"n_source": 150, "n_target": 80, "n_genes": 60}


def sides(**changes):
    """Source with labels, target without, and the target's labels."""
    cells = toy.load(toy.Parameters(**(TOY | changes)))
    source, target = tasks.select_types(
        tasks.select_batch(cells, "source", "toy"), tasks.select_batch(cells, "target", "toy"), "common", "all", "toy"
    )
    return source, *without_labels(target)


def without_labels(target):
    truth = target.obs["label"].copy()
    target.obs = target.obs.drop(columns=["label", "batch"])
    return target, truth

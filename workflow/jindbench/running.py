"""Running one method: what it is given, in which order, and that what it returns is sound."""

from pathlib import Path
from types import ModuleType

from anndata import AnnData

from jindbench import predictions
from jindbench.errors import InputError
from jindbench.names import LABEL
from jindbench.parameters import Parameters
from jindbench.predictions import Predictions


def annotate(
    method: ModuleType,
    source: AnnData,
    target: AnnData,
    parameters: Parameters,
    *,
    seed: int,
    threads: int,
    model_dir: Path,
    parent_dir: Path | None = None,
) -> Predictions:
    """Run a method (see `jindbench.methods`) on one source and one target.

    The method sees the target's cells in the order of their ids and the genes in the source's order. A method that
    draws mini-batches, or breaks ties by position, thus gives the same labels however the target's file is sorted.

    Parameters
    ----------
    source
        Cells x genes, with `obs["label"]`.
    target
        Cells x genes, with at least the source's genes.

    Returns
    -------
    Checked predictions, in the order of the ids.

    Raises
    ------
    InputError
        If the target lacks a gene of the source.
    InvalidPredictions
        If the method returns what is no valid set of predictions.
    """
    if missing := set(source.var_names) - set(target.var_names):
        raise InputError(f"the target lacks {len(missing)} of the source's genes, such as '{min(missing)}'")
    target = target[target.obs_names.sort_values(), source.var_names].copy()
    cell_ids, types = target.obs_names.copy(), set(source.obs[LABEL])
    predicted = method.run(
        source, target, parameters, seed=seed, threads=threads, model_dir=model_dir, parent_dir=parent_dir
    )
    predictions.check(predicted, cell_ids, types)
    return predicted

"""Running one integration or method: what it is given, in which order, and that what it returns is sound."""

from pathlib import Path
from types import ModuleType

import numpy as np
from anndata import AnnData
from scipy import sparse

from jindbench import predictions, registry
from jindbench.errors import InputError
from jindbench.names import INTEGRATED, LABEL, X_KIND
from jindbench.parameters import Parameters
from jindbench.predictions import Predictions


class InvalidIntegration(Exception):
    """An integration returned something that is no pair of corrected batches."""


def run_method(
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
    NotAvailable
        If it needs packages that this machine lacks.
    InputError
        If the target lacks a gene of the source.
    InvalidPredictions
        If the method returns what is no valid set of predictions.
    """
    registry.require(method)
    target = _in_order(source, target)
    cell_ids, types = target.obs_names.copy(), set(source.obs[LABEL])
    predicted = method.run(
        source, target, parameters, seed=seed, threads=threads, model_dir=model_dir, parent_dir=parent_dir
    )
    predictions.check(predicted, cell_ids, types)
    return predicted


def integrate(
    integration: ModuleType, source: AnnData, target: AnnData, parameters: Parameters, *, seed: int, threads: int
) -> tuple[AnnData, AnnData]:
    """Run an integration (see `jindbench.integrations`), which does not see the source's labels.

    Parameters
    ----------
    source, target
        As for `run_method`.

    Returns
    -------
    Both sides corrected, n x the genes that the integration kept, `obs` as it was; the target in the order of its ids.

    Raises
    ------
    NotAvailable
        If it needs packages that this machine lacks.
    InputError
        If the target lacks a gene of the source.
    InvalidIntegration
        If the integration returns other cells or different genes, or values that are not finite.
    """
    registry.require(integration)
    target = _in_order(source, target)
    labels, source = source.obs, AnnData(source.X, obs=source.obs[[]], var=source.var, uns=source.uns)
    sides = integration.integrate(source, target, parameters, seed=seed, threads=threads)
    for before, after in zip((source, target), sides, strict=True):
        if not after.obs_names.equals(before.obs_names):
            raise InvalidIntegration("the cells are not those that went in, in their order")
        if not (after.var_names.equals(sides[0].var_names) and after.var_names.isin(source.var_names).all()):
            raise InvalidIntegration("source and target have not the same genes, or genes that did not go in")
        if not (sparse.isspmatrix_csr(after.X) and np.isfinite(after.X.data).all()):
            raise InvalidIntegration("X is no sparse matrix (CSR) of finite values")
        after.uns = {X_KIND: INTEGRATED}
    sides[0].obs = labels
    return sides


def _in_order(source: AnnData, target: AnnData) -> AnnData:
    """The target's cells in the order of their ids, its genes in the source's order."""
    if missing := set(source.var_names) - set(target.var_names):
        raise InputError(f"the target lacks {len(missing)} of the source's genes, such as '{min(missing)}'")
    return target[target.obs_names.sort_values(), source.var_names].copy()

"""scANVI: a variational autoencoder of both sides, with the source's labels (Xu et al. 2021).

By `scvi-tools`: scVI is trained first, without labels; scANVI starts from it. Both see the expression of the target's
cells, and the labels of the source's alone.
"""

import logging
import warnings
from typing import Literal

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.errors import NotAvailable
from jindbench.names import COUNTS, LABEL, NORMALIZED, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "scANVI"
PARENT = None
PACKAGES = ("scvi",)
BATCH, UNKNOWN = "batch", "unknown"


class Parameters(BaseParameters):
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto`: CUDA where there is one, else the CPU.")
    n_genes: int | None = Field(2000, ge=1, description="Most variable genes of the source; null: all.")
    n_hidden: int = Field(128, ge=1, description="Neurons of each hidden layer.")
    n_layers: int = Field(2, ge=1, description="Hidden layers of encoder and decoder.")
    n_latent: int = Field(30, ge=1, description="Dimensions of the latent space.")
    epochs: int | None = Field(
        None, ge=1, description="Epochs of scVI; null: 400 for up to 20,000 cells, fewer for more, as scvi-tools does."
    )
    label_epochs: int = Field(20, ge=1, description="Epochs of scANVI after that.")
    cells_per_type: int | None = Field(
        100, ge=1, description="Labelled cells of each type at most that such an epoch draws; null: all."
    )
    batch_size: int = Field(128, ge=2, description="Mini-batch size.")
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower probability are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    if source.uns[X_KIND] not in (COUNTS, NORMALIZED):
        raise NotAvailable(f"scANVI models counts, and X is '{source.uns[X_KIND]}'")

    import scvi
    from anndata import AnnData, concat

    from jindbench.data.preprocess import most_variable_genes, transform
    from jindbench.jind.model import choose_device

    device = choose_device(parameters.device)
    genes = most_variable_genes(transform(source.X, source.uns[X_KIND]), parameters.n_genes)
    classes, y = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_inverse=True)
    # Types as their numbers, so that none has the name of the unknown.
    labels = {"source": y.astype(str), "target": np.full(target.n_obs, UNKNOWN)}
    sides = {
        name: AnnData(side.X[:, genes], obs={LABEL: labels[name]})
        for name, side in {"source": source, "target": target}.items()
    }
    cells = concat(sides, label=BATCH, index_unique=" ")
    cells.obs[LABEL] = cells.obs[LABEL].astype("category")
    # Of the cells and of the labelled ones that an epoch draws, no last mini-batch may be a single cell.
    drawn = int(np.minimum(np.bincount(y), parameters.cells_per_type or len(y)).sum())
    batch_size = parameters.batch_size
    while drawn > 1 and 1 in (cells.n_obs % batch_size, drawn % batch_size):
        batch_size += 1
    how = {
        "accelerator": "gpu" if device.type == "cuda" else "cpu",
        "devices": 1,
        "batch_size": batch_size,
        "train_size": 1.0,  # nothing is stopped or chosen by cells that are held out
        "enable_progress_bar": False,
        "default_root_dir": model_dir,
    }
    for name in ("scvi", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    scvi.settings.seed = seed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scvi.model.SCVI.setup_anndata(cells, batch_key=BATCH, labels_key=LABEL)
        unlabelled = scvi.model.SCVI(
            cells, n_hidden=parameters.n_hidden, n_layers=parameters.n_layers, n_latent=parameters.n_latent
        )
        unlabelled.train(parameters.epochs, **how)
        model = scvi.model.SCANVI.from_scvi_model(unlabelled, UNKNOWN)
        model.train(parameters.label_epochs, n_samples_per_label=parameters.cells_per_type, **how)
        probabilities = model.predict(indices=np.flatnonzero(cells.obs[BATCH] == "target"), soft=True)
    return predictions.from_probabilities(
        target.obs_names,
        classes[probabilities.columns.astype(int)],
        probabilities.to_numpy(),
        threshold=parameters.threshold,
    )

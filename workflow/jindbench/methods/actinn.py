"""ACTINN: a neural network with three hidden layers and a fixed threshold (Ma & Pellegrini 2020).

The defaults are those of JIND's comparison: all genes, its transform. ACTINN's own paper has `gene_filter: true` and
`scale: true`, and rejects nothing.
"""

import logging
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from jindbench import io, predictions
from jindbench.names import COUNTS, LABEL, NORMALIZED, X_KIND
from jindbench.parameters import Parameters as BaseParameters

TITLE = "ACTINN"
PARENT = None
HIDDEN = (100, 50, 25)
PERCENTILES = (1, 99)  # of the gene filter, both inclusive

log = logging.getLogger(__name__)


class Parameters(BaseParameters):
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto`: CUDA where there is one, else the CPU.")
    n_genes: int | None = Field(None, ge=1, description="Most variable genes used; null: all, as in JIND's comparison.")
    gene_filter: bool = Field(
        False,
        description="First drop the genes outside the 1st to 99th percentile of total expression over the cells of "
        "source and target, then those outside the same of std / mean (ACTINN's own paper: on).",
    )
    scale: bool = Field(
        False, description="Scale counts to 10,000 in each cell before the log (ACTINN's own paper: on)."
    )
    epochs: int = Field(50, ge=1, description="Epochs; the last is kept.")
    batch_size: int = Field(128, ge=1, description="Mini-batch size.")
    learning_rate: float = Field(1e-4, gt=0, description="Learning rate of Adam at the start.")
    decay: float = Field(0.95, gt=0, le=1, description="The learning rate is multiplied by this once in `decay_steps`.")
    decay_steps: int = Field(1000, ge=1, description="Mini-batches between decays of the learning rate.")
    l2: float = Field(0.005, ge=0, description="Weight of half the sum of the squared weights in the loss.")
    threshold: float = Field(0.9, ge=0, le=1, description="Cells with this or a lower probability are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    import torch
    from safetensors.torch import save_file

    from jindbench.data.matrix import BLOCK
    from jindbench.jind.model import Rows, blocks, choose_device
    from jindbench.jind.networks import frozen, seeded

    device = choose_device(parameters.device)
    X, target_X, genes = expression(source, target, parameters)
    classes, y = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_inverse=True)
    with seeded(seed):
        model = network(X.shape[1], len(classes)).to(device)
        history = train(model, X, torch.from_numpy(y).to(device), parameters)
    with io.replacing(model_dir / "weights.safetensors") as temporary:
        save_file(model.state_dict(), temporary)
    io.write_json({"genes": genes, "classes": classes.tolist()}, model_dir / "model.json")
    io.write_table(history, model_dir / "history.tsv")

    frozen(model)
    cells, rows = Rows(target_X, device), blocks(np.arange(target.n_obs), BLOCK)
    probabilities = torch.cat([model(cells[block]).softmax(dim=1, dtype=torch.float64) for block in rows])
    return predictions.from_probabilities(
        target.obs_names, classes, probabilities.cpu().numpy(), parameters.threshold, reject_at_threshold=True
    )


def expression(source, target, parameters):
    """Transformed expression of source and target, CSR with the same genes, and the names of these."""
    from jindbench.data.preprocess import CELL_TOTAL, columns, most_variable_genes, transform

    kind = source.uns[X_KIND]
    if parameters.scale and kind not in (COUNTS, NORMALIZED):
        log.warning("X is '%s': cells are not scaled", kind)
    cell_total = CELL_TOTAL if parameters.scale else None  # what is normalized has one total for all cells already
    X, target_X = (transform(side.X, kind, cell_total=cell_total) for side in (source, target))
    genes = genes_within_percentiles(X, target_X) if parameters.gene_filter else np.arange(X.shape[1])
    genes = genes[most_variable_genes(columns(X, genes), parameters.n_genes)]
    return columns(X, genes), columns(target_X, genes), source.var_names[genes].tolist()


def genes_within_percentiles(X, target_X):
    """Columns that pass ACTINN's filter: first by total expression, then by std / mean, over all cells of both sides.

    Genes that no cell expresses have no std / mean and never pass.
    """
    from jindbench.data.preprocess import mean_and_variance

    mean, variance = mean_and_variance(X, target_X)
    low, high = np.percentile(mean, PERCENTILES)  # of the means: those of the totals, divided by the number of cells
    genes = np.flatnonzero((mean >= low) & (mean <= high) & (mean != 0))
    variation = np.sqrt(variance[genes]) / mean[genes]
    low, high = np.percentile(variation, PERCENTILES)
    return genes[(variation >= low) & (variation <= high)]


def network(n_genes, n_types):
    """Layers of 100, 50 and 25 neurons and one for each type (logits); Glorot's uniform weights, zero biases."""
    from torch import nn

    layers = []
    for n_in, n_out in zip((n_genes, *HIDDEN), (*HIDDEN, n_types), strict=True):
        layer = nn.Linear(n_in, n_out)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(model, X, y, parameters):
    """Train with Adam on cross entropy and an L2 penalty; a table with the mean cross entropy of each epoch.

    The penalty's gradient is `l2` times the weights. Adam's own weight decay adds just that, at less cost than a term
    of the loss has; biases have none.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from jindbench.jind import optimizers
    from jindbench.jind.model import Rows, blocks

    weights = [parameter for parameter in model.parameters() if parameter.ndim == 2]
    biases = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    optimizer = optimizers.Adam(
        [{"params": weights, "weight_decay": parameters.l2}, {"params": biases}], parameters.learning_rate
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, parameters.decay_steps, gamma=parameters.decay)
    cells, history = Rows(X, y.device, again=True), []
    for epoch in range(1, parameters.epochs + 1):
        total = torch.zeros((), device=y.device)
        for rows in blocks(torch.randperm(len(y)).numpy(), parameters.batch_size):
            loss = cross_entropy(model(cells[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += len(rows) * loss.detach()
        history.append(
            {"epoch": epoch, "train_loss": total.item() / len(y), "learning_rate": schedule.get_last_lr()[0]}
        )
        log.info("epoch %d: training loss %.4f", epoch, history[-1]["train_loss"])
    return pd.DataFrame(history).assign(kept=lambda table: table["epoch"] == parameters.epochs)

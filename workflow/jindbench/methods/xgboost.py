"""XGBoost: gradient-boosted trees (Chen & Guestrin 2016)."""

import numpy as np
from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "XGBoost"
PARENT = None
PACKAGES = ("xgboost",)


class Parameters(BaseParameters):
    n_genes: int | None = Field(5000, ge=1, description="Most variable genes used, as for JIND; null: all.")
    n_rounds: int = Field(100, ge=1, description="Rounds of boosting, each with a tree for each type.")
    learning_rate: float = Field(0.3, gt=0, le=1, description="What each tree's values are multiplied by.")
    max_depth: int = Field(6, ge=1, description="Depth of a tree at most.")
    gene_share: float = Field(0.3, gt=0, le=1, description="Share of the genes that each tree sees, drawn at random.")
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower probability are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    import xgboost

    from jindbench.data.preprocess import expression

    X, target_X = expression(source, target, parameters.n_genes)
    classes, y = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_inverse=True)
    options = {
        "objective": "multi:softprob",
        "num_class": len(classes),
        "learning_rate": parameters.learning_rate,
        "max_depth": parameters.max_depth,
        "colsample_bytree": parameters.gene_share,
        "seed": seed,
        "nthread": threads,
    }
    # Zeros of a sparse matrix are missing values: a split sends them to the side that fits the source better.
    cells, target_cells = xgboost.DMatrix(X, y, nthread=threads), xgboost.DMatrix(target_X, nthread=threads)
    model = xgboost.train(options, cells, parameters.n_rounds)
    return predictions.from_probabilities(
        target.obs_names, classes, model.predict(target_cells), threshold=parameters.threshold
    )

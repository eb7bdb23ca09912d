"""kNN: votes of the nearest source cells in the source's principal components, the simplest method that works."""

from pydantic import Field

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "kNN"
PARENT = None
RANDOM = False


class Parameters(BaseParameters):
    n_genes: int | None = Field(5000, ge=1, description="Most variable genes used, as for JIND; null: all.")
    n_components: int = Field(50, ge=1, description="Principal components; fewer where cells or genes are fewer.")
    n_neighbors: int = Field(15, ge=1, description="Neighbours that vote, each as much as the others.")
    threshold: float = Field(0.7, ge=0, le=1, description="Cells with a lower share of the votes are rejected.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier

    from jindbench.data.preprocess import CELL_TOTAL, expression

    X, target_X = expression(source, target, parameters.n_genes, cell_total=CELL_TOTAL)
    # arpack centres sparse input without making it dense, and finds fewer components than there are cells and genes.
    pca = PCA(min(parameters.n_components, min(X.shape) - 1), svd_solver="arpack", random_state=0)
    model = KNeighborsClassifier(min(parameters.n_neighbors, source.n_obs), algorithm="brute", n_jobs=threads)
    model.fit(pca.fit_transform(X), source.obs[LABEL].to_numpy(dtype=str))
    return predictions.from_probabilities(
        target.obs_names,
        model.classes_,
        model.predict_proba(pca.transform(target_X)),
        threshold=parameters.threshold,
    )

"""Which source type each cluster of a target is mapped to (paper, 'JIND batch alignment learns a meaningful mapping in
extreme cases', Figure 5).

A target may hold types that the source lacks. Its clusters are found without labels, on the tSNE of its aligned latent
codes; their distances to the source's types, in the latent space itself, tell which clusters have a type to go to.

The paper leaves it there. Here a cluster counts as novel if its centroid is farther from that of the nearest type than
95 % of the type's own source cells are: it lies where the type has hardly a cell. How far apart centroids of one type
may be is not told by the spread of centroids within the source, which knows nothing of batches: measured by that, every
cluster was novel on real cells, known types too. What alignment has moved into a known type is not found this way.
"""

import numpy as np
import pandas as pd

from jindbench.names import CELL_ID, LABEL

EPS, MIN_SAMPLES = 5, 15  # of DBSCAN on the tSNE, the authors' values
NOISE = -1
OWN_CELLS = 0.95  # share of a type's source cells that a novel cluster lies beyond


def clusters(points: pd.DataFrame) -> pd.Series:
    """Clusters of cells by DBSCAN on their tSNE (index: cell_id, two columns); -1 for cells in none."""
    from sklearn.cluster import DBSCAN

    found = DBSCAN(eps=EPS, min_samples=MIN_SAMPLES).fit_predict(points.to_numpy())
    return pd.Series(found, index=points.index, name="cluster")


def mapping(
    source_codes: np.ndarray, source_labels: np.ndarray, target_codes: np.ndarray, target_clusters: np.ndarray
) -> pd.DataFrame:
    """Match the target's clusters with the source's types, by the distances of their centroids.

    Parameters
    ----------
    source_codes, target_codes
        Latent codes, cells x 256; the target's after alignment.
    source_labels
        Type of each source cell.
    target_clusters
        Cluster of each target cell; -1 for none.

    Returns
    -------
    A row for each cluster: cluster, n_cells, nearest_source_type, distance (to that type), limit (95 % of that type's
    source cells are not farther from its centroid), novel (whether the distance is above the limit),
    assigned_source_type (with the smallest sum of distances, by the Hungarian method, one cluster for each type: None
    for clusters that are left over where there are more of them than types), and a column `distance_TYPE` for each
    source type. Distances are Euclidean, of centroids. (The text speaks of the average distance of the cells; the
    authors' code takes that of the centroids.)
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    def centroids(codes, groups):
        names = np.unique(groups)
        return names, np.array([codes[groups == name].mean(axis=0) for name in names]).reshape(
            len(names), codes.shape[1]
        )

    clustered = target_clusters != NOISE
    names, of_clusters = centroids(target_codes[clustered], target_clusters[clustered])
    types, of_types = centroids(source_codes, source_labels)
    distances = cdist(of_clusters, of_types)
    rows, columns = linear_sum_assignment(distances)
    assigned = dict(zip(names[rows], types[columns], strict=True))
    from_own_centroid = np.linalg.norm(source_codes - of_types[np.searchsorted(types, source_labels)], axis=1)
    limits = np.array([np.quantile(from_own_centroid[source_labels == name], OWN_CELLS) for name in types])
    nearest = distances.argmin(axis=1)
    table = pd.DataFrame(
        {
            "cluster": names,
            "n_cells": [(target_clusters == name).sum() for name in names],
            "nearest_source_type": types[nearest],
            "distance": distances.min(axis=1),
            "limit": limits[nearest],
            "novel": distances.min(axis=1) > limits[nearest],
            "assigned_source_type": [assigned.get(name) for name in names],
        }
    )
    return table.join(pd.DataFrame(distances, columns=[f"distance_{name}" for name in types]))


def describe(found: pd.Series, truth: pd.Series, predictions: pd.DataFrame) -> pd.DataFrame:
    """What the clusters truly are, which the mapping does not know: only to judge it.

    Returns
    -------
    A row for each cluster: cluster, majority_type, majority_share, most_frequent_prediction (the label after rejection)
    and prediction_share.
    """
    cells = pd.DataFrame({"cluster": found, "type": truth.loc[found.index]})
    cells["label"] = predictions.set_index(CELL_ID).loc[found.index, LABEL]

    def most_frequent(labels):
        counts = labels.value_counts()
        return counts.index[0], counts.iloc[0] / len(labels)

    columns = ["cluster", "majority_type", "majority_share", "most_frequent_prediction", "prediction_share"]
    rows = [
        [name, *most_frequent(of_cluster["type"]), *most_frequent(of_cluster["label"])]
        for name, of_cluster in cells[cells["cluster"] != NOISE].groupby("cluster")
    ]
    return pd.DataFrame(rows, columns=columns)

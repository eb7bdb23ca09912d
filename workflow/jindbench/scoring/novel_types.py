"""Which source type each cluster of a target is mapped to (paper, 'JIND batch alignment learns a meaningful mapping in
extreme cases', Figure 5).

A target may hold types that the source lacks. Its clusters are found without labels, on the tSNE of its aligned latent
codes; their distances to the source's types, in the latent space itself, tell which clusters have a type to go to.

The paper leaves it there. Whether a cluster is of a new type is asked here of the codes before alignment, which draws
new types into known ones: it is novel if its centroid is farther from that of the nearest type than 95 % of that type's
own source cells are. On real cells (Baron to Muraro, PBMC 3pv2 to 5p, a type removed from the source, true types as
clusters; the rule was chosen on these) that found 5 of 8 new types, and took 6 of 35 known ones for new, all of them in
the pancreas, where the batches differ most. By codes after alignment it would be 2 and 8; by how far centroids of
random subsets of the source lie from its own, which knows nothing of batches, all of them.
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
    """Distances of the target's clusters to the source's types, and the assignment with the smallest sum.

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
    A row for each cluster: cluster, n_cells, nearest_source_type, assigned_source_type (by the Hungarian method, one
    cluster for each type: None for clusters that are left over where there are more of them than types), and two
    columns for each source type, of the centroids: `distance_TYPE`, the Euclidean distance (the text: "average
    Euclidean distances", of the cells or of their averages), and `mean_squared_distance_TYPE`, the mean squared
    difference over the code's dimensions (the authors' code). A ratio of the latter is the square of the other.
    """
    from scipy.optimize import linear_sum_assignment

    names, types, distances, _ = _distances(source_codes, source_labels, target_codes, target_clusters)
    rows, columns = linear_sum_assignment(distances)
    assigned = dict(zip(names[rows], types[columns], strict=True))
    table = pd.DataFrame(
        {
            "cluster": names,
            "n_cells": [(target_clusters == name).sum() for name in names],
            "nearest_source_type": types[distances.argmin(axis=1)],
            "assigned_source_type": [assigned.get(name) for name in names],
        }
    )
    mean_squared = distances**2 / target_codes.shape[1]
    return table.join(
        [
            pd.DataFrame(distances, columns=[f"distance_{name}" for name in types]),
            pd.DataFrame(mean_squared, columns=[f"mean_squared_distance_{name}" for name in types]),
        ]
    )


def matches(
    source_codes: np.ndarray, source_labels: np.ndarray, target_codes: np.ndarray, target_clusters: np.ndarray
) -> pd.DataFrame:
    """The source type that each of the target's clusters is most like, how far it is from it, and whether it is novel.

    Parameters
    ----------
    source_codes, target_codes
        Latent codes, cells x 256, of the model before alignment.
    source_labels, target_clusters
        See `mapping`.

    Returns
    -------
    A row for each cluster: cluster, matched_source_type (with the nearest centroid), matched_distance (Euclidean, of
    the centroids), limit (the distance from the type's centroid within which 95 % of its source cells lie), novel
    (whether matched_distance is above the limit).
    """
    names, types, distances, centroids = _distances(source_codes, source_labels, target_codes, target_clusters)
    radius = np.linalg.norm(source_codes - centroids[np.searchsorted(types, source_labels)], axis=1)
    limits = np.array([np.quantile(radius[source_labels == name], OWN_CELLS) for name in types])
    nearest, distance = distances.argmin(axis=1), distances.min(axis=1)
    return pd.DataFrame(
        {
            "cluster": names,
            "matched_source_type": types[nearest],
            "matched_distance": distance,
            "limit": limits[nearest],
            "novel": distance > limits[nearest],
        }
    )


def _distances(source_codes, source_labels, target_codes, target_clusters) -> tuple[np.ndarray, ...]:
    """Clusters, types (both sorted), their centroids' distances, and the centroids of the types."""
    from scipy.spatial.distance import cdist

    def centroids(codes, groups):
        names = np.unique(groups)
        return names, np.array([codes[groups == name].mean(axis=0) for name in names]).reshape(
            len(names), codes.shape[1]
        )

    clustered = target_clusters != NOISE
    names, of_clusters = centroids(target_codes[clustered], target_clusters[clustered])
    types, of_types = centroids(source_codes, source_labels)
    return names, types, cdist(of_clusters, of_types), of_types


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

"""Control: every cell gets the source's most frequent type. No method that works is below it."""

import numpy as np

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Majority"
PARENT = None
RANDOM = False


class Parameters(BaseParameters):
    pass


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    classes, counts = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_counts=True)
    probabilities = np.tile(counts / counts.sum(), (target.n_obs, 1))
    return predictions.from_probabilities(target.obs_names, classes, probabilities, threshold=None)

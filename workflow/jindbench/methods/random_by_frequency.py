"""Control: every cell gets a type drawn with the source's frequencies, whatever it expresses."""

import numpy as np

from jindbench import predictions
from jindbench.names import LABEL
from jindbench.parameters import Parameters as BaseParameters

TITLE = "Random"
PARENT = None


class Parameters(BaseParameters):
    pass


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    classes, counts = np.unique(source.obs[LABEL].to_numpy(dtype=str), return_counts=True)
    drawn = np.random.default_rng(seed).choice(len(classes), target.n_obs, p=counts / counts.sum())
    # The type drawn must be the most probable one, and the draw says nothing of the others.
    return predictions.from_probabilities(target.obs_names, classes, np.eye(len(classes))[drawn], threshold=None)

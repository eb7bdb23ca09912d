"""Consensus: the mean of a linear model's and JIND's probabilities, aligned by moments (docs/robust-alignment.md).

Not the paper's: JIND with the preset `consensus`, training and alignment in one.
"""

from typing import Literal

from pydantic import Field

from jindbench.parameters import Parameters as BaseParameters

TITLE = "Consensus"
PARENT = None


class Parameters(BaseParameters):
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto`: CUDA where there is one, else the CPU.")


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.jind.estimator import JIND

    device = {"device": parameters.device}
    reference = JIND("consensus", classifier=device, alignment=device, seed=seed, progress=False)
    model = reference.fit(source).align(target)
    model.save(model_dir)
    return model.model_.predict(target)

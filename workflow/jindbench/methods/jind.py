"""JIND: the prediction model after alignment of the target."""

from jindbench.jind.parameters import AlignmentParameters as Parameters  # noqa: F401  (part of the contract)

TITLE = "JIND"
PARENT = "jind_classifier"


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.jind.alignment import align
    from jindbench.jind.model import JINDModel

    model = JINDModel.load(parent_dir, parameters.device)
    model, history = align(model, model.expression(target), parameters, seed)
    model.save(model_dir, history)
    return model.predict(target)

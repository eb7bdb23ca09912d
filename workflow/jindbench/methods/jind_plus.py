"""JIND+: JIND after self-training on its own confident predictions."""

from jindbench.jind.parameters import SelfTrainingParameters as Parameters  # noqa: F401  (part of the contract)

TITLE = "JIND+"
PARENT = "jind"


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.jind.model import JINDModel
    from jindbench.jind.self_training import self_train

    model = JINDModel.load(parent_dir, parameters.device)
    model, history = self_train(model, model.expression(target), parameters, seed)
    model.save(model_dir, history)
    return model.predict(target)

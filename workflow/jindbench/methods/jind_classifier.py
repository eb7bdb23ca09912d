"""JIND before alignment: the prediction model and its thresholds alone."""

from jindbench.jind.parameters import ClassifierParameters as Parameters  # noqa: F401  (part of the contract)
from jindbench.names import LABEL, X_KIND

TITLE = "JIND unaligned"
PARENT = None


def run(source, target, parameters, *, seed, threads, model_dir, parent_dir):
    from jindbench.jind.classifier import train_classifier
    from jindbench.jind.expression import source_expression

    X, genes = source_expression(source, parameters)
    labels = source.obs[LABEL].to_numpy(dtype=str)
    model, history = train_classifier(X, labels, genes, source.uns[X_KIND], parameters, seed)
    model.save(model_dir, history)
    return model.predict(target)

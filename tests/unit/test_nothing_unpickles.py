"""No file can make this project run code: nothing is unpickled, evaluated or given to a shell."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

from jindbench.jind.estimator import JIND

REPOSITORY = Path(__file__).parents[2]
CODE = [*(REPOSITORY / "workflow").rglob("*.py"), *(REPOSITORY / "scripts").glob("*.py")]
MODULES = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
CALLS = {"torch.load", "np.load", "numpy.load", "joblib.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load"}
CALLS |= {"eval", "exec", "os.system", "os.popen"}
KEYWORDS = {"allow_pickle", "shell"}


def names(file):
    """Modules that a file imports, what it calls, and with which keywords."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [node.module.split(".")[0], *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            yield from [ast.unparse(node.func), *(keyword.arg for keyword in node.keywords)]


def test_no_code_can_unpickle_or_start_a_shell():
    assert len(CODE) > 100
    found = {file.name: used for file in CODE if (used := set(names(file)) & (MODULES | CALLS | KEYWORDS))}
    assert found == {}


def test_a_stored_model_is_read_without_pickle(tmp_path, monkeypatch):
    genes = ["a", "b", "c"]
    X = np.random.default_rng(0).poisson(2, (20, 3))
    fitted = JIND(classifier={"epochs": 1}).fit(X, ["x", "y"] * 10, genes=genes)
    fitted.save(tmp_path)
    for name in ("Unpickler", "load", "loads"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: pytest.fail("unpickled"))
    assert JIND.load(tmp_path).predict(X, genes=genes).equals(fitted.predict(X, genes=genes))
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "weights.safetensors", "history.tsv"}

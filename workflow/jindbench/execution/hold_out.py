"""Running a method as if the source lacked a type: each of its types in turn is removed, and the target stays whole.

The types are known only once the source is read, so one job does this for all of them.
"""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import pandas as pd
from anndata import AnnData

from jindbench import io, predictions
from jindbench.errors import NotAvailable
from jindbench.execution import guard
from jindbench.execution.components import run_method
from jindbench.names import CELL_ID, LABEL, RAW_LABEL
from jindbench.parameters import Parameters
from jindbench.predictions import Predictions

HELD_OUT = "held_out"  # column: the type that was removed from the source
FEWEST_CELLS = 10  # of a type, on either side: shares of fewer say nothing


def not_applicable(source_labels: pd.Series) -> dict[str, str]:
    """For each type of the source, by name, why it is not removed; "" where it is."""
    counts = source_labels.astype(str).value_counts().sort_index()
    if len(counts) < 3:
        return dict.fromkeys(counts.index, "not applicable: a single type would be left")
    few = f"not applicable: fewer than {FEWEST_CELLS} source cells"
    return {name: few if n_cells < FEWEST_CELLS else "" for name, n_cells in counts.items()}


def without_each_type(
    stages: Sequence[tuple[ModuleType, Parameters]], source: AnnData, target: AnnData, *, seed: int, threads: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Label the target once for each type of the source, by a method that has not seen that type.

    Parameters
    ----------
    stages
        The method, preceded by those that it starts from, the first first; each with its parameters.
    source, target
        As for `components.run_method`.

    Returns
    -------
    Predictions with a column `held_out` before the others, n rows for each type that was removed; and by type why there
    are none of it.

    Raises
    ------
    NotAvailable
        If the method needs what this machine lacks: it then runs without no type.
    OSError
        Such as of a full disk, which is no fault of the method.
    """
    tables, failures = [], {}
    for name, reason in not_applicable(source.obs[LABEL]).items():
        if reason:
            continue
        rest = source[(source.obs[LABEL] != name).to_numpy()].copy()
        try:
            table = in_stages(stages, rest, target, seed, threads).table
        except (NotAvailable, OSError):  # of all types alike
            raise
        except Exception as error:
            failures[name] = guard.reason_of(error)
        else:
            table.insert(0, HELD_OUT, name)
            tables.append(table)
    return pd.concat(tables) if tables else none(), failures


def none() -> pd.DataFrame:
    """The predictions of a method that failed: no rows."""
    return pd.DataFrame(columns=[HELD_OUT, *predictions.COLUMNS])


def read(path: str | Path) -> pd.DataFrame:
    """Read what `without_each_type` gave."""
    return io.read_table(path, text=[HELD_OUT, CELL_ID, RAW_LABEL, LABEL])


def in_stages(
    stages: Iterable[tuple[ModuleType, Parameters]], source: AnnData, target: AnnData, seed: int, threads: int
) -> Predictions:
    """The last stage's predictions. No model is kept."""
    with tempfile.TemporaryDirectory() as folder:
        parent_dir = None
        for number, (method, parameters) in enumerate(stages):
            model_dir = Path(folder, str(number))
            model_dir.mkdir()
            predicted = run_method(
                method,
                source,
                target,
                parameters,
                seed=seed,
                threads=threads,
                model_dir=model_dir,
                parent_dir=parent_dir,
            )
            parent_dir = model_dir
    return predicted

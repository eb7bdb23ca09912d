"""Every method against the reference on the same cells."""

import pandas as pd

from jindbench import render
from jindbench.scoring.paired_tests import EXACT_BELOW, SIGNIFICANT

NOTE = (
    "raw: the label before rejection is right; annotated: it is right and not rejected. p: McNemar's test on the same "
    f"cells (exact below {EXACT_BELOW} cells on which the two disagree, else chi-square with continuity correction), "
    "over several seeds twice the median of each direction's one-sided p, and twice the smaller of the two. "
    "Adjusted p: corrected by Holm's method for all rows of the table, so for all tasks, methods and both measures. "
    "In brackets the 95 % interval over cells (Agresti and Min), its bounds averaged over seeds."
)


def shown(table: pd.DataFrame, reference: str) -> render.Table:
    """The tests (see `scoring.paired_tests`) for readers; task, method and reference are titles."""
    rows = [
        [
            row.task,
            row.method,
            row.measure,
            f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]",
            f"{round(row.n_only_first, 1):g} / {round(row.n_only_second, 1):g}",
            _p(row.p),
            _p(row.adjusted_p),
        ]
        for row in table.itertuples()
    ]
    head = ["task", "method", "measure", f"{reference} minus method", f"only {reference} / only method"]
    nothing = f"This run has no method to compare with {reference}."
    return render.Table([*head, "p", "adjusted p"], rows, [NOTE], nothing=nothing)


def _p(p: float) -> str:
    """Two digits, and more where these would not tell on which side of the limit it is: 0.0496, not 0.05."""
    texts = (f"{p:.{digits}g}" for digits in range(2, 18))
    return next(text for text in texts if (float(text) < SIGNIFICANT) == (p < SIGNIFICANT))

"""Every method against the reference on the same cells."""

import pandas as pd

from jindbench import render
from jindbench.scoring.paired_tests import EXACT_BELOW

NOTE = (
    "raw: the label before rejection is right; annotated: it is right and not rejected. p: McNemar's test on the same "
    f"cells (exact below {EXACT_BELOW} cells on which the two disagree, else chi-square with continuity correction), "
    "over several seeds twice the median; adjusted p: corrected for all comparisons of the table by Holm's method. "
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
            f"{row.n_only_first:.0f} / {row.n_only_second:.0f}",
            f"{row.p:.2g}",
            f"{row.adjusted_p:.2g}",
        ]
        for row in table.itertuples()
    ]
    head = ["task", "method", "measure", f"{reference} minus method", f"only {reference} / only method"]
    nothing = f"This run has no method to compare with {reference}."
    return render.Table([*head, "p", "adjusted p"], rows, [NOTE], nothing=nothing)

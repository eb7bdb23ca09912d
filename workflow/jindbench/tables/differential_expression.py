"""The table of all comparisons of two groups of cells, and a workbook with the genes of each."""

import re
import zipfile
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pandas as pd

from jindbench import io, render

COLUMNS = ["task", "method", "seed", "type_a", "type_b", "model", "alpha", "n_first", "n_second", "n_significant"]
COLUMNS += ["draws", "control_none", "control_median", "control_max", "status"]
NOTE = (
    "Cells of type a that are labelled a (n first) against cells of type a that are labelled b (n second), without "
    "rejected cells; n significant: genes with an adjusted p (Benjamini and Hochberg) below alpha, by limma on voom's "
    "weights or on the values as they are (plain). Control: the same between random groups of type a of the same "
    "sizes; in how many of the draws no gene was found, the median and the largest number."
)
SHEET_NAME_LENGTH = 31  # Excel's limit
FIRST_DAY = datetime(1980, 1, 1)  # of time in a zip archive


def shown(table: pd.DataFrame) -> render.Table:
    """The comparisons (`COLUMNS`) for readers."""
    return render.Table.of(table, notes=[NOTE])


def workbook(path: str | Path, sheets: dict[str, pd.DataFrame]) -> None:
    """Write an Excel workbook, a sheet for each table; the same tables give the same bytes.

    All text stays text for Excel: genes such as MARCH1, 1E5 or =A1 are no dates, numbers or formulas.

    Parameters
    ----------
    path
        An .xlsx file.
    sheets
        Tables by title. A title becomes a name that Excel allows: at most 31 characters, some replaced by "_", with a
        number behind it where two would be the same.
    """
    from openpyxl.packaging.core import DocumentProperties
    from openpyxl.xml.constants import ARC_CORE
    from openpyxl.xml.functions import tostring

    content = BytesIO()
    with pd.ExcelWriter(content, engine="openpyxl") as writer:
        for name, table in zip(_sheet_names(sheets), sheets.values(), strict=True):
            table.to_excel(writer, sheet_name=name, index=False, na_rep="NA")
            _keep_text(writer.sheets[name])
    # Times of writing stand in the archive and in the workbook's properties.
    properties = tostring(DocumentProperties(creator="jindbench", created=FIRST_DAY, modified=FIRST_DAY).to_tree())
    with io.replacing(path) as temporary, zipfile.ZipFile(content) as dated, zipfile.ZipFile(temporary, "w") as archive:
        for name in dated.namelist():
            part = properties if name == ARC_CORE else dated.read(name)
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY.timetuple()[:6]), part, zipfile.ZIP_DEFLATED)


def _keep_text(sheet: "openpyxl.worksheet.worksheet.Worksheet") -> None:  # noqa: F821
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type, cell.number_format = "s", "@"  # openpyxl takes "=..." for a formula


def _sheet_names(titles: Iterable[str]) -> list[str]:
    names = []
    for title in titles:
        plain = re.sub(r"[\[\]:*?/\\]", "_", title).strip("'")
        name, number = plain[:SHEET_NAME_LENGTH], 1
        while name.lower() in map(str.lower, names):  # to Excel "a" and "A" are the same
            number += 1
            name = f"{plain[: SHEET_NAME_LENGTH - len(f' {number}')]} {number}"
        names.append(name)
    return names

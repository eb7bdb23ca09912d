"""Tables for readers as Markdown and HTML; the only place that escapes text."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from jindbench import io


class Bold(str):
    """A cell that stands out."""


class High(str):
    """A cell with a value that is too high: marked (!), and red in HTML."""


@dataclass(frozen=True)
class Table:
    """A table of text, as a reader sees it.

    Attributes
    ----------
    head, rows
        Text as it is; it is escaped on writing. Cells may be `Bold` or `High`.
    notes
        Paragraphs below the table.
    lead
        A paragraph above it.
    nothing
        What to say in place of all this if there are no rows.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    lead: str = ""
    nothing: str = ""

    @classmethod
    def of(cls, values: pd.DataFrame, bold: str = "", **others: Any) -> "Table":
        """A data frame as text: six significant digits, "-" for missing values, spaces for "_" in column names.

        `bold` is a column that stands out.
        """
        kinds = [Bold if column == bold else str for column in values]
        rows = [
            [kind(_text(cell)) for kind, cell in zip(kinds, row, strict=True)]
            for row in values.astype(object).to_numpy()
        ]
        return cls([column.replace("_", " ") for column in values], rows, **others)

    def markdown(self) -> str:
        """The table as Markdown."""
        if self.nothing and not self.rows:
            return f"{self.nothing}\n"
        lines = [f"| {' | '.join(map(_markdown_cell, cells))} |" for cells in [self.head, *self.rows]]
        lines.insert(1, "|" + " --- |" * len(self.head))
        return "\n\n".join(filter(None, [self.lead, "\n".join(lines), *self.notes])) + "\n"

    def html(self) -> str:
        """The table as a part of an HTML page."""
        if self.nothing and not self.rows:
            return _paragraph(self.nothing)
        grid = ["<table>", _html_row("th", self.head), *(_html_row("td", row) for row in self.rows), "</table>"]
        return "\n".join([*([_paragraph(self.lead)] if self.lead else []), *grid, *map(_paragraph, self.notes)])

    def page(self, title: str) -> str:
        """The table as an HTML page of its own."""
        return page(title, self.html())

    def write(self, values: pd.DataFrame, title: str, tsv: str | Path) -> None:
        """Write `values` as TSV and beside them this table, as Markdown (.md) and as a page (.html)."""
        io.write_table(values, tsv)
        io.write_text(self.markdown(), Path(tsv).with_suffix(".md"))
        io.write_text(self.page(title), Path(tsv).with_suffix(".html"))


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return "-"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _markdown_cell(cell: str) -> str:
    text = cell.replace("|", "\\|").replace("<", "&lt;")
    if isinstance(cell, Bold):
        return f"**{text}**"
    return f"{text} (!)" if isinstance(cell, High) else text


def _html_cell(cell: str) -> str:
    text = html.escape(cell)
    if isinstance(cell, Bold):
        return f"<b>{text}</b>"
    return f'<span class="high">{text} (!)</span>' if isinstance(cell, High) else text


def _html_row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_html_cell(cell)}</{tag}>" for cell in cells) + "</tr>"


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def preformatted(text: str) -> str:
    """Text whose line breaks count, as a part of an HTML page."""
    return f"<pre>{html.escape(text)}</pre>"


def page(title: str, body: str) -> str:
    """A plain, self-contained HTML page; `body` is HTML."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<style>
body {{ font: 15px/1.5 sans-serif; margin: 1.5em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .3em .8em; text-align: left; vertical-align: top; }}
th {{ border-bottom: 2px solid #888; }}
.high {{ color: #c00000; }}
pre {{ background: #f5f5f5; padding: 1em; overflow: auto; }}
</style></head><body>
<h1>{html.escape(title)}</h1>
{body}
</body></html>
"""

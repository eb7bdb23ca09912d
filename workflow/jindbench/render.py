"""What readers see, as Markdown and HTML: tables, lists, pages; the only place that escapes text."""

import base64
import html
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from jindbench import io


class Bold(str):
    """A cell that stands out."""


class High(str):
    """A cell with a value that is too high: marked (!), and red in HTML."""


class Part(Protocol):
    """A part of a page."""

    def markdown(self) -> str: ...

    def html(self) -> str: ...


@dataclass(frozen=True)
class Paragraph:
    """Text as it is; it is escaped on writing, but `**` around words makes them bold, and backticks code."""

    text: str

    def markdown(self) -> str:
        return _escaped(self.text)

    def html(self) -> str:
        return f"<p>{_marked(self.text)}</p>"


@dataclass(frozen=True)
class Lines:
    """A list, each item like a `Paragraph`, below its `lead`; nothing without items."""

    items: Sequence[str]
    lead: str = ""

    def markdown(self) -> str:
        if not self.items:
            return ""
        return "\n".join([*([self.lead, ""] if self.lead else []), *(f"- {_escaped(item)}" for item in self.items)])

    def html(self) -> str:
        if not self.items:
            return ""
        items = "".join(f"<li>{_marked(item)}</li>" for item in self.items)
        return (_paragraph(self.lead) if self.lead else "") + f"<ul>{items}</ul>"


@dataclass(frozen=True)
class Written:
    """A table that an earlier step has written: its Markdown, and its page."""

    text: str
    page: str

    def markdown(self) -> str:
        return self.text

    def html(self) -> str:
        """What the page holds below its title."""
        return self.page.partition("</h1>")[2].rpartition("</body>")[0].strip()


@dataclass(frozen=True)
class Table:
    """A table of text, as a reader sees it.

    Attributes
    ----------
    head, rows
        Text as it is; it is escaped on writing. Cells may be `Bold` or `High`. A row of a single cell is the heading
        of those below it.
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
        blank = [""] * (len(self.head) - 1)
        rows = [[Bold(row[0]), *blank] if len(row) == 1 else row for row in self.rows]
        lines = [f"| {' | '.join(map(_markdown_cell, cells))} |" for cells in [self.head, *rows]]
        lines.insert(1, "|" + " --- |" * len(self.head))
        return "\n\n".join(filter(None, [self.lead, "\n".join(lines), *self.notes])) + "\n"

    def html(self) -> str:
        """The table as a part of an HTML page."""
        if self.nothing and not self.rows:
            return _paragraph(self.nothing)
        rows = [
            f'<tr><th class="block" colspan="{len(self.head)}">{html.escape(row[0])}</th></tr>'
            if len(row) == 1
            else _html_row("td", row)
            for row in self.rows
        ]
        grid = ['<div class="wide"><table>', _html_row("th", self.head), *rows, "</table></div>"]
        return "\n".join([*([_paragraph(self.lead)] if self.lead else []), *grid, *map(_paragraph, self.notes)])

    def text(self, width: int) -> str:
        """The table as plain text, all but the first column equally wide.

        It has at most `width` letters a line, more only where columns would be too narrow for a number.
        """
        others, all_rows = max(len(self.head) - 1, 1), [self.head, *self.rows]
        first = max(len(row[0]) for row in all_rows)
        first = min(first, max(width - others * (SHORT + 2), SHORT))
        longest = max(len(cell) for row in all_rows for cell in row[1:])
        each = min(max((width - first) // others - 2, SHORT), longest)
        lines = []
        for row in all_rows:
            cells = [textwrap.wrap(cell, size) for cell, size in zip(row, [first, *[each] * others], strict=True)]
            for line in range(max(map(len, cells))):
                parts = [cell[line] if line < len(cell) else "" for cell in cells]
                lines.append("  ".join([parts[0].ljust(first), *(part.ljust(each) for part in parts[1:])]).rstrip())
            if row is self.head:
                lines.append("-" * (first + others * (each + 2)))
        notes = [textwrap.fill(note, width) for note in self.notes]
        return "\n\n".join(["\n".join(lines), *notes]) + "\n"

    def page(self, title: str) -> str:
        """The table as an HTML page of its own."""
        return page(title, self.html())

    def write(self, values: pd.DataFrame, title: str, tsv: str | Path) -> None:
        """Write `values` as TSV and beside them this table, see `write`."""
        write([self], values, title, tsv)


def write(parts: Sequence[Part], values: pd.DataFrame, title: str, tsv: str | Path) -> None:
    """Write `values` as TSV and beside them these parts, as Markdown (.md) and as a page (.html)."""
    io.write_table(values, tsv)
    io.write_text("\n\n".join(part.markdown().strip() for part in parts) + "\n", Path(tsv).with_suffix(".md"))
    io.write_text(page(title, "\n".join(part.html() for part in parts)), Path(tsv).with_suffix(".html"))


def _text(cell: Any) -> str:
    if pd.isna(cell):
        return "-"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _escaped(text: str) -> str:
    """For Markdown: where "<" could begin a tag."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def _marked(text: str) -> str:
    """For HTML, with bold words where `**` surrounds them, and code where backticks do."""
    bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(text))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", bold)


def _markdown_cell(cell: str) -> str:
    text = _escaped(cell.replace("|", "\\|"))
    if isinstance(cell, Bold):
        return f"**{text}**"
    return f"{text} (!)" if isinstance(cell, High) else text


SHORT = 9  # letters of plain text that a column has room for: "not available" takes two lines
# A number, then what is small beside it: its standard deviation and interval.
WITH_INTERVAL = re.compile(r"([-+]?[\d.]+)( (?:± [\d.]+ )?\[.*\].*)")


def _html_cell(cell: str) -> str:
    text = html.escape(cell)
    if number := WITH_INTERVAL.fullmatch(text):
        text = f"{number[1]}<small>{number[2]}</small>"
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


def section(heading: str, body: str) -> str:
    """A part of an HTML page with a heading that links can name; `body` is HTML."""
    return f'<h2 id="{anchor(heading)}">{html.escape(heading)}</h2>\n{body}'


def contents(headings: Iterable[str]) -> str:
    """Links to sections of the same HTML page."""
    links = [f'<a href="#{anchor(name)}">{html.escape(name)}</a>' for name in headings]
    return f"<nav>{' '.join(links)}</nav>"


def anchor(heading: str) -> str:
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


def figure(svg: bytes, title: str, paragraphs: Iterable[str]) -> str:
    """A picture with its title above and its caption below, as a part of an HTML page."""
    image = f'<img alt="{html.escape(title)}" src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}">'
    caption = "".join(f"<p>{_marked(text)}</p>" for text in paragraphs)
    return f"<figure><h3>{html.escape(title)}</h3>{image}<figcaption>{caption}</figcaption></figure>"


def page(title: str, body: str) -> str:
    """A plain, self-contained HTML page; `body` is HTML."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
body {{ font: 15px/1.5 sans-serif; margin: 1.5em auto; max-width: 75em; padding: 0 1em; color: #222; }}
body {{ overflow-wrap: break-word; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ddd; padding: .25em .8em .25em 0; text-align: left; vertical-align: top; }}
td {{ overflow-wrap: normal; }}
th {{ border-bottom: 2px solid #888; }}
th.block {{ padding-top: 1em; border-bottom: 1px solid #888; }}
h2 {{ margin-top: 2em; border-bottom: 1px solid #ccc; }}
nav a {{ display: inline-block; margin-right: 1em; }}
figure {{ margin: 2em 0; }}
figcaption, small {{ color: #555; }}
small {{ white-space: nowrap; }}
img {{ max-width: 100%; height: auto; }}
.wide, pre {{ overflow-x: auto; margin: 1em 0; }}
.high {{ color: #c00000; }}
pre {{ background: #f5f5f5; padding: 1em; }}
</style></head><body>
<h1>{html.escape(title)}</h1>
{body}
</body></html>
"""

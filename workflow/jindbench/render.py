"""Tables and pages as Markdown and HTML; the one place that escapes text."""

import html
from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], note: str) -> str:
    """A table of text cells as Markdown, with a note under it."""
    return markdown_from_cells(head, [map(markdown_escape, row) for row in rows]) + f"\n{note.rstrip('.')}.\n"


def html_table_page(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """A table of text cells as an HTML page, with a note under it; the note alone where there are no rows."""
    body = html_from_cells(map(html.escape, head), [map(html.escape, row) for row in rows]) if rows else ""
    return page(title, f"{body}\n<p>{html.escape(note.rstrip('.'))}.</p>")


def markdown_escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("<", "&lt;")


def markdown_from_cells(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table from cells that are escaped already."""
    head = list(head)
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, *rows]]
    lines.insert(1, "|" + " --- |" * len(head))
    return "\n".join(lines) + "\n"


def html_from_cells(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table from cells that are escaped already."""
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def page(title: str, body: str) -> str:
    """A plain, self-contained HTML page."""
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

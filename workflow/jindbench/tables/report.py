"""The report: summary, Table 2, figures with their captions, all other tables, on one self-contained HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jindbench import io, render
from jindbench.plots import rule_graph
from jindbench.render import Part, Written

FIRST = ("In short", "Table 2")  # sections of the summary that come before the figures


def about(figures: Sequence[str]) -> dict[str, dict]:
    """What stands beside each picture: its title, caption, whether it is drawn, and what is missing."""
    return {path: io.read_json(Path(path).with_suffix(".json")) for path in figures}


def page(
    run: str,
    summary: Mapping[str, Sequence[Part]],
    figures: Mapping[str, dict],
    tables: Mapping[str, str],
    rules: str,
) -> str:
    """The page, as HTML.

    Parameters
    ----------
    run
        Its name.
    summary
        What `summary.sections` gives.
    figures
        The pictures, as SVG, in the order to be shown, and what `about` says of each.
    tables
        Pages of tables by heading.
    rules
        The picture of the run's rules, as SVG.
    """
    drawn = [
        render.figure(Path(path).read_bytes(), its["title"], its["caption"])
        for path, its in figures.items()
        if its["drawn"]
    ]
    parts = {heading: _html(of_section) for heading, of_section in summary.items()}
    parts["Rules"] = render.figure(Path(rules).read_bytes(), rule_graph.TITLE, rule_graph.CAPTION)
    written = {
        heading: _html([Written("", Path(path).read_text(encoding="utf-8"))]) for heading, path in tables.items()
    }
    ordered = {heading: parts.pop(heading) for heading in FIRST} | {"Figures": "\n".join(drawn)} | written | parts
    sections = [render.section(heading, body) for heading, body in ordered.items()]
    return render.page(run, "\n".join([render.contents(ordered), *sections]))


def _html(parts: Sequence[Part]) -> str:
    return "\n".join(part.html() for part in parts)

"""What Snakemake prints: one line for each step. Its own words are all in its log, in .snakemake/log."""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from jindbench.registry import LIBRARY

# What jobs do, by rule; of others, the rule's name says it.
STEPS = {
    "download": "download {dataset}",
    "dataset": "read {dataset}",
    "task": "source and target of {task}",
    "integrate": "{integration} on {task}",
    "run_method": "{method} on {task}, {seeds}",
    "hold_out": "{method} on {task}, seed {seed}, without each type in turn",
    "time_method": "{method} on {task}, timed alone",
    "time_integration": "{integration} on {task}, timed alone",
    "complexity": "kNN scores of {dataset}",
    "expression_tsne": "tSNE of {task}",
    "latent_codes": "tSNE of the codes on {task}",
    "differential_expression": "genes that differ in {task}",
}
HIDDEN = {LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO, LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED}
HIDDEN_WORDS = (
    "Assuming unrestricted shared filesystem",
    "Conda environments: ignored",
    "Job rate limit reached",
    "Removing output files of failed job",
    "Select jobs to execute",
    "Trying to restart job",
    "Using shell",
)
RUN = re.compile(r"/runs/([^/]+)/([^/]+)/seed-(\d+)/outcome\.json$")


def show(workflow: Any, titles: Mapping[str, str] | None = None) -> None:
    """From now on, print a line for each step.

    A dry run says why each job would run, so it keeps Snakemake's words; so do `--verbose` and a workflow that takes
    this one as a module.

    Parameters
    ----------
    workflow
        Snakemake's.
    titles
        Of methods.
    """
    settings = workflow.output_settings
    own = Path(str(workflow.main_snakefile)).resolve().parent == LIBRARY.parents[1]
    if not own or not workflow.is_main_process or settings.dryrun or settings.verbose:
        return
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == "DefaultStreamHandler":
            # Snakemake gets to know where it runs jobs after it has read its rules.
            steps = Steps(titles or {}, on_cluster=lambda: not workflow.local_exec)
            handler.addFilter(steps.shows)
            handler.setFormatter(steps)


class Steps(DefaultFormatter):
    """Words for Snakemake's messages.

    Parameters
    ----------
    titles
        Of methods.
    on_cluster
        Whether jobs go to a cluster. There a step's line says that it is submitted, so another one says how many are
        done whenever one is.
    """

    def __init__(self, titles: Mapping[str, str], *, on_cluster: Callable[[], bool]):
        super().__init__()
        self.titles, self.on_cluster = titles, on_cluster
        self.total = 0
        self.lines: dict[int, str] = {}  # of jobs that were started, by their number

    def shows(self, record: logging.LogRecord) -> bool:
        """Is there something to say?"""
        event, words = getattr(record, "event", None), str(record.msg)
        if event == LogEvent.PROGRESS:
            return self.on_cluster()
        # A script that ends with an error has said which; one that was killed has not.
        ended = event == LogEvent.ERROR and "returned non-zero exit status 1." in words
        return not (event in HIDDEN or ended or words.startswith(HIDDEN_WORDS))

    def format_run_info(self, msg: dict) -> str:
        self.total = msg["stats"]["total"]
        return "1 step" if self.total == 1 else f"{self.total} steps"

    def format_job_info(self, msg: dict) -> str:
        if line := self.lines.get(msg["jobid"]):
            return f"{line}, again"
        line = f"[{len(self.lines) + 1}/{self.total}] {self._step(msg)}"
        self.lines[msg["jobid"]] = line
        return line

    def format_job_error(self, msg: dict) -> str:
        scheduler = {"message": msg["rule_msg"], **msg["aux"]}  # what a cluster says of its job
        lines = [f"{self.lines.get(msg['jobid'], msg['rule_name'])}: failed"]
        lines += [f"    {name}: {value}" for name, value in scheduler.items() if value]
        return "\n".join(lines + [f"    {path}: {_last_line(Path(path))}" for path in msg["log"]])

    def _step(self, msg: dict) -> str:
        rule, named = msg["rule_name"], dict(msg["wildcards"])
        named.pop("run", None)
        if "method" in named:
            named["method"] = self.titles.get(named["method"], named["method"])
        rule, of_small_tasks, _ = rule.partition("_of_small_tasks")
        if of_small_tasks:
            named = {"task": "small tasks", "integration": "integration"}
        if runs := [run.groups() for run in map(RUN.search, msg["output"]) if run]:
            tasks, methods, seeds = (list(dict.fromkeys(part)) for part in zip(*runs, strict=True))
            named["task"] = ", ".join(tasks)
            named["method"] = ", ".join(self.titles.get(method, method) for method in methods)
            named["seeds"] = f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
        try:
            return STEPS[rule].format(**named)
        except KeyError:
            return " ".join([rule.replace("_", " "), *filter(None, named.values())])


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "not there"
    return next((line for line in reversed(lines) if line.strip()), "empty")

"""What runs again after a change, a failure or an interruption: all that has to, and nothing else."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from jindbench import registry
from toy_project import failing

DONE = {("complete_tables",), ("tables",), ("provenance",)}
TABLES = DONE | {("accuracies",), ("accuracy_figures",)}


def append(workflow, path, text="\n# edited\n"):
    file = workflow.folder / path
    file.write_text(file.read_text() + text)


def test_no_training_rests_on_downloads_tables_plots_or_annotate():
    trained = [f"{kind}/{name}" for kind in ("methods", "integrations") for name in registry.names(kind)]
    for name in (*trained, "data/tasks", "execution/components", "execution/hold_out"):
        rooms = {
            Path(file).relative_to("workflow/jindbench").parts[0] for file in relative(registry.library_code(name))
        }
        assert not rooms & {"tables", "plots", "figures", "annotate"}, name
        assert not any(file.endswith("data/downloads.py") for file in registry.library_code(name)), name


def relative(files):
    return [Path(file).resolve().relative_to(registry.LIBRARY.parents[1]) for file in files]


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        (
            ["methods/svm_rej.py", "methods/jind_plus.py"],
            {("run_method", "svm_rej"), ("run_method", "jind_plus")} | TABLES,
        ),
        (["jind/alignment.py"], {("run_method", "jind"), ("run_method", "jind_plus")} | TABLES),
        (
            ["jind/classifier.py"],
            {("run_method", "jind_classifier"), ("run_method", "jind"), ("run_method", "jind_plus")} | TABLES,
        ),
        (
            ["tables/titles.py"],
            TABLES,
        ),
        (["figures/training.py"], DONE | {("accuracy_figures",)}),
        (["datasets/pbmc68k_reduced.py", "data/downloads.py", "annotate/page.py", "../../config/README.md"], set()),
    ],
)
def test_an_edit_runs_what_rests_on_it_and_nothing_else(completed, edited, expected):
    for path in edited:
        append(completed, f"workflow/jindbench/{path}")
    assert completed.pending() == expected


def test_a_changed_parameter_runs_that_method_and_what_follows(completed):
    configuration = yaml.safe_load((completed.folder / "test.yaml").read_text())
    configuration["methods"]["jind"]["penalty"] = 0.01
    completed.configure(configuration)
    assert completed.pending() == {("run_method", "jind"), ("run_method", "jind_plus")} | TABLES


def test_one_failed_seed_leaves_no_average(fresh):
    """Though one job runs all seeds."""
    body = "    if seed == 1:\n        raise ValueError('seed one')"
    configuration = yaml.safe_load((fresh.folder / "test.yaml").read_text())
    fresh.configure(configuration | {"figures": {"method": "random_by_frequency"}})
    methods = ["majority", "random_by_frequency", "flaky"]
    _, (majority, flaky) = failing(fresh, "flaky", body, methods=methods, seeds=[0, 1, 2], small_task=1000)
    logs = (fresh.folder / "results/tiny/logs").glob("run_method*.log")
    assert {log.stem for log in logs} == {f"run_method_of_small_tasks_{file}" for file in methods}
    assert majority.startswith("0.")  # nothing in it is random: it has one seed
    assert flaky == "failed: ValueError: seed one (seed 1)"
    metrics = fresh.read("tables/metrics.tsv").splitlines()
    assert [line.split("\t")[-1] for line in metrics if line.startswith("batches\tflaky\t0\traw")] == ["ok"]
    fresh.run(target="results/tiny/tables/paired_tests.tsv")
    tests = fresh.read("tables/paired_tests.tsv").splitlines()[1:]
    assert {tuple(line.split("\t")[:2]) for line in tests} == {("batches", "majority")}


@pytest.mark.faults
def test_a_parent_that_failed_is_tried_again_though_it_is_not_in_the_tables(fresh):
    configuration = yaml.safe_load((fresh.folder / "test.yaml").read_text())
    configuration["run"] |= {"tasks": ["batches"], "methods": ["majority", "jind"]}
    fresh.configure(configuration)
    file = fresh.folder / "workflow/jindbench/methods/jind_classifier.py"
    source = file.read_text()
    file.write_text(source.replace("    X, genes", "    raise MemoryError('too big')\n    X, genes"))
    fresh.run(ok=False)
    assert "failed: RuntimeError: jind_classifier failed (MemoryError: too big)" in fresh.read("tables/table2.md")
    assert ("run_method", "jind_classifier") in fresh.pending()
    file.write_text(source)
    fresh.run()
    assert "failed" not in fresh.read("tables/table2.md")


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.faults)])
def test_an_interrupted_run_resumes(completed, fresh, sent):
    """And what comes out is the same elsewhere, and one job at a time."""
    fresh.target = "results/tiny/tables/table2.md"
    process = subprocess.Popen(
        fresh.command(), cwd=fresh.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    begun = fresh.folder / "results/tiny/runs"
    deadline = time.monotonic() + 120
    while len(list(begun.glob("*/*/*/outcome.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(sent)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0, output
    assert not (fresh.folder / fresh.target).exists()
    done = fresh.finished("run_method")
    assert 0 < done < 7

    fresh.run("--cores", "1")
    assert fresh.finished("run_method") == 7 - done
    for name in ("metrics.tsv", "metrics_by_method.tsv", "table2.md"):
        assert fresh.read(f"tables/{name}") == completed.read(f"tables/{name}")

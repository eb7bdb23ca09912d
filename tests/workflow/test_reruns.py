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
        ("workflow/jindbench/methods/svm_rej.py", {("run_method", "svm_rej")} | TABLES),
        ("workflow/jindbench/methods/jind_plus.py", {("run_method", "jind_plus")} | TABLES),
        ("workflow/jindbench/jind/alignment.py", {("run_method", "jind"), ("run_method", "jind_plus")} | TABLES),
        (
            "workflow/jindbench/jind/classifier.py",
            {("run_method", "jind_classifier"), ("run_method", "jind"), ("run_method", "jind_plus")} | TABLES,
        ),
        (
            "workflow/jindbench/tables/titles.py",
            TABLES,
        ),
        ("workflow/jindbench/figures/training.py", DONE | {("accuracy_figures",)}),
        ("workflow/jindbench/datasets/pbmc68k_reduced.py", set()),
        ("workflow/jindbench/data/downloads.py", set()),
        ("workflow/jindbench/annotate/page.py", set()),
        ("README.md", set()),
    ],
)
def test_an_edit_runs_what_rests_on_it_and_nothing_else(completed, edited, expected):
    if edited == "README.md":
        (completed.folder / edited).write_text("new")
    else:
        append(completed, edited)
    assert completed.pending() == expected


def test_a_changed_parameter_runs_that_method_and_what_follows(completed):
    configuration = yaml.safe_load((completed.folder / "test.yaml").read_text())
    configuration["methods"]["jind"]["penalty"] = 0.01
    completed.configure(configuration)
    assert completed.pending() == {("run_method", "jind"), ("run_method", "jind_plus")} | TABLES


def test_a_failing_method_is_shown_and_the_others_come_out(completed):
    """Runs, breaks, shows the reason instead of the old number, fails, is mended, comes back."""
    good, before = completed.read("tables/table2.md"), completed.raw()
    file = completed.folder / "workflow/jindbench/methods/jind.py"
    source = file.read_text()
    file.write_text(source.replace("    model = JIND", '    raise RuntimeError("out of <luck>")\n    model = JIND'))

    output = completed.run(ok=False)
    assert "jind on batches, seed 0, failed: RuntimeError: out of <luck>" in output
    why = (
        "failed: RuntimeError: out of <luck> (seed 0)",
        "failed: RuntimeError: jind failed (RuntimeError: out of <luck>) ",
    )
    failed = {("Toy", "JIND (paper)"): why[0], ("Toy", "JIND+ (paper)"): why[1] + "(seed 0)"}
    assert completed.raw() == before | failed
    assert "out of &lt;luck> (seed 0)" in completed.read("tables/table2.md")
    metrics = completed.read("tables/metrics.tsv")
    assert "out of <luck>" in metrics
    assert "<luck>" not in completed.read("tables/table2.html")

    # The next run tries again, although nothing changed, and nothing but what failed.
    assert {("run_method", "jind"), ("run_method", "jind_plus")} | TABLES == completed.pending()

    file.write_text(source)
    completed.run()
    assert completed.read("tables/table2.md") == good
    assert "Nothing to be done" in completed.run()


def test_a_method_that_is_killed_is_a_failure(fresh):
    """As the system kills what takes too much memory."""
    output, (majority, killed) = failing(fresh, "killed", "    import os\n\n    os.kill(os.getpid(), 9)")
    assert majority.startswith("**0.")
    assert killed == "failed: killed by SIGKILL (seed 0)"
    assert "killed on batches, seed 0, failed: killed by SIGKILL" in output


def test_one_failed_seed_leaves_no_average(fresh):
    """Though one job runs all seeds."""
    body = "    if seed == 1:\n        raise ValueError('seed one')"
    _, (majority, flaky) = failing(fresh, "flaky", body, seeds=[0, 1], small_task=1000)
    assert len(list((fresh.folder / "results/tiny/logs/run_method").glob("*.log"))) == 2
    assert majority.startswith("**0.")  # nothing in it is random: it has one seed
    assert flaky == "failed: ValueError: seed one (seed 1)"
    metrics = fresh.read("tables/metrics.tsv").splitlines()
    assert [line.split("\t")[-1] for line in metrics if line.startswith("batches\tflaky\t0\traw")] == ["ok"]


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
    assert not (fresh.folder / "results/tiny/tables/complete.txt").exists()
    done = output.count("(Rule: run_method)")  # "Finished jobid: 7 (Rule: run_method)"
    assert 0 < done < 7

    resumed = fresh.run("--cores", "1")
    assert resumed.count("(Rule: run_method)") == 7 - done
    for name in ("metrics.tsv", "metrics_by_method.tsv", "table2.md"):
        assert fresh.read(f"tables/{name}") == completed.read(f"tables/{name}")

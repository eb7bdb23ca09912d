"""From nothing to tables and report, and a second time without work."""

import json

import pandas as pd

from jindbench import io, predictions


def test_a_run_gives_all_it_promises(completed):
    results = completed.folder / "results/tiny"
    metrics = io.read_table(results / "tables/metrics.tsv")
    assert len(metrics) == 2 * 5 * 1 * 3  # tasks, methods, seeds, metrics
    assert set(metrics["status"]) == {"ok", "not applicable"}
    for name in ("table2.tsv", "table2.md", "table2.html", "metrics_by_method.tsv", "runs.tsv", "training.tsv"):
        assert (results / "tables" / name).stat().st_size > 0
    for figure in ("raw_accuracy", "training"):
        assert (results / f"figures/{figure}.svg").read_text().startswith("<?xml")
        assert (results / f"figures/{figure}.png").read_bytes().startswith(b"\x89PNG")
    epochs = io.read_table(results / "tables/training.tsv").query("task == 'batches' and quantity == 'rejection_rate'")
    assert epochs["epoch"].tolist() == [0, 1]  # the unaligned start and the one epoch configured

    # The table's figure is the accuracy of the stored predictions against the stored truth.
    truth = io.read_solution(results / "tasks/batches/solution.tsv.gz")
    predicted = predictions.read(results / "runs/batches/svm_rej/seed-0/predictions.tsv.gz").set_index("cell_id")
    raw = (predicted.loc[truth.index, "raw_label"] == truth).mean()
    row = metrics.query("task == 'batches' and method == 'svm_rej' and metric == 'raw'").iloc[0]
    assert row["value"] == raw
    assert row["n"] == len(truth)
    table = pd.read_csv(results / "tables/table2.tsv", sep="\t")
    assert table.query("task == 'Toy' and metric == 'raw'")["SVM_Rej"].item().startswith(f"{raw:.3f} [")


def test_no_method_can_see_the_targets_labels(completed):
    for task in ("batches", "split"):
        folder = completed.folder / f"results/tiny/tasks/{task}"
        target = io.read_target(folder / "target.h5ad")
        assert list(target.obs.columns) == []
        truth = io.read_solution(folder / "solution.tsv.gz")
        assert list(truth.index) == list(target.obs_names)
        assert not set(truth.index) & set(io.read_h5ad(folder / "source.h5ad").obs_names)


def test_each_run_says_how_it_was_made(completed):
    path = completed.folder / "results/tiny/runs/batches/jind/seed-0/outcome.json"
    outcome = json.loads(path.read_text())
    assert outcome["status"] == "ok"
    assert outcome["parameters"]["epochs"] == 1  # as configured
    assert outcome["parameters"]["penalty"] == 0.001  # by default
    assert (outcome["seed"], outcome["threads"]) == (0, 1)
    assert outcome["versions"]["torch"].startswith("2.")
    assert outcome["inputs_sha256"]["target"] == io.sha256(completed.folder / "results/tiny/tasks/batches/target.h5ad")
    page = completed.read("provenance.html")
    for fact in ("torch", "short_epoch_iterations", "Seeds", "simulated, seed 0"):
        assert fact in page


def test_a_second_run_has_nothing_to_do(completed):
    assert "Nothing to be done" in completed.run()


def test_the_report_opens_with_all_its_parts(completed):
    completed.run("--report", "report.html")
    report = (completed.folder / "report.html").read_text()
    for part in ("table2.html", "raw_accuracy.svg", "provenance.html", "Bootstrap"):
        assert part.lower() in report.lower()


def test_the_results_do_not_depend_on_where_or_how_parallel(completed, fresh):
    fresh.run("--cores", "1")
    for name in ("metrics.tsv", "metrics_by_method.tsv", "table2.md"):
        assert fresh.read(f"tables/{name}") == completed.read(f"tables/{name}")

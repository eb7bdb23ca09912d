"""From nothing to tables and report, and a second time without work."""

import json
import os
import re
import shutil

import pandas as pd
import pytest
import yaml

from jindbench import io, predictions, registry
from jindbench.config import sections
from jindbench.execution import records


def test_a_run_gives_all_it_promises(completed):
    results = completed.folder / "results/tiny"
    metrics = io.read_table(results / "tables/metrics.tsv")
    assert len(metrics) == (5 + 2) * 1 * 3  # methods of the two tasks, seeds, metrics
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
    for task in ("batches", "paper_split"):
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
    page = completed.read("tables/provenance.html")
    for fact in ("torch", "short_epoch_iterations", "Seeds", "simulated, seed 0"):
        assert fact in page


TABLES = ["table1", "table2", "table2_extended", "runtime", "claims", "paired_tests", "held_out_types"]


def test_every_table_and_figure_comes_out(everything):
    results = everything.folder / "results/tiny"
    drawn = set()
    for record in map(io.read_json, (results / "records").rglob("*.json")):
        for svg in (
            everything.folder / name for name in record["outputs"] if "/figures/" in name and name.endswith(".svg")
        ):
            assert svg.read_text().startswith("<?xml")
            assert svg.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        drawn |= {drawing["figure"] for drawing in record.get("parameters", {}).get("drawings", [])}
    assert drawn == set(registry.names("figures")) - {"ranks", "accuracy_by_cost"}  # these compare three tasks or more
    for table in TABLES:
        for suffix in ("tsv", "md", "html"):
            assert (results / f"tables/{table}.{suffix}").stat().st_size > 0, (table, suffix)
    flows = io.read_table(results / "figures/figure2_flows.tsv", text=["type", "label"])
    truth = io.read_solution(results / "tasks/batches/solution.tsv.gz")
    assert set(flows["method"]) == {"jind_classifier", "jind"}
    for _, of_stage in flows.groupby("method"):
        assert of_stage.groupby("type")["n"].sum().to_dict() == truth.value_counts().to_dict()
    points = io.read_table(results / "figures/figure3.tsv.gz", text=["cell_id", "type", "raw_label"])
    assert set(points["cell_id"]) == set(truth.index)
    assert points.set_index("cell_id")["type"].to_dict() == truth.to_dict()
    summary = everything.read("summary.md")
    for part in (
        "5 methods on 2 tasks",
        "All runs succeeded.",
        everything.read("tables/table2.md").splitlines()[2],
    ):
        assert part in summary


def test_what_is_timed_had_all_cores(everything):
    times = io.read_table(everything.folder / "results/tiny/tables/runtime.tsv").set_index("method")
    assert set(times.index) == {"jind_classifier", "jind", "jind_plus", "svm_rej"}
    assert (times["threads"] == 2).all()
    assert times.loc["jind_plus", "total"] == pytest.approx(
        times["work_seconds"][["jind_classifier", "jind", "jind_plus"]].sum()
    )


def test_methods_that_have_not_seen_a_type(everything):
    results = everything.folder / "results/tiny"
    scores = io.read_table(results / "tables/held_out_types.tsv", text=["method", "held_out", "status"])
    measured = scores[scores["status"] == "ok"]
    assert set(measured["method"]) == {"majority", "jind"}
    assert (measured.loc[measured["method"] == "majority", "auroc"] == 0.5).all()  # the same novelty everywhere
    truth = io.read_solution(results / "tasks/batches/solution.tsv.gz")
    assert (measured["n_new"] == measured["held_out"].map(truth.value_counts())).all()
    labels = io.read_table(results / "tables/held_out_labels.tsv", text=["method", "held_out", "label"])
    assert (labels["label"] != labels["held_out"]).all()
    n = labels.groupby(["method", "held_out"])["n"].sum()
    assert n.to_dict() == measured.set_index(["method", "held_out"])["n_new"].to_dict()
    assert everything.read("tables/held_out_types.md") in everything.read("summary.md")


def test_a_users_table_cannot_take_the_name_of_one_of_ours(everything):
    files = (everything.folder / "results/tiny/tables").iterdir()
    assert {path.name.partition(".")[0] for path in files} <= sections.papers_own()


def test_claims_about_the_papers_tasks_are_not_tested_on_other_cells(everything):
    """The task named like one of the paper's has their pages made."""
    claims = io.read_table(everything.folder / "results/tiny/tables/claims.tsv", text=["verdict", "claim"])
    assert len(claims) > 80
    assert claims["verdict"].str.startswith("not tested: ").all()
    for table in ("table1", "table2_extended"):
        columns = io.read_table(everything.folder / f"results/tiny/tables/{table}.tsv").filter(like="verdict")
        assert columns.shape[1] > 0
        assert columns.isna().all(axis=None)


@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("figures/figure2.py", {"cell_figures", "claims", "provenance", "summary"}),
        (
            "plots/heatmap.py",
            {"differential_expression", "differential_expression_tables", "figures", "cell_figures"}
            | {"claims", "provenance", "summary"},
        ),
        ("tables/claims.py", {"claims", "provenance", "summary"}),
    ],
)
def test_an_edit_of_a_figures_code_draws_again_and_trains_nothing(everything, edited, expected):
    file = everything.folder / "workflow/jindbench" / edited
    before = file.read_bytes(), file.stat().st_mtime_ns
    try:
        file.write_bytes(before[0] + b"\n# edited\n")
        pending = {job[0] for job in everything.pending()}
    finally:
        file.write_bytes(before[0])
        os.utime(file, ns=(before[1], before[1]))
    assert pending == expected | {"complete", "all"}


def test_a_second_run_has_nothing_to_do(everything):
    assert "Nothing to be done" in everything.run()


def test_the_report_has_all_its_parts_in_order_and_needs_no_other_file(everything):
    report = everything.read("report.html")
    parts = ("In short", "Table 2", "Figure 2", "Figure 3 a", "Figure 4", "Figure 5", "Figure S5", "Raw accuracy")
    below_the_links = report.partition("</nav>")[2]
    places = [below_the_links.index(f">{part}") for part in (*parts, "Claims of the paper", "How it was made")]
    assert places == sorted(places)
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*', report) == []
    assert set(re.findall(r'href="#([^"]*)', report)) == set(re.findall(r'<h2 id="([^"]*)', report))
    drawn = [io.read_json(path)["drawn"] for path in (everything.folder / "results/tiny/figures").rglob("*.json")]
    assert report.count("<img ") == report.count("<figcaption>") == sum(drawn) + 1  # the rules, last
    assert report.index(">Rules of this run<") > places[-1]
    edges = records.edges_of_rules(everything.folder / "results/tiny", everything.folder / "results/data")
    assert {("dataset", "task"), ("task", "run_method"), ("run_method", "accuracies")} <= {*edges}


@pytest.mark.faults
def test_figures_say_what_failed_and_what_they_lack(everything, tmp_path):
    """A failing stage is shown and the rest comes out; a run without the method that figures show says so."""
    shutil.copytree(everything.folder, tmp_path / "a copy", symlinks=True)
    workflow = type(everything)(tmp_path / "a copy", target="all")
    configuration = yaml.safe_load((workflow.folder / "test.yaml").read_text())
    configuration["run"] |= {"tasks": ["batches"]}
    workflow.configure(configuration)
    file = workflow.folder / "workflow/jindbench/methods/jind.py"
    file.write_text(file.read_text().replace("    model = JIND", '    raise RuntimeError("no luck")\n    model = JIND'))
    picture = workflow.folder / "workflow/jindbench/figures/reliability.py"
    drawing = picture.read_text()
    picture.write_text(drawing.replace("    table = ", '    raise RuntimeError("no pen")\n    table = ', 1))
    output = workflow.run(ok=False)
    assert "jind on batches, seed 0, failed: RuntimeError: no luck" in output
    assert "reliability.svg is not drawn: failed: RuntimeError: no pen" in output
    assert "reliability is not drawn: failed: RuntimeError: no pen" in workflow.read("summary.md")
    assert "Raw accuracy" in workflow.read("report.html")
    picture.write_text(drawing)
    drawn = workflow.folder / "results/tiny/figures"
    assert "no luck" in io.read_json(drawn / "figure2.json")["missing"][0]
    assert (workflow.folder / "results/tiny/records/latent_codes/batches.json").exists()
    assert "no luck" in io.read_json(drawn / "s2.json")["missing"][0]
    assert "no luck" in workflow.read("summary.md")
    assert "jind, types held out on batches, seed 0, failed: without " in output
    assert "failed: RuntimeError: no luck" in workflow.read("tables/held_out_types.md")

    configuration["run"] |= {"methods": ["majority", "svm_rej", "true_labels"]}
    configuration["held_out_types"] = {"tasks": ["batches"], "methods": ["majority", "true_labels"]}
    workflow.configure(configuration)
    workflow.run()
    scores = io.read_table(workflow.folder / "results/tiny/tables/metrics_by_method.tsv", text=["method", "metric"])
    assert (scores.loc[(scores["method"] == "true_labels") & (scores["metric"] == "raw"), "value"] == 1).all()
    assert "not applicable: it is given the labels" in workflow.read("tables/held_out_types.md")
    nothing_to_show = "Figure [245S]|Figure 3 a|Differential expression"  # 3 c is of all methods
    assert not re.findall(nothing_to_show, workflow.read("report.html"))

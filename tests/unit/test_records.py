"""Records of jobs: damage that is found, the way back to the data, and costs fitted to them."""

import errno
import json
import os
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from scipy import sparse

from jindbench import io
from jindbench.execution import costs, records, recovery, trace
from jindbench.tables import provenance


def job(folder, log, inputs, outputs, rule="rule", **parameters):
    """Write outputs and their record, as a job does."""
    record = {
        "rule": rule,
        "parameters": parameters,
        "wildcards": {"task": "t"},
        "started": "then",
        "ended": "now",
        "code": "c0ffee",
        "code_sha256": "5ba2",
    }
    record |= {"python": "3", "machine": "m", "versions": {"numpy": "2.0"}}
    record |= records.describe_inputs(map(str, inputs)) | records.describe_outputs(map(str, outputs))
    records.write(record, records.path_of(folder / log))


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/tiny"
    (folder / "model").mkdir(parents=True)
    (folder / "data.tsv").write_text("a\tb\n1\t2\n")
    (folder / "model/weights").write_bytes(b"0123456789")
    (folder / "table.md").write_text("| 1 |\n")
    job(folder, "logs/train.log", [folder / "data.tsv"], [folder / "model"])
    (folder / "model/.snakemake_timestamp").touch()  # as Snakemake does in a folder that is an output
    job(folder, "logs/sub/table.log", [folder / "model"], [folder / "table.md"])
    return folder


@pytest.mark.parametrize(
    ("log", "record"),
    [
        ("results/logs/logs/metrics.log", "results/logs/records/metrics.json"),
        ("results/tiny/logs/task/logs/logs.log", "results/tiny/records/task/logs/logs.json"),
        ("results/annotate/mine/logs/annotate.log", "results/annotate/mine/records/annotate.json"),
        ("/logs/mine/logs/annotate.log", "/logs/mine/records/annotate.json"),
    ],
)
def test_records_lie_beside_the_logs_whatever_is_called_logs(log, record):
    assert records.path_of(log) == Path(record)


def test_the_last_record_of_a_file_counts(results):
    """The job that wrote a file may have another name since an update of the workflow."""
    (results / "table.md").write_text("| drawn by another rule |\n")
    assert len(list(records.damaged(results))) == 1
    job(results, "logs/a_new_rule.log", [], [results / "table.md"], rule="new")
    assert list(records.damaged(results)) == []
    assert trace.jobs_by_output(results)[str(results / "table.md")]["rule"] == "new"


def test_only_damage_is_found(results):
    assert list(records.damaged(results)) == []
    os.utime(results / "table.md")  # newer, and the same
    assert list(records.damaged(results)) == []
    (results / "table.md").write_text("| 2 |\n")  # as long, and newer
    os.utime(results / "table.md", ns=(2**62, 2**62))
    (results / "model/weights").write_bytes(b"01234")
    assert set(records.damaged(results)) == {results / "table.md", results / "model"}
    (results / "table.md").unlink()  # what is missing is Snakemake's to see
    (results / "model/weights").unlink()  # a file of a folder is not
    assert list(records.damaged(results)) == [results / "model"]


def test_of_links_only_downloads_are_not_compared(results):
    job(results, "logs/get.log", [], [results / "data.tsv"], rule="download")
    for name in ("data.tsv", "model"):
        (results / name).rename(results / f"{name}.elsewhere")
        (results / name).symlink_to(f"{name}.elsewhere")
    (results / "data.tsv.elsewhere").write_text("")
    (results / "model.elsewhere/weights").write_text("")
    assert list(records.damaged(results)) == [results / "model"]
    records.remove(results / "model")
    assert (results / "model.elsewhere/weights").exists()


def test_a_truncated_record_is_dropped(results, monkeypatch):
    monkeypatch.setattr(recovery, "_held", [])
    record = results / "records/train.json"
    record.write_text(record.read_text()[:100])
    recovery.start([results])
    assert not record.exists()
    assert (results / "model/weights").exists()


def test_recovery_sets_right_what_a_killed_run_left(results, monkeypatch):
    monkeypatch.setattr(recovery, "_held", [])
    locks = results.parents[1] / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("results/x")
    (results / ".table.md.77.part").write_text("half")
    (results / ".file.part").write_text("a download, which goes on where it was cut off")
    (results / "model/weights").write_bytes(b"")
    recovery.start([results], keep_damaged=True)
    assert (results / "model").exists()
    recovery._held.clear()  # that Snakemake ends
    recovery.start([results], [results / "table.md"])
    assert not list(locks.iterdir())
    assert [path.name for path in results.rglob("*.part")] == [".file.part"]
    assert not (results / "model").exists()
    assert not (results / "table.md").exists()  # the last job has to run again


def test_a_dry_run_says_what_is_damaged_and_changes_nothing(results, caplog):
    (results / ".table.md.77.part").write_text("half")
    (results / "model/weights").write_bytes(b"")
    (results / "records/sub/table.json").write_text("{")
    before = sorted(results.parents[1].rglob("*"))
    recovery.start([results], [results / "table.md"], look_only=True)
    assert sorted(results.parents[1].rglob("*")) == before
    assert f"{results / 'model'} differs from what its job wrote" in caplog.text


def test_nothing_is_touched_beside_another_snakemake(results, monkeypatch):
    monkeypatch.setattr(recovery, "_held", [])
    recovery.start(
        [results], [results / "table.md"]
    )  # another: its lock is held by another open file, as by another process
    (results / ".table.md.77.part").write_text("being written")
    recovery.start([results], [results / "table.md"])
    assert (results / ".table.md.77.part").exists()


def test_a_snakemake_at_work_on_another_run_is_no_obstacle(results, monkeypatch):
    monkeypatch.setattr(recovery, "_held", [])
    recovery.start([results.with_name("other")])
    (results / ".table.md.77.part").write_text("half")
    recovery.start([results])
    assert not (results / ".table.md.77.part").exists()


def test_without_locks_of_files_a_run_starts_and_nothing_is_touched(results, monkeypatch, caplog):
    def flock(file, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(recovery.fcntl, "flock", flock)
    (results / "model/weights").write_bytes(b"")
    recovery.start([results])
    assert (results / "model").exists()
    assert len(caplog.messages) == 1
    assert "cannot be locked (Function not implemented)" in caplog.text


def test_a_table_is_traced_to_the_data(results):
    lines = trace.trace(str(results / "table.md"), trace.jobs_by_output(results.parent))
    assert lines.count("    with numpy 2.0") == 1
    files = [line for line in lines if "  with " not in line]
    assert [line.split(":")[0].strip().rpartition("/")[2] for line in files] == ["table.md", "model", "data.tsv"]
    assert f"sha256 {io.sha256(results / 'data.tsv')}" in files[2]
    (results / "table.md").write_text("| 9 |\n")
    assert "CHANGED SINCE" in trace.trace(str(results / "table.md"), trace.jobs_by_output(results.parent))[0]


def test_data_that_were_made_again_are_not_what_a_table_comes_from(results):
    old = io.sha256(results / "data.tsv")
    (results / "raw.tsv").write_text("new")
    (results / "data.tsv").write_text("new")
    job(results, "logs/data.log", [results / "raw.tsv"], [results / "data.tsv"])
    lines = trace.trace(str(results / "table.md"), trace.jobs_by_output(results.parent))
    assert lines[-1].endswith(f"data.tsv: CHANGED SINCE; sha256 {old}")
    assert "raw.tsv" not in "".join(lines)


def test_a_trace_says_what_a_method_ran_with(results):
    io.write_json({"versions": {"torch": "2.9"}}, results / "outcome.json")
    job(results, "logs/run.log", [], [results / "outcome.json"], parameters={"epochs": 3}, seed=7)
    lines = trace.trace(str(results / "outcome.json"), trace.jobs_by_output(results.parent))
    assert [line.strip() for line in lines[1:]] == [
        'with {"parameters": {"epochs": 3}, "seed": 7}',
        "with numpy 2.0, torch 2.9",
    ]


def test_facts_name_every_commit_with_its_rules_and_every_package(results):
    of_other_code = results / "records/train.json"
    (results / "other.md").write_text("not asked for")
    of_other_code.write_text(of_other_code.read_text().replace("c0ffee", "badcab").replace('"numpy"', '"R limma"'))
    job(results, "logs/data.log", [], [results / "data.tsv"], rule="dataset")
    job(results, "logs/other.log", [], [results / "other.md"], rule="other")
    jobs = trace.jobs_behind([str(results / "table.md")], trace.jobs_by_output(results.parent))
    facts = provenance.facts({}, [], jobs, pd.DataFrame()).set_index("fact")["value"]
    assert facts["Code (commit) badcab"] == "rule (1 of 2)"
    assert facts["Code (commit) c0ffee"] == "dataset, rule (1 of 2)"
    assert facts["Packages"] == "R limma 2.0, numpy 2.0"


def test_costs_are_fitted_from_above(tmp_path):
    """Two jobs of 1 and 3 million values that took 10 and 20 s: 5 s and 5 s for each million, which is exact."""
    for cells, seconds in ((1000, 10), (3000, 20)):
        folder = tmp_path / f"results/run{cells}"
        folder.mkdir(parents=True)
        target = folder / "tasks/t/target.h5ad"
        X = sparse.random(cells, 1000, density=0.5, format="csr", rng=0)
        io.write_h5ad(ad.AnnData(X), target)
        (folder / "outcome.json").write_text(json.dumps({"file": "methods/svm_rej.py"}))
        job(folder, "logs/a.log", [target], [folder / "outcome.json"], rule="run_method")
        io.write_table(
            pd.DataFrame({"cpu_time": [seconds], "max_rss": [300 + cells / 10]}), folder / "benchmarks/a.tsv"
        )
    table = costs.learn([tmp_path / "results/run1000", tmp_path / "results/run3000"]).set_index("step")
    row = table.loc["run_method/svm_rej"]
    assert (row["seconds"], row["seconds_per_million"]) == pytest.approx((5, 5))
    # Memory by the values that are stored, of which there are half as many.
    assert (row["memory_mb"], row["memory_mb_per_million"]) == pytest.approx((300, 200))


def test_a_method_without_each_type_costs_its_stages_for_ten_types():
    size = costs.Size(3.0, 0.5)
    stages = [costs.expected(f"run_method/{file}", size) for file in ("jind_classifier", "jind")]
    together = costs.expected("hold_out/jind_classifier+jind", size)
    assert together.seconds == pytest.approx(10 * sum(stage.seconds for stage in stages))
    assert together.memory_mb == max(stage.memory_mb for stage in stages)


def test_what_does_not_fit_is_said():
    jobs = pd.DataFrame({"step": ["run_method/svm_rej"], "values": [1000.0], "stored": [100.0], "jobs": [4]})
    small = costs.Machine(cores=2, memory_mb=100, disk_mb=1e9)
    large = costs.Machine(cores=2, memory_mb=1e9, disk_mb=1e9)
    assert "this machine has 0.1 GB" in costs.warnings(costs.estimate(jobs), small)[0]
    assert costs.warnings(costs.estimate(jobs), large) == []


@pytest.mark.parametrize(
    ("mine", "limits", "expected"),
    [
        (
            "0::/job/step\n",
            {"job/memory.max": "5000", "job/step/memory.max": "max", "memory.max": "9000"},
            [5000, 9000],
        ),
        (
            "4:cpu:/x\n3:memory:/job\n",
            {"memory/job/memory.limit_in_bytes": "7000", "x/memory.max": "1"},
            [7000],
        ),
        ("0::/../elsewhere\n", {}, []),  # of a container that sees no more than itself
    ],
)
def test_memory_is_what_the_control_group_leaves(tmp_path, mine, limits, expected):
    for name, content in limits.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(f"{content}\n")
    (tmp_path / "mine").write_text(mine)
    assert list(costs._limits_of_memory(tmp_path / "groups", tmp_path / "mine")) == expected

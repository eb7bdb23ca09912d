"""`snakemake annotate`, as a user runs it: apart from the benchmark, and refused in one line."""

import subprocess

import pytest

from jindbench import io
from jindbench.data import tasks
from jindbench.datasets import toy
from toy_project import SNAKEMAKE, environment

GIVEN = ["reference=reference.h5ad", "label_key=label", "query=mine.h5ad"]


@pytest.fixture
def project(fresh):
    """The project with a labelled reference and a query."""
    whole = toy.load(toy.Parameters(n_source=90, n_target=40, n_genes=60))
    whole.var_names = [f"ENSG{i:011}" for i in range(60)]
    io.write_h5ad(tasks.select_batch(whole, "source", "toy"), fresh.folder / "reference.h5ad")
    query = tasks.select_batch(whole, "target", "toy")
    query.obs = query.obs[[]]
    io.write_h5ad(query, fresh.folder / "mine.h5ad")
    return fresh.folder


def snakemake(folder, *arguments, ok=True):
    command = [SNAKEMAKE, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(), check=False)
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, output
    return output


def test_annotate_leaves_the_benchmark_alone_and_finds_nothing_to_do_again(project):
    before = io.sha256(project / "mine.h5ad")
    output = snakemake(project, "annotate", "--cores", "1", "--config", *GIVEN)
    assert "uses X, counts: whole numbers" in output
    assert sorted(path.name for path in (project / "results").iterdir()) == ["annotate"]
    results = project / "results/annotate"
    files = sorted(path.name for path in (results / "mine").iterdir())
    assert files == ["annotated.h5ad", "labels.tsv", "report.html"]
    assert (results / "records/annotate.json").exists()
    assert io.sha256(project / "mine.h5ad") == before
    assert "Nothing to be done" in snakemake(project, "annotate", "--cores", "1", "--config", *GIVEN)
    labels = (results / "mine/labels.tsv").read_bytes()
    (results / "mine/labels.tsv").write_bytes(labels[:100])
    output = snakemake(project, "annotate", "--cores", "1", "--config", *GIVEN, ok=False)
    assert "output: results/annotate/mine/labels.tsv differs from what the last run wrote" in output
    assert (results / "mine/report.html").exists()
    (results / "mine/labels.tsv").write_bytes(labels)
    (results / "mine/report.html").unlink()
    assert "Missing output files" in snakemake(project, "annotate", "--dry-run", "--config", *GIVEN)


def test_keys_belong_to_annotate_alone_and_faults_are_one_line(project):
    (project / "twice.yaml").write_text("reference: reference.h5ad\nquery: mine.h5ad\nquery: other.h5ad\n")
    refused = {
        ("annotate", "--configfile", "twice.yaml"): "twice.yaml: query: line 3 has this key again; expected once",
        ("annotate",): "annotate: say --config reference=... label_key=... query=...",
        ("annotate", "--config", *GIVEN[1:]): "annotate.reference: this key is required",
        ("annotate", "--config", *GIVEN, "querry=x"): "annotate.querry: unknown key (did you mean 'query'?)",
        ("annotate", "--config", GIVEN[0], "label_key=typ", GIVEN[2]): (
            "reference.h5ad: label_key 'typ' is not a column of obs (there are: label, batch)"
        ),
        ("tables", "--configfile", "test.yaml", "--config", "query=mine.h5ad"): "annotate.run: unknown key",
    }
    for arguments, line in refused.items():
        output = snakemake(project, *arguments, "--cores", "1", ok=False)
        assert line in output
        assert "Traceback (most recent call last)" not in output
    assert not (project / "results").exists()


def test_the_rule_passes_snakemakes_lint(project):
    output = snakemake(project, "annotate", "--lint", "--config", *GIVEN)
    assert "your workflow is in a good condition" in output

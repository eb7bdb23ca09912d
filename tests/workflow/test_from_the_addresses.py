"""The paper's datasets from their addresses to Table 1 and a task, from servers on this machine."""

import shutil

import pandas as pd
import pytest
import yaml

import original_formats as formats
import servers
from jindbench import io
from jindbench.data import tasks

PAPER_TASKS = {
    "human_hemato": ["paper_human_hemato_7_3"],
    "mouse_cortex": ["paper_mouse_cortex_7_3"],
    "mouse_atlas": ["paper_mouse_atlas_7_3"],
    "pbmc": ["paper_pbmc_v3_v5"],
    "pancreas": ["paper_pancreas_bar16_mur16", "paper_pancreas_bar16_seg16", "paper_figure_2", "paper_figure_5"],
}
DATASETS = [name for name in PAPER_TASKS if name != "human_hemato" or shutil.which("Rscript")]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    return {name: formats.write(name, folder) for name in DATASETS}


def configure(fresh, addresses):
    fresh.configure(
        {
            "run": {
                "name": "tiny",
                "tasks": [task for name in addresses for task in PAPER_TASKS[name]],
                "methods": ["majority"],
                "seeds": [0],
                "small_task": 1_000_000,  # the files here are small, whatever the datasets are declared to hold
            },
            "datasets": {
                name: {"address": address, "accept_other_content": True} for name, address in addresses.items()
            },
        }
    )


def labels(fresh, task):
    """Types of the source and of the target of one of the paper's tasks, made of the prepared datasets."""
    chosen = yaml.safe_load((fresh.folder / "config/config.yaml").read_text())["tasks"][task]
    chosen = tasks.Task.model_validate(chosen)
    datasets = {name: io.read_h5ad(fresh.folder / f"results/data/{name}.h5ad") for name in chosen.datasets()}
    return tuple({*side.obs["label"]} for side in tasks.make(chosen, datasets, task))


def test_from_the_addresses_to_table_1_and_the_papers_tasks(fresh, published):
    with servers.http() as http, servers.ftp(published["pbmc"].parent) as ftp:
        for path in published.values():
            http.replies[f"/{path.name}"] = servers.Reply(path.read_bytes())
        addresses = {name: http.address(f"/{path.name}") for name, path in published.items()}
        configure(fresh, addresses | {"pbmc": ftp.address(f"/{published['pbmc'].name}")})
        fresh.run(target="datasets")
        assert len(http.requests) == len(DATASETS) - 1
    fresh.lock()
    assert not (fresh.folder / "config/downloads.lock.tsv").exists()  # of content that was only accepted
    cells = {name: io.shape(fresh.folder / f"results/data/{name}.h5ad")[0] for name in DATASETS}
    assert cells == {"mouse_cortex": 70, "mouse_atlas": 130, "pbmc": 150, "pancreas": 210} | (
        {"human_hemato": 260} if "human_hemato" in DATASETS else {}
    )

    for name in DATASETS:
        for task in PAPER_TASKS[name]:
            assert all(labels(fresh, task)), task
    common = set(formats.PANCREAS)
    assert labels(fresh, "paper_pancreas_bar16_mur16") == (common, common)
    assert labels(fresh, "paper_pancreas_bar16_seg16") == (common, common)  # "not applicable" and the like fall out
    four = {"alpha", "beta", "gamma", "delta"}
    assert labels(fresh, "paper_figure_2") == (four, four)
    assert labels(fresh, "paper_figure_5") == (four, four | {"acinar"})

    assert fresh.pending("datasets") == set()  # without the servers
    (fresh.folder / "results/data/mouse_cortex.h5ad").unlink()
    configure(fresh, {name: addresses[name] for name in ("mouse_cortex", "pancreas")})
    fresh.run(target="table1")  # from the folder of downloads
    table = pd.read_csv(fresh.folder / "results/tiny/tables/table1.tsv", sep="\t", index_col="dataset")
    assert table["cells"].to_dict() == {"Mouse Cortex": 70, "Pancreas": 210}
    assert table.loc["Pancreas", "cells_paper"] == 14058
    assert table["knn_held_out"].between(0, 1).all()
    prepared = io.read_h5ad(fresh.folder / "results/data/mouse_cortex.h5ad")
    path = published["mouse_cortex"]
    assert prepared.uns["files"][0] == f"{path.name} sha256 {io.sha256(path)} from {addresses['mouse_cortex']}"


def test_a_local_path_is_an_address_too(fresh, published):
    configure(fresh, {"mouse_cortex": str(published["mouse_cortex"])})
    fresh.run(target="datasets")
    assert io.read_h5ad(fresh.folder / "results/data/mouse_cortex.h5ad").n_obs == 70
    assert not (fresh.folder / "data").exists()


def test_other_content_in_a_file_of_ones_own_stops_before_any_training(fresh, published):
    configure(fresh, {"mouse_cortex": str(published["mouse_cortex"])})
    configuration = (fresh.folder / "test.yaml").read_text()
    (fresh.folder / "test.yaml").write_text(configuration.replace("accept_other_content: true", ""))
    output = fresh.run(ok=False)
    assert f"{published['mouse_cortex']}: not as published: cells: 70 instead of 3005" in output
    assert not (fresh.folder / "results/data/mouse_cortex.h5ad").exists()


def test_what_cannot_be_had_is_said_once_and_all_else_is_run(fresh, published):
    """One address is dead, one file is not the paper's, the toy cells need no network."""
    path = published["mouse_cortex"]
    with servers.http() as http:
        http.replies[f"/{path.name}"] = servers.Reply(path.read_bytes())
        addresses = {"mouse_cortex": http.address(f"/{path.name}"), "pbmc": http.address("/PBMC.merged.h5ad")}
        configure(fresh, addresses)
        configuration = yaml.safe_load(
            (fresh.folder / "test.yaml").read_text().replace("accept_other_content: true", "")
        )
        configuration["run"]["tasks"].append("batches")
        configuration["datasets"]["toy"] = {"n_source": 60, "n_target": 50, "n_genes": 60}
        sides = {side: {"dataset": "toy", "batch": side} for side in ("source", "target")}
        configuration["tasks"] = {"batches": sides}
        configuration["tables"] = {name: {"tasks": ["batches"], "methods": ["majority"]} for name in ("s1", "s2", "s3")}
        fresh.configure(configuration)
        output = fresh.run(ok=False)
        assert output.count(f"{addresses['pbmc']}: The requested URL returned error: 404") == 1
        assert output.count("put the file at data/PBMC.merged.h5ad") == 1
        assert output.count("cells: 70 instead of 3005") == 1
        assert "Not available, as the tables say: mouse_cortex, pbmc; results/data/logs say why" in output
        assert "Traceback" not in output
        assert [("not available: " in cell) for cell in fresh.raw().values()] == [True, True, False]

        # With the file put there by hand, the next start takes it.
        (fresh.folder / "data").mkdir(exist_ok=True)
        shutil.copy(published["pbmc"], fresh.folder / "data/PBMC.merged.h5ad")
        configuration["datasets"]["pbmc"]["accept_other_content"] = True
        fresh.configure(configuration)
        fresh.run(ok=False)
    assert [("not available: " in cell) for cell in fresh.raw().values()] == [True, False, False]


def test_without_a_network_it_says_where_files_go(fresh, monkeypatch):
    for scheme in ("http", "https", "ftp", "all"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://nowhere.invalid:1")  # so that nothing is ever downloaded here
    fresh.configure({})  # the paper's benchmark
    output = fresh.run(target="results/data/pbmc.h5ad")
    assert "ftp://ngs.sanger.ac.uk/production/teichmann/BBKNN/PBMC.merged.h5ad: " in output
    assert "put the file at data/PBMC.merged.h5ad" in output


def test_a_file_that_changed_since_it_was_locked_is_refused(fresh, tmp_path):
    path = tmp_path / "PBMC.merged.h5ad"
    formats.pbmc(path)
    # The paper's numbers are taken to be those of this file: other content would not be locked.
    module = fresh.folder / "workflow/jindbench/datasets/pbmc.py"
    numbers = {"cells=15476": "cells=150", "genes=1199": "genes=40", '"10x_v3": 8098': '"10x_v3": 90'}
    for papers, ours in (numbers | {'"10x_v5": 7378': '"10x_v5": 60'}).items():
        module.write_text(module.read_text().replace(papers, ours))
    content, prepared = path.read_bytes(), fresh.folder / "results/data/pbmc.h5ad"
    with servers.http() as http:
        http.replies[f"/{path.name}"] = servers.Reply(content)
        configure(fresh, {"pbmc": http.address(f"/{path.name}")})
        fresh.run(target="datasets")
        fresh.lock()
        locked = (fresh.folder / "config/downloads.lock.tsv").read_text()
        assert f"{path.name}\t{len(content)}\t{io.sha256(path)}\t{http.address('/')}" in locked
        assert "Nothing to be done" in fresh.run("--dry-run", target="datasets")  # the line says what is known already

        (fresh.folder / "data" / path.name).write_bytes(content + b"\0")
        prepared.unlink()
        assert "has changed since it was downloaded" in fresh.run(target="datasets", ok=False)
        assert io.not_available(prepared)

        shutil.rmtree(fresh.folder / "results")
        shutil.rmtree(fresh.folder / "data")
        http.replies[f"/{path.name}"] = servers.Reply(content + b"\0")
        assert "has changed since it was locked" in fresh.run(target="datasets", ok=False)


def test_check_pbmc_prints_the_authors_runs_beside_ours(fresh, published):
    """On cells that are not theirs: the numbers differ, all of them are there."""
    path = published["pbmc"]
    with servers.http() as http:
        http.replies[f"/{path.name}"] = servers.Reply(path.read_bytes())
        configure(fresh, {"pbmc": http.address(f"/{path.name}")})
        output = fresh.run(target="check_pbmc")
    assert "| jind plus | raw |" in output.replace("_", " ")
    table = io.read_table(fresh.folder / "results/tiny/tables/check_pbmc.tsv", text=["epoch"])
    assert len(table) == 32
    assert set(table["stage"]) == {"jind_classifier", "jind", "jind_plus"}
    assert table.loc[table["epoch"] == "", "ours"].between(0, 1).all()
    assert table.loc[table["epoch"] == "1", "ours"].notna().all()

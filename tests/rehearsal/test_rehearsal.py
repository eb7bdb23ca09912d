"""A dress rehearsal of `snakemake`: the paper's configuration with few epochs, on its five datasets at full size.

The cells are simulated, in the publishers' formats, and come from servers on this machine. Every host of the datasets'
addresses is replaced: dropbox.com by a dead one, the ftp server by a slow one. It prints what each step took and the
summary, and holds that all tables and figures come out, that nothing failed, and that no job took more than 20 GB.

It takes hours. One that was stopped goes on where it was; `rm -r results/rehearsal-1` starts anew, as after an edit.
`make rehearsal SCALE=0.05` takes a share of the cells.
"""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import original_formats as formats
import servers
from jindbench import io, registry
from toy_project import REPOSITORY, SNAKEMAKE, copy_project, environment

SCALE = float(os.environ.get("SCALE", "1"))
SLOW, MOST_MB = 20_000_000, 20_000  # bytes a second; of a job
FTP_FOLDER = "production/teichmann/BBKNN"

ATLAS = "paper_mouse_atlas_7_3"  # whose X has no zeros: 3 GB, and 6 GB as a sparse matrix
JIND = {"jind_classifier": {"epochs": 1}, "jind": {"epochs": 1, "short_epoch_iterations": 2}}
PAPERS = yaml.safe_load(REPOSITORY.joinpath("config/config.yaml").read_text())
CHEAP = {
    "run": {"seeds": [0]},
    "differential_expression": {"draws": 2},
    "held_out_types": {"methods": ["logreg", "jind_plus"]},
    "methods": {
        **JIND,
        "jind_plus": {"epochs": 1},
        # Of a variant, the settings of its stages are keys of its own.
        **{
            name: JIND | {"epochs": 1}
            for name, entry in PAPERS["methods"].items()
            if entry.get("method") == "jind_plus"
        },
        "actinn": {"epochs": 1},
        "actinn_seurat": {"epochs": 1},
        "seurat_lt": {"skip": {ATLAS: "by its costs it would take some 90 GB"}},
        "celltypist": {"skip": {ATLAS: "it would take some 23 GB: its scaling copies the cells four times"}},
        "svm_rej": {"skip": {ATLAS: "it would take some 25 GB"}},
    },
}


PLACE = REPOSITORY / f"results/rehearsal-{SCALE:g}"


def cells(dataset: str) -> int:
    return max(int(SCALE * registry.component("datasets", dataset).CONTENT.cells), 400)


def publish(folder: Path) -> None:
    """Write the files into a folder that http and ftp serve."""
    (folder / FTP_FOLDER).mkdir(parents=True)
    genes = {name: registry.component("datasets", name).CONTENT.genes for name in formats.TYPES}
    formats.human_hemato(folder / formats.FILES["human_hemato"][0], cells("human_hemato"), genes["human_hemato"])
    labels = np.resize(formats.TYPES["mouse_cortex"], cells("mouse_cortex"))
    X = formats.counts(labels, genes["mouse_cortex"])
    formats.mouse_cortex(folder / formats.FILES["mouse_cortex"][0], X, labels)
    formats.mouse_atlas(folder / FTP_FOLDER / "MouseAtlas.zip", cells("mouse_atlas"), genes["mouse_atlas"])
    n = cells("pbmc") * 8098 // 15476
    formats.pbmc(folder / FTP_FOLDER / "PBMC.merged.h5ad", (n, cells("pbmc") - n), genes["pbmc"])
    shares = {"Baron": 8569, "Muraro": 2122, "Segerstolpe": 3367, "Wang": 635}
    studies = {study: max(round(share * cells("pancreas") / 14058), 60) for study, share in shares.items()}
    formats.pancreas(folder / FTP_FOLDER / "objects-pancreas.zip", studies, 2448)


@pytest.fixture(scope="module")
def published() -> Path:
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript was not found (make setup installs it where it can)")
    folder, partial = PLACE / "published", PLACE / "published.partial"
    if not folder.exists():
        shutil.rmtree(partial, ignore_errors=True)
        publish(partial)
        partial.rename(folder)
    return folder


def redirect(folder: Path, hosts: dict[str, str]) -> None:
    """Replace hosts in the addresses of the datasets, and what is known of the real files."""
    for path in (folder / "workflow/jindbench/datasets").glob("*.py"):
        text = path.read_text()
        for host, other in hosts.items():
            text = re.sub(rf'"(?:https|ftp)://{re.escape(host)}/(?:[^"]*/)?', f'"{other}/', text)
        text = re.sub(r"bytes=84_227_519, checksum=BLOB", "", text)
        path.write_text(re.sub(r'checksum="md5:\w+",', "", text))


def steps(folder: Path) -> pd.DataFrame:
    """What the jobs of each rule, method and dataset took, over tasks and seeds."""
    rows = []
    for path in folder.glob("results/*/benchmarks/**/*.tsv"):
        _, _, *parts = path.relative_to(folder / "results").with_suffix("").parts
        cost = io.read_table(path).iloc[0]
        named = [part for part in parts if part not in PAPERS["tasks"] and not part.startswith("seed-")]
        rows.append((" ".join(named), cost["s"] / 60, float(cost["cpu_time"]) / 60, float(cost["max_rss"])))
    table = pd.DataFrame(rows, columns=["step", "minutes", "cpu_minutes", "memory_mb"]).groupby("step")
    table = table.agg(
        jobs=("minutes", "size"),
        minutes=("minutes", "sum"),
        cpu_minutes=("cpu_minutes", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    return table.sort_values("memory_mb", ascending=False)


def test_the_papers_benchmark_from_its_addresses(published):
    workflow = copy_project(PLACE / "clone")
    configuration = {key: dict(value) for key, value in CHEAP.items()}
    if SCALE != 1:
        accept = {"accept_other_content": True}
        configuration["datasets"] = dict.fromkeys((*formats.TYPES, "pancreas"), accept)
    workflow.configure(configuration)
    with socket.socket() as closed, servers.http() as http, servers.ftp(published) as ftp:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        ftp.rate = SLOW
        for path in filter(Path.is_file, published.iterdir()):
            http.replies[f"/{path.name}"] = servers.Reply(path.read_bytes())
        near, dead = http.address(""), f"http://127.0.0.1:{closed.getsockname()[1]}"
        near_hosts = ("jeffgranja.s3.amazonaws.com", "storage.googleapis.com", "github.com")
        far = {"www.dropbox.com": dead, "ngs.sanger.ac.uk": ftp.address(f"/{FTP_FOLDER}")}
        redirect(workflow.folder, dict.fromkeys(near_hosts, near) | far)
        # The servers have other ports when it goes on: that is no reason to start anew.
        command = [str(SNAKEMAKE), "--cores", "2", "--configfile", "test.yaml", "--rerun-triggers", "mtime"]
        status = subprocess.run(command, cwd=workflow.folder, env=environment(), check=False).returncode

    table, results = steps(workflow.folder), workflow.folder / "results"
    print(f"\n{table.round(1).to_string()}\n{table['minutes'].sum():.0f} minutes of jobs in all")
    for name in ("results", "data"):
        print(name, f"{sum(file.lstat().st_size for file in (workflow.folder / name).rglob('*')) / 1e9:.1f} GB")
    print((results / "paper/summary.md").read_text())
    assert status == 0  # it is not where a method failed or a dataset was not to be had
    assert table["memory_mb"].max() < MOST_MB

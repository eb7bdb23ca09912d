"""`make lock`: which downloads are good enough to be remembered."""

import pytest

from jindbench import io, registry
from jindbench.data import downloads
from jindbench.data import lock as make_lock
from jindbench.data.checks import Content


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    """The toy cells as if their file had been downloaded and prepared, in the folder that Snakemake runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "LOCK", tmp_path / "lock.tsv")
    toy = registry.component("datasets", "toy")
    io.write_h5ad(toy.load(toy.Parameters(n_source=20, n_target=20, n_genes=10)), "results/data/toy.h5ad")
    io.write_text("content", "results/data/downloads/toy/file")
    record = {"file": "toy.txt", "bytes": 7, "sha256": io.sha256("results/data/downloads/toy/file"), "address": "any"}
    io.write_json(record, "results/data/downloads/toy/record.json")
    return toy


def test_a_dataset_need_not_state_its_content(downloaded):
    assert not hasattr(downloaded, "CONTENT")
    make_lock.main()
    assert list(downloads.read_lock(downloads.LOCK)) == ["toy.txt"]


def test_other_content_than_stated_is_not_locked(downloaded, monkeypatch, capsys):
    monkeypatch.setattr(downloaded, "CONTENT", Content(cells=41, genes=10, types=7), raising=False)
    make_lock.main()
    assert "toy: not locked: results/data/toy.h5ad: not as published: cells: 40 instead of 41" in (
        capsys.readouterr().out
    )
    assert downloads.read_lock(downloads.LOCK) == {}

import gzip

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from jindbench import io


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("old")
    with pytest.raises(RuntimeError), io.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_colleague_may_read_what_a_private_writer_wrote(tmp_path):
    (tmp_path / "any").touch()
    with io.replacing(tmp_path / "weights.safetensors") as temporary:
        save_file({"w": np.zeros(2)}, temporary)
        temporary.chmod(0o600)  # as safetensors does
    assert (tmp_path / "weights.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_labels_survive_a_table_whatever_they_look_like(tmp_path):
    labels = ["NA", "", "1e5", "007", "T/NK, γδ", 'a"b', "nan", "True"]
    table = pd.DataFrame({"cell_id": [str(i) for i in range(8)], "label": labels, "value": [None, *range(7)]})
    io.write_table(table, tmp_path / "t.tsv.gz")
    back = io.read_table(tmp_path / "t.tsv.gz", text=["cell_id", "label"])
    assert back["label"].tolist() == labels
    assert back["cell_id"].tolist() == table["cell_id"].tolist()
    assert back["value"].isna().tolist() == [True] + [False] * 7


def test_the_same_table_gives_the_same_bytes(tmp_path):
    table = pd.DataFrame({"a": [1]})
    for name in ("x.tsv.gz", "y.tsv.gz"):
        io.write_table(table, tmp_path / name)
    assert (tmp_path / "x.tsv.gz").read_bytes() == (tmp_path / "y.tsv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "x.tsv.gz").read_bytes()) == b"a\n1\n"

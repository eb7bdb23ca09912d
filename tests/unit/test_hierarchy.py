"""Broader labels: the tree of types, who gets which label, and the tables that a user gives."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from jindbench.annotate import hierarchy
from jindbench.annotate.hierarchy import Group, Hierarchy
from jindbench.annotate.settings import Settings
from jindbench.errors import InputError

TYPES = ["B", "CD4", "CD8", "DC", "Mono", "NK"]


def model(expression):
    """40 held-out cells of each type: CD4 and CD8 are taken for one another, 60 to 40; other types are sure."""
    probabilities = np.full((len(TYPES), len(TYPES)), 0.001) + np.eye(len(TYPES)) * 0.994
    probabilities[1, 1:3], probabilities[2, 1:3] = (0.596, 0.4), (0.4, 0.596)
    profiles = None
    if expression:  # lymphoid and myeloid genes, and one gene of each type
        shared = np.array([[2, 0], [3, 0], [3, 0], [0, 3], [0, 3], [3, 0]])
        profiles = SimpleNamespace(means=np.hstack([shared, np.eye(len(TYPES))]))
    return SimpleNamespace(
        classes=TYPES,
        validation=torch.from_numpy(np.repeat(probabilities, 40, axis=0)),
        validation_types=torch.arange(len(TYPES)).repeat_interleave(40),
        profiles=profiles,
    )


def test_types_that_are_alike_or_taken_for_one_another_are_one_group():
    assert hierarchy.learnt(model(expression=True)) == {
        "CD4 / CD8": ["CD4", "CD8"],
        "DC / Mono": ["DC", "Mono"],
        "CD4 / CD8 / NK": ["CD4", "CD8", "NK"],
    }
    assert hierarchy.learnt(model(expression=False))["CD4 / CD8"] == ["CD4", "CD8"]
    two = SimpleNamespace(**vars(model(expression=False)) | {"classes": TYPES[:2]})
    assert hierarchy.learnt(two) == {}


@pytest.mark.parametrize(("n", "pair"), [(40, "B / DC"), (2, "DC / Mono")])
def test_a_few_odd_cells_do_not_decide_where_their_type_belongs(n, pair):
    odd = model(expression=True)
    odd.validation[120:160, [0, 3]] = torch.tensor([0.994, 0.001], dtype=torch.float64)
    kept = [*range(120 + n), *range(160, 240)]
    odd.validation, odd.validation_types = odd.validation[kept], odd.validation_types[kept]
    assert pair in hierarchy.learnt(odd)


def test_long_names_are_cut_and_stay_apart_from_types():
    alike = model(expression=False)
    alike.classes = ["A", "B", "C", "D", "A / B", *"FGH"]
    pairs = np.full((8, 8), 0.01)
    pairs[:4, :4], pairs[4:, 4:], pairs[:2, :2], pairs[2:4, 2:4] = 0.1, 0.1, 0.4, 0.4
    np.fill_diagonal(pairs, 0.5)
    alike.validation, alike.validation_types = torch.from_numpy(pairs / pairs.sum(1, keepdims=True)), torch.arange(8)
    names = hierarchy.learnt(alike)
    assert names["A / B / C / 1 more"] == ["A", "B", "C", "D"]
    assert names["any of A / B"] == ["A", "B"]


def test_a_cell_gets_the_smallest_group_that_it_is_sure_of():
    tree = Hierarchy(TYPES, [Group("T", (1, 2), 2, 0.9), Group("lymphoid", (1, 2, 5), 1, 0.8)])
    cases = [  # probabilities of CD4, CD8, NK, DC; threshold of the raw label; label; broad label, depth
        ((0.97, 0.01, 0.01, 0.01), 0.95, "CD4", "CD4", 3),
        ((0.55, 0.40, 0.03, 0.02), 0.60, "unassigned", "T", 2),
        ((0.55, 0.40, 0.03, 0.02), 0.96, "unassigned", "lymphoid", 1),  # the type demands more than the group T
        ((0.55, 0.30, 0.00, 0.15), 0.60, "unassigned", "lymphoid", 1),
        ((0.40, 0.20, 0.10, 0.30), 0.60, "unassigned", "unassigned", 0),
        ((0.10, 0.10, 0.10, 0.70), 0.75, "unassigned", "unassigned", 0),  # of a type in no group
        ((0.55, 0.45, 0.00, 0.00), 1.00, "unassigned", "unassigned", 0),  # a limit that no cell reaches
        ((0.55, 0.40, 0.03, 0.02), 0.60, "unassigned", "unassigned", 0),  # a cell without counts
    ]
    probabilities = np.zeros((len(cases), len(TYPES)))
    probabilities[:, [1, 2, 5, 3]] = [case[0] for case in cases]
    table = pd.DataFrame([case[1:3] for case in cases], columns=["threshold", "label"])
    table["raw_label"] = np.array(TYPES)[probabilities.argmax(axis=1)]
    empty = np.arange(len(cases)) == len(cases) - 1
    found = tree.label(table, probabilities.astype(np.float32), empty)
    assert found["broad_label"].tolist() == [case[3] for case in cases]
    assert found["depth"].tolist() == [case[4] for case in cases]


def test_a_group_demands_what_all_but_a_twentieth_of_its_held_out_cells_reach():
    held_out = model(expression=False)
    held_out.validation[40:120, 1:3] *= torch.linspace(0.92, 0.999, 80)[:, None]
    sums = held_out.validation[40:120, 1:3].sum(dim=1).numpy()
    tree = Hierarchy.of(held_out, {"T": ["CD4", "CD8"], "all": TYPES, "alone": ["B"], "again": ["CD8", "CD4"]})
    assert [(group.name, group.depth) for group in tree.groups] == [("T", 1)]
    assert (sums <= tree.groups[0].threshold).mean() == 0.05
    rows = [(name, depth) for name, _, depth, _ in tree.rows()]
    assert rows == [("B", 1), ("T", 1), ("CD4", 2), ("CD8", 2), ("DC", 1), ("Mono", 1), ("NK", 1)]


def settings(**given):
    return Settings(reference="r.h5ad", query=["q.h5ad"], label_key="type", **given)


COMPLETE = "".join(f"{name}\t{{}}\n" for name in TYPES)  # to be filled


def test_a_table_gives_the_groups(tmp_path):
    table = tmp_path / "broad.tsv"
    table.write_text(
        "type\tbroad\tbroader\r\nCD4\tT\tL\r\nCD8\tT\tL\r\nNK\t\tL\r\nB\r\nMono\tM\t\r\nDC\tM\t\r\nother\tO\t\r\n"
    )
    found = hierarchy.given(settings(broad_key=str(table)), None, None, TYPES)
    assert found == {"T": ["CD4", "CD8"], "M": ["DC", "Mono"], "L": ["CD4", "CD8", "NK"]}


WRONG_TABLES = {
    "no header": ("B\n", "line 1: expected a header with two or more columns, separated by tabs"),
    "ragged": ("type\tbroad\nB\tL\nCD4\tL\tM\n", "line 3: expected 2 columns, got 3"),
    "twice": ("type\tbroad\nB\tL\nB\tM\n", "line 3: 'B' is there twice"),
    "incomplete": ("type\tbroad\nB\tL\nCD4\tL\n", "has no line for 4 of the reference's types: CD8, DC, Mono, NK"),
    "a type's name": ("type\tbroad\n" + COMPLETE.format("", "T", "B", "", "", ""), "'B' is the name of a type, but not of a"),
    "no label": ("type\tbroad\n" + COMPLETE.format("unassigned", *[""] * 5), "'unassigned' is the label of cells without one"),
    "two groups": ("type\ta\tb\n" + COMPLETE.format("X\t", "X\t", "\tX", "\t", "\t", "\t"), "'X' names two different groups"),
    "no tree": ("type\ta\tb\n" + COMPLETE.format("X\tY", "X\tZ", "\tY", "\t", "\t", "\t"), "no tree: 'X' and 'Y' share types"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_tables_that_make_no_tree_are_refused(case, tmp_path):
    (tmp_path / "broad.tsv").write_text(WRONG_TABLES[case][0])
    with pytest.raises(InputError) as error:
        hierarchy.given(settings(broad_key=f"{tmp_path}/broad.tsv"), None, None, TYPES)
    assert f"{tmp_path}/broad.tsv: {WRONG_TABLES[case][1]}" in str(error.value)


def test_a_column_gives_the_groups():
    labels = pd.Series(["CD4", "CD8", "CD8", "B", None])
    columns = {
        "coarse": pd.DataFrame({"coarse": ["T", "T", None, None, "X"]}),
        "mixed": pd.DataFrame({"mixed": [*"TXYBB"]}),
    }
    cells = SimpleNamespace(path="r.h5ad", columns=[*columns], obs=lambda key: columns.get(key, pd.DataFrame()))
    assert hierarchy.given(settings(broad_key="coarse"), cells, labels, TYPES[:3]) == {"T": ["CD4", "CD8"]}
    with pytest.raises(InputError, match="column 'mixed': cells of the type 'CD8' have several values: X, Y"):
        hierarchy.given(settings(broad_key="coarse,mixed"), cells, labels, TYPES[:3])
    with pytest.raises(InputError, match=r"'none' is neither a column of obs \(there are: coarse, mixed\) nor a file"):
        hierarchy.given(settings(broad_key="none"), cells, labels, TYPES[:3])
    with pytest.raises(InputError, match="a stored model has no columns"):
        hierarchy.given(settings(broad_key="coarse"), None, None, TYPES[:3])


def test_ontology_ids_are_read_and_checked(tmp_path):
    table = tmp_path / "ids.tsv"
    table.write_text("label\tid\nB\tCL:0000236\nCD4\tunknown\nB / CD4\tCL:0000542\n")
    assert hierarchy.terms(str(table), ["B", "CD4"])["B / CD4"] == "CL:0000542"
    with pytest.raises(InputError, match="has no line for 1 of the reference's types: NK"):
        hierarchy.terms(str(table), ["B", "NK"])
    for wrong in ("CL:236", "", "T cell"):
        table.write_text(f"label\tid\nB\tCL:0000236\nCD4\t{wrong}\n")
        with pytest.raises(
            InputError, match=f"ids.tsv: 'CD4': expected an id such as CL:0000084, or unknown; got '{wrong}'"
        ):
            hierarchy.terms(str(table), ["B", "CD4"])

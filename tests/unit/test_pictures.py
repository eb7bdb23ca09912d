"""What the figures hold to, found by discovery; and the data behind them: flows, colours, embeddings, clusters."""

import inspect
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from jindbench import io, registry, tsne
from jindbench.figures import accuracy_by_cost, figure3_rates, networks, ranks
from jindbench.jind.networks import LATENT, Discriminator, Generator
from jindbench.plots import alluvial, palette
from jindbench.scoring import novel_types

WORKFLOW = Path(__file__).parents[2] / "workflow"


@pytest.mark.parametrize("name", registry.names("figures"))
def test_every_figure_has_a_function_and_an_entry(name):
    assert inspect.getdoc(registry.component("figures", name).draw)
    assert f'\n    "{name}": Figure(' in (WORKFLOW / "rules/figures.smk").read_text()


def test_no_colour_is_chosen_outside_the_palette():
    files = [path for folder in ("figures", "plots") for path in (WORKFLOW / "jindbench" / folder).glob("*.py")]
    assert [path.name for path in files if re.search(r'"#\w{6}"|cmap="', path.read_text())] == ["palette.py"]


def test_the_networks_are_drawn_as_they_are():
    generator = Generator(networks.GENES)
    table = networks.steps(generator, torch.empty(1, networks.GENES), torch.empty(1, LATENT)).set_index("step")
    assert (table["kind"] == "Linear").sum() == sum(isinstance(layer, torch.nn.Linear) for layer in generator.modules())
    assert table.loc["first", "text"] == "M genes → 1024"
    assert table["text"].tolist()[-2:] == ["×", "+"]  # S(x) * h + B(x)
    assert set(table["from"].iloc[-2].split()) == {"add", "h"}
    assert table.loc["add", "text"] == "+ 1"
    assert not table.duplicated(["lane", "depth"]).any()
    of_codes = networks.steps(Discriminator(0.2), torch.empty(1, LATENT))["text"].tolist()
    assert of_codes[:3] == ["h: 256", "256 → 512", "LeakyReLU 0.2"]


def test_mean_ranks_and_their_interval():
    """`half` and `also` are equal on one task; a method that has not run on both is not ranked."""
    half = np.arange(100) % 2
    first = pd.DataFrame({"half": half, "best": np.ones(100), "also": half, "gone": half})
    second = pd.DataFrame({"half": half, "best": np.ones(100), "also": np.where(np.arange(100) < 40, half, 0)})
    table = ranks.mean_ranks({"first": first, "second": second}).set_index("method")
    assert table["rank"].to_dict() == {"best": 1.0, "half": 2.25, "also": 2.75}
    assert table.loc["best", ["low", "high", "first"]].tolist() == [1, 1, 1]
    assert table.loc["also", ["low", "high"]].tolist() == [2.5, 3]  # the first task twice, the second twice
    assert table.loc["also", "raw"] == pytest.approx((0.5 + 0.2) / 2)


def test_a_method_with_a_failed_seed_is_not_ranked(tmp_path):
    io.write_table(pd.DataFrame({"cell_id": ["a"], "label": ["X"]}), tmp_path / "solution.tsv")
    io.write_table(pd.DataFrame({"cell_id": ["a"], "raw_label": ["X"], "label": ["X"]}), tmp_path / "predictions.tsv")
    outcomes = []
    for method, status in (("sound", "ok"), ("shaky", "ok"), ("shaky", "failed")):
        outcomes.append(tmp_path / f"{len(outcomes)}.json")
        io.write_json({"task": "t", "method": method, "status": status}, outcomes[-1])
    given = [tmp_path / "predictions.tsv"] * 3, outcomes, [tmp_path / "solution.tsv"], {"t": "T"}
    drawn = ranks.draw(*given, {"sound": "Sound", "shaky": "Shaky"})
    assert drawn.tables["table"]["method"].tolist() == ["sound"]
    assert drawn.missing == ["Not ranked, since they lack a task: Shaky."]


def test_a_method_is_beaten_by_what_is_no_dearer_and_no_worse():
    cost, accuracy = pd.Series([1.0, 2, 2, 3, 4]), pd.Series([0.5, 0.9, 0.8, 0.9, 0.95])
    assert accuracy_by_cost.unbeaten(cost, accuracy).tolist() == [True, True, False, False, True]


def test_what_a_method_costs_includes_the_integration_that_it_reads(tmp_path):
    """And a method that is run on no task costs nothing that is known."""
    methods, tasks = ["svm", "svm_seurat", "nowhere"], ["a", "b", "gone"]
    scores = pd.DataFrame([{"task": task, "method": method} for task in tasks for method in methods])
    scores["value"] = [0.8, 0.9, np.nan] * 2 + [np.nan] * 3
    io.write_table(scores.assign(metric="raw", status="ok"), tmp_path / "scores.tsv")
    outcomes = []
    for method, seconds, memory in (("svm", 2, 300), ("svm_seurat", 1, 200), ("integration seurat", 600, 900)):
        for task in tasks[:2]:
            outcomes.append(tmp_path / f"{len(outcomes)}.json")
            record = {"task": task, "method": method, "work_seconds": seconds, "peak_memory_mb": memory}
            io.write_json(record, outcomes[-1])
    work = {name: [name] for name in methods} | {"svm_seurat": ["integration seurat", "svm_seurat"]}
    titles = {name: name for name in methods}
    drawn = accuracy_by_cost.draw(tmp_path / "scores.tsv", outcomes, dict.fromkeys(tasks, ""), titles, work)
    table = drawn.tables["table"].set_index("method")
    assert table["work_seconds"].to_dict() == {"svm": 2, "svm_seurat": 601}
    assert table["peak_memory_mb"].to_dict() == {"svm": 300, "svm_seurat": 900}


def predictions(labels):
    return pd.DataFrame({"cell_id": list(labels), "label": list(labels.values())})


TRUTH = pd.Series({"a": "X", "b": "X", "c": "X", "d": "Y", "e": "Y", "f": "Z"})
PREDICTED = predictions({"f": "unassigned", "e": "X", "d": "Y", "c": "unassigned", "b": "X", "a": "X"})


def test_flows_add_up_to_the_cells():
    flows = alluvial.flows(TRUTH, PREDICTED)
    assert flows.to_numpy().tolist() == [
        ["X", "X", 2],
        ["X", "unassigned", 1],
        ["Y", "X", 1],
        ["Y", "Y", 1],
        ["Z", "unassigned", 1],
    ]
    assert flows.groupby("type")["n"].sum().to_dict() == TRUTH.value_counts().to_dict()


def test_bands_fill_their_strata():
    figure, panel = plt.subplots()
    flows = alluvial.flows(TRUTH, PREDICTED)
    alluvial.draw(panel, flows, palette.of_types(TRUTH), "")
    bands = [patch.get_path().vertices for patch in panel.patches if len(patch.get_path().vertices) > 5]
    on_left = [band[0, 1] - band[7, 1] for band in bands]
    on_right = [band[3, 1] - band[4, 1] for band in bands]
    gaps = 1 - alluvial.GAPS
    assert on_left == pytest.approx(flows["n"] / len(TRUTH) * gaps)
    assert on_right == pytest.approx(flows["n"] / len(TRUTH) * gaps)
    plt.close(figure)


@pytest.mark.parametrize("n", [2, 12, 28, 40])
def test_names_of_strata_do_not_collide(n):
    sizes = pd.Series([1000, *[1] * (n - 1)])  # one large type, all others tiny and close together
    strata = alluvial.strata(sizes)
    assert strata["height"].sum() + alluvial.GAPS == pytest.approx(1)
    middles = (strata["bottom"] + strata["height"] / 2).to_numpy()
    places = alluvial.spread(middles, alluvial.LETTER)
    least = min(alluvial.LETTER, 1 / (n - 1))
    assert (np.diff(places) <= -least + 1e-9).all()
    assert (places <= 1).all()
    assert (places >= 0).all()


def test_a_type_keeps_its_colour_and_no_two_share_one():
    few, many = palette.of_types("abc"), palette.of_types([f"type {i}" for i in range(30)])
    assert palette.of_types("cab") == few
    assert len(set(many.values())) == 31
    assert few["unassigned"] == many["unassigned"]


def test_tsne_keeps_clusters_apart_whatever_holds_the_cells():
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(scale=8, size=(3, 20)), 60, axis=0)
    X = np.abs(centres + rng.normal(size=centres.shape))
    points = tsne.tsne(X, seed=0, threads=1)
    assert np.array_equal(points, tsne.tsne(X, seed=0, threads=1))
    # the signs of components may differ between dense and sparse input: what counts is which cells are neighbours
    for embedded in (points, tsne.tsne(sparse.csr_matrix(X), seed=0, threads=1)):
        distance = np.linalg.norm(embedded[:, None] - embedded[None], axis=2)
        nearest = np.argsort(distance, axis=1)[:, 1:11] // 60
        assert (nearest == np.arange(180)[:, None] // 60).mean() > 0.99


@pytest.mark.parametrize("n", [1, 5])
def test_tsne_of_few_cells(n):
    points = tsne.tsne(np.random.default_rng(0).random((n, 30)), seed=0, threads=1)
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()


def test_clusters_are_mapped_to_types_with_the_smallest_sum_of_distances():
    source = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0]])
    target = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [9.0, 0.0], [50.0, 0.0]])
    table = novel_types.mapping(source, np.array(["A", "A", "B"]), target, np.array([0, 0, 1, 2, -1]))
    # centroids: A (0, 1), B (10, 0); clusters (1, 1), (2, 1), (9, 0). The cell at 50 belongs to none.
    assert table["n_cells"].tolist() == [2, 1, 1]
    assert table["distance_A"].tolist() == pytest.approx([1, 2, np.sqrt(82)])
    assert table["distance_B"].tolist() == pytest.approx([np.sqrt(82), np.sqrt(65), 1])
    assert table["mean_squared_distance_B"].tolist() == pytest.approx([41, 32.5, 0.5])  # of two dimensions
    assert table["assigned_source_type"].tolist() == ["A", None, "B"]  # a cluster is left over
    assert table["nearest_source_type"].tolist() == ["A", "A", "B"]


def test_a_cluster_is_novel_beyond_the_own_cells_of_the_nearest_type():
    """A's cells lie 0, 1, ... 100 to both sides of its centroid, so 95 % of them within 95; those of B all at 1.

    One cluster just inside, one just outside; and one 2 from B, near for A and far for B.
    """
    steps = np.arange(101.0)
    of_a = np.concatenate([np.stack([steps, 0 * steps], 1), np.stack([-steps, 0 * steps], 1)])
    of_b = np.array([[999.0, 0.0], [1001.0, 0.0]])
    labels = np.repeat(["A", "B"], [len(of_a), len(of_b)])
    target = np.array([[0, 94.0], [0, 96.0], [1002.0, 0]])
    table = novel_types.matches(np.concatenate([of_a, of_b]), labels, target, np.arange(3))
    assert table["matched_source_type"].tolist() == ["A", "A", "B"]
    assert table["matched_distance"].tolist() == pytest.approx([94, 96, 2])
    assert table["limit"].tolist() == pytest.approx([95, 95, 1])
    assert table["novel"].tolist() == [False, True, True]


@pytest.mark.parametrize("function", [novel_types.mapping, novel_types.matches])
def test_no_cluster_no_row(function):
    assert function(np.ones((2, 2)), np.array(["A", "B"]), np.ones((1, 2)), np.array([novel_types.NOISE])).empty


def test_clusters_are_described_by_cell_id():
    found = pd.Series([0, 0, 0, 1, -1], index=["c", "a", "b", "e", "d"])
    table = novel_types.describe(found, TRUTH, PREDICTED).set_index("cluster")
    assert table["majority_type"].tolist() == ["X", "Y"]
    assert table["most_frequent_prediction"].tolist() == ["X", "X"]
    assert table["prediction_share"].tolist() == pytest.approx([2 / 3, 1])


def test_dbscan_finds_dense_groups_and_leaves_lone_cells():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 60, [[30, 30]]])
    found = novel_types.clusters(pd.DataFrame(points, index=[f"c{i}" for i in range(81)]))
    assert found.iloc[:40].nunique() == found.iloc[40:80].nunique() == 1
    assert found.iloc[0] != found.iloc[40]
    assert found["c80"] == -1


def test_bars_of_rejection_have_the_scores_and_words_for_what_failed():
    scores = pd.DataFrame(
        [
            {"task": "T", "method": "A", "metric": "rej", "value": 0.2, "low": 0.1, "high": 0.3, "status": "ok"},
            {"task": "T", "method": "B", "metric": "rej", "status": "not applicable"},
            {"task": "U", "method": "A", "metric": "rej", "status": "failed: no luck"},
            {"task": "U", "method": "B", "metric": "rej", "status": "not applicable"},
        ]
    )
    figure = figure3_rates.bars(scores, [])
    first, second = figure.axes
    assert [bar.get_width() for bar in first.patches] == [0.2]
    assert [label.get_text() for label in first.get_yticklabels()] == ["A"]  # B never rejects
    assert [text.get_text() for text in second.texts] == ["failed"]
    plt.close(figure)

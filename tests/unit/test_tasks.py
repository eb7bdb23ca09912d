import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jindbench.data import tasks
from jindbench.errors import InputError


def cells(labels, batch="b"):
    obs = pd.DataFrame({"label": list(labels), "batch": batch}, index=[f"{batch}{i}" for i in range(len(labels))])
    var = pd.DataFrame(index=["g0", "g1", "g2"])
    X = np.arange(len(labels) * 3, dtype=np.float32).reshape(-1, 3)
    return ad.AnnData(X, obs=obs, var=var, uns={"x_kind": "counts"})


def test_split_is_seeded_seven_to_three_and_complete():
    whole = cells("ab" * 50)
    split = tasks.Split(dataset="d", seed=3)
    source, target = tasks.random_split(whole, split, "t")
    assert (source.n_obs, target.n_obs) == (70, 30)
    assert sorted([*source.obs_names, *target.obs_names]) == sorted(whole.obs_names)
    again, _ = tasks.random_split(whole, split, "t")
    other, _ = tasks.random_split(whole, split.model_copy(update={"seed": 4}), "t")
    assert list(again.obs_names) == list(source.obs_names)
    assert list(other.obs_names) != list(source.obs_names)


def test_the_papers_split_is_the_one_of_the_authors_code():
    whole = cells("ab" * 5 + "a")
    source, target = tasks.random_split(whole, tasks.Split(dataset="d", rule="paper"), "t")
    # np.random.seed(0), np.random.shuffle(np.arange(11)), of which int(0.7 * 11) are the source
    assert target.obs_names.tolist() == ["b0", "b3", "b5", "b8"]
    assert source.n_obs == 7
    with pytest.raises(ValueError, match="rule: paper has a source_share of 0.7 and seed 0"):
        tasks.Split(dataset="d", rule="paper", seed=1)


@pytest.mark.parametrize(
    ("source_types", "target_types", "source_left", "target_left"),
    [
        ("common", "common", "aabb", "abb"),  # as the paper does
        ("common", "all", "aabb", "abbdd"),  # keep types that only the target has
        ("all", "common", "aabbc", "abb"),
        (["a", "c"], ["a", "c", "d"][::2], "aac", "add"),  # Figure 5: a new type in the target
        (["a"], "common", "aa", "a"),  # common to what the list has left
        (["b"], ["b"], "bb", "bb"),  # Figure 2: a subset
    ],
)
def test_types(source_types, target_types, source_left, target_left):
    source, target = tasks.select_types(cells("aabbc"), cells("abbdd"), source_types, target_types, "t")
    assert "".join(source.obs["label"]) == source_left
    assert "".join(target.obs["label"]) == target_left


def many(batch, names, n=12, seed=0):
    """Cells of two types with as many genes as have names."""
    X = np.random.default_rng(seed).poisson(1, (n, len(names))).astype(np.float32)
    obs = pd.DataFrame({"label": list("ab") * (n // 2), "batch": batch}, index=[f"{batch}{i}" for i in range(n)])
    return ad.AnnData(sparse.csr_matrix(X), obs=obs, var=pd.DataFrame(index=names), uns={"x_kind": "counts"})


SYMBOLS = [f"RPL{i}" for i in range(60)]


def make(source, target, **datasets):
    """Of a task between two datasets, or two batches of one."""
    task = tasks.Task.model_validate({"source": source, "target": target})
    return tasks.make(task, datasets, "tasks.t")


TWO = {"dataset": "one"}, {"dataset": "two"}


def test_genes_are_matched_by_name_in_the_sources_order():
    one, two = (
        many("x", [f"ENSG{i:011}.1" for i in range(60)]),
        many("y", [f"ENSG{i:011}.2" for i in range(70)])[:, ::-1],
    )
    source, target = make(*TWO, one=one, two=two.copy())
    assert list(source.var_names) == list(target.var_names) == list(one.var_names)
    assert (target.X != two[:, ::-1][:, :60].X).nnz == 0


@pytest.mark.parametrize(
    ("source", "target", "line"),
    [
        (
            SYMBOLS,
            [*SYMBOLS[:30], *(f"Rpl{i}" for i in range(60))],
            "30 genes in common, at least 50 .*mouse symbols.* human orthologs",
        ),
        ([f"gene{i}" for i in range(60)], [f"gene{i}" for i in range(60)], "source: var_names .* are running numbers"),
        (SYMBOLS, [str(i) for i in range(60)], "target: var_names .* are numbers, and no column of var"),
    ],
)
def test_two_datasets_need_genes_that_can_be_compared(source, target, line):
    with pytest.raises(InputError, match=rf"^tasks\.t: {line}"):
        make(*TWO, one=many("x", source), two=many("y", target, seed=1))


def test_batches_of_one_dataset_may_have_any_names_of_genes():
    whole = ad.concat([many("x", ["0", "1"]), many("y", ["0", "1"], seed=1)], merge="same", uns_merge="same")
    source, target = make({"dataset": "one", "batch": "x"}, {"dataset": "one", "batch": "y"}, one=whole)
    assert (source.n_obs, target.n_obs) == (12, 12)


@pytest.mark.parametrize("target", [{"dataset": "one"}, {"dataset": "one", "batch": "x"}, {"dataset": "copy"}])
def test_no_cell_is_on_both_sides(target):
    cells = many("x", SYMBOLS)
    with pytest.raises(InputError, match=r"^tasks\.t: 12 cells, such as 'x0', are in source and target"):
        make({"dataset": "one", "batch": "x"}, target, one=cells, copy=cells[:, ::-1].copy())


def test_cells_of_two_files_may_have_the_same_ids():
    source, target = make(*TWO, one=many("x", SYMBOLS), two=many("x", SYMBOLS, seed=1))
    assert source.obs_names.equals(target.obs_names)


def test_a_source_needs_types_to_tell_apart():
    with pytest.raises(InputError, match=r"^tasks\.t: the source's labels: one cell type, 'a'"):
        make(
            {"dataset": "one", "types": ["a"]},
            {"dataset": "two"},
            one=many("x", SYMBOLS),
            two=many("y", SYMBOLS, seed=1),
        )


def test_a_task_says_which_cells_are_source_and_which_target():
    own = {"dataset": "d", "batch": "a"}
    sides = tasks.Task(source=own, target={"dataset": "d", "batch": "b", "types": "all"})
    assert sides.in_words() == "Source: d, batch a (types that both have); target: d, batch b (all types)."
    both = tasks.Task(source=own, target={"dataset": "e"})
    assert both.in_words() == "Source: d, batch a; target: e; only types that both have."
    split = tasks.Task(split=own)
    assert split.in_words() == "Source: 70% of d, batch a, drawn at random; target: the others."

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from jindbench.data import tasks


def cells(labels, batch="b"):
    obs = pd.DataFrame({"label": list(labels), "batch": batch}, index=[f"{batch}{i}" for i in range(len(labels))])
    var = pd.DataFrame(index=["g0", "g1", "g2"])
    X = np.arange(len(labels) * 3, dtype=np.float32).reshape(-1, 3)
    return ad.AnnData(X, obs=obs, var=var, uns={"x_kind": "counts"})


def test_split_is_seeded_seven_to_three_and_complete():
    whole = cells("ab" * 50)
    source, target = tasks.random_split(whole, 0.7, 3, "t")
    assert (source.n_obs, target.n_obs) == (70, 30)
    assert sorted([*source.obs_names, *target.obs_names]) == sorted(whole.obs_names)
    again, _ = tasks.random_split(whole, 0.7, 3, "t")
    other, _ = tasks.random_split(whole, 0.7, 4, "t")
    assert list(again.obs_names) == list(source.obs_names)
    assert list(other.obs_names) != list(source.obs_names)


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


def test_genes_are_matched_by_name_in_the_sources_order():
    source, target = cells("ab"), cells("ab")
    target = target[:, ["g2", "g0"]].copy()
    source, target = tasks.match_genes(source, target, "t")
    assert list(source.var_names) == list(target.var_names) == ["g0", "g2"]
    assert (source.X == target.X).all()

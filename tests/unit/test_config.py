"""A wrong configuration gets one line for each fault, naming the key and what was expected."""

import faulthandler
import os
import signal
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from jindbench import registry
from jindbench.config import load
from jindbench.datasets import anndata_file

REPOSITORY = Path(__file__).parents[2]
GOOD = {
    "run": {"name": "r", "tasks": ["t"], "methods": ["majority", "jind"], "seeds": [0, 1]},
    "tasks": {"t": {"source": {"dataset": "toy", "batch": "source"}, "target": {"dataset": "toy", "batch": "target"}}},
}


def changed(path, value):
    """GOOD with one key changed; `None` removes it."""

    def copy(node):
        return {key: copy(child) for key, child in node.items()} if isinstance(node, dict) else node

    result = copy(GOOD)
    node = result
    *parents, last = path.split("/")
    for key in parents:
        node = node.setdefault(key, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return result


def test_a_good_configuration():
    loaded = load.load(GOOD)
    load.check_data(loaded)
    assert loaded.selected_datasets() == ["toy"]
    assert list(loaded.selected_methods()) == ["majority", "jind", "jind_classifier"]  # with what jind builds on
    assert loaded.methods["jind"].parent == "jind_classifier"


REAL = [["tests/real/config.yaml", str(path.relative_to(REPOSITORY))] for path in REPOSITORY.glob("tests/real/*.yaml")]


@pytest.mark.parametrize(
    "files", [[], ["config/demo.yaml"], ["config/stand_ins.yaml"], *REAL], ids=lambda files: "".join(files[-1:])
)
def test_the_configurations_that_come_with_the_project_are_good(files):
    merged = {}
    for file in ["config/config.yaml", *files]:
        update_config(merged, yaml.safe_load((REPOSITORY / file).read_text()))
    assert load.load(merged).pairs()


def test_titles_of_what_is_not_selected_may_be_the_same():
    other = changed("tasks/s", {"split": {"dataset": "toy"}, "title": "t"})
    other["tables"] = {"s1": {"title": "S1", "tasks": ["s"], "methods": ["jind"]}}
    assert load.load(other).pairs() == [("t", "majority"), ("t", "jind")]
    other["run"]["tasks"] = ["t", "s"]
    with pytest.raises(load.ConfigurationError, match="run.tasks: two have the title 't' in tables; set title"):
        load.load(other)


def test_a_method_can_have_variants():
    variant = {"method": "svm_rej", "title": "SVM .5", "threshold": 0.5}
    loaded = load.load(changed("methods/lenient", variant))
    assert loaded.methods["lenient"].parameters.threshold == 0.5
    assert loaded.methods["svm_rej"].parameters.threshold == 0.7


def chain(entries, name):
    """Name, title and parameters of the methods that a method starts from, and of itself."""
    loaded = load.load(GOOD | {"methods": entries})
    return [(stage, loaded.methods[stage].title, loaded.methods[stage].parameters) for stage in loaded.chain(name)]


def test_one_entry_is_a_whole_variant_of_jind():
    entry = {"method": "jind_plus", "title": "JIND+, few", "n_genes": 500, "epochs": 2, "jind": {"epochs": 3}}
    classifier, jind, plus = chain({"jind_plus_few": entry}, "jind_plus_few")
    assert [stage[:2] for stage in (classifier, jind, plus)] == [
        ("jind_classifier_few", "JIND unaligned, few"),
        ("jind_few", "JIND, few"),
        ("jind_plus_few", "JIND+, few"),
    ]
    assert (classifier[2].n_genes, classifier[2].epochs, jind[2].epochs, plus[2].epochs) == (500, 30, 3, 2)
    names = [stage[0] for stage in chain({"mine": entry}, "mine")]  # a name that does not begin with the file's
    assert names == ["jind_classifier.mine", "jind.mine", "mine"]


@pytest.mark.parametrize("entry", ["jind_classifier", "jind", "jind_plus"])
def test_the_stages_of_a_variant_cannot_have_different_presets(entry):
    """Whichever stage's entry says it, and whether or not the others have entries."""
    for name in (entry, f"{entry}_x"):
        entries = {name: {"method": entry, "preset": "robust", "input": "seurat"}}
        last = name.replace(entry, "jind_plus")
        loaded = load.load(GOOD | {"methods": {last: {"method": "jind_plus"}} | entries})
        stages = [loaded.methods[stage] for stage in loaded.chain(last)]
        assert [(stage.parameters.preset, stage.input) for stage in stages] == [("robust", "seurat")] * 3
        assert (stages[0].parameters.members, stages[1].parameters.method) == (3, "moments")
        if name == "jind":  # alone, it is the half set preset
            assert chain(entries, "jind")[0][2].preset == "robust"


def test_equal_stages_are_trained_once():
    entries = {
        "jind_plus_a": {"method": "jind_plus", "after_relu": True},
        "b": {"method": "jind_plus", "after_relu": True, "epochs": 1},
        "jind_plus_c": {"method": "jind_plus", "epochs": 2},
    }
    loaded = load.load(GOOD | {"methods": entries})
    assert loaded.chain("jind_plus_a") == ["jind_classifier", "jind_a", "jind_plus_a"]
    assert loaded.chain("b") == ["jind_classifier", "jind_a", "b"]
    assert loaded.chain("jind_plus_c") == ["jind_classifier", "jind", "jind_plus_c"]
    entries["jind_a"] = {"method": "jind", "skip": {"t": "why"}}  # then b's is another: it is not skipped
    assert load.load(GOOD | {"methods": entries}).chain("b") == ["jind_classifier", "jind.b", "b"]


def test_the_selection_as_plain_data_tells_a_methods_file_from_its_parameters():
    """JIND's alignment has a parameter that is called method too."""
    plain = load.load(changed("methods/jind", {"jind": {"method": "moments"}})).selected()["methods"]["jind"]
    assert (plain["method"], plain["parent"], plain["parameters"]["method"]) == ("jind", "jind_classifier", "moments")


def test_an_entry_under_a_files_own_name_changes_what_others_start_from():
    assert chain({"jind": {"epochs": 5}}, "jind_plus")[1][2].epochs == 5


def test_a_title_says_that_a_presets_values_are_changed():
    entries = {"jind": {"epochs": 5}, "jind_plus": {"device": "cpu"}, "jind_r": {"method": "jind", "preset": "robust"}}
    titles = [stage[1] for stage in chain(entries, "jind_plus")]
    assert titles == ["JIND unaligned (paper)", "JIND (paper, changed)", "JIND+ (paper, changed)"]
    assert chain(entries, "jind_r")[-1][1] == "JIND (robust)"


def test_what_is_left_out_and_how_often_a_method_runs():
    entries = {
        "svm_seurat": {"method": "svm_rej", "input": "seurat"},
        "jind_classifier": {"skip": {"t": "too large"}},
    }
    other = changed("tasks/s", {"split": {"dataset": "toy"}})
    other["run"] |= {"tasks": ["t", "s"], "methods": ["majority", "svm_seurat", "jind"], "seeds": [3, 4]}
    loaded = load.load(other | {"methods": entries})
    assert loaded.left_out("s", "svm_seurat") == "not applicable"
    assert loaded.left_out("t", "jind") == "not run: too large"  # its parent's reason
    assert loaded.pairs() == [
        ("t", "majority"),
        ("t", "svm_seurat"),
        ("s", "majority"),
        ("s", "jind"),
    ]
    assert loaded.integrated() == [("t", "seurat")]
    assert (loaded.seeds("majority"), loaded.seeds("jind")) == ([3], [3, 4])
    assert loaded.methods["svm_seurat"].title == "SVM_Rej (Seurat)"

    other["run"] |= {"tasks": ["s"], "methods": ["svm_seurat"]}
    with pytest.raises(load.ConfigurationError, match="run: nothing is left to run"):
        load.load(other | {"methods": entries})


def test_types_are_held_out_of_what_is_run_and_not_integrated():
    other = changed("methods/svm_seurat", {"method": "svm_rej", "input": "seurat"})
    other["methods"]["majority"] = {"skip": {"t": "too large"}}
    other["run"]["methods"] = ["majority", "svm_seurat", "jind"]
    assert load.load(other).held_out() == []
    other["held_out_types"] = {"tasks": ["t"]}
    assert load.load(other).held_out() == [
        ("t", "majority", "not run: too large"),
        ("t", "svm_seurat", "not applicable: the integration has seen the type"),
        ("t", "jind", ""),
    ]
    other["held_out_types"]["methods"] = ["jind", "logreg"]  # logreg is not run
    assert load.load(other).held_out() == [("t", "jind", "")]
    assert load.load(other).chain("jind") == ["jind_classifier", "jind"]


def test_tables_run_their_methods_on_their_tasks_alone():
    other = changed("tasks/s", {"split": {"dataset": "toy"}})
    other["run"] |= {"tasks": ["t", "s"], "methods": ["majority"]}
    sizes = {"title": "S2", "tasks": ["s", "elsewhere"], "methods": ["jind", "majority"]}
    other["tasks"]["elsewhere"] = {"split": {"dataset": "toy"}}
    loaded = load.load(other | {"tables": {"s2": sizes, "s1": sizes | {"tasks": ["elsewhere"]}}})
    assert {name: table.tasks for name, table in loaded.shown_tables().items()} == {"table2": ["t", "s"], "s2": ["s"]}
    assert loaded.pairs() == [("t", "majority"), ("s", "majority"), ("s", "jind")]
    assert loaded.pairs(parents=True) == [*loaded.pairs(), ("s", "jind_classifier")]


def test_figures_show_the_tasks_named_or_all_and_only_where_their_stages_run():
    other = changed("tasks/s", {"split": {"dataset": "toy"}})
    other["run"] |= {"tasks": ["t", "s"], "methods": ["jind_plus"]}
    other["methods"] = {"jind": {"skip": {"s": "too large"}}}
    loaded = load.load(other | {"figures": {"figure3": ["s"]}, "runtime": {"tasks": ["t"], "methods": ["jind"]}})
    assert loaded.figure_tasks("figure3") == ["s"]
    assert loaded.figure_tasks("figure2") == ["t", "s"]
    assert loaded.figure_tasks("figure5") == []  # no target may have types that the source lacks
    assert loaded.stages("t") == ["jind_classifier", "jind", "jind_plus"]
    assert loaded.stages("s") == []
    assert loaded.timed() == ([("t", "jind")], [])
    assert load.load(changed("run/methods", ["majority"])).stages("t") == []


FAULTS = [
    ("rnu", {}, "rnu: unknown key (did you mean 'run'?)"),
    ("run/seed", [0], "run.seed: unknown key (did you mean 'seeds'?)"),
    ("run/seeds", None, "run.seeds: this key is required"),
    ("run/seeds", [0, "x"], "run.seeds.1: expected a whole number, got 'x'"),
    ("run/seeds", [-1], "run.seeds.0: expected greater than or equal to 0, got -1"),
    ("run/seeds", [1, 1], "run.seeds: a seed is named twice"),
    ("run/name", "a b", "run.name: expected letters, digits, '_', '.' and '-' only, got 'a b'"),
    ("run/name", "../up", "run.name: expected letters"),
    ("run/tasks", ["jind"], "run.tasks: no task 'jind'"),
    ("run/tasks", ["q"], "run.tasks: no task 'q' (there are: t)"),
    ("run/methods", ["jint"], "run.methods: no method 'jint' (did you mean 'jind'?)"),
    ("run/methods", ["jind", "jind"], "run.methods: 'jind' is named twice"),
    ("run", None, "run: this key is required"),
    ("run", 3, "run: expected a mapping, got 3"),
    ("tasks/t/source/dataset", "toi", "tasks.t.source.dataset: no dataset 'toi' (did you mean 'toy'?)"),
    ("tasks/t/source/batches", "x", "tasks.t.source.batches: unknown key (did you mean 'batch'?)"),
    ("tasks/t/source/batch", 3, "tasks.t.source.batch: expected text, got 3"),
    ("tasks/t/source/types", "comon", "tasks.t.source.types: expected 'common', 'all' or a list of cell types, got 'comon'"),
    ("tasks/t/target", None, "tasks.t: expected either source and target, or split"),
    ("tasks/t/split", {"dataset": "toy"}, "tasks.t: expected either source and target, or split"),
    ("tasks/x y", {"split": {"dataset": "toy"}}, "tasks.x y: a name must consist of letters"),
    ("tasks/s", {"split": {"dataset": "toy", "source_share": 1.5}}, "tasks.s.split.source_share: expected less than 1, got 1.5"),
    ("datasets/toy", {"n_gens": 9}, "datasets.toy.n_gens: unknown key (did you mean 'n_genes'?)"),
    ("datasets/mine", {}, "datasets.mine: there is no file 'mine' in datasets/ (there are: anndata_file"),
    ("datasets/mine", {"loader": "anndata_file", "label_key": "l", "x_kind": "log"}, "datasets.mine.path: this key is required"),
    ("datasets/mine", {"loader": "anndata_file", "path": "p", "label_key": "l", "x_kind": "cnt"},
     "datasets.mine.x_kind: expected 'counts', 'normalized', 'log', 'scaled' or 'integrated', got 'cnt'"),
    ("datasets/mine", {"loader": "anndata_file", "path": "p", "label_key": "l", "x_kind": "log", "normalize": True},
     "datasets.mine: normalize: true needs counts or normalized values, x_kind is 'log'"),
    ("methods/svm_rej", {"treshold": 0.5}, "methods.svm_rej.treshold: unknown key (did you mean 'threshold'?)"),
    ("methods/svm_rej", {"threshold": "high"}, "methods.svm_rej.threshold: expected a number, got 'high'"),
    ("methods/jind", {"learning_rate": "1e-4"}, "methods.jind.learning_rate: expected a number, got '1e-4'; YAML reads 1e-4 as text"),
    ("methods/svm_rej", 0.5, "methods.svm_rej: expected a mapping (or {} for the defaults), got 0.5"),
    ("methods/jind_plus_x", {"method": "jind_plus", "jind_classifier": {"n_gens": 3}},
     "methods.jind_plus_x.jind_classifier.n_gens: unknown key (did you mean 'n_genes'?)"),
    ("methods/jind_plus_x", {"method": "jind_plus", "jind": 3}, "methods.jind_plus_x.jind: expected a mapping, got 3"),
    ("methods/jind_plus_x", {"method": "jind_plus", "n_genes": 0}, "methods.jind_plus_x.n_genes: expected greater than or equal to 1, got 0"),
    ("methods/jind_plus_x", {"method": "jind_plus", "jind": {"epochs": 0}}, "methods.jind_plus_x.jind.epochs: expected greater than or equal to 1"),
    ("methods", {"jind_x": {"method": "jind", "preset": "robust"}, "jind_plus_x": {"method": "jind_plus", "preset": "paper"}},
     "methods.jind_plus_x.preset: 'paper', but methods.jind_x.preset is 'robust'; the stages of a variant share it"),
    ("methods", {"jind_x": {"method": "jind", "epochs": 3}, "jind_plus_x": {"method": "jind_plus", "jind": {"epochs": 4}}},
     "methods.jind_plus_x.jind.epochs: 4, but methods.jind_x.epochs is 3"),
    ("methods", {"jind_x": {"method": "svm_rej"}, "jind_plus_x": {"method": "jind_plus"}},
     "methods.jind_x: a stage of 'jind_plus_x' has this name too; choose another"),
    ("datasets", 0, "datasets: expected a mapping, got 0"),
    ("methods", [], "methods: expected a mapping, got []"),
    ("tables/s1", {"title": "S1", "tasks": ["q"], "methods": ["jind"]}, "tables.s1.tasks: no task 'q' (there are: t)"),
    ("tables/s1", {"title": "S1", "tasks": ["t"], "methods": ["jint"]}, "tables.s1.methods: no method 'jint' (did you mean 'jind'?)"),
    ("tables/claims", {"title": "S1", "tasks": ["t"], "methods": ["jind"]}, "tables.claims: this name is taken; choose another"),
    ("figures/figure2", ["q"], "figures.figure2: no task 'q' (there are: t)"),
    ("figures/figure6", ["t"], "figures.figure6: unknown key (did you mean 'figure5'?)"),
    ("differential_expression/pairs", {"q": ["A", "B"]}, "differential_expression.pairs: no task 'q' (there are: t)"),
    ("differential_expression/model", "zoom", "differential_expression.model: expected 'voom' or 'plain', got 'zoom'"),
    ("figures/method", "jint", "figures.method: no method 'jint' (did you mean 'jind'?)"),
    ("figures/method", "true_labels", "figures.method: 'true_labels' is given the target's labels; expected a method that is not"),
    ("run/methods", [], "run.methods: expected at least 1, got []"),
    ("differential_expression/pairs", {"t": ["A"]}, "differential_expression.pairs.t: expected at least 2, got ['A']"),
    ("differential_expression/pairs", {"t": ["A", "B", "C"]}, "differential_expression.pairs.t: expected at most 2, got ['A', 'B', 'C']"),
    ("runtime/methods", ["jint"], "runtime.methods: no method 'jint' (did you mean 'jind'?)"),
    ("runtime/integrations", ["surat"], "runtime.integrations: no integration 'surat' (did you mean 'seurat'?)"),
    ("methods", {500: {"method": "jind"}}, "methods.500: a name must consist of letters"),
    ("tables/s1", {"title": "S1", "tasks": ["t"], "methods": ["q"]}, f"tables.s1.methods: no method 'q' (there are: {registry.names('methods')[0]}, "),
    ("runtime/tasks", ["q"], "runtime.tasks: no task 'q' (there are: t)"),
    ("held_out_types/tasks", ["q"], "held_out_types.tasks: no task 'q' (there are: t)"),
    ("held_out_types/methods", ["jint"], "held_out_types.methods: no method 'jint' (did you mean 'jind'?)"),
    ("run/name", "data", "run.name: 'data' is the folder of the datasets"),
    ("methods/majority", {"title": "metric"}, "run.methods: 'metric' is a column of the tables"),
    ("methods/majority", {"title": 3}, "methods.majority.title: expected text, got 3"),
    ("methods/majority", {"title": "</script>"}, "methods.majority.title: expected a title without HTML tags, got '</script>'"),
    ("datasets/pbmc68k_reduced", {"normalize": True}, "datasets.pbmc68k_reduced.normalize: unknown key"),
    ("methods/jind", {"preset": "papers"}, "methods.jind.preset: expected 'paper', 'preprint', 'published', 'robust' or 'consensus', got 'papers'"),
    ("methods/majority", {"title": "JIND (paper)"}, "run.methods: two have the title 'JIND (paper)' in tables; set title"),
    ("methods/majority", {"input": "surat"}, "methods.majority.input: no integration 'surat' (did you mean 'seurat'?)"),
    ("methods/majority", {"skip": {"q": "why"}}, "methods.majority.skip: no task 'q' (there are: t)"),
    ("methods/majority", {"skip": {"t": 3}}, "methods.majority.skip.t: expected text, got 3"),
    ("integrations/seurat", {"n_gens": 3}, "integrations.seurat.n_gens: unknown key (did you mean 'n_genes'?)"),
    ("integrations/mine", {}, f"integrations.mine: there is no file 'mine' in integrations/ (there are: {', '.join(registry.names('integrations'))})"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "line"), FAULTS, ids=[f"{f[0]}={f[1]}"[:60] for f in FAULTS])
def test_each_fault_has_one_line(path, value, line):
    with pytest.raises(load.ConfigurationError) as error:
        load.load(changed(path, value))
    lines = str(error.value).splitlines()
    assert [text for text in lines if text.startswith(f"configuration: {line}")], lines
    assert len(lines) == 1, lines


def test_a_key_that_stands_twice_in_a_file_is_refused(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("methods:\n  knn: {k: 3}\n  svm_rej: {threshold: 0.5}\n  knn: {k: 5}\nrun: {seeds: [0]}\n")
    with pytest.raises(load.ConfigurationError) as error:
        load.check_files([path])
    assert str(error.value) == f"configuration: {path}: methods.knn: line 4 has this key again; expected once"
    load.check_files([Path(__file__).parents[2] / "config" / name for name in ("config.yaml", "demo.yaml")])


def test_an_entry_may_be_empty():
    assert load.load(GOOD | {"methods": {"svm_rej": None}}).methods["svm_rej"]


def test_a_broken_file_concerns_only_who_uses_it(monkeypatch):
    component = registry.component

    def broken(kind, name):
        if name == "svm_rej":
            raise SyntaxError("bad\nfile")
        return component(kind, name)

    monkeypatch.setattr(registry, "component", broken)
    assert "svm_rej" not in load.load(GOOD).methods
    with pytest.raises(
        load.ConfigurationError, match=r"methods\.svm_rej: methods/svm_rej\.py cannot be used: SyntaxError: bad file"
    ):
        load.load(changed("run/methods", ["svm_rej"]))


def test_presets_fill_what_is_not_set():
    chosen = load.load(changed("methods/jind", {"preset": "published", "epochs": 3})).methods["jind"].parameters
    assert (chosen.epochs, chosen.batch_size, chosen.penalty, chosen.keep) == (3, 128, 0.0, "fewest_rejected")
    assert type(chosen).model_validate(chosen.model_dump()) == chosen


def test_all_faults_are_told_at_once():
    wrong = changed("run/seeds", [1, 1])
    wrong["methods"] = {"svm_rej": {"threshold": 2, "fold": 3}}
    with pytest.raises(load.ConfigurationError) as error:
        load.load(wrong)
    assert len(str(error.value).splitlines()) == 3


def test_missing_batch_and_missing_file_are_found_before_anything_runs():
    wrong = changed("tasks/t/target/batch", "querry")
    with pytest.raises(
        load.ConfigurationError,
        match=r"tasks\.t\.target\.batch: dataset 'toy' has no batch 'querry' \(there are: source, target\)",
    ):
        load.check_data(load.load(wrong))
    wrong = changed("tasks/t/target/dataset", "mine")
    wrong["datasets"] = {"mine": {"loader": "anndata_file", "path": "no.h5ad", "label_key": "l", "x_kind": "counts"}}
    with pytest.raises(load.ConfigurationError, match=r"datasets\.mine: no\.h5ad: no such file"):
        load.check_data(load.load(wrong))


def test_two_downloads_of_one_name_are_refused():
    both = changed("tasks/t/target", {"dataset": "b", "batch": "t"})
    both["tasks"]["t"]["source"] = {"dataset": "a", "batch": "s"}
    there = {"loader": "anndata_file", "label_key": "l", "batch_key": "b", "x_kind": "counts"}
    both["datasets"] = {name: there | {"path": f"https://localhost/{name}/cells.h5ad"} for name in "ab"}
    with pytest.raises(load.ConfigurationError, match=r"datasets\.b\.path: 'cells\.h5ad' is .* of dataset 'a' too"):
        load.check_data(load.load(both))


def test_a_file_that_crashes_hdf5_is_a_fault_of_its_dataset(monkeypatch):
    def crash(parameters):
        faulthandler.disable()  # of pytest: it would print where this was
        os.kill(os.getpid(), signal.SIGSEGV)

    monkeypatch.setattr(anndata_file, "batches", crash)
    wrong = changed("tasks/t/target/dataset", "mine")
    wrong["datasets"] = {"mine": {"loader": "anndata_file", "path": "x.h5ad", "label_key": "l", "x_kind": "counts"}}
    with pytest.raises(load.ConfigurationError) as error:
        load.check_data(load.load(wrong))
    assert str(error.value) == ("configuration: datasets.mine: damaged: reading its file crashes (killed by SIGSEGV)")


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("no/cortex.txt", "no/cortex.txt: no such file"),
        ("sftp://x.org/cortex.txt", "expected an http, https or ftp address, or a path"),
        ("https://x.org/", "must end in a file name"),
    ],
)
def test_addresses_that_cannot_work_are_found_before_anything_runs(address, fault):
    wrong = changed("tasks/t/split", {"dataset": "mouse_cortex"})
    wrong["datasets"] = {"mouse_cortex": {"address": address}}
    del wrong["tasks"]["t"]["source"], wrong["tasks"]["t"]["target"]
    with pytest.raises(load.ConfigurationError, match=rf"datasets\.mouse_cortex: .*{fault}"):
        load.check_data(load.load(wrong))

"""Speed and memory of JIND, stage by stage: `make bench` and `make bench-atlas`.

Cells are simulated, sparse. Every stage runs all its epochs (nothing stops it early), so that times compare between
versions and machines. GFLOP are those of the matrix products, counted by torch on two epochs; beside them stands
what the machine reaches in a matrix product of the stage's largest shape, measured in the same run.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch.utils.flop_counter import FlopCounterMode

from jindbench.jind.alignment import align
from jindbench.jind.classifier import train_classifier
from jindbench.jind.expression import source_expression
from jindbench.jind.model import JINDModel, choose_device, has_bfloat16
from jindbench.jind.parameters import AlignmentParameters, ClassifierParameters, SelfTrainingParameters
from jindbench.jind.self_training import self_train
from jindbench.names import COUNTS, X_KIND

N_TYPES = 10


def simulate(n_cells: int, n_genes: int, density: float, seed: int) -> tuple[ad.AnnData, np.ndarray]:
    """Sparse counts of ten types that express the genes to different extents, and the labels."""
    rng = np.random.default_rng(seed)
    profiles = np.random.default_rng(0).gamma(0.5, 1.0, (N_TYPES, n_genes))
    profiles = np.cumsum(profiles / profiles.sum(axis=1, keepdims=True), axis=1)
    labels = rng.integers(0, N_TYPES, n_cells)
    draws = int(density * n_genes * 1.6)  # some fall on the same gene and add up
    blocks = []
    for start in range(0, n_cells, 10_000):
        of_block = labels[start : start + 10_000]
        genes = np.empty((len(of_block), draws), dtype=np.int32)
        for k in range(N_TYPES):
            cells = of_block == k
            genes[cells] = np.searchsorted(profiles[k], rng.random((cells.sum(), draws))).clip(max=n_genes - 1)
        rows = np.arange(0, genes.size + 1, draws, dtype=np.int32)
        block = sparse.csr_matrix(
            (np.ones(genes.size, dtype=np.float32), genes.ravel(), rows), (len(of_block), n_genes)
        )
        block.sum_duplicates()
        blocks.append(block)
    X = sparse.vstack(blocks, format="csr")
    names = pd.DataFrame(index=[f"gene{i}" for i in range(n_genes)])
    return ad.AnnData(X, var=names, uns={X_KIND: COUNTS}), labels.astype(str)


def finished(device: torch.device) -> float:
    """The time, once a GPU has done what it was told to do."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def sgemm_gflops(n: int, m: int, k: int, precision: str) -> float:
    """GFLOP/s of the device that JIND takes for a matrix product n x m by m x k."""
    device = choose_device("auto")
    a, b = (torch.rand(shape, device=device).to(getattr(torch, precision)) for shape in ((n, m), (m, k)))
    a @ b  # the first product of a GPU loads what it needs
    start, repeats = finished(device), 0
    while finished(device) - start < 1:
        for _ in range(20):
            a @ b
        repeats += 20
    return 2 * n * m * k * repeats / (time.perf_counter() - start) / 1e9


def timed(function: Callable):
    """Result of a function and the seconds it took."""
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def gflop(function: Callable, *arguments) -> float:
    """GFLOP of the matrix products in a call."""
    with FlopCounterMode(display=False) as counter:
        function(*arguments)
    return counter.get_total_flops() / 1e9


def stages(source: ad.AnnData, labels: np.ndarray, target: ad.AnnData, preset: str, precision: str) -> pd.DataFrame:
    """Run all stages and measure each: seconds, cells that passed, GFLOP."""
    common, rows = {"preset": preset, "precision": precision}, []

    def measure(stage, run, n_cells, parameters=None):
        """Run a stage; one that has parameters returns a model and its history, and is counted on two epochs."""
        if parameters is None:
            result, seconds = timed(run)
            row = {"cells": n_cells}
        else:
            (result, history), seconds = timed(lambda: run(parameters))
            epochs = history["epoch"].max()
            # What comes before the first epoch counts once.
            one, two = (gflop(run, parameters.model_copy(update={"epochs": n})) for n in (1, 2))
            row = {"cells": n_cells * epochs, "gflop": one + (epochs - 1) * (two - one)}
        rows.append({"stage": stage, "seconds": seconds} | row)
        return result

    p = ClassifierParameters(**common, dry_epochs=None)
    X, genes = measure("transform source", lambda: source_expression(source, p), source.n_obs)
    model = measure("train", lambda p: train_classifier(X, labels, genes, COUNTS, p, seed=0), source.n_obs, p)
    Y = measure("transform target", lambda: model.expression(target), target.n_obs)
    p = AlignmentParameters(**common, good_epochs=1000, dry_epochs=1000)  # nothing stops it early
    aligned = measure("align", lambda p: align(model, Y, p, seed=0), target.n_obs, p)
    p = SelfTrainingParameters(**common)
    plus = measure("self-train", lambda p: self_train(aligned, Y, p, seed=0), target.n_obs, p)
    measure("predict", lambda: plus.predict(target), target.n_obs)
    return pd.DataFrame(rows)


def bench(n_source: int, n_target: int, n_genes: int, density: float, preset: str, precision: str) -> pd.DataFrame:
    """Measure all stages on simulated cells of the given shape."""
    source, labels = simulate(n_source, n_genes, density, seed=1)
    target, _ = simulate(n_target, n_genes, density, seed=2)
    table = stages(source, labels, target, preset, precision)
    machine = {
        stage: sgemm_gflops(parameters(preset=preset).batch_size, min(n_genes, 5000), neurons, precision)
        for stage, parameters, neurons in (
            ("train", ClassifierParameters, 256),
            ("align", AlignmentParameters, 1024),
            ("self-train", SelfTrainingParameters, 256),
        )
    }
    table["cells/s"] = table["cells"] / table["seconds"]
    table["GFLOP/s"] = table["gflop"] / table["seconds"]
    table["machine GFLOP/s"] = table["stage"].map(machine)
    total = pd.DataFrame([{"stage": "total", "seconds": table["seconds"].sum()}])
    return pd.concat([table, total], ignore_index=True)


def peak_memory_gb() -> float:
    """Largest memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def stream(n_cells: int, n_genes: int, density: float) -> None:
    """Predict for many cells in a file on disk, which is never read as a whole."""
    source, labels = simulate(2000, n_genes, density, seed=1)
    classifier = ClassifierParameters(preset="published", epochs=1)
    X, genes = source_expression(source, classifier)
    model, _ = train_classifier(X, labels, genes, COUNTS, classifier, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder), pd.DataFrame({"epoch": [1]}))
        model = JINDModel.load(Path(folder), "cpu")
        path = Path(folder) / "target.h5ad"
        for start in range(0, n_cells, 50_000):
            part, _ = simulate(min(50_000, n_cells - start), n_genes, density, seed=3 + start)
            part.obs_names = [f"cell{i}" for i in range(start, start + part.n_obs)]
            if start == 0:
                part.write_h5ad(path)
            else:
                append(part, path)
        size = path.stat().st_size / 1e9
        before = peak_memory_gb()
        target = ad.read_h5ad(path, backed="r")
        predicted, seconds = timed(lambda: model.predict(target))
        print(
            f"{target.n_obs} cells x {n_genes} genes from a file of {size:.1f} GB: {seconds:.0f} s, "
            f"{len(predicted.table) / seconds:.0f} cells/s; "
            f"peak memory {peak_memory_gb():.2f} GB ({before:.2f} GB before)"
        )


def append(part: ad.AnnData, path: Path) -> None:
    """Append cells to an AnnData file on disk."""
    import h5py

    with h5py.File(path, "r+") as file:
        on_disk = ad.io.sparse_dataset(file["X"])
        on_disk.append(part.X)
        names = np.concatenate([file["obs/_index"][:], part.obs_names.to_numpy(dtype=object)])
        del file["obs/_index"]
        ad.io.write_elem(file["obs"], "_index", names)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=int, nargs="+", default=[8000], help="cells of the source, one run for each")
    parser.add_argument("--target", type=int, nargs="+", default=[7400], help="cells of the target, one for each")
    parser.add_argument("--genes", type=int, default=5000)
    parser.add_argument("--density", type=float, default=0.1, help="share of the values that are not zero")
    parser.add_argument("--preset", default="published")
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--stream", type=int, help="predict for so many cells from a file on disk instead")
    options = parser.parse_args()
    device = choose_device("auto")
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, networks on {where}")
    torch.zeros(1, device=device)  # a GPU starts before anything is timed
    if options.stream:
        stream(options.stream, options.genes, options.density)
        return
    for n_source, n_target in zip(options.source, options.target, strict=True):
        for precision in options.precision:
            if precision == "bfloat16" and not has_bfloat16(device.type):
                continue
            table = bench(n_source, n_target, options.genes, options.density, options.preset, precision)
            print(
                f"\n{n_source} source and {n_target} target cells, {options.genes} genes, {options.preset}, {precision}"
            )
            print(table.to_string(index=False, float_format="{:,.1f}".format, na_rep=""))
            print(f"peak memory so far: {peak_memory_gb():.2f} GB", flush=True)


if __name__ == "__main__":
    main()

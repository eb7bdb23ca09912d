"""What steps of the workflow cost by the size of their data: for the limits of jobs, and to tell before a run starts.

`resources/costs.tsv` holds, for each step, seconds of one core, memory and disk as straight lines over the size. It
was fitted to finished runs by `python -m jindbench.execution.costs results/RUN ...`, which does the same for
another machine.
"""

import argparse
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
from threadpoolctl import threadpool_limits

from jindbench import io, registry
from jindbench.config.plan import Configuration
from jindbench.data.checks import FILLED
from jindbench.execution import records
from jindbench.render import Table

TABLE = Path(__file__).parents[2] / "resources/costs.tsv"
QUANTITIES = {"seconds": 1, "memory_mb": 1, "disk_mb": 3}  # with the digits that are kept
STEP = "step"
MATRIX_PRODUCT = "a matrix product"
HOLD_OUT = "hold_out/"  # a step made of others: that of each stage, for each type
HELD_OUT_TYPES = 10  # of a source, which are known only once it is read: as many as the paper's datasets have about


class Size(NamedTuple):
    """Of what a job reads, in millions of values: all, cells x genes, and those that are stored, as they are not zero.

    Memory goes by the latter, time and disk by the former.
    """

    values: float
    stored: float


# Where it is not known before a download: about the paper's largest dataset but for the Mouse Atlas.
UNKNOWN_SIZE = Size(200.0, 30.0)


@dataclass(frozen=True)
class Cost:
    """Of one job: seconds of one core, peak memory and size of what it writes, both in MB."""

    seconds: float
    memory_mb: float
    disk_mb: float


@cache
def _table() -> pd.DataFrame:
    return io.read_table(TABLE, text=[STEP]).set_index(STEP)


def expected(step: str, size: Size) -> Cost:
    """What a job costs.

    Parameters
    ----------
    step
        A rule, or `rule/file` where the rule runs a method or an integration. A method that is not in the table, such
        as a new one, is taken to cost as much as the costliest that is. `hold_out/file+file` costs what its stages do.
    size
        Of what the job reads.
    """
    if step.startswith(HOLD_OUT):
        stages = [expected(f"run_method/{file}", size) for file in step.removeprefix(HOLD_OUT).split("+")]
        seconds, memory_mb = sum(stage.seconds for stage in stages), max(stage.memory_mb for stage in stages)
        predictions_mb = expected("run_method/majority", size).disk_mb  # it has no model, and here none is kept
        return Cost(HELD_OUT_TYPES * seconds, memory_mb, HELD_OUT_TYPES * predictions_mb)
    table = _table()
    rows = table.loc[[step]] if step in table.index else table[table.index.str.startswith(step.split("/")[0] + "/")]
    millions = dict.fromkeys(QUANTITIES, size.values) | {"memory_mb": size.stored}
    return Cost(**{key: float((rows[key] + rows[f"{key}_per_million"] * millions[key]).max()) for key in QUANTITIES})


def files_of_stages(configuration: Configuration, method: str) -> str:
    """Files of the stages that a method starts from, and its own, as a step names them: `jind_classifier+jind`."""
    return "+".join(configuration.methods[stage].method for stage in configuration.chain(method))


@dataclass(frozen=True)
class Machine:
    """Where a run is to take place: cores that Snakemake was given, memory and free disk."""

    cores: int
    memory_mb: float
    disk_mb: float

    @classmethod
    def here(cls, cores: int, folder: str | Path) -> "Machine":
        """The machine that this process runs on, and the disk that holds a folder."""
        memory, disk = min([psutil.virtual_memory().total, *_limits_of_memory()]), shutil.disk_usage(folder).free
        return cls(cores, memory / 1e6, disk / 1e6)


def _limits_of_memory(groups: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Bytes that this process may have by Linux' control groups, which containers and clusters' jobs are held by."""
    for line in mine.read_text().splitlines() if mine.exists() else []:  # number:controllers:path
        _, controllers, path = line.split(":", maxsplit=2)
        version1 = "memory" in controllers.split(",")
        if version1 or not controllers:
            root, name = (groups / "memory", "memory.limit_in_bytes") if version1 else (groups, "memory.max")
            parts = Path(path).parts[1:]
            for n in range(len(parts), -1, -1):  # the limit of each group above holds too
                limit = root.joinpath(*parts[:n], name)
                if limit.is_file() and (content := limit.read_text().strip()).isdecimal():
                    yield int(content)


def seconds_of_matrix_product() -> float:
    """What one core takes for a product of two float32 matrices of 2048 x 2048; the best of some."""
    matrix, best = np.ones((2048, 2048), dtype=np.float32), np.inf
    with threadpool_limits(1):
        for _ in range(3):
            start = time.perf_counter()
            matrix @ matrix
            best = min(best, time.perf_counter() - start)
    return best


def workload(configuration: Configuration) -> pd.DataFrame:
    """The jobs that depend on the size of data: `step`, size and the number of `jobs` for each task or dataset."""
    size, jobs = {task: task_size(configuration, task) for task in configuration.run.tasks}, []
    for dataset in configuration.selected_datasets():
        jobs += [(step, *dataset_size(configuration, dataset), 1) for step in ("dataset", "complexity")]
    jobs += [("task", *size[task], 1) for task in configuration.run.tasks]
    for task, method in configuration.pairs(parents=True):
        jobs.append(
            (f"run_method/{configuration.methods[method].method}", *size[task], len(configuration.seeds(method)))
        )
    for task in dict.fromkeys(configuration.figure_tasks("figure2") + configuration.figure_tasks("figure5")):
        jobs += [("latent_codes", *size[task], 1)] * bool(configuration.stages(task))
    for task in dict.fromkeys(configuration.figure_tasks("figure3") + configuration.figure_tasks("figure4")):
        jobs.append(("expression_tsne", *size[task], 1))
    jobs += [("differential_expression", *size[task], 1) for task in configuration.figure_tasks("figure4")]
    for task, method, reason in configuration.held_out():
        if not reason:
            step = HOLD_OUT + files_of_stages(configuration, method)
            jobs.append((step, *size[task], len(configuration.seeds(method))))
    methods, integrations = configuration.timed()
    alone = [task for task in size if not is_small(configuration, configuration.tasks[task].datasets())]
    for task, method in methods:
        jobs += [(f"run_method/{configuration.methods[method].method}", *size[task], 1)] * (task in alone)
    for task, name in configuration.integrated() + [pair for pair in integrations if pair[0] in alone]:
        jobs.append((f"integrate/{configuration.integrations[name].integration}", *size[task], 1))
    return pd.DataFrame(jobs, columns=[STEP, *Size._fields, "jobs"])


def dataset_size(configuration: Configuration, name: str) -> Size:
    """Of a dataset: of its file where it is there, else of what it must hold."""
    prepared = Path(f"results/data/{name}.h5ad")
    if prepared.is_file() and (shape := io.shape(prepared)):
        return _size(*shape)
    shape = _declared_shape(configuration, name)
    return UNKNOWN_SIZE if shape is None else _size(*shape)


def _size(cells: int, genes: int, stored: int) -> Size:
    return Size(cells * genes / 1e6, stored / 1e6)


def _declared_shape(configuration: Configuration, name: str) -> tuple[int, int, int] | None:
    dataset = configuration.datasets[name]
    loader = registry.component("datasets", dataset.loader)
    shape = loader.shape(dataset.parameters) if hasattr(loader, "shape") else None
    if shape is None and hasattr(loader, "CONTENT"):
        shape = loader.CONTENT.cells, loader.CONTENT.genes
    if shape is None or len(shape) == 3:
        return shape
    filled = loader.CONTENT.filled if hasattr(loader, "CONTENT") else FILLED
    return *shape, round(shape[0] * shape[1] * filled)


def is_small(configuration: Configuration, datasets: list[str]) -> bool:
    """Whether work on these takes no longer than starting a job, so that jobs are shared.

    By the cells that they are declared to hold, the same before and after they are read; not if that is not known.
    """
    shapes = [_declared_shape(configuration, name) for name in datasets]
    return None not in shapes and sum(cells for cells, *_ in shapes) <= configuration.run.small_task


def task_size(configuration: Configuration, name: str) -> Size:
    """Of both sides of a task together: of all cells of the datasets that it is cut from."""
    sizes = [dataset_size(configuration, dataset) for dataset in configuration.tasks[name].datasets()]
    return Size(*map(sum, zip(*sizes, strict=True)))


def estimate(jobs: pd.DataFrame) -> pd.DataFrame:
    """One row for each step: number of jobs; minutes of one core in all and of the longest job; memory; disk.

    Minutes are those of the machine that the costs were learnt on.

    Parameters
    ----------
    jobs
        What `workload` returns.
    """
    costs = [vars(expected(job.step, Size(job.values, job.stored))) for job in jobs.itertuples()]
    table = pd.concat([jobs.reset_index(drop=True), pd.DataFrame(costs)], axis=1)
    table["longest"] = table["seconds"] / 60
    table["minutes"] = table["longest"] * table["jobs"]
    table["disk_mb"] *= table["jobs"]
    of_steps = table.groupby(STEP, sort=False)
    return of_steps.agg({"jobs": "sum", "minutes": "sum", "longest": "max", "memory_mb": "max", "disk_mb": "sum"})


def warnings(table: pd.DataFrame, machine: Machine) -> list[str]:
    """What of an `estimate` will not fit on the machine, one line each."""
    lines = [
        f"{step} may take {row.memory_mb / 1000:.1f} GB of memory; this machine has {machine.memory_mb / 1000:.1f} GB"
        for step, row in table.iterrows()
        if row.memory_mb > machine.memory_mb
    ]
    if (needed := table["disk_mb"].sum()) > machine.disk_mb:
        lines.append(f"The results may take {needed / 1000:.1f} GB of disk; {machine.disk_mb / 1000:.1f} GB are free")
    return lines


def report(jobs: pd.DataFrame, machine: Machine) -> str:
    """The estimate of a `workload` for people to read, in minutes of the machine that this runs on, with `warnings`."""
    table, speed = estimate(jobs), expected(MATRIX_PRODUCT, Size(0, 0)).seconds / seconds_of_matrix_product()
    table[["minutes", "longest"]] /= speed
    formats = {"jobs": ".0f", "minutes": ".1f", "longest": ".1f", "memory_mb": ".0f", "disk_mb": ".0f"}
    rows = [[step, *(format(row[key], style) for key, style in formats.items())] for step, row in table.iterrows()]
    total = table["minutes"].sum()
    columns = ["step", "jobs", "minutes of one core", "longest job (minutes)", "memory of a job (MB)", "disk (MB)"]
    summary = (
        f"In total {total:.0f} minutes of one core, at least "
        f"{max(total / machine.cores, table['longest'].max()):.0f} on {machine.cores} cores, "
        f"and {table['disk_mb'].sum() / 1000:.1f} GB of disk. This machine: "
        f"{machine.memory_mb / 1000:.0f} GB of memory, {machine.disk_mb / 1000:.0f} GB of disk free, "
        f"{speed:.1f} times the matrix-product speed of the machine that was measured. Downloads, tables and "
        "figures are not included; for data that have not been downloaded, the paper's sizes are used."
    )
    lines = [f"Will not fit: {line}" for line in warnings(table, machine)]
    return "\n\n".join([Table(columns, rows, [summary]).markdown(), "\n".join(lines)])


def learn(results: Iterable[Path]) -> pd.DataFrame:
    """Fit the table to the jobs of finished runs, which should differ in size.

    Parameters
    ----------
    results
        Folders of runs (`results/NAME`), with the folder of the datasets beside them.
    """
    from scipy.optimize import nnls  # takes long to import, and every job's Snakemake imports this file

    folders = [folder for run in results for folder in (run, run.parent / "data")]
    jobs = pd.DataFrame([job for folder in dict.fromkeys(folders) for job in _jobs_of(folder)])
    jobs = jobs.fillna(0)  # of jobs that ended before Snakemake looked at their memory
    rows = []
    for step, of_step in jobs.groupby(STEP):
        row = {STEP: step}
        for quantity, digits in QUANTITIES.items():
            design = np.column_stack(
                [np.ones(len(of_step)), of_step["stored" if quantity == "memory_mb" else "values"]]
            )
            # The line that is nowhere below what was seen: limits are set by it.
            base, slope = nnls(design, of_step[quantity].to_numpy(dtype=float))[0]
            lift = max(0.0, float((of_step[quantity] - design @ [base, slope]).max()))
            row |= {quantity: round(base + lift, digits), f"{quantity}_per_million": float(f"{slope:.3g}")}
        rows.append(row)
    speed = {STEP: MATRIX_PRODUCT, "seconds": round(seconds_of_matrix_product(), 3)}
    return pd.DataFrame([*rows, speed]).fillna(0)


def _jobs_of(folder: Path) -> Iterable[dict]:
    """Step, size and cost of each job of a run, from its records and benchmarks."""
    root = folder.parent.parent
    for path in sorted((folder / records.RECORDS).rglob("*.json")):
        record = io.read_json(path)
        simulated = record["rule"] == "dataset" and not record["inputs"]  # dense, as no file is
        if simulated or not (data := _data_of(record, folder)):
            continue
        if not (sizes := [_size(*shape) for file in data if (shape := io.shape(file))]):  # not available
            continue
        benchmark = folder / "benchmarks" / path.relative_to(folder / records.RECORDS).with_suffix(".tsv")
        cost = io.read_table(benchmark).iloc[0]
        outcome = [name for name in record["outputs"] if name.endswith("outcome.json")]
        file = [Path(io.read_json(root / outcome[0])["file"]).stem] if outcome else []
        yield {
            STEP: "/".join([record["rule"], *file]),
            **Size(*map(sum, zip(*sizes, strict=True)))._asdict(),
            "seconds": float(cost["cpu_time"]),
            "memory_mb": float(cost["max_rss"]),
            "disk_mb": sum(map(records.n_bytes, record["outputs"].values())) / 1e6,
        }


def _data_of(record: dict, folder: Path) -> list[Path]:
    """The files that the size of a job goes by: both sides of its task, or its dataset."""
    wildcards = record["wildcards"]
    if "task" in wildcards:
        return [folder / "tasks" / wildcards["task"] / f"{side}.h5ad" for side in ("source", "target")]
    return [folder / f"{wildcards['dataset']}.h5ad"] if "dataset" in wildcards else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fit the costs of the workflow's steps to finished runs.")
    parser.add_argument("results", nargs="+", type=Path, help="folders of runs, such as results/paper")
    fitted = learn(parser.parse_args().results)
    before = _table()
    kept = before.drop(index=fitted[STEP], errors="ignore").reset_index()
    slower = fitted.set_index(STEP).loc[MATRIX_PRODUCT, "seconds"] / before.loc[MATRIX_PRODUCT, "seconds"]
    kept[["seconds", "seconds_per_million"]] *= slower
    if len(kept):
        print("Only scaled to this machine, since these runs have no job of their own for it:", ", ".join(kept[STEP]))
    io.write_table(pd.concat([fitted, kept]).sort_values(STEP), TABLE)

"""What goes wrong on real machines: the next run completes, and its tables equal those of a run never disturbed.

Most of these take a while and are run by `make test-faults`, one by `make test`.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import psutil
import pytest
import yaml

from jindbench import r
from jindbench.execution import records
from toy_project import Workflow, environment, failing

faults = pytest.mark.faults
# How a run went, which differs between any two runs, and what says so.
ACCOUNTS = ("runs.tsv", "provenance.tsv", "provenance.html")


def tables(workflow: Workflow) -> dict[str, bytes]:
    folder = workflow.folder / "results/tiny/tables"
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ACCOUNTS}


def parts(workflow: Workflow) -> list:
    return list((workflow.folder / "results").rglob(".*.part"))


def start(workflow: Workflow, *options: str) -> psutil.Popen:
    return psutil.Popen(
        workflow.command(*options),
        cwd=workflow.folder,
        stdout=open(workflow.folder / "output.txt", "w"),
        stderr=subprocess.STDOUT,
        env=environment(),
    )


def script_processes(snakemake: psutil.Process, script: str) -> list[psutil.Process]:
    """Processes that run a script of the workflow: the job's own first, then the child that it guards."""
    found = []
    for process in snakemake.children(recursive=True):
        try:
            if any(part.endswith(f"{script}.py") for part in process.cmdline()):
                found.append(process)
        except psutil.Error:  # it has just ended
            pass
    return sorted(found, key=lambda process: process.create_time())


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.05)
    return found


@faults
def test_a_killed_snakemake_leaves_no_lock_and_no_job(completed, fresh):
    """Kill -9: no handler runs. The next Snakemake needs no --unlock, and no job of the first works beside it."""
    snakemake = start(fresh)
    jobs = wait_for(lambda: len(found := script_processes(snakemake, "run_method")) >= 2 and found)
    snakemake.send_signal(signal.SIGKILL)
    snakemake.wait()
    wait_for(lambda: not any(job.is_running() and job.status() != psutil.STATUS_ZOMBIE for job in jobs), seconds=20)
    assert list((fresh.folder / ".snakemake/locks").iterdir())
    assert "its stale locks are removed" in fresh.run()
    assert tables(fresh) == tables(completed)
    assert not parts(fresh)


def kinds(workflow: Workflow) -> dict[str, list]:
    """What jobs have written, one or more of each kind: by suffix, and by name where it says what a file is."""
    results = workflow.folder / "results"
    found = {}
    for path in sorted(path for path in results.rglob("*") if path.is_file() and not path.name.startswith(".")):
        if not {"logs", "benchmarks", "records"} & set(path.relative_to(results).parts):
            kind = path.name if "runs" in path.parts else path.suffix
            found.setdefault(kind, []).append(path)
    return found


def test_truncated_files_of_all_kinds_are_made_again(completed):
    good = tables(completed)
    cut = [paths[-1] for paths in kinds(completed).values()]
    assert len(cut) > 10
    for path in cut:
        os.truncate(path, path.stat().st_size // 2)
    for look in ("--dry-run", "--summ"):  # what only looks changes nothing, abbreviated too
        assert "differs from what its job wrote" in completed.run(look)
        assert all(path.exists() for path in cut), look
    assert "differs from what its job wrote" in completed.run()
    assert tables(completed) == good
    assert not any(records.damaged(completed.folder / "results/tiny"))
    assert "Nothing to be done" in completed.run()


@faults
def test_each_truncated_file_is_made_again(completed):
    """Each kind by itself: cut to half, and to nothing, with the time of its last change as it was."""
    good, tried = tables(completed), 0
    for paths in kinds(completed).values():
        for path, size in ((paths[0], 0), (paths[-1], paths[-1].stat().st_size // 2)):
            before = path.stat()
            os.truncate(path, size)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            completed.run()
            assert tables(completed) == good, path
            tried += 1
    print(f"{tried} truncated files, one at a time")


@faults
def test_truncated_files_of_snakemakes_own_are_no_obstacle(completed):
    good = tables(completed)
    for path in (completed.folder / ".snakemake/metadata").iterdir():
        os.truncate(path, path.stat().st_size // 2)
    completed.run()
    assert tables(completed) == good


@faults
@pytest.mark.parametrize("victim", [0, 1], ids=["job", "guarded child"])
def test_a_killed_training_is_tried_again_by_the_same_run(completed, fresh, victim):
    snakemake = start(fresh)
    wait_for(lambda: len(found := script_processes(snakemake, "run_method")) >= 2 and found)[victim].kill()
    assert snakemake.wait(timeout=300) == 0, (fresh.folder / "output.txt").read_text()
    assert tables(fresh) == tables(completed)


@faults
def test_a_killed_r_job_is_tried_again_by_the_same_run(fresh):
    try:
        r.require(("Seurat",))
    except r.NotAvailable as error:
        pytest.skip(str(error))
    configuration = yaml.safe_load((fresh.folder / "test.yaml").read_text())
    configuration["run"] |= {"tasks": ["batches"], "methods": ["seurat_lt"]}
    fresh.configure(configuration)
    fresh.run()
    good = tables(fresh)
    shutil.rmtree(fresh.folder / "results/tiny/runs")
    (fresh.folder / "results/tiny/tables/complete.txt").unlink()
    snakemake = start(fresh)

    def in_r():
        return [
            process
            for process in script_processes(snakemake, "run_method")
            if process.name().startswith("python") and any("libR.so" in part.path for part in process.memory_maps())
        ]

    # The job starts R before it forks: the later one is the run.
    wait_for(lambda: len(found := in_r()) > 1 and found)[-1].kill()
    assert snakemake.wait(timeout=300) == 0
    assert "killed by SIGKILL; trying again" in (fresh.folder / "output.txt").read_text()
    assert tables(fresh) == good


@faults
def test_a_kill_in_the_middle_of_writing_leaves_nothing_half_written(completed, fresh):
    """The job stops just before it renames a file that it has written; then all is killed."""
    io = fresh.folder / "workflow/jindbench/io.py"
    source = io.read_text()
    renaming = "        os.replace(temporary, path)\n"
    assert renaming in source
    for name in ("target.h5ad", "predictions.tsv.gz", "table2.md", "raw_accuracy.png"):
        stop = f"        if path.name == {name!r}:\n            import time\n\n            time.sleep(600)\n"
        io.write_text(source.replace(renaming, stop + renaming))
        snakemake = start(fresh)
        written = wait_for(lambda name=name: [part for part in parts(fresh) if name in part.name])
        for process in (snakemake, *snakemake.children(recursive=True)):
            process.kill()
        assert not (written[0].parent / name).exists()
    io.write_text(source)
    fresh.run()
    assert not parts(fresh)
    assert tables(fresh) == tables(completed)


@contextmanager
def mounted(folder, *options: str):
    """A file system on a folder of the test; skips where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this test mounts a file system, which needs root: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@faults
@pytest.mark.parametrize("kilobytes", [16, 120, 400])
def test_a_full_disk(completed, fresh, kilobytes):
    results = fresh.folder / "results"
    with mounted(results, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        output = fresh.run(ok=False)
        assert "No space left on device" in output
        assert not parts(fresh)
        subprocess.run(["mount", "-o", "remount,size=100m", str(results)], check=True)  # somebody made room
        fresh.run()
        assert tables(fresh) == tables(completed)


@faults
def test_a_read_only_results_folder(completed):
    results = completed.folder / "results"
    good = tables(completed)
    for name in ("table2.md", "complete.txt"):
        (results / "tiny/tables" / name).unlink()
    with mounted(results, "--bind", str(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
        output = completed.run(ok=False)
        assert "Write-protected output files" in output
        assert "Traceback" not in output
    completed.run()
    assert tables(completed) == good


@faults
def test_a_read_only_checkout(completed, fresh, tmp_path):
    """The project lies where nobody may write, as on a cluster's shared disk; results go to the user's folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    fresh.configure(yaml.safe_load((fresh.folder / "test.yaml").read_text()))
    with mounted(fresh.folder, "--bind", str(fresh.folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(fresh.folder)], check=True)
        before = sorted(fresh.folder.rglob("*"))
        fresh.run("--directory", str(elsewhere))
        assert sorted(fresh.folder.rglob("*")) == before
    assert tables(Workflow(elsewhere)) == tables(completed)


@faults
def test_two_snakemakes_in_one_folder(completed, fresh):
    first = start(fresh)
    wait_for(lambda: script_processes(first, "run_method"))
    assert "Directory cannot be locked" in fresh.run(ok=False)
    assert first.wait(timeout=300) == 0
    assert tables(fresh) == tables(completed)
    assert "Nothing to be done" in fresh.run()


@faults
def test_a_method_that_hangs_is_ended_and_shown(fresh):
    """Its limit is one minute here; it has three attempts."""
    _, (majority, hung) = failing(
        fresh, "hung", "    import time\n\n    time.sleep(3600)", options=("--set-resources", "run_method:runtime=1")
    )
    assert majority.startswith("0.")
    assert hung == "failed: stopped after 30 s (limit 60 s) (seed 0)"


# A scheduler that runs each job at once, and holds it to nothing.
CLUSTER = (
    "--executor",
    "cluster-generic",
    "--cluster-generic-submit-cmd",
    "sh -c 'sh \"$0\" >&2; echo 1'",
    "--jobs",
    "1",
)


@faults
def test_a_method_that_takes_too_much_memory_on_a_cluster_is_ended_and_shown(fresh):
    hoard = (
        "    import time\n\n    hoard = []\n"
        "    for _ in range(100):\n        hoard.append(b'1' * 20_000_000)\n        time.sleep(0.02)\n"
    )
    _, (majority, hoarder) = failing(
        fresh, "hoarder", hoard, options=(*CLUSTER, "--set-resources", "run_method:mem_mb=1500")
    )
    assert majority.startswith("0.")
    assert hoarder == "failed: stopped at 0.8 GB of memory (limit 1.5 GB) (seed 0)"


@faults
def test_a_run_that_fails_only_when_timed_is_a_failure_and_tried_again(fresh):
    fresh.target = "all"
    timed = {"runtime": {"tasks": ["batches"], "methods": ["late"]}}
    fresh.configure(yaml.safe_load((fresh.folder / "test.yaml").read_text()) | timed)
    body = "    if 'timed' in model_dir.parts:\n        raise ValueError('only now')"
    output, (_, raw) = failing(fresh, "late", body)
    assert "failed" not in raw
    assert "late on batches, seed 0, timed alone, failed: ValueError: only now" in output
    assert "Late on batches, seed 0, timed alone: failed: ValueError: only now" in fresh.read("summary.md")
    assert ("time_method", "late") in fresh.pending()


RUBBISH = {
    "nan": "    probabilities = np.full((target.n_obs, 1), np.nan)\n"
    "    return predictions.from_probabilities(target.obs_names, [source.obs['label'].iloc[0]], probabilities, None)",
    "unknown": "    probabilities = np.ones((target.n_obs, 1))\n"
    "    return predictions.from_probabilities(target.obs_names, ['no such type'], probabilities, None)",
    "nothing": "    return None",
    "missing": "    probabilities = np.ones((target.n_obs - 1, 1))\n"
    "    return predictions.from_probabilities(target.obs_names[1:], ['x'], probabilities, None)",
}


@faults
@pytest.mark.parametrize("name", RUBBISH)
def test_all_rubbish_is_a_failure_that_leaves_nothing_stale(fresh, name):
    _, (majority, rubbish) = failing(fresh, name, RUBBISH[name])
    assert majority.startswith("0.")
    assert rubbish.startswith("failed: "), rubbish
    assert name != "missing" or "InvalidPredictions: 1 of " in rubbish
    file = fresh.folder / f"workflow/jindbench/methods/{name}.py"
    assert ("run_method", name) in fresh.pending()
    majority = (fresh.folder / "workflow/jindbench/methods/majority.py").read_text()
    file.write_text(majority.replace('"Majority"', '"Mended"'))
    fresh.run()
    assert "failed" not in fresh.read("tables/table2.md")

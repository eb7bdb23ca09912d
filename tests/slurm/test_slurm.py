"""What the profile for SLURM promises, on a real one: `make test-slurm`."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from cluster import Job, missing_programs, slurm, squeue, wait_for

from jindbench import io
from jindbench.data import tasks
from jindbench.datasets import toy
from toy_project import REPOSITORY, SNAKEMAKE, Workflow, copy_project, environment

PROFILE = "config/profiles/slurm"
PRINTED = "snakemake.out"


@pytest.fixture(scope="session", autouse=True)
def cluster():
    """SLURM with the partition and the account that the profile names: so the profile is tested as it is."""
    if missing := missing_programs():
        pytest.exit(f"SLURM is not here ({', '.join(missing)}). On Debian: sudo apt-get install slurm-wlm munge", 1)
    resources = yaml.safe_load((REPOSITORY / PROFILE / "config.yaml").read_text())["default-resources"]
    with slurm(partition=resources["slurm_partition"], account=resources["slurm_account"]):
        yield


class OnSlurm(Workflow):
    """A project whose jobs go to SLURM, by the profile as it is; only what takes time here is set otherwise."""

    def command(self, *options: str, target: str | None = None) -> list[str]:
        profile = ["--profile", PROFILE, "--latency-wait", "10"]
        # Without accounting, squeue must tell what became of a job.
        asking = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
        configuration = [] if {"--configfile", "--config"} & set(options) else ["--configfile", "test.yaml"]
        return [str(SNAKEMAKE), target or self.target, *profile, *asking, *configuration, *options]


@pytest.fixture
def project(tmp_path) -> OnSlurm:
    """A project in which nothing has run."""
    return OnSlurm(copy_project(tmp_path / "project").folder)


@contextmanager
def started(project: OnSlurm, *options: str, target: str | None = None) -> Iterator[subprocess.Popen]:
    """Snakemake, running; what it prints goes to a file, for nobody reads while it runs."""
    command = project.command(*options, target=target)
    with (project.folder / PRINTED).open("w") as output:
        process = subprocess.Popen(command, cwd=project.folder, stdout=output, stderr=output, env=environment())
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # where a test fails before the end: it cancels its jobs
        process.wait()


def add_method(project: OnSlurm, name: str, *body: str) -> None:
    """A method file: `majority`, with some lines more."""
    folder = project.folder / "workflow/jindbench/methods"
    majority = (folder / "majority.py").read_text().replace('"Majority"', f'"{name.title()}"')
    lines = "".join(f"    {line}\n" for line in body)
    (folder / f"{name}.py").write_text(majority.replace("    classes, counts", f"{lines}    classes, counts"))


def choose(project: OnSlurm, *methods: str) -> None:
    configuration = yaml.safe_load((project.folder / "test.yaml").read_text())
    configuration["run"] |= {"tasks": ["batches"], "methods": list(methods)}
    project.configure(configuration)


def jobs(*words: str, since: int) -> list[Job]:
    """Those submitted after the job of that number, with these words in what SLURM says of them."""
    return [job for job in squeue() if job.number > since and all(word in job.what for word in words)]


def last_number() -> int:
    return max((job.number for job in squeue()), default=0)


def test_a_killed_job_comes_back_with_more(project):
    """Two rules take too much, memory or time, at their first try: SLURM ends them."""
    choose(project, "majority")
    begun = repr(str(project.folder / "begun"))
    too_much = {
        "accuracies": ("import numpy", "ones = numpy.ones(1_700_000_000 // 8)", "time.sleep(10)", "del ones"),
        "provenance": (
            f"if not os.path.exists({begun}):",
            f"    open({begun}, 'w').close()",
            "    time.sleep(600)",
        ),
    }
    for rule, lines in too_much.items():
        script = project.folder / f"scripts/{rule}.py"
        body = "\n".join(["with job.run(snakemake):", "    import os, time", *(f"    {line}" for line in lines)])
        script.write_text(script.read_text().replace("with job.run(snakemake):", body))
    before = last_number()

    project.run("--set-resources", "accuracies:mem_mb=1500*attempt", "provenance:runtime=2*attempt")

    tries = jobs("rule_accuracies", since=before)
    print("\nkilled for its memory:", *tries, sep="\n  ")
    assert [(job.memory, job.state == "COMPLETED") for job in tries] == [("1500M", False), ("3000M", True)]
    tries = jobs("rule_provenance", since=before)
    print("killed for its time:", *tries, sep="\n  ")
    assert [(job.time_limit, job.state) for job in tries] == [("2:00", "TIMEOUT"), ("4:00", "COMPLETED")]
    assert "failed" not in project.read("tables/table2.md")


def test_a_method_that_would_be_killed_is_ended_and_comes_back_with_more(project):
    """Shortly before SLURM would do it, so that the last attempt leaves a row that says so."""
    add_method(project, "greedy", "import time", "ones = np.ones(1_200_000_000 // 8)", "time.sleep(10)", "del ones")
    begun = repr(str(project.folder / "begun"))
    first_try = (f"if not os.path.exists({begun}):", f"    open({begun}, 'w').close()", "    time.sleep(600)")
    add_method(project, "slow", "import os", "import time", *first_try)
    choose(project, "majority", "greedy", "slow")
    before = last_number()

    output = project.run("--set-resources", "run_method:mem_mb=1200*attempt", "run_method:runtime=2*attempt")

    assert "stopped at 0.6 GB of memory (limit 1.2 GB); trying again" in output
    assert "stopped after 60 s (limit 120 s); trying again" in output
    tries = jobs("run_method", "greedy", since=before)
    assert [(job.memory, job.state == "COMPLETED") for job in tries] == [("1200M", False), ("2400M", True)]
    tries = jobs("run_method", "slow", since=before)
    assert [(job.time_limit, job.state == "COMPLETED") for job in tries] == [("2:00", False), ("4:00", True)]
    assert [job.state for job in jobs("run_method", "majority", since=before)] == ["COMPLETED"]
    assert "failed" not in project.read("tables/table2.md")


def test_a_job_gets_the_graphics_card_it_asks_for(project):
    add_method(project, "card", "import os", "assert os.environ['CUDA_VISIBLE_DEVICES'] == '0'")
    choose(project, "card")
    outcome = "runs/batches/card/seed-0/outcome.json"
    project.run("--set-resources", "run_method:gpu=1", target=f"results/tiny/{outcome}")
    assert '"status": "ok"' in project.read(outcome)


def test_annotate_is_a_job_too(project):
    whole = toy.load(toy.Parameters(n_source=90, n_target=40, n_genes=60))
    whole.var_names = [f"ENSG{i:011}" for i in range(60)]
    for batch, file in (("source", "reference.h5ad"), ("target", "mine.h5ad")):
        io.write_h5ad(tasks.select_batch(whole, batch, "toy"), project.folder / file)
    before = last_number()
    given = ("reference=reference.h5ad", "label_key=label", "query=mine.h5ad")
    project.run("--config", *given, target="annotate")
    assert [job.state for job in jobs("annotate", since=before)] == ["COMPLETED"]
    labels = io.read_table(project.folder / "results/annotate/mine/labels.tsv")
    assert len(labels) == 40


def test_after_a_cancelled_job_the_run_resumes(project, tmp_path):
    undisturbed = copy_project(tmp_path / "undisturbed")
    undisturbed.run()
    before = last_number()

    def scored() -> list[Job]:  # of a rule that is not tried again where `--retries` says so
        return [job for job in jobs("rule_accuracies", since=before) if job.state == "RUNNING"]

    with started(project, "--retries", "0") as process:
        wait_for(lambda: bool(scored()) or process.poll() is not None, "nothing is scored", seconds=900)
        cancelled = scored()[0]
        subprocess.run(["scancel", str(cancelled.number)], check=True)
        process.wait()
    output = (project.folder / PRINTED).read_text()
    assert process.returncode != 0, output
    assert f"SLURM-job '{cancelled.number}' failed, SLURM status is: 'CANCELLED'" in output
    assert not (project.folder / "results/tiny/tables/complete.txt").exists()
    states = {job.what: job.state for job in jobs(since=before)}
    assert states.pop(cancelled.what) == "CANCELLED"
    assert set(states.values()) == {"COMPLETED"}  # those that ran beside it came to their end

    between = last_number()
    project.run()
    again = {job.what for job in jobs(since=between)}
    assert cancelled.what in again
    assert not again & set(states)  # and nothing was done twice
    for name in ("metrics.tsv", "table2.md"):
        assert project.read(f"tables/{name}") == undisturbed.read(f"tables/{name}")


def test_the_demo_runs_through_slurm(project):
    """All of it, with every job that is not local seen in squeue while it runs."""
    resources = yaml.safe_load((project.folder / PROFILE / "config.yaml").read_text())["default-resources"]
    before, begun, seen = last_number(), time.monotonic(), {}
    with started(project, "--configfile", "config/demo.yaml", target="all") as process:
        while process.poll() is None:
            seen |= {job.number: job for job in jobs(since=before) if job.state == "RUNNING"}
            time.sleep(1)
    output = (project.folder / PRINTED).read_text()
    assert process.returncode == 0, output
    minutes = (time.monotonic() - begun) / 60
    print(f"\n{len(seen)} jobs of the demo were seen running, in {minutes:.1f} minutes")
    assert (project.folder / "results/demo/complete.txt").exists()
    assert {job.state for job in jobs(since=before)} == {"COMPLETED"}
    assert len(seen) == output.count("has been submitted with SLURM jobid") > 90
    assert {(job.partition, job.account) for job in seen.values()} == {tuple(resources.values())}

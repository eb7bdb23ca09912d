"""What jobs ask for, wherever they run: threads, memory and time, by the size of the data and the attempt."""

import copy
import re

import pytest
import yaml

from jindbench.execution import costs
from toy_project import TINY, Workflow


def asked(workflow: Workflow, *options: str) -> dict[tuple[str, str], dict[str, int]]:
    """Threads and resources of each job of the whole workflow, by rule and wildcards."""
    jobs, job = {}, None
    output = workflow.run("--dry-run", "--forceall", *options, target="all")
    for line in output.splitlines():
        if match := re.match(r"(?:local)?rule (\w+):", line):
            job = {"rule": match[1], "wildcards": "", "threads": "1"}
        elif match := re.match(r" +(wildcards|threads|resources): (.*)", line):
            job[match[1]] = match[2]
            if match[1] == "resources":  # the last of them
                resources = dict(re.findall(r"(\w+)=(\d+)", match[2]))
                numbers = {key: int(value) for key, value in (resources | {"threads": job["threads"]}).items()}
                jobs[job["rule"], job["wildcards"]] = numbers
    return jobs


@pytest.fixture
def whole(fresh) -> Workflow:
    """All figures and tables; nothing of it runs."""
    configuration = copy.deepcopy(TINY) | {"runtime": {"tasks": ["batches"]}}
    configuration["figures"] = {figure: ["batches"] for figure in ("figure2", "figure3", "figure4", "figure5")}
    configuration["held_out_types"] = {"tasks": ["batches"], "methods": ["majority", "jind_plus"]}
    fresh.configure(configuration)
    return fresh


def test_every_job_asks_for_more_where_the_data_are_larger_and_at_each_further_attempt(whole):
    jobs = asked(whole)
    rules = {rule for rule, _ in jobs}
    assert {"dataset", "run_method", "time_method", "accuracies", "cell_figures", "claims", "hold_out"} <= rules
    again = asked(whole, "--attempt", "2")
    whole.configure(TINY | {"datasets": {"toy": {"n_source": 90_000, "n_target": 60_000, "n_genes": 4000}}})
    larger = asked(whole)
    assert jobs.keys() == again.keys()
    for job, first in jobs.items():
        if job[0] in ("all", "complete"):
            continue
        for key in ("mem_mb", "runtime"):
            assert again[job][key] > first[key], (job, key)
            if job in larger:
                assert larger[job][key] > first[key], (job, key)
        assert first["threads"] == (2 if job[0].startswith("time_") else 1), job


def test_a_configuration_of_ones_own_needs_nothing_of_the_papers(whole):
    file = whole.folder / "config/config.yaml"
    configuration = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({"run": configuration["run"]}))
    assert asked(whole)


@pytest.mark.parametrize(("method", "with_codes"), [("svm_rej", False), ("consensus", True)])
def test_figures_of_any_method_draw_latent_codes_where_it_has_some(whole, method, with_codes):
    configuration = yaml.safe_load((whole.folder / "test.yaml").read_text())
    configuration["run"]["methods"].append("consensus")
    configuration["figures"]["method"] = method
    whole.configure(configuration)
    assert any(rule == "latent_codes" for rule, _ in asked(whole)) == with_codes


def test_what_will_not_fit_is_said_before_and_at_the_start(whole):
    """Cells for which no machine has the memory; nothing is made of them."""
    whole.configure(TINY | {"datasets": {"toy": {"n_source": 10**9, "n_target": 10**9, "n_genes": 40}}})
    printed = whole.run(target="estimate")
    assert re.search(
        r"Will not fit: run_method/svm_rej may take \d+\.\d GB of memory; this machine has \d+\.\d GB", printed
    )
    assert re.search(r"Will not fit: The results may take \d+\.\d GB of disk; \d+\.\d GB are free", printed)
    assert "May not fit: run_method/svm_rej may take" in printed
    assert not (whole.folder / "results/data").exists()
    # Such jobs run one at a time: none is asked for more than the machine, or a user's limit, has for all together.
    most = {job["mem_mb"] for job in asked(whole).values() if "mem_mb" in job}
    assert max(most) == int(0.9 * costs.Machine.here(1, ".").memory_mb)
    most = {job["mem_mb"] for job in asked(whole, "--resources", "mem_mb=5000").values() if "mem_mb" in job}
    assert max(most) == 5000

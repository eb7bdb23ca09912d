"""A SLURM of one node on this machine, for as long as a block lasts."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
SEARCHED = os.environ["PATH"] + ":/usr/sbin:/sbin"  # where the daemons are, for users who are not root too

# Memory, processors and the GPU are made up, for jobs to be counted against.
# MinJobAge keeps ended jobs in squeue, for there is no accounting; processes are looked at every second.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill,UsePss
AccountingStorageType=accounting_storage/none
MinJobAge=86400
KillWait=2
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1
PartitionName={partition} Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass
class Job:
    """A job as squeue shows it."""

    number: int
    state: str
    partition: str
    account: str
    memory: str
    time_limit: str
    what: str  # "rule_run_method_wildcards_..."


def squeue() -> list[Job]:
    """All jobs since SLURM was started, those that have ended included."""
    columns = "--Format=JobID:|,State:|,Partition:|,Account:|,MinMemory:|,TimeLimit:|,Comment:"
    command = ["squeue", "--states=all", "--noheader", "--sort=i", columns]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = (line.strip().split("|") for line in done.stdout.splitlines())
    return [Job(int(number), *rest) for number, *rest in rows]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain: {what}"
        time.sleep(0.2)


@contextmanager
def daemon(folder: Path, *command: str) -> Iterator[None]:
    """A process in the foreground, as a child of this one; ended with the block."""
    with (folder / f"{command[0]}.out").open("w") as output:
        # In a session of its own: an interrupt from the keyboard must not end it before the jobs are cancelled.
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(n)]
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]


def commands_for_jobs(folder: Path, account: str) -> None:
    """Two commands that come before SLURM's own."""
    folder.mkdir()
    # The plugin drops SLURM_CONF from the environment, in which alone this SLURM's configuration is found.
    srun = f'#!/bin/sh\nSLURM_CONF={folder.parent}/slurm.conf exec {shutil.which("srun")} "$@"\n'
    # The plugin asks whether the account exists; there is no data base of accounts here.
    sacctmgr = f"#!/bin/sh\necho {account}\n"
    for name, text in {"srun": srun, "sacctmgr": sacctmgr}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def missing_programs() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program, path=SEARCHED) is None]


@contextmanager
def slurm(partition: str, account: str) -> Iterator[None]:
    """Start munged, slurmctld and slurmd with all their files in a temporary folder, and let commands find them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        folder.chmod(0o755)  # munge wants its socket to be open to all
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        commands_for_jobs(folder / "bin", account)
        environment.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        environment.setenv("PATH", f"{folder}/bin:{SEARCHED}")

        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0],
                user=getpass.getuser(),
                ports=free_ports(2),
                folder=folder,
                partition=partition,
            )
        )
        (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={folder}/munge.{suffix}" for option, suffix in files.items()]
        stack.enter_context(daemon(folder, "munged", "--foreground", *options))
        wait_for((folder / "munge.socket").exists, "munged has no socket")
        stack.enter_context(daemon(folder, "slurmctld", "-D", "-c"))
        stack.enter_context(daemon(folder, "slurmd", "-D"))
        try:
            wait_for(_idle, "the node is not idle")
        except AssertionError:
            print(*(f"{log.name}:\n{log.read_text()}" for log in sorted(folder.glob("*.out"))), sep="\n")
            raise
        stack.callback(_cancel_all)
        yield


def _idle() -> bool:
    done = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False)
    return done.stdout.strip() == "idle"


def _cancel_all() -> None:
    """What a failed test has left."""
    subprocess.run(["scancel", "--user", getpass.getuser()], check=False)
    wait_for(_idle, "jobs do not end")

"""The verdict on a container of 200 processes with 6,000 descriptors, beside a plain read of the
same files of /proc by a program that does nothing else."""

import json
import subprocess

from run import BUILD, UMBEL

PROCESSES, DESCRIPTORS = 200, 30

# Each child keeps the reading ends of pipes and some files open.
PROGRAM = f"""
import os, time
for _ in range({PROCESSES} - 1):
    if os.fork() == 0:
        break
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range({DESCRIPTORS} - 3 - 10)]
kept += [end for _ in range(5) for end in os.pipe()]
time.sleep(1000)
"""


def measure(bench):
    name = "umbel-bench-check"
    run = [UMBEL, "run", "-d", "--name", name, "--policy", "migratable"]
    subprocess.run([*run, "--", "python3", "-c", PROGRAM], check=True, stdout=subprocess.DEVNULL)
    try:
        pids = processes(name)
        bench.compare(
            f"the verdict on {len(pids)} processes with {DESCRIPTORS} descriptors each",
            {
                "plain read": [BUILD / "bench/reader", *pids],
                "umbel check": [UMBEL, "check", name, "--policy", "migratable"],
                "umbel graph": [UMBEL, "graph"],
            },
            base="plain read",
        )
    finally:
        subprocess.run([UMBEL, "rm", "--force", name], stdout=subprocess.DEVNULL)


def processes(name):
    """The host's pids of the container's processes, once all are there and have what they keep."""
    while True:
        listed = subprocess.run([UMBEL, "top", "--json", name], capture_output=True, text=True)
        pids = [str(one["hostPid"]) for one in json.loads(listed.stdout)]
        if len(pids) > PROCESSES and all(settled(pid) for pid in pids[-3:]):
            return pids


def settled(pid):
    import os

    return len(os.listdir(f"/proc/{pid}/fd")) >= DESCRIPTORS

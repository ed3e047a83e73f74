"""Measures umbel against others: whole processes, in turn A B A B in the same run, after a warm-up;
medians, since one slow run says nothing; ratios, since absolute times move with the machine's load.

usage: run.py [--rounds N] [NAME...]     NAME is another file here (start, ...); none: all of them

Every such file has measure(bench) and calls bench.compare(). Results: a table, and JSON in
build/bench/NAME.json.
"""

import argparse
import importlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build/release"
METER = BUILD / "bench/meter"
FLOOR = BUILD / "bench/floor"
UMBEL = BUILD / "umbel"


class Bench:
    """What a benchmark gets: a scratch directory, the programs, and compare()."""

    def __init__(self, name: str, scratch: Path, rounds: int):
        self.name, self.scratch, self.rounds = name, scratch, rounds
        self.tables = []

    def rootfs(self) -> Path:
        """A root file system of busybox, made once."""
        root = self.scratch / "rootfs"
        if not root.exists():
            for folder in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr/bin"):
                (root / folder).mkdir(parents=True)
            busybox = Path(shutil.which("busybox"))
            (root / str(busybox).lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(busybox, root / str(busybox).lstrip("/"))
            subprocess.run([busybox, "--install", "-s", root / "bin"], check=True)
        return root

    def bundle(self, program: list[str]) -> Path:
        """An OCI bundle with runc's own default configuration."""
        bundle = self.scratch / ("bundle-" + re.sub(r"\W+", "-", "_".join(program)))
        if not bundle.exists():
            bundle.mkdir()
            subprocess.run(["runc", "spec"], cwd=bundle, check=True)
            config = json.loads((bundle / "config.json").read_text())
            config["process"]["terminal"] = False
            config["process"]["args"] = program
            # No limit above this machine's own.
            config["process"].pop("rlimits", None)
            config["root"]["path"] = str(self.rootfs())
            (bundle / "config.json").write_text(json.dumps(config))
        return bundle

    def compare(self, title: str, contenders: dict[str, list], base: str):
        """Runs in turn all of them that can be had here."""
        good = {name: c for name, c in contenders.items() if works(name, c)}
        samples = sample(list(good.values()), self.rounds)
        rows = [Row(name, runs) for name, runs in zip(good, samples)]
        reference = next((row for row in rows if row.name == base), None)
        show(title, rows, reference)
        self.tables.append({"title": title, "base": base, "rows": [row.record() for row in rows]})


class Row:
    def __init__(self, name, runs):
        self.name = name
        self.wall = sorted(run[0] for run in runs)
        self.cpu = statistics.median(run[1] + run[2] for run in runs)
        self.peak = max(run[3] for run in runs)
        self.failed = sum(run[4] != 0 for run in runs)

    @property
    def median(self):
        return statistics.median(self.wall)

    def at(self, share):
        return self.wall[min(int(share * len(self.wall)), len(self.wall) - 1)]

    def record(self):
        return {
            "name": self.name,
            "median_us": self.median,
            "p10_us": self.at(0.1),
            "p90_us": self.at(0.9),
            "cpu_us": self.cpu,
            "peak_kb": self.peak,
            "runs": len(self.wall),
            "failed": self.failed,
        }


def works(name: str, command: list[str]) -> bool:
    """One run before any counts: it warms up, and a contender that fails is left out, aloud."""
    if not shutil.which(str(command[0])):
        print(f"{name}: left out, there is no {command[0]}")
        return False
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return True
    reason = (done.stderr or done.stdout).strip().splitlines()
    print(f"{name}: left out, exit {done.returncode}: {reason[-1] if reason else ''}")
    return False


def sample(commands, rounds):
    if not commands:
        return []
    arguments = [part for command in commands for part in [":::", *map(str, command)]]
    warm_up = max(rounds // 10, 3)
    done = subprocess.run(
        [METER, str(rounds + warm_up), *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    runs = [[] for _ in commands]
    for line in done.stdout.splitlines():
        number, *values = map(int, line.split())
        runs[number].append(values)
    return [of_one[warm_up:] for of_one in runs]


def show(title, rows, reference):
    print(f"\n{title}")
    width = max((len(row.name) for row in rows), default=4)
    print(f"{'':{width}}  median ms   p10..p90 ms   CPU ms  peak MB  ratio")
    for row in rows:
        ratio = f"{row.median / reference.median:5.2f}" if reference else ""
        spread = f"{row.at(0.1) / 1000:.2f}..{row.at(0.9) / 1000:.2f}"
        failed = f"  {row.failed} of {len(row.wall)} failed" if row.failed else ""
        print(
            f"{row.name:{width}}  {row.median / 1000:9.2f}  {spread:>12}  {row.cpu / 1000:7.2f}"
            f"  {row.peak / 1024:7.1f}  {ratio}{failed}"
        )


def machine():
    def version(*command):
        if not shutil.which(command[0]):
            return None
        output = subprocess.run(command, capture_output=True, text=True).stdout
        return output.splitlines()[0] if output else None

    return {
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "runc": version("runc", "--version"),
        "crun": version("crun", "--version"),
        "bwrap": version("bwrap", "--version"),
    }


def apart(arguments):
    """Goes on in a mount namespace of its own, so that every contender finds the same: files on a
    tmpfs, as /run is on most systems (the rename of a small file costs milliseconds on some disks),
    and, since crun refuses a mixture of cgroup versions, version 1 alone."""
    if os.geteuid() != 0 or "UMBEL_BENCH_INSIDE" in os.environ:
        return
    script = "mount -t tmpfs umbel-bench /tmp && "
    if Path("/sys/fs/cgroup/unified").is_mount():
        script += "umount /sys/fs/cgroup/unified && "
    inside = ["sh", "-c", script + 'exec "$@"', "sh", sys.executable, "-B", __file__, *arguments]
    os.environ["UMBEL_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *inside])


def main(arguments) -> int:
    names = sorted(p.stem for p in HERE.glob("*.py") if p.stem != "run")
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=100)
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - set(names)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    apart(arguments)
    sys.modules["run"] = sys.modules[__name__]
    for name in chosen.names or names:
        with tempfile.TemporaryDirectory(prefix="umbel-bench-", dir="/tmp") as scratch:
            os.environ["UMBEL_HOME"] = f"{scratch}/home"
            bench = Bench(name, Path(scratch), chosen.rounds)
            importlib.import_module(name).measure(bench)
            results = ROOT / "build/bench"
            results.mkdir(parents=True, exist_ok=True)
            record = {"benchmark": name, "machine": machine(), "tables": bench.tables}
            (results / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
            print(f"\nresults: build/bench/{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Checkpoint and restore: one program a row is dumped and restored again and again, in turn by umbel
and by the criu that $CRIU names, with the images on a tmpfs. Dump and restore are whole commands;
frozen is what each says of itself."""

import ctypes
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from pathlib import Path

from run import UMBEL

SUBJECT = UMBEL.parent / "bench/subject"
PR_SET_CHILD_SUBREAPER = 36

# The figures of CRIU 4.2 on such a machine, its kernel probe cached, from the project's notes:
# dump, frozen, restore in ms.
LISTED = {
    "sleep": (16, 5.5, 35),
    "64 threads": (70, 23, 95),
    "a tree of 100 processes": (900, 784, 340),
    "python3, 245 MB": (262, None, 280),
    "1.1 GB of memory": (870, 870, 1121),
    "redis, 1 M keys": (970, 870, 1121),
}


class Failed(Exception):
    pass


class Engine:
    def __init__(self, name, program, scratch):
        self.name, self.program, self.images = name, program, scratch / f"images-{name}"

    def run(self, *words):
        start = time.monotonic()
        done = subprocess.run(
            [self.program, *words, "-D", self.images, "-v0" if self.name == "criu" else "-v2"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        took = (time.monotonic() - start) * 1000
        if done.returncode != 0:
            raise Failed((done.stderr or done.stdout).strip()[-300:])
        return took, done.stdout + done.stderr

    def dump(self, pid):
        shutil.rmtree(self.images, ignore_errors=True)
        self.images.mkdir()
        took, said = self.run("dump", "-t", str(pid), "--shell-job", "--ext-unix-sk")
        frozen = re.search(r"frozen (\d+) us", said)
        return took, int(frozen[1]) / 1000 if frozen else None

    def restore(self):
        took, _ = self.run("restore", "-d", "--shell-job", "--ext-unix-sk")
        return took

    def bytes(self):
        return sum(f.stat().st_blocks * 512 for f in self.images.iterdir())


def reap():
    """Whoever ended and is ours by now: a restore needs its number."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def wait_gone(pid):
    for _ in range(20000):
        reap()
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.0005)
    raise Failed(f"process {pid} does not end")


def family(pid):
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


class Subject:
    def __init__(self, command, ready):
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if ready == "said" else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self.pid = self.child.pid
        if ready == "said":
            self.child.stdout.readline()
        else:
            ready()

    def end(self):
        for pid in family(self.pid) if Path(f"/proc/{self.pid}").exists() else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_gone(self.pid)


def rounds_of(engines, subject, rounds):
    """Of each engine: dump, frozen, restore of every round, and the size of the last image."""
    results = {engine.name: [] for engine in engines}
    sizes, broken = {}, {}
    for turn in range(rounds + 1):
        for engine in engines:
            if engine.name in broken:
                continue
            try:
                pids = family(subject.pid)
                dump, frozen = engine.dump(subject.pid)
                for pid in pids:
                    wait_gone(pid)
                sizes[engine.name] = engine.bytes()
                restore = engine.restore()
                if turn:  # the first one warms up
                    results[engine.name].append((dump, frozen, restore))
            except Failed as failure:
                broken[engine.name] = str(failure)
    return results, sizes, broken


def middle(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def show(value):
    return f"{value:9.1f}" if value is not None else "        -"


def cases(bench):
    python = "import time; x = [bytearray([i % 251]) * 4096 for i in range(56000)]; print('ready', flush=True); time.sleep(1e6)"
    yield "sleep", ["sleep", "1000000"], lambda: time.sleep(0.2)
    yield "64 threads", [SUBJECT, "threads", "64"], "said"
    yield "a tree of 100 processes", [SUBJECT, "processes", "100"], "said"
    yield "python3, 245 MB", ["python3", "-c", python], "said"
    yield "1.1 GB of memory", [SUBJECT, "memory", "1100"], "said"
    if shutil.which("redis-server"):
        socket = bench.scratch / "redis.sock"
        server = ["redis-server", "--port", "0", "--unixsocket", socket, "--save", ""]
        client = ["redis-cli", "-s", socket]

        def fill():
            for _ in range(500):
                if subprocess.run([*client, "ping"], capture_output=True).returncode == 0:
                    break
                time.sleep(0.01)
            fill = ["debug", "populate", "1000000", "key", "900"]
            subprocess.run([*client, *fill], capture_output=True)

        yield "redis, 1 M keys", [*server, "--enable-debug-command", "local"], fill


def measure(bench):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    engines = [Engine("umbel", UMBEL.with_name("umbel-criu"), bench.scratch)]
    if os.environ.get("CRIU"):
        engines.append(Engine("criu", os.environ["CRIU"], bench.scratch))
    rounds = min(bench.rounds, 7)
    print(f"\ncheckpoint and restore, medians of {rounds}, images on a tmpfs")
    print(f"{'':24} {'':6}    dump ms frozen ms restore ms      MB")
    for title, command, ready in cases(bench):
        subject = Subject(command, ready)
        try:
            results, sizes, broken = rounds_of(engines, subject, rounds)
        finally:
            subject.end()
        rows = []
        for engine in engines:
            if engine.name in broken:
                print(f"{title:24} {engine.name:6}  left out: {broken[engine.name]}")
                continue
            row = [middle(values) for values in zip(*results[engine.name])]
            megabytes = sizes[engine.name] / 1e6
            print(f"{title:24} {engine.name:6} {' '.join(map(show, row))} {megabytes:8.1f}")
            rows.append({"name": engine.name, "dump_ms": row[0], "frozen_ms": row[1],
                         "restore_ms": row[2], "bytes": sizes[engine.name]})
        listed = LISTED[title]
        print(f"{'':24} listed {' '.join(map(show, listed))}")
        if rows:
            share = (rows[0]["dump_ms"] / listed[0], rows[0]["restore_ms"] / listed[2])
            print(f"{'':24} ratio  {share[0]:9.2f}           {share[1]:9.2f}")
        bench.tables.append({"title": title, "listed_criu_ms": listed, "rows": rows})

"""What umbel leaves behind when one of its system calls fails, or when it is killed there.

usage: faults.py [--step N] [--before SHELL] [--after SHELL] INJECTION... -- COMMAND...

COMMAND runs under strace again and again, each time with one more call hit by one of the INJECTIONs
("signal=KILL", "error=ENOMEM"). strace counts the calls of each kind and each process apart, so
"the 3rd openat" stands for the 3rd openat of every process of the run, and all pairs of name and
number that a run without faults makes stand for every call of each. Of these pairs every Nth is
tried (--step, or $UMBEL_FAULT_STEP).

The line --before prepares each round; --after cleans up as a person would (umbel rm). Then the
host must be as it was: no process, mount, cgroup, link or file more. What belongs to the test is
told by its names: processes have the scratch directory ($scratch) in their command line or
environment or hold a pid namespace, cgroups have "fault" in their path. Caches may grow.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

PATIENCE = 10  # seconds; the kernel takes namespaces and dead processes down later
LONGEST = 60  # seconds for one round
# To fail a call is not to make it, and these never fail so: Linux closes a descriptor whatever it
# answers, and a process can't go on after its end.
NEVER_FAIL = {"close", "exit", "exit_group", "rt_sigreturn"}
CALL = re.compile(r"^(\d+) +(\w+)\(")


def processes(scratch):
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            words = (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
            name, state = re.search(r"\((.*)\) (\S)", (directory / "stat").read_text()).groups()
            if scratch.encode() in words or (name == "umbel-holder" and state != "Z"):
                yield f"process {directory.name}: {name}"
        except OSError:
            continue


def cgroups():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        if source.split()[0] in ("cgroup", "cgroup2"):
            for directory, _, _ in os.walk(fields.split()[4]):
                if "fault" in directory:
                    yield f"cgroup {directory}"


def picture(scratch):
    seen = set(processes(scratch)) | set(cgroups())
    seen |= {f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    seen |= {f"link {name}" for name in os.listdir("/sys/class/net")}
    for directory, _, files in os.walk(scratch):
        if not directory.endswith("/cache"):
            seen |= {f"file {directory}/{name}" for name in [*files, "."]}
    return seen


def left_behind(before, scratch):
    """What is there and was not before; given time to go away by itself."""
    until = time.monotonic() + PATIENCE
    while True:
        more = {thing for thing in picture(scratch) if thing not in before}
        if not more or time.monotonic() > until:
            return sorted(more)
        time.sleep(0.02)


def shell(line):
    if line and subprocess.run(["bash", "-c", line], stdin=subprocess.DEVNULL).returncode:
        sys.exit(f"faults: this failed: {line}")


def command_ended(trace):
    """Whether the traced command itself has: it is the first process of the trace."""
    text = trace.read_text(errors="replace") if trace.exists() else ""
    first = text.split(" ", 1)[0]
    return bool(first) and re.search(rf"^{first} +\+\+\+ ", text, re.MULTILINE)


def traced(trace, options, command, clean_up):
    """strace ends when the last process does that it follows, and a container that was made may
    live on: so what cleans up is run as soon as the command itself has ended."""
    trace.unlink(missing_ok=True)
    # With files, not pipes: a process that survives must not keep this one waiting.
    with open(trace.with_suffix(".out"), "wb") as out:
        strace = subprocess.Popen(
            ["strace", "-f", "-o", trace, *options, *command],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )
        until = time.monotonic() + LONGEST
        while strace.poll() is None and not command_ended(trace):
            if time.monotonic() > until:
                strace.kill()
                sys.exit(f"faults: after {LONGEST} s this goes on: {' '.join(options)}")
            time.sleep(0.01)
        shell(clean_up)
        try:
            strace.wait(LONGEST)
        except subprocess.TimeoutExpired:
            strace.kill()
            sys.exit(f"faults: {LONGEST} s after the end this goes on: {' '.join(options)}")
    return trace.read_text(errors="replace")


def calls(trace):
    """Each kind of call with the highest number of it that one process made."""
    most = Counter()
    for (_, name), count in Counter(
        match.groups() for match in map(CALL.match, trace.splitlines()) if match
    ).items():
        most[name] = max(most[name], count)
    most["execve"] -= 1  # strace's own
    return [(name, k + 1) for name in sorted(most) for k in range(most[name])]


def main():
    own, command = sys.argv[1:], []
    if "--" in own:
        own, command = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--step", type=int, default=int(os.environ.get("UMBEL_FAULT_STEP", 1)))
    parser.add_argument("--before", default="")
    parser.add_argument("--after", default="")
    parser.add_argument("injections", nargs="+")
    args = parser.parse_args(own)
    scratch = os.environ["scratch"]
    trace = Path(scratch) / "trace"

    shell(args.before)
    every = calls(traced(trace, [], command, args.after))
    before = picture(scratch)
    rounds = hits = 0
    for start, injection in enumerate(args.injections):
        fit = [call for call in every if call[0] not in NEVER_FAIL or "signal" in injection]
        for name, number in fit[start % args.step :: args.step]:
            how = f"{name}:{injection}:when={number}"
            shell(args.before)
            told = traced(trace, ["-e", f"inject={how}"], command, args.after)
            rounds += 1
            hits += "(INJECTED)" in told or "killed by SIGKILL" in told
            more = left_behind(before, scratch)
            if more:
                sys.exit(f"faults: inject={how} leaves behind:\n" + "\n".join(more))
    print(f"{rounds} rounds of {len(every)} calls, {hits} hit")
    # Which calls are made varies a little from run to run; most must have been hit.
    if hits < rounds * 0.9:
        sys.exit("faults: too few of the calls were hit")


if __name__ == "__main__":
    main()

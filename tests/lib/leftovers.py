"""What a test run left behind on the system, found by comparing two pictures of it.

usage: leftovers.py before FILE     takes the picture
       leftovers.py after FILE      compares, names every leftover, and fails if there is one

A picture is a map from a kind of thing to the things there are, as texts that a person can act on.
Read as seen from this process's namespaces: what lives and dies inside a container is its own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 10  # seconds; the kernel takes network namespaces and detached mounts down later


def mounts():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        yield f"{fields.split()[4]} ({' '.join(source.split()[:2])})"


def cgroups():
    """Sessions and services that a running systemd makes meanwhile are its own affair."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        if source.split()[0] not in ("cgroup", "cgroup2"):
            continue
        for directory, _, _ in os.walk(fields.split()[4]):
            if "umbel" in directory or not re.search(r"/(user|system)\.slice(/|$)", directory):
                yield directory


def links():
    return os.listdir("/sys/class/net")


def packet_filter():
    legacy = Path("/proc/net/ip_tables_names")
    if legacy.exists() and shutil.which("iptables-legacy-save"):
        yield from rules("iptables-legacy-save")
    if shutil.which("nft"):
        yield from rules("nft", "--stateless", "list", "ruleset")


def rules(*command):
    table = chain = ""
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        line = re.sub(r"\[\d+:\d+\]", "", line).strip()
        if line.startswith(("table ", "*")):
            table, chain = line.rstrip(" {"), ""
        elif line.startswith("chain "):
            chain = line.rstrip(" {")
        if line and line != "}" and not line.startswith("#"):
            yield " ".join(part for part in (table, chain, line) if part)


def processes():
    """Those that run umbel or a program of this build, and those that live in other namespaces."""
    here = {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "mnt", "net", "uts")}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            stat = (entry / "stat").read_text()
            name, state = re.search(r"\((.*)\) (\S)", stat, re.S).groups()
            born = stat.rpartition(")")[2].split()[19]
            if state == "Z":
                if "umbel" in name:
                    yield f"{entry.name} {name}, a zombie (started at tick {born})"
                continue
            program = os.readlink(entry / "exe")
            apart = [k for k in here if os.readlink(entry / "ns" / k) != here[k]]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended, or is a kernel thread
            continue
        if apart or "umbel" in f"{program} {name} {command.partition(' ')[0]}":
            where = f" in its own {' '.join(apart)}" if apart else ""
            yield f"{entry.name} {command.strip() or name}{where} (started at tick {born})"


def files():
    places = ["/run/umbel", "/var/lib/umbel", f"/run/user/{os.getuid()}/umbel", "/run/netns"]
    for place in places:
        for directory, folders, names in os.walk(place):
            yield from (os.path.join(directory, name) for name in folders + names)
    for place in ("/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/mqueue"):
        if os.path.isdir(place):
            yield from (f"{place}/{name}" for name in os.listdir(place) if "umbel" in name)


def ipc():
    """System V objects of the initial IPC namespace."""
    for kind in ("msg", "sem", "shm"):
        table = Path("/proc/sysvipc") / kind
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            key, identity = line.split()[:2]
            yield f"{kind} {identity}, key {key}"


KINDS = {
    "mount": mounts,
    "cgroup": cgroups,
    "network link": links,
    "packet filter rule": packet_filter,
    "process": processes,
    "file": files,
    "System V object": ipc,
}


def picture():
    return {kind: sorted(set(read())) for kind, read in KINDS.items()}


def leftovers(before):
    now = picture()
    return [
        f"{kind}: {thing}"
        for kind in KINDS
        for thing in sorted(set(now[kind]) - set(before.get(kind, [])))
    ]


def main(what, file):
    if what == "before":
        Path(file).write_text(json.dumps(picture(), indent=1))
        return 0
    before = json.loads(Path(file).read_text())
    until = time.monotonic() + PATIENCE
    while found := leftovers(before):
        if time.monotonic() > until:
            break
        time.sleep(0.2)
    for thing in found:
        print(f"left over: {thing}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The three things that an engine asks of a runtime: run; create, start and delete; exec. Ratios
are to crun, the fastest of the others. The floor makes a container's kernel calls and nothing else;
for exec it is nsenter(1), which joins the namespaces but neither cgroup nor limits of rights."""

import json
import subprocess

from run import FLOOR, UMBEL


def measure(bench):
    root = bench.rootfs()
    short, long = bench.bundle(["/bin/true"]), bench.bundle(["/bin/sleep", "1000"])
    programs = {"umbel-oci": UMBEL.with_name("umbel-oci"), "crun": "crun", "runc": "runc"}

    def runtime(name, *words):
        return [programs[name], "--root", bench.scratch / name, *words]

    run = {f"{name} run": runtime(name, "run", "--bundle", short, "one") for name in programs}
    floor = {"floor, with cgroups": [FLOOR, "--cgroups", root, "/bin/true"]}
    bench.compare("run of /bin/true", floor | run, base="crun run")

    def life(name):
        oci = " ".join(map(str, runtime(name)))
        steps = [f"create --bundle {long} two >/dev/null", "start two", "delete --force two"]
        return ["sh", "-c", " && ".join(f"{oci} {step}" for step in steps)]

    lives = {f"{name} create, start, delete": life(name) for name in programs}
    bench.compare(
        "create, start and delete, three processes", lives, base="crun create, start, delete"
    )

    contenders = {}
    try:
        for name in programs:
            create = runtime(name, "run", "--detach", "--bundle", long, "three")
            if subprocess.run(create, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
                print(f"{name} exec: left out, its container can't be made")
                continue
            contenders[f"{name} exec"] = runtime(name, "exec", "three", "/bin/true")
            if name != "umbel-oci":
                continue
            state = subprocess.check_output(runtime(name, "state", "three"))
            target = str(json.loads(state)["pid"])
            contenders["floor, nsenter"] = ["nsenter", "--target", target, "--all", "/bin/true"]
        bench.compare("exec of /bin/true in a running container", contenders, base="crun exec")
    finally:
        for name in programs:
            subprocess.run(runtime(name, "delete", "--force", "three"), stderr=subprocess.DEVNULL)

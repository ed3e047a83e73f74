"""Starting a container: a static /bin/true in a busybox root file system, from the command to the
end of the process, with each runtime's default set of namespaces, mounts, masks and cgroups."""

from run import FLOOR, UMBEL


def measure(bench):
    root = bench.rootfs()
    true = "/bin/true"
    bundle = bench.bundle([true])
    bind = ["--bind", root, "/", "--proc", "/proc", "--dev", "/dev"]
    oci = UMBEL.with_name("umbel-oci")

    def runtime(program, *options):
        return [program, *options, "run", "--bundle", bundle, "umbel-bench"]

    bench.compare(
        "start of a container, /bin/true",
        {
            "floor": [FLOOR, root, true],
            "floor, with cgroups": [FLOOR, "--cgroups", root, true],
            "umbel run": [UMBEL, "run", "--rm", "--rootfs", root, "--", true],
            "umbel-oci run": runtime(oci, "--root", bench.scratch / "umbel-oci"),
            "crun run": runtime("crun", "--root", bench.scratch / "crun"),
            "runc run": runtime("runc", "--root", bench.scratch / "runc"),
            "bwrap (no cgroups)": ["bwrap", "--unshare-all", *bind, true],
        },
        base="floor, with cgroups",
    )

"""Closes a test run: every skipped test with its reason, then one line as ctest ends with.

usage: test_summary.py PRESET...    (reads build/PRESET/ctest.log and LastTest.log)
"""

import re
import sys
from pathlib import Path

CLOSING = re.compile(r"^(\d+)% tests passed, (\d+) tests failed out of (\d+)", re.M)
GTEST_SKIP = re.compile(
    r"^\[ RUN +\] (?P<name>\S+)\n(?P<output>(?:(?!\[ ).*\n)*?)\[  SKIPPED \] (?P=name)", re.M
)
TAP_SKIP = re.compile(r"^ok \d+ (?P<name>.*?) # skip ?(?P<reason>.*)$", re.M)
UNITTEST_SKIP = re.compile(r"^(?P<name>\w+) \([\w.]+\) \.\.\. skipped '(?P<reason>.*)'$", re.M)


def gtest_reason(output: str) -> str:
    """'file.cpp:12: Skipped\nreason\n' without its first line."""
    lines = [line.strip() for line in output.splitlines()]
    lines = [line for line in lines if line and not re.search(r":\d+: Skipped$", line)]
    return " ".join(lines) or "no reason given"


def skipped(log: str):
    """Pairs of a test's name and the reason, from ctest's LastTest.log."""
    for test in re.split(r"^(?=\d+/\d+ Testing: )", log, flags=re.M):
        header = re.match(r"\d+/\d+ Testing: (\S+)", test)
        if not header:
            continue
        for match in GTEST_SKIP.finditer(test):
            yield f"{header[1]} {match['name']}", gtest_reason(match["output"])
        for pattern in (TAP_SKIP, UNITTEST_SKIP):
            for match in pattern.finditer(test):
                yield f"{header[1]} {match['name']}", match["reason"] or "no reason given"


def main(presets):
    failed = total = 0
    skips = {}
    for preset in presets:
        build = Path("build") / preset
        log = (build / "Testing/Temporary/LastTest.log").read_text(errors="replace")
        for name, reason in skipped(log):
            skips.setdefault((name, reason), []).append(preset)
        closing = CLOSING.findall((build / "ctest.log").read_text(errors="replace"))
        if not closing:
            sys.exit(f"{preset}: ctest did not come to its end")
        failed += int(closing[-1][1])
        total += int(closing[-1][2])
    print()
    for (name, reason), where in skips.items():
        print(f"skipped: {name} ({', '.join(where)}): {reason}")
    share = (total - failed) * 100 // total if total else 0
    print(f"{share}% tests passed, {failed} tests failed out of {total}")


if __name__ == "__main__":
    main(sys.argv[1:])

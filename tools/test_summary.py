"""Closes a test run: every skipped test with its reason, then one line as ctest ends with.

usage: test_summary.py PRESET...    (reads build/PRESET/ctest.log and LastTest.log)
"""

import re
import sys
from pathlib import Path

CLOSING = re.compile(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)")
GTEST_SKIP = re.compile(
    r"^\[ RUN +\] (?P<name>\S+)\n(?P<output>(?:(?!\[ ).*\n)*?)\[  SKIPPED \] (?P=name)", re.M
)
TAP_SKIP = re.compile(r"^ok \d+ (?P<name>.*?) # skip ?(?P<reason>.*)$", re.M)
CTEST_SKIP = re.compile(r"^ *\d+/\d+ Test +#\d+: (\S+) \.+\*\*\*Not Run|\(Not Run\)", re.M)


def gtest_reason(output: str) -> str:
    """'file.cpp:12: Skipped\nreason\n' without its first line."""
    lines = [line.strip() for line in output.splitlines()]
    lines = [line for line in lines if line and not re.search(r":\d+: Skipped$", line)]
    return " ".join(lines) or "no reason given"


def skipped(log: str):
    for test in re.split(r"^-{58}\n(?=\d+/\d+ Testing: )", log, flags=re.M):
        header = re.search(r"^\d+/\d+ Testing: (\S+)", test, re.M)
        name = header.group(1) if header else "?"
        for match in GTEST_SKIP.finditer(test):
            yield f"{name} {match['name']}", gtest_reason(match["output"])
        for match in TAP_SKIP.finditer(test):
            yield f"{name} {match['name']}", match["reason"] or "no reason given"


def main(presets):
    failed = total = 0
    skips = {}
    for preset in presets:
        build = Path("build") / preset
        log = (build / "Testing/Temporary/LastTest.log").read_text(errors="replace")
        for name, reason in skipped(log):
            skips.setdefault((name, reason), []).append(preset)
        closing = CLOSING.findall((build / "ctest.log").read_text(errors="replace"))
        if closing:
            failed += int(closing[-1][1])
            total += int(closing[-1][2])
    print()
    for (name, reason), where in skips.items():
        print(f"skipped: {name} ({', '.join(where)}): {reason}")
    share = (total - failed) * 100 // total if total else 0
    print(f"{share}% tests passed, {failed} tests failed out of {total}")


if __name__ == "__main__":
    main(sys.argv[1:])

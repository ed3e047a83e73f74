"""The checks behind ./dev lint: clang-format, clang-tidy, and what no other tool knows of this
tree: which folder may include which, who may make system calls, and where TRY may stand.

usage: lint.py [--all] [FILE...]    without arguments: the files that differ from the main branch
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100

# A folder may include itself and every folder of a lower level, never one of its own level.
LEVELS = [
    {"base"},
    {"sys", "proc"},
    {"cgroup", "rootfs", "security", "network", "inspect", "console"},
    {"ns"},
    {"container"},
    {"survey"},
    {"policy", "oci", "checkpoint", "library"},
    {"migrate"},
    {"carry"},
    {"cli"},
]
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
# In tests an ASSERT stands before the access, which clang-tidy can't see, and speed is no matter.
TEST_CHECKS = "--checks=-bugprone-unchecked-optional-access,-performance-*"
CXX = {".cpp", ".h", ".c"}
WIDE = CXX | {".sh", ".bash", ".py", ".cmake"}  # what no formatter breaks


def blanked(text: str) -> str:
    """C++ source with comments, literals and macro definitions turned to blanks, places kept."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#[ \t]*define(?:\\\n|[^\n])*",
        re.S | re.M,
    )
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def check_includes(path: Path, text: str):
    """path is relative to the root."""
    if path.parts[0] != "src" or len(path.parts) < 3:
        return
    own = path.parts[1]
    if own not in LEVEL:
        yield 1, f"the folder src/{own} has no place in the direction of includes (tools/lint.py)"
        return
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"/]+)/', text, re.M):
        other = match[1]
        if other == own or LEVEL.get(other, len(LEVELS)) < LEVEL[own]:
            continue
        yield line_of(text, match.start()), f"{own} must not include {other}"


def check_system_calls(path: Path, code: str):
    if path.parts[0] != "src" or path.parts[1] == "sys" or path.name.endswith("_test.cpp"):
        return
    for match in re.finditer(r"\bsyscall\s*\(", code):
        yield line_of(code, match.start()), "only src/sys makes system calls"


def opens_block(before: str) -> bool:
    """Whether the brace that follows `before` opens statements (else it opens an initialiser)."""
    before = before.rstrip()
    if before.endswith("{"):
        return opens_block(before[:-1])
    if not before or before[-1] in ";}:":
        return True
    if re.search(r"\)\s*(const|mutable|noexcept|override|final|\s)*$", before):
        return True  # function, lambda, if, for, while, switch
    if re.search(r"\)\s*(const|mutable|noexcept|\s)*->\s*[\w:<>,&*\s]+$", before):
        return True  # a trailing return type
    if re.search(r"\[[^\[\]]*\]$", before):
        return True  # a lambda without parameters
    return re.search(r"(\b(else|do|try)|\b(namespace|struct|class|union|enum)\b[^;{}]*)$",
                     before) is not None


def in_initialiser(code: str, at: int) -> bool:
    """Whether `at` lies in the braces of an initialiser or in a lambda's capture."""
    depth = 0
    for i in range(at - 1, -1, -1):
        c = code[i]
        if c in ")]}":
            depth += 1
        elif c in "([{" and depth > 0:
            depth -= 1
        elif c == "[":
            subscript = re.search(r"[\w)\]]\s*$", code[:i]) and not code[:i].endswith("return ")
            if not subscript:
                return True
        elif c == "{":
            return not opens_block(code[:i])
        elif c == ";" and depth == 0:
            return False
    return False


def check_try(code: str):
    for match in re.finditer(r"\bTRY\s*\(", code):
        if in_initialiser(code, match.start()):
            yield line_of(code, match.start()), (
                "no TRY in the braces of an initialiser or in a capture: leaving one early leaks "
                "what it has built (g++ 12)"
            )


def check_width(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > WIDTH and "NOLINT" not in line and "://" not in line:
            yield number, f"{len(line)} columns; {WIDTH} are allowed"


def own_checks(path: Path):
    text = (ROOT / path).read_text(errors="replace")
    if path.suffix in WIDE or path.name in {"CMakeLists.txt", "dev"}:
        yield from check_width(text)
    if path.suffix in {".cpp", ".h"}:
        code = blanked(text)
        yield from check_includes(path, text)
        yield from check_system_calls(path, code)
        yield from check_try(code)


def git(*args) -> list[str]:
    done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def candidates(everything: bool) -> list[Path]:
    files = git("ls-files", "--cached", "--others", "--exclude-standard")
    if not everything:
        on_main = git("rev-parse", "--abbrev-ref", "HEAD") == ["main"]
        base = ["HEAD~1"] if on_main else git("merge-base", "HEAD", "main")
        if base:
            new = git("ls-files", "--others", "--exclude-standard")
            files = git("diff", "--name-only", base[0]) + new
    files = files or [str(p.relative_to(ROOT)) for p in ROOT.glob("*/**/*") if p.is_file()]
    return sorted({Path(f) for f in files if (ROOT / f).is_file() and not f.startswith("build/")})


def to_tidy(files: list[Path]) -> list[Path]:
    """The compiled files among these, and for a changed header those that include it."""
    compiled = (ROOT / "build/dev/compile_commands.json").read_text()
    every = [p.relative_to(ROOT) for p in ROOT.glob("*/**/*.cpp") if f'"{p}"' in compiled]
    headers = [f'"{f.relative_to(f.parts[0])}"' for f in files if f.suffix == ".h"]
    return [
        f
        for f in every
        if f in files or any(h in (ROOT / f).read_text(errors="replace") for h in headers)
    ]


def run(command: list[str]) -> tuple[bool, str]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def tidy(path: Path) -> tuple[bool, str]:
    fewer = [TEST_CHECKS] if path.name.endswith("_test.cpp") else []
    good, output = run(["clang-tidy-19", "--quiet", "-p", "build/dev", *fewer, str(path)])
    noise = re.compile(r"^(\d+ warnings? (generated|treated)|Suppressed |Use -header).*\n?", re.M)
    return good, noise.sub("", output)


def main(args: list[str]) -> int:
    named = [Path(a).resolve().relative_to(ROOT) for a in args if not a.startswith("-")]
    files = named or candidates("--all" in args)
    problems = [f"{path}:{line}: {what}" for path in files for line, what in own_checks(path)]
    for problem in problems:
        print(problem)
    good = not problems
    sources = [str(f) for f in files if f.suffix in CXX]
    if sources:
        formatted, output = run(["clang-format-19", "--dry-run", "-Werror", *sources])
        print(output, end="")
        good &= formatted
    compiled = to_tidy(files)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (clean, output) in zip(compiled, pool.map(tidy, compiled)):
            if not clean:
                print(f"{path}:\n{output}", end="", flush=True)
            good &= clean
    print(f"lint: {len(files)} files, {'clean' if good else 'see above'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Tests of lint.py: what it must find, and what it must let pass."""

import unittest
from pathlib import Path

import lint


def tries(statement: str) -> int:
    code = "Result<int> f() {\n" + statement + "\n}\n"
    return len(list(lint.check_try(lint.blanked(code))))


class Try(unittest.TestCase):
    def test_good_places(self):
        for good in [
            "TRY(g());",
            "if (x) TRY(g());",
            "if (TRY(g())) h();",
            "if (x) { a(); } else TRY(g());",
            "for (auto& x : xs) TRY(during(name, g(x)));",
            "for (int i = 0; i < 3; ++i)\n  TRY(g(i));",
            "for (const auto& x : TRY(list(dir))) h(x);",
            "switch (k) { case Kind::net: TRY(g()); break; default: TRY(h()); }",
            "const auto x = TRY(g());",
            "auto [a, b] = TRY(g());",
            "h(TRY(g()), 1);",
            "Fd fd(TRY(g()));",
            "x.y = TRY(g()) != 0;",
            "names[TRY(g(i))] = 1;",
            "return static_cast<int>(TRY(g()));",
            "const auto made = [&]() -> Result<void> { const Fd fd = TRY(g()); return {}; }();",
            "auto made = [&] { TRY(g()); return Result<void>(); }();",
            "auto made = [&](int x) mutable { return TRY(g(x)); };",
            "const Plan plan{.a = 1};\nTRY(g(plan));",
            "try_it({.a = 1}, TRY(g()));",
            "// Plan{TRY(x)}",
            'say("Plan{TRY(x)}");',
        ]:
            self.assertEqual(tries(good), 0, good)

    def test_bad_places(self):
        for bad in [
            "Plan plan{.a = TRY(g())};",
            "Plan plan = {.a = 1, .b = h(TRY(g()))};",
            "return Plan{.a = 1, .b = TRY(g())};",
            "return {TRY(g())};",
            "x = Plan{TRY(g()), 2};",
            "h(Plan{T(), TRY(g())});",
            "std::array<T, 2> both{{T(), TRY(g())}};",
            "auto f = [x = TRY(g())] { return x; };",
            "return [x = TRY(g())] { return x; };",
        ]:
            self.assertEqual(tries(bad), 1, bad)


class Includes(unittest.TestCase):
    def found(self, path: str, header: str) -> int:
        return len(list(lint.check_includes(Path(path), f'#include "{header}"\n')))

    def test_direction(self):
        for path, header, wrong in [
            ("src/sys/file.cpp", "base/fd.h", 0),
            ("src/sys/file.cpp", "sys/call.h", 0),
            ("src/base/text.cpp", "sys/file.h", 1),
            ("src/sys/file.cpp", "proc/maps.h", 1),
            ("src/cgroup/limits.cpp", "rootfs/spec.h", 1),
            ("src/container/store.cpp", "ns/set.h", 0),
            ("src/ns/set.cpp", "container/config.h", 1),
            ("src/cli/umbel/run.cpp", "migrate/stream.h", 0),
            ("src/elsewhere/x.cpp", "base/fd.h", 1),
        ]:
            self.assertEqual(self.found(path, header), wrong, (path, header))


class SystemCalls(unittest.TestCase):
    def test_only_sys(self):
        code = "long a = ::syscall(SYS_gettid);"
        self.assertEqual(len(list(lint.check_system_calls(Path("src/ns/x.cpp"), code))), 1)
        self.assertEqual(len(list(lint.check_system_calls(Path("src/sys/x.cpp"), code))), 0)


if __name__ == "__main__":
    unittest.main()

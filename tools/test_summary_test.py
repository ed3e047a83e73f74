"""Tests of test_summary.py, on logs as ctest, GoogleTest, bats and unittest write them."""

import unittest

from test_summary import CLOSING, skipped

LOG = """Start testing: Nov 24 09:57 UTC
----------------------------------------------------------
1/3 Testing: unit/sys
1/3 Test: unit/sys
Output:
----------------------------------------------------------
[ RUN      ] Namespace.TellsItsKind
[       OK ] Namespace.TellsItsKind (0 ms)
[ RUN      ] Namespace.IsJoined
/a/src/sys/namespace_test.cpp:34: Skipped
needs root,
or a user namespace
[  SKIPPED ] Namespace.IsJoined (0 ms)
[ RUN      ] Mounts/Each.Holds/0
/a/src/sys/mount_test.cpp:3: Skipped

[  SKIPPED ] Mounts/Each.Holds/0, where GetParam() = 1 (0 ms)
[  SKIPPED ] 2 tests, listed below:
[  SKIPPED ] Namespace.IsJoined
[  SKIPPED ] Mounts/Each.Holds/0
<end of output>
----------------------------------------------------------

2/3 Testing: kernel/run
2/3 Test: kernel/run
Output:
----------------------------------------------------------
1..3
ok 1 it runs
ok 2 it is limited # skip needs the cgroup controller pids
ok 3 it stops # skip
<end of output>
----------------------------------------------------------

3/3 Testing: unit/leftovers
3/3 Test: unit/leftovers
Output:
----------------------------------------------------------
test_names_a_file (__main__.Leftovers.test_names_a_file) ... ok
test_names_a_process (__main__.Leftovers.test_names_a_process) ... skipped 'needs root'
<end of output>
"""


class Summary(unittest.TestCase):
    def test_finds_every_skip_once(self):
        self.assertEqual(
            list(skipped(LOG)),
            [
                ("unit/sys Namespace.IsJoined", "needs root, or a user namespace"),
                ("unit/sys Mounts/Each.Holds/0", "no reason given"),
                ("kernel/run it is limited", "needs the cgroup controller pids"),
                ("kernel/run it stops", "no reason given"),
                ("unit/leftovers test_names_a_process", "needs root"),
            ],
        )

    def test_reads_the_closing_line(self):
        lines = "x\n80% tests passed, 1 tests failed out of 5\n"
        self.assertEqual(CLOSING.findall(lines), [("80", "1", "5")])


if __name__ == "__main__":
    unittest.main()

"""Tests of leftovers.py: it must name what was left, and nothing else."""

import os
import subprocess
import tempfile
import unittest

import leftovers


class Leftovers(unittest.TestCase):
    def setUp(self):
        self.before = leftovers.picture()

    def found(self, mark):
        return [thing for thing in leftovers.leftovers(self.before) if mark in thing]

    def test_names_a_file(self):
        with tempfile.NamedTemporaryFile(prefix="umbel-left-") as file:
            self.assertEqual(self.found(file.name), [f"file: {file.name}"])
        self.assertEqual(self.found(file.name), [])

    def test_names_a_process_by_its_program_name(self):
        child = subprocess.Popen(["bash", "-c", "exec -a umbel-left sleep 60"])
        try:
            self.assertTrue(os.waitpid(child.pid, os.WNOHANG) == (0, 0))
            self.wait_for(lambda: self.found("umbel-left"))
        finally:
            child.kill()
            child.wait()
        self.assertEqual(self.found("umbel-left"), [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to make namespaces")
    def test_names_a_process_in_other_namespaces(self):
        child = subprocess.Popen(["unshare", "--uts", "--ipc", "sleep", "61"])
        try:
            self.wait_for(lambda: self.found("sleep 61 in its own uts"))
        finally:
            child.kill()
            child.wait()

    def test_names_a_message_queue(self):
        made = subprocess.run(["ipcmk", "--queue"], capture_output=True, text=True, check=True)
        number = made.stdout.split()[-1]
        try:
            self.assertEqual(len(self.found(f"msg {number}, ")), 1)
        finally:
            subprocess.run(["ipcrm", "--queue-id", number], check=True)
        self.assertEqual(self.found(f"msg {number}, "), [])

    def wait_for(self, condition):
        for _ in range(100):
            if condition():
                return
            leftovers.time.sleep(0.05)
        self.fail("not found in 5 seconds")


if __name__ == "__main__":
    unittest.main()

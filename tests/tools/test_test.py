#!/usr/bin/python3
"""tools/test runs every test, whoever calls it: as root, with sudo, or not at all and visibly."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("MISRULE_SOURCE_DIR", "."))
NOTHING = "#!/bin/sh\nexit 0\n"

# Stand-ins that write down who called them. What sudo runs finds itself to be root.
CTEST = '#!/bin/sh\necho "ctest root=${ROOT:-no} $*" >>"$LOG"\nexit "${CTEST_CODE:-0}"\n'
SUDO = '#!/bin/sh\necho "sudo $*" >>"$LOG"\nshift\nROOT=yes exec "$@"\n'
IDENTITY = '#!/bin/sh\necho "$USER_ID"\n'


class Test(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-tools-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.log = self.folder / "log"
        (self.folder / "tools").mkdir()
        shutil.copy(SOURCE / "tools" / "test", self.folder / "tools" / "test")
        (self.folder / "tools" / "gather_tests.py").write_text("")
        self.write("tools/build", '#!/bin/sh\necho "build $*" >>"$LOG"\n')
        self.write("bin/ctest", CTEST)
        self.write("bin/id", IDENTITY)
        for name in ("chown", "cmake"):
            self.write("bin/" + name, NOTHING)
        for name in ("dirname", "mkdir", "nproc"):
            (self.folder / "bin" / name).symlink_to(shutil.which(name))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_test(self, user, *arguments, code=0):
        """The exit code, what was said, and who ran ctest: "root", "sudo", "user", "nobody"."""
        run = subprocess.run(["/bin/bash", str(self.folder / "tools" / "test"), *arguments],
                             text=True, capture_output=True, timeout=60,
                             env={"PATH": str(self.folder / "bin"), "LOG": str(self.log),
                                  "USER_ID": str(user), "CTEST_CODE": str(code)})
        log = self.log.read_text() if self.log.exists() else ""
        if "ctest root=yes" in log:
            who = "sudo"
        elif "ctest root=no" in log:
            who = "root" if user == 0 else "user"
        else:
            who = "nobody"
        return run.returncode, run.stderr, who, log

    def test_root_runs_the_tests(self):
        self.write("bin/sudo", SUDO)
        for code in (0, 8):
            self.assertEqual(self.run_test(0, code=code)[:3], (code, "", "root"))

    def test_a_plain_user_runs_them_with_sudo(self):
        self.write("bin/sudo", SUDO)
        for code in (0, 8):
            self.assertEqual(self.run_test(1000, code=code)[:3], (code, "", "sudo"))
        self.assertIn("sudo --preserve-env=CI,NO_COLOR,TERM,STAR_SUITES chown -R 1000:1000 build",
                      self.run_test(1000)[3])

    def test_without_sudo_nothing_is_green(self):
        code, said, who, log = self.run_test(1000)
        self.assertEqual((code, who, log), (3, "nobody", ""))
        self.assertIn("install sudo", said)

    def test_fuzzing_needs_no_root(self):
        self.assertEqual(self.run_test(1000, "--fuzz", "5")[:3], (0, "", "user"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

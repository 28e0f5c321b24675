#!/usr/bin/python3
"""What `make install` puts into place runs from there, without the tree that it was built in."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import misrule
from misrule import SERVICE


class Install(misrule.Project):
    def setUp(self):
        super().setUp()
        self.stage = pathlib.Path(tempfile.mkdtemp(prefix="misrule-install-"))
        self.stage.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.stage)
        installed = subprocess.run(
            ["cmake", "--install", os.environ["MISRULE_BINARY_DIR"], "--prefix", "/usr/local"],
            capture_output=True, text=True, env={**os.environ, "DESTDIR": str(self.stage)})
        self.assertEqual(installed.returncode, 0, installed.stderr)
        self.bin = self.stage / "usr" / "local" / "bin"

    def run_installed(self, *words):
        return subprocess.run([str(self.bin / words[0]), *words[1:]], cwd=self.folder, text=True,
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_the_programs_are_there(self):
        for program in ("misrule", "misrule-proxy"):
            shown = self.run_installed(program, "--help")
            self.assertEqual(shown.returncode, 0, shown)
            self.assertIn("--upstream" if program == "misrule-proxy" else "doctor", shown.stdout)

    def test_manual_pages_and_completions_are_there(self):
        share = self.stage / "usr" / "local" / "share"
        for path, part in (("man/man1/misrule.1", ".TH MISRULE 1"),
                           ("man/man1/misrule-test.1", "\\-\\-strict"),
                           ("bash-completion/completions/misrule", "complete -F _misrule misrule"),
                           ("zsh/site-functions/_misrule", "#compdef misrule"),
                           ("fish/vendor_completions.d/misrule.fish", "complete -c misrule")):
            self.assertIn(part, (share / path).read_text(), path)

    def test_a_spec_runs(self):
        self.write("spec.star", SERVICE + """
def test_it():
    denied = deny("ECONNREFUSED")
    reply = fault(api, connect = denied, run = lambda: api.get(path = "/connect?port=1"))
    assert_eq(reply.body, "ECONNREFUSED")
""")
        run = self.run_installed("misrule", "test", "spec.star")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_without_its_shim_it_says_what_to_do(self):
        (self.stage / "usr/local/libexec/misrule/misrule-shim").unlink()
        self.write("spec.star", SERVICE + "def test_it():\n    pass\n")
        run = self.run_installed("misrule", "test", "spec.star")
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertIn("install misrule again", run.stderr)


if __name__ == "__main__":
    misrule.main()

#!/usr/bin/python3
"""What shells make of our completions, and formatters of our manual pages."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import misrule
from misrule import BINARY

# Completes its arguments, the last of which is the word that the cursor stands behind.
BASH = r'''
source <("$1" completions bash); shift
COMP_WORDS=(misrule "$@"); COMP_CWORD=$#
_misrule; printf '%s\n' "${COMPREPLY[@]}"
'''
ZSH = r'''
autoload -Uz compinit; compinit -D -u -d "$2"
source <("$1" completions zsh); whence -w _misrule; print -r -- $_comps[misrule]
'''


class Shells(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-shells-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("shop.star", "a b.star"):
            (self.folder / name).write_text("")
        (self.folder / "specs").mkdir()

    def run_in(self, *words, code=0):
        done = subprocess.run([*map(str, words)], cwd=self.folder, text=True, capture_output=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stderr), (code, ""), done)
        return done.stdout

    def bash(self, *words):
        return self.run_in("bash", "--norc", "-c", BASH, "bash", BINARY, *words).split("\n")[:-1]

    def test_bash_completes(self):
        self.assertEqual(self.bash("do"), ["doctor"])
        self.assertIn("test", self.bash(""))
        self.assertIn("--version", self.bash("--"))
        self.assertEqual(self.bash("test", "--st"), ["--strict"])
        self.assertEqual(self.bash("check", "--st"), [""], "the control: it has no such option")
        self.assertEqual(self.bash("test", "--backend", ""), ["native", "docker", "auto"])
        self.assertEqual(self.bash("test", "--backend", "=", "d"), ["docker"])
        self.assertEqual(self.bash("test", "--backend", "="), ["native", "docker", "auto"])
        self.assertEqual(self.bash("test", "sh"), ["shop.star"])
        self.assertEqual(self.bash("test", "shop.star", "--json", "a"), ["a b.star"])
        self.assertEqual(self.bash("test", "--report", ""), ["specs"])
        self.assertEqual(self.bash("test", "--seed", ""), [""], "a number that nobody knows")
        self.assertEqual(self.bash("completions", "f"), ["fish"])
        self.assertEqual(self.bash("proxy", "--upstream-n"), ["--upstream-name"])

    def test_zsh_takes_it(self):
        if shutil.which("zsh") is None:
            self.skipTest("zsh is not installed")
        script = self.run_in(BINARY, "completions", "zsh")
        (self.folder / "_misrule").write_text(script)
        self.run_in("zsh", "-n", self.folder / "_misrule")
        said = self.run_in("zsh", "-f", "-c", ZSH, "zsh", BINARY, self.folder / "dump")
        self.assertEqual(said, "_misrule: function\n_misrule\n")

    def test_fish_completes(self):
        if shutil.which("fish") is None:
            self.skipTest("fish is not installed")
        (self.folder / "misrule.fish").write_text(self.run_in(BINARY, "completions", "fish"))

        def fish(line):
            said = self.run_in("env", f"HOME={self.folder}", "fish", "--private", "-c",
                               f"source misrule.fish; complete -C '{line}'")
            return [word.split("\t")[0] for word in said.splitlines()]

        self.assertEqual(fish("misrule do"), ["doctor"])
        self.assertEqual(fish("misrule test --st"), ["--strict"])
        self.assertEqual(fish("misrule test --backend d"), ["docker"])
        self.assertIn("shop.star", fish("misrule test sh"))


class Manual(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="misrule-manual-"))
        self.addCleanup(shutil.rmtree, self.folder)
        subprocess.run([str(BINARY), "man", str(self.folder)], check=True, timeout=60)
        self.pages = sorted(self.folder.glob("*.1"))

    def test_every_command_has_a_page(self):
        help_text = subprocess.run([str(BINARY), "--help"], capture_output=True, text=True,
                                   check=True, timeout=60).stdout
        commands = re.findall(r"^  (\w+) +[A-Z]", help_text.split("Subcommands:")[1], re.MULTILINE)
        self.assertIn("doctor", commands)
        self.assertEqual(sorted(page.stem for page in self.pages),
                         sorted(["misrule"] + ["misrule-" + command for command in commands]))

    def said_by(self, words, page):
        shown = subprocess.run([*words, str(page)], capture_output=True, text=True, timeout=60)
        return shown.stdout + shown.stderr, shown.returncode

    def test_they_render_without_a_warning(self):
        formatters = [words for words in (["mandoc", "-T", "lint", "-W", "warning"],
                                          ["groff", "-man", "-ww", "-z", "-Kutf8"])
                      if shutil.which(words[0])]
        if not formatters:
            self.skipTest("neither mandoc nor groff is installed")
        broken = self.folder / "broken"
        broken.write_text(".TH X\n.XY\n")
        for words in formatters:
            self.assertNotEqual(self.said_by(words, broken), ("", 0), "the control: it warns")
            for page in self.pages:
                self.assertEqual(self.said_by(words, page), ("", 0), words)

    def test_a_page_says_what_the_help_says(self):
        formatter = ["groff", "-man", "-Tutf8", "-Kutf8"]
        if shutil.which("mandoc"):
            formatter = ["mandoc", "-T", "utf8"]
        if shutil.which(formatter[0]) is None:
            self.skipTest("neither mandoc nor groff is installed")
        shown = subprocess.run([*formatter, str(self.folder / "misrule-test.1")], text=True,
                               capture_output=True, check=True, timeout=60).stdout
        plain = " ".join(re.sub(r".\x08|\x1b\[[\d;]*m", "", shown).split())
        for part in ("misrule test [options] FILE ...", "--backend native|docker|auto",
                     "--json FILE write the outcome to this file; '-': standard output",
                     "per test, as in 90s (default: 120s)", "misrule test shop.star --seed random"):
            self.assertIn(part, plain)


if __name__ == "__main__":
    if not BINARY.exists():
        print(f"skipped: {BINARY} is not built")
        raise SystemExit(77)
    unittest.main(verbosity=2)

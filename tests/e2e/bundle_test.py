#!/usr/bin/python3
"""S0-22: a run as one file: shown, replayed, compared; and what hostile ones may do."""

import base64
import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile

import misrule
from misrule import BINARY, SERVICE

SECRET = "s3cr3t'va\"lue"
SPEC = '''load("../shared.star", "path_of")
load("lib/words.star", "WORD")
''' + SERVICE.replace(
    "healthcheck", 'env = {"TOKEN": env("API_TOKEN", "none")}, healthcheck') + '''
TEXT = 'load("unread.star", "x")'
def test_it():
    print(env("API_TOKEN", "none"))
    assert_eq(path_of(WORD), "/tmp/inner")
    assert_eq(api.get(path = "/health").status, 200, "status")
    attach("bytes", b"\\x00\\xff\\n")
def test_rule():
    fault(api, write = deny("ENOSPC", path = "/tmp/*", probability = 0.5), run = write_all)
def write_all():
    for path in ["a", "b", "c", "d", "e", "f", "g", "h"]:
        api.get(path = "/write?path=/tmp/" + path)
'''
PROJECT = '[stand-ins."other:1"]\ncommand = ["/bin/true"]\n'


class Bundles(misrule.Project):
    def setUp(self):
        super().setUp()
        # The spec's folder lies in another, of which the spec loads a file.
        self.outer, self.folder = self.folder, self.folder / "shop"
        (self.folder / "lib").mkdir(parents=True)
        for file in self.outer.glob("*.py"):
            file.rename(self.folder / file.name)
        self.write("spec.star", SPEC)
        self.write("../shared.star", 'def path_of(word):\n    return "/tmp/" + word\n')
        self.write("lib/words.star", 'load("inner.star", "INNER")\nWORD = INNER\n')
        self.write("lib/inner.star", 'INNER = "inner"\n')
        self.write("unread.star", "x = 1\n")
        self.write("misrule.toml", PROJECT)

    def tearDown(self):
        shutil.rmtree(self.outer, ignore_errors=True)

    def call(self, *arguments, **env):
        run = subprocess.run([str(BINARY), *arguments], cwd=self.folder, text=True, timeout=100,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env={**os.environ, **env})
        return run.returncode, run.stdout

    def denied(self):
        return sorted({e["path"] for e in self.events("test_rule")
                       if e.get("decision") == "deny(ENOSPC)"})

    def bundle(self, name, *arguments):
        code, said = self.call("test", "spec.star", "--seed", "7", "--bundle", name, *arguments)
        self.assertEqual(code, 0, said)
        return self.folder / name

    def test_a_bundle_is_shown_replayed_and_compared(self):
        self.bundle("run.misrule")
        code, said = self.call("show", "run.misrule")
        self.assertEqual(code, 0, said)
        for part in ("seed 7", "passed         test_it", "spec/0 is spec.star",
                     "spec/1 is misrule.toml", "tests/1/events.jsonl", "tests/1/api.log",
                     "rules/0.yaml", "report.html", "processors", "is ../shared.star",
                     "is lib/words.star", "is lib/inner.star", "services/0 is api.py, of api"):
            self.assertIn(part, said)
        self.assertNotIn("unread", said)
        self.assertEqual(self.call("show", "run.misrule", "services/0"),
                         (0, (self.folder / "api.py").read_text()))
        self.assertEqual(self.call("show", "run.misrule", "--extract", "out")[0], 0)
        self.assertFalse((self.folder / "out" / "shared.star").exists(), "names lead nowhere")
        self.assertEqual(self.call("show", "run.misrule", "spec/0"), (0, SPEC))
        self.assertEqual(self.call("show", "run.misrule", "spec/1"), (0, PROJECT))
        kept = subprocess.run([str(BINARY), "show", "run.misrule", "tests/0/attachments/bytes"],
                              cwd=self.folder, capture_output=True, timeout=100)
        self.assertEqual((kept.returncode, kept.stdout), (0, b"\x00\xff\n"))
        denied = self.denied()
        self.assertIn(len(denied), range(1, 8), "chance has a part in it")
        code, said = self.call("replay", "run.misrule")
        self.assertEqual(code, 0, said)
        decided = int(re.search(r"replayed: 2 tests, (\d+) decisions, as in the bundle", said)[1])
        self.assertGreater(decided, 0)
        self.assertEqual(self.denied(), denied, "seed and order decide, nothing else")
        self.assertNotIn("note:", said)
        code, said = self.call("diff", "run.misrule", "latest")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"2 tests and \d+ events, and nothing differs")
        self.diverge()

    def diverge(self):
        """Another program behind the same spec asks for other things."""
        api = self.folder / "api.py"
        sound = api.read_text()
        api.write_text(sound.replace('with open(path, "w")', 'with open(path + ".new", "w")'))
        code, said = self.call("replay", "run.misrule")
        self.assertEqual(code, 0, "paths of files do not count: " + said)
        api.write_text(sound.replace('def do_write(self, path="/tmp/file"):',
                                     'def do_write(self, path="/tmp/file"):\n'
                                     '        if path == "/tmp/a": os.mkdir("/tmp/made")\n'
                                     '        if path != "/tmp/a": return "nothing"'))
        code, said = self.call("replay", "run.misrule")
        self.assertEqual(code, 1, said)
        self.assertRegex(said, r"DIVERGED\ntest_rule: \w+ (-> failed|in both)\n")
        self.assertRegex(said, r"first only in the bundle: api syscall .*rule=test_rule/1.* "
                               r"\(event \d+, \d+\.\d+ s\)")
        self.assertRegex(said, r"in its place in the replay: nothing, test_rule/1 acted \d× there")
        self.assertIn("note: api.py of api is not what the run had; the bundle has it as "
                      "services/0\n", said)
        code, said = self.call("diff", "run.misrule", ".misrule/runs/latest")
        self.assertEqual(code, 1, said)
        self.assertIn("first only in run.misrule: ", said)
        api.write_text(sound)
        self.write("misrule.toml", PROJECT + "# another\n")
        code, said = self.call("replay", "run.misrule")
        self.assertEqual(code, 2, said)
        self.assertIn("misrule.toml is not what the run read", said)

    def page_data(self, page=None):
        page = page or next((self.folder / "pages").iterdir())
        packed = re.search(r'id="run-data">([^<]*)<', page.read_text())[1]
        return gzip.decompress(base64.b64decode(packed)).decode()

    def test_secrets_stay_at_home(self):
        path = self.bundle("run.misrule", "--set", "API_TOKEN=" + SECRET, "--report", "pages")
        self.assertIn("s3cr3t", self.page_data(), "the control: the run knows it")
        code, said = self.call("show", str(path), "--extract", "out")
        self.assertEqual(code, 0, said)
        files = [file for file in (self.folder / "out").rglob("*") if file.is_file()]
        self.assertGreater(len(files), 8)
        for file in files:
            self.assertNotIn(b"s3cr3t", file.read_bytes(), file)
        self.assertNotIn("s3cr3t", self.page_data(self.folder / "out" / "report.html"))
        code, said = self.call("replay", str(path))
        self.assertEqual(code, 2, said)
        self.assertIn("the bundle does not hold the secret API_TOKEN", said)
        code, said = self.call("replay", str(path), "--set", "API_TOKEN=" + SECRET)
        self.assertEqual(code, 0, said)

    def test_hostile_bundles_are_refused(self):
        def tar(*entries):
            with tarfile.open(self.folder / "evil.misrule", "w") as archive:
                for name, content, *kind in entries:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    if kind:
                        entry.type, entry.linkname, entry.size = kind[0], "/etc/passwd", 0
                    archive.addfile(entry, io.BytesIO(content))
        manifest = ("manifest.json", b'{"schema":"misrule.bundle/1","request":'
                    b'{"files":["spec.star"],"test":"*"},"sources":[]}')
        run = ("run.json", b'{"schema":"misrule.run/1","tests":[]}')
        tar(manifest, run)
        self.assertEqual(self.call("show", "evil.misrule")[0], 0, "the control")
        code, said = self.call("replay", "evil.misrule")
        self.assertEqual(code, 2, said)
        self.assertIn("the bundle does not hold spec.star", said)
        for evil, why in ((("../up", b"x"), "harmful name"), (("/tmp/up", b"x"), "harmful name"),
                          (("a", b"", tarfile.SYMTYPE), "no plain file"),
                          (("a", b"", tarfile.LNKTYPE), "no plain file"),
                          (("dev", b"", tarfile.CHRTYPE), "no plain file"), (run, "twice")):
            tar(manifest, run, evil)
            for command in (("show", "evil.misrule", "--extract", "out"),
                            ("replay", "evil.misrule"), ("diff", "evil.misrule", "evil.misrule")):
                code, said = self.call(*command)
                self.assertEqual(code, 2, (command, said))
                self.assertIn(why, said)
        self.assertFalse((self.folder / "out").exists())
        self.assertFalse((self.folder.parent / "up").exists())
        (self.folder / "evil.misrule").write_bytes(b"\x28\xb5\x2f\xfd not a frame")
        self.assertEqual(self.call("show", "evil.misrule")[0], 2)


if __name__ == "__main__":
    misrule.main()

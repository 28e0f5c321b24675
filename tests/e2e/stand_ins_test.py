#!/usr/bin/python3
"""misrule.toml: a command stands in for an image or a build directory."""

import misrule

SPEC = '''
api = service("api", interface("public", "http", 8080), WHAT,
              env = {"PORT": "8080"}, healthcheck = http("localhost:8080/health"))
def test_it():
    assert_eq(api.get(path = "/read?path=built").body, "by setup")
    assert_eq(api.get(path = "/health").status, 200)
'''
ENTRY = '''[stand-ins."WHAT"]
command = ["python3", "api.py"]
env = { PORT = "1" }
setup = ["sh", "-c", "printf 'by setup' > built; chmod 644 built"]
'''


class StandIns(misrule.Project):
    def run_with(self, what, entry, keyword="image"):
        self.write("misrule.toml", entry)
        return self.run_spec(SPEC.replace("WHAT", f'{keyword} = "{what}"'))

    def test_s1_3_a_command_stands_in_for_an_image(self):
        run = self.run_with("myapp:latest", ENTRY.replace("WHAT", "myapp:latest"))
        self.assertEqual(run.code, 0, run.output)
        self.assertIn("myapp:latest → python3 api.py", run.output)

    def test_s0_6_a_command_stands_in_for_a_build_directory(self):
        (self.folder / "api").mkdir()
        (self.folder / "api.py").rename(self.folder / "api" / "api.py")
        run = self.run_with("./api", ENTRY.replace("WHAT", "./api"), "build")
        self.assertEqual(run.code, 0, run.output)
        self.assertTrue((self.folder / "api" / "built").exists())

    def test_a_setup_that_fails_is_infrastructure(self):
        entry = ENTRY.replace("WHAT", "myapp:latest").replace("chmod", "echo no compiler; false")
        run = self.run_with("myapp:latest", entry)
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("exited with 1", run.output)
        self.assertIn("no compiler", run.output)

    def test_mistakes_are_shown_with_their_line(self):
        run = self.run_with("myapp:latest", ENTRY.replace("WHAT", "myapp:latest")
                            .replace("command", "comand"))
        self.assertEqual(run.code, 2, run.output)
        self.assertIn("misrule.toml:2:1", run.output)
        self.assertIn('comand = ["python3", "api.py"]', run.output)
        self.assertIn("did you mean command?", run.output)
        checked = self.misrule("check", "spec.star")
        self.assertEqual(checked.returncode, 2, checked.stderr)
        self.assertIn("misrule.toml:2:1", checked.stderr)

    def test_an_image_without_an_entry_says_how_to_write_it(self):
        run = self.run_with("myapp:latest", ENTRY.replace("WHAT", "myapp:lates"))
        self.assertEqual(run.code, 3, run.output)
        self.assertIn('image "myapp:latest" (did you mean myapp:lates?)', run.output)
        self.assertIn('[stand-ins."myapp:latest"]', run.output)
        self.assertIn("spec.star:2:", run.output)


if __name__ == "__main__":
    misrule.main()

#!/usr/bin/python3
"""Where a run's output goes: closed, full, a terminal, a page; what foreign text may do there."""

import base64
import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree

import misrule
from misrule import BINARY, SERVICE

PASSING = SERVICE + '''
def test_it():
    assert_eq(api.get(path = "/health").status, 200)
'''
RULES = PASSING + '''
def test_rule():
    fault(api, write = deny("ENOSPC", path = "/tmp/x"),
          run = lambda: api.get(path = "/write?path=/tmp/x"))
'''


class Output(misrule.Project):
    def shell(self, line, cwd=None):
        return subprocess.run(["/bin/sh", "-c", line], text=True, cwd=cwd or self.folder,
                              env={**os.environ, "M": str(BINARY)}, capture_output=True,
                              timeout=100, stdin=subprocess.DEVNULL)

    def test_what_a_test_logs_and_attaches(self):
        run = self.run_spec(misrule.SERVICE + '''
def test_it():
    log("asked", tries = 2, reply = api.get(path = "/health").body)
    assert_eq(attach("../a b.txt", "text"), "attachments/_.._a_b.txt")
    assert_eq(attach("../a b.txt", api.head(path = "/nothing")), "attachments/2-_.._a_b.txt")
''')
        self.assertEqual(run.code, 0, run.output)
        folder = self.folder / ".misrule" / "runs" / "latest" / "spec.test_it" / "attachments"
        self.assertEqual((folder / "_.._a_b.txt").read_text(), "text")
        self.assertEqual([event["file"] for event in self.events("test_it")
                          if event["type"] == "attachment"],
                         ["attachments/_.._a_b.txt", "attachments/2-_.._a_b.txt"])
        logged = [event for event in self.events("test_it") if event["type"] == "log"]
        self.assertEqual([(event["service"], event["body"], event["data"]) for event in logged],
                         [("test", "asked", {"tries": 2, "reply": "ok"})])
        self.assertIn("attached ../a b.txt (4 bytes): attachments/_.._a_b.txt",
                      run.test("test_it")["notes"])
        self.assertNotIn("control", run.test("test_it"), "it stands for itself")
        kept = [{"name": "../a b.txt", "file": "attachments/_.._a_b.txt", "size": 4},
                {"name": "../a b.txt", "file": "attachments/2-_.._a_b.txt", "size": 0}]
        self.assertEqual(run.test("test_it")["attachments"], kept)
        result = json.loads((self.folder / ".misrule/runs/latest/result.json").read_text())
        self.assertEqual(result["tests"][0]["attachments"], kept)

    def test_closed_streams_are_nobody_elses(self):
        self.write("spec.star", PASSING)
        for closed in ("<&- >&- 2>&-", ">&-", "2>&-"):
            run = self.shell("$M test spec.star --json o.json " + closed)
            self.assertEqual(run.returncode, 0, run)
            self.assertEqual(json.loads((self.folder / "o.json").read_text())["exit_code"], 0)

    def test_what_cannot_be_written_is_no_success(self):
        self.write("spec.star", RULES)
        for command in ("test spec.star", "test spec.star --json -", "test spec.star --list",
                        "check spec.star", "compile spec.star", "--help", "--version"):
            full = self.shell(f"$M {command} >/dev/full")
            self.assertEqual(full.returncode, 3, (command, full))
            self.assertIn("standard output cannot be written", full.stderr, command)
            self.assertEqual(self.shell(f"$M {command}").returncode, 0, "the control")

    def test_a_folder_that_is_gone(self):
        self.write("spec.star", PASSING)
        gone = self.folder / "gone"
        for command in (f"test {self.folder}/spec.star", "enter latest true", "end latest"):
            gone.mkdir()
            run = self.shell(f"rmdir {gone}; $M {command}", cwd=gone)
            self.assertEqual(run.returncode, 2, run)
            self.assertIn("the current directory: No such file or directory", run.stderr)

    def test_a_service_cannot_move_the_cursor(self):
        api = r'"/bin/sh", args = ["-c", "printf \"\\033]0;pwn\\007\\n\"; exit 3"]'
        run = self.run_spec(PASSING.replace('"./api.py"', api))
        self.assertEqual(run.code, 3, run.output)
        self.assertIn("·]0;pwn·", run.output)
        self.assertNotIn("\x1b", run.output)

    def test_a_finding_is_bounded(self):
        run = self.run_spec(PASSING + '    fail("y" * 5000000)\n')
        self.assertEqual(run.code, 1, run.output[:1000])
        self.assertLess(len(run.output), 40000)
        self.assertRegex(run.output, r"yyy \.\.\. 49\d{5} bytes left out \.\.\. yyy")
        self.assertLess((self.folder / "report.json").stat().st_size, 40000)
        result = self.folder / ".misrule" / "runs" / "latest" / "result.json"
        self.assertLess(result.stat().st_size, 40000)

    def test_print_has_a_line_of_its_own_on_a_terminal(self):
        self.write("spec.star", PASSING + '    print("seen")\n    print("twice")\n')
        master, slave = pty.openpty()
        env = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
        process = subprocess.Popen([str(BINARY), "test", "spec.star"], cwd=self.folder, stdin=slave,
                                   stdout=slave, stderr=slave, env={**env, "TERM": "xterm"})
        os.close(slave)
        said = b""
        try:
            while piece := os.read(master, 65536):
                said += piece
        except OSError:
            pass  # The last writer has closed it.
        os.close(master)
        self.assertEqual(process.wait(timeout=60), 0, said)
        self.assertIn(b"\r\x1b[2K", said, "the control: there is a live line")
        for line in (b"seen", b"twice"):
            before = said[:said.index(line)]
            self.assertTrue(before.endswith((b"\r\x1b[2K", b"\n")), before[-80:])

    def test_print_goes_to_standard_error(self):
        self.write("spec.star", PASSING + '    print("seen")\n')
        run = self.shell("$M test spec.star")
        self.assertEqual((run.returncode, run.stderr), (0, "seen\n"))
        self.assertNotIn("seen", run.stdout)


class Page(misrule.Project):
    def data_of(self, page):
        packed = re.search(r'id="run-data">([^<]*)<', page.read_text()).group(1)
        return json.loads(gzip.decompress(base64.b64decode(packed)))

    def test_a_run_has_one_page_with_all_that_happened(self):
        failing = PASSING + '    fail("</script><b>")\n'
        run = self.run_spec(failing + RULES.removeprefix(PASSING), "--report", "new/pages")
        self.assertEqual(run.code, 1, run.output)
        pages = list((self.folder / "new" / "pages").iterdir())
        self.assertEqual([page.name for page in pages], [run.report["run"] + ".html"])
        self.assertIn(f"report: new/pages/{pages[0].name}\n", run.output)
        data = self.data_of(pages[0])
        self.assertEqual(data["run"], run.report)
        self.assertEqual(pages[0].read_text().count("</script>"), 2)
        self.assertEqual(data["sources"]["spec.star"], (self.folder / "spec.star").read_text())
        failed, faulty = data["tests"]
        for test, shown in (("test_it", failed), ("test_rule", faulty)):
            known = {event["number"]: event["type"] for event in self.events(test)}
            self.assertEqual({entry[0]["number"]: entry[0]["type"] for entry in shown["events"]},
                             known)
            self.assertIn("api.log", shown["logs"])
        self.assertIn(["test → api", "GET /health"], [entry[1:3] for entry in failed["events"]])
        fired = [entry for entry in faulty["events"] if entry[0]["type"] == "syscall"]
        self.assertTrue(any("deny(ENOSPC)" in entry[3] for entry in fired), fired)

    def test_a_spec_that_cannot_run_has_a_page(self):
        run = self.run_spec("servce()\n", "--report", ".")
        self.assertEqual(run.code, 2, run.output)
        page = self.folder / "not-run.html"
        self.assertIn("undefined: servce", page.read_text())
        self.assertEqual(self.data_of(page)["run"]["exit_code"], 2)

    def test_a_folder_that_cannot_be_made_is_said_before_the_run(self):
        self.write("file", "")
        run = self.run_spec(PASSING, "--report", "file/pages")
        self.assertEqual(run.code, 2, run.output)
        self.assertIn("cannot make file/pages: Not a directory", run.output)
        self.assertFalse((self.folder / ".misrule").exists())
        self.assertEqual(self.run_spec(PASSING, "--report", "pages").code, 0, "the control")


class ForMachines(misrule.Project):
    """One run, told to everybody who can be told."""

    SPEC = PASSING + '''
def test_broken():
    print("::error::not a command")
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    api.get(path = "/traceparent", headers = {"Traceparent": own})
    api.get(path = "/traceparent")
    assert_eq(api.get(path = "/health").status, 500, "status")
'''

    def run_told(self, **env):
        self.write("spec.star", self.SPEC)
        arguments = ["--junit", "junit.xml", "--shiviz", "shiviz.log",
                     "--trace-otlp", "otlp.json"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
        return subprocess.run([str(BINARY), "test", "spec.star", *arguments], text=True,
                              cwd=self.folder, env={**clean, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)

    def test_ci_systems_are_told(self):
        run = self.run_told(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(self.folder.parent),
                            GITHUB_STEP_SUMMARY=str(self.folder / "summary.md"))
        self.assertEqual(run.returncode, 1, run.stdout)
        lines = run.stdout.splitlines()
        pause = re.fullmatch(r"::stop-commands::(misrule-[0-9a-f]{24})", lines[0])
        resume = lines.index(f"::{pause[1]}::")
        self.assertLess(lines.index("::error::not a command"), resume)
        place = self.folder.name + "/spec.star"
        self.assertEqual([line for line in lines[resume + 1:] if line.startswith("::")], [
            f"::error file={place},line=13,col=5,title=test_broken (failed)::"
            "assert_eq: status: expected 500, got 200"])
        self.assertIn("assert_eq: status: expected 500", (self.folder / "summary.md").read_text())
        cases = xml.etree.ElementTree.parse(self.folder / "junit.xml").getroot().iter("testcase")
        self.assertEqual({case.get("name"): [child.get("type") for child in case]
                          for case in cases},
                         {"test_it": [], "test_broken": ["failed"]})

    def shiviz_executions(self):
        """As ShiViz takes its file apart: {label: [(host, clock, text)]}."""
        event, test, text = (self.folder / "shiviz.log").read_text().split("\n", 2)
        event, test = (re.compile(regex.replace("(?<", "(?P<"), re.MULTILINE)
                       for regex in (event, test))
        pieces = re.split(test.pattern.replace("?P<trace>", ""), text, flags=re.MULTILINE)
        found = {}
        for label, piece in zip(pieces[1::2], pieces[2::2]):
            found[label] = [(match["host"], json.loads(match["clock"]), match["event"])
                            for match in event.finditer(piece)]
            self.assertEqual(event.sub("", piece).strip(), "", "every line is parsed")
        return found

    def test_shiviz_can_read_it(self):
        """S0-22: a log for ShiViz, whose clocks obey its rules."""
        self.run_told()
        executions = self.shiviz_executions()
        self.assertEqual(list(executions), ["spec.star test_it (passed)",
                                            "spec.star test_broken (failed)"])
        for label, events in executions.items():
            self.assertEqual(len(events), len(self.events(label.split()[1])))
            told = {}
            for host, clock, text in events:
                before = told.setdefault(host, [])
                self.assertEqual(clock[host], len(before) + 1, (label, text))
                for other, count in (before[-1] if before else {}).items():
                    self.assertGreaterEqual(clock[other], count, (label, text))
                for other, count in clock.items():
                    if other != host:
                        self.assertLessEqual(count, len(told[other]), (label, text))
                        for third, known in told[other][count - 1].items():
                            self.assertGreaterEqual(clock[third], known, (label, text))
                before.append(clock)
            self.assertTrue(any("test → api: GET /health" in text for _, _, text in events))

    def spans(self):
        """{service: [span]}, each with what the encoding asks of it."""
        found = {}
        for resource in json.loads((self.folder / "otlp.json").read_text())["resourceSpans"]:
            names = {item["key"]: item["value"] for item in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                found.setdefault(names["service.name"]["stringValue"], []).extend(scope["spans"])
        every = [span for spans in found.values() for span in spans]
        ids = {span["spanId"] for span in every}
        self.assertEqual(len(ids), len(every))
        for span in every:
            self.assertRegex(span["traceId"], "^[0-9a-f]{32}$")
            self.assertRegex(span["spanId"], "^[0-9a-f]{16}$")
            self.assertIn(span["parentSpanId"], ids | {""})
            self.assertIn(span["kind"], (1, 3))
            self.assertIn(span["status"]["code"], (0, 1, 2))
            begin, end = span["startTimeUnixNano"], span["endTimeUnixNano"]
            self.assertRegex(begin + end, "^[0-9]{38}$")
            self.assertLessEqual(int(begin), int(end))
            for item in span["attributes"]:
                self.assertEqual(sorted(item), ["key", "value"])
                (kind, value), = item["value"].items()
                self.assertIsInstance(value, {"stringValue": str, "intValue": str,
                                              "boolValue": bool, "doubleValue": float}[kind])
        return found

    def test_a_collector_can_read_the_traces(self):
        before = time.time_ns()
        self.run_told()
        spans = self.spans()["misrule-test"]
        roots = {span["name"]: span for span in spans if not span["parentSpanId"]}
        self.assertEqual({name: span["status"]["code"] for name, span in roots.items()},
                         {"test_it": 1, "test_broken": 2})
        self.assertNotEqual(roots["test_it"]["traceId"], roots["test_broken"]["traceId"])
        self.assertLess(before, int(roots["test_it"]["startTimeUnixNano"]))
        self.assertLess(int(roots["test_broken"]["endTimeUnixNano"]), time.time_ns())
        steps = [span for span in spans if span["parentSpanId"] == roots["test_it"]["spanId"]]
        self.assertEqual([span["name"] for span in steps], ["GET /health"])
        below = [span for span in spans if span["parentSpanId"] == steps[0]["spanId"]]
        self.assertEqual([span["name"] for span in below], ["GET /health"], "through the proxy")

    def test_steps_hand_their_trace_on(self):
        self.run_told()
        own, ours = [event["body"] for event in self.events("test_broken")
                     if event["type"] == "step_recv" and event["path"] == "/traceparent"]
        self.assertEqual(own, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        sent = [span for span in self.spans()["misrule-test"] if span["name"] == "GET /traceparent"]
        linked = [link for span in sent for link in span["links"]]
        self.assertEqual(linked, [{"traceId": "0af7651916cd43dd8448eb211c80319c",
                                   "spanId": "b7ad6b7169203331"}])
        self.assertIn(ours, [f"00-{span['traceId']}-{span['spanId']}-01" for span in sent])

    def test_nobody_is_traced_unasked(self):
        run = self.run_spec(self.SPEC)
        self.assertEqual(run.code, 1, run.output)
        answers = [event["body"] for event in self.events("test_broken")
                   if event["type"] == "step_recv" and event["path"] == "/traceparent"]
        self.assertEqual(answers[1], "None")

    def test_elsewhere_there_are_no_commands(self):
        run = self.run_told()
        self.assertEqual([line for line in run.stdout.splitlines() if line.startswith("::")],
                         ["::error::not a command"])


class Privileges(misrule.Project):
    def test_who_lacks_them_is_told_once(self):
        if shutil.which("setpriv") is None:
            self.skipTest("setpriv is not installed")
        self.write("spec.star", PASSING)
        self.folder.chmod(0o777)
        run = subprocess.run(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin",
                              str(BINARY), "test", "spec.star"], cwd=self.folder, text=True,
                             capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(run.returncode, 3, run)
        self.assertIn("misrule: missing privileges: CAP_SYS_ADMIN", run.stderr)


if __name__ == "__main__":
    misrule.main()

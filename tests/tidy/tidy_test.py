#!/usr/bin/python3
"""Each check of tidy.py is silent on a sound tree and speaks when one thing in it is wrong."""

import pathlib
import re
import tempfile
import unittest

import cpp_text
import tidy

ARCHITECTURE = """
| folder | what lives there | may include of ours | libraries |
|---|---|---|---|
| `base/` | words | – | fmt |
| `codecs/` | protocols | – | fmt |
| `proxy/` | rules and pumps | `codecs/`, `spec/model/event.h` | fmt, RE2 |
| `spec/model/` | what crosses borders | – | fmt |
| `tests/` | mirrors the tree | everything | everything |

| library | headers | what for |
|---|---|---|
| fmt | `fmt/*` | text |
| RE2 | `re2/*` | patterns |
| GoogleTest | `gtest/*` | tests |
"""

HEADER = "#pragma once\n\n// What this file answers.\n\n#include <string>\n\n"

SOUND = {
    "ARCHITECTURE.md": ARCHITECTURE,
    "CMakeLists.txt": "a.cc x_decoder.cc pump.cc x_decoder_test.cc x_fuzz.cc a_test.cc tool.py",
    "base/a.h": HEADER + "void a();\n",
    "base/a.cc": '#include "base/a.h"\n\n#include <fmt/format.h>\n#include <sys/socket.h>\n',
    "codecs/README.md": "| file | answers |\n|---|---|\n| `x_decoder.{h,cc}` | frames |\n",
    "codecs/x_decoder.h": HEADER + '#include "base/a.h"\n',
    "codecs/x_decoder.cc": '#include "codecs/x_decoder.h"\n',
    "spec/model/event.h": HEADER,
    "proxy/pump.h": HEADER,
    "proxy/pump.cc": '#include "proxy/pump.h"\n#include "codecs/x_decoder.h"\n'
                     '#include "spec/model/event.h"\n#include <re2/re2.h>\n',
    "tests/codecs/x_decoder_test.cc": "#include <gtest/gtest.h>\n",
    "tests/fuzz/x_fuzz.cc": '#include "codecs/x_decoder.h"\n',
    "tests/tool.py": "def tool():\n    pass\n",
}

LONG_FUNCTION = "void long_one(int a) {\n" + "  a();\n" * 60 + "}\n"
COROUTINE = "auto f() { return [%s](int b) -> Task { co_await g(b); }(1); }\n"

# (what is wrong, changed files (None: gone), the check that must speak, words in its text)
FLIPS = [
    ("codec knows the proxy", {"codecs/x_decoder.cc": '#include "proxy/pump.h"\n'},
     "includes", "codecs/ may not include proxy/pump.h"),
    ("more than the one public header", {
        "proxy/pump.cc": '#include "proxy/pump.h"\n#include "codecs/x_decoder.h"\n'
                         '#include "spec/model/event.h"\n#include "spec/model/other.h"\n',
        "spec/model/other.h": HEADER}, "includes", "proxy/ may not include spec/model/other.h"),
    ("library not granted", {"codecs/x_decoder.cc": "#include <re2/re2.h>\n"},
     "includes", "codecs/ may not use RE2"),
    ("library unknown", {"codecs/x_decoder.cc": "#include <folly/Range.h>\n"},
     "includes", "belongs to no library"),
    ("folder without a row", {"stray/b.h": HEADER, "tests/b.cc": '#include "stray/b.h"\n',
                              "CMakeLists.txt": SOUND["CMakeLists.txt"] + " b.cc"},
     "includes", "no row for this folder"),
    ("row without a folder", {"ARCHITECTURE.md": ARCHITECTURE.replace(
        "| `tests/`", "| `gone/` | nothing | – | – |\n| `tests/`")},
     "folders", "there is no gone/"),
    ("sleep", {"base/a.cc": "void f() { std::this_thread::sleep_for(1s); }\n"}, "banned", "timer"),
    ("rand", {"base/a.cc": "int f() { return rand(); }\n"}, "banned", "random.h"),
    ("regex", {"base/a.cc": "std::regex r;\n"}, "banned", "glob.h"),
    ("detach", {"base/a.cc": "void f() { thread.detach(); }\n"}, "banned", "owner"),
    ("get_", {"base/a.cc": "int get_port() { return 1; }\n"}, "banned", "without get_"),
    ("using namespace", {"base/a.h": HEADER + "using namespace std;\n"},
     "banned", "using namespace"),
    ("type name", {"base/a.h": HEADER + "class RuleManager {};\n"}, "banned", "RuleManager"),
    ("note to oneself", {"base/a.cc": "// TO" + "DO: later\n"}, "unfinished", "in the sources"),
    ("outside path", {"base/a.cc": 'auto p = "/wo' + 'rk/shared";\n'}, "outside", "names"),
    ("outside path in a test that does not skip", {"tests/tool.py": '"/wo' + 'rk/x"\n'},
     "outside", "names"),
    ("capturing coroutine", {"base/a.cc": COROUTINE % "this"}, "coroutine", "[this]"),
    ("long line", {"base/a.cc": "// " + "x" * 98 + "\n"}, "size", "101 columns"),
    ("long file", {"base/a.cc": "\n" * 501}, "size", "501 lines"),
    ("long header", {"base/a.h": HEADER + "\n" * 200}, "size", "lines, at most 200"),
    ("long function", {"base/a.cc": LONG_FUNCTION}, "size", "long_one has 62 lines"),
    ("long python function", {"tests/tool.py": "def tool():\n" + "    pass\n" * 60},
     "size", "tool has 61 lines"),
    ("long README", {"codecs/README.md": SOUND["codecs/README.md"] + "x\n" * 40},
     "size", "43 lines"),
    ("header without its question", {"base/a.h": "#pragma once\n"}, "head", "no comment"),
    ("header without pragma", {"base/a.h": "// What it answers.\n"}, "head", "pragma"),
    ("codec without a unit test", {"tests/codecs/x_decoder_test.cc": None}, "mirror",
     "tests/codecs/x_decoder_test.cc is missing"),
    ("decoder without a fuzz target", {"tests/fuzz/x_fuzz.cc": None}, "fuzz", "no fuzz target"),
    ("README lists what is gone",
     {"codecs/README.md": SOUND["codecs/README.md"] + "| `y.cc` | ? |\n"},
     "readme", "y: listed, but not there"),
    ("README forgets a file", {"codecs/y.h": HEADER, "tests/fuzz/x_fuzz.cc":
                               '#include "codecs/x_decoder.h"\n#include "codecs/y.h"\n'},
     "readme", "y: there, but not listed"),
    ("source that is not built", {"base/b.cc": ""}, "dead", "no CMakeLists.txt"),
    ("header that nobody includes", {"base/b.h": HEADER}, "dead", "nobody includes"),
    ("script that nobody runs", {"tests/lost.py": ""}, "dead", "nobody mentions"),
]


def findings_of(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            if text is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        return tidy.findings(root)


class Checks(unittest.TestCase):
    def test_a_sound_tree_has_no_findings(self):
        self.assertEqual(findings_of(SOUND), [])

    def test_each_flip_is_found_once(self):
        for name, changes, check, words in FLIPS:
            with self.subTest(name):
                found = findings_of({**SOUND, **changes})
                relevant = [finding for finding in found if finding.check == check]
                self.assertEqual(len(relevant), 1, found)
                self.assertIn(words, relevant[0].text)

    def test_each_check_has_a_flip(self):
        flipped = {check for _, _, check, _ in FLIPS}
        source = pathlib.Path(tidy.__file__).read_text()
        self.assertEqual(flipped, set(re.findall(r'Finding\([^"]*?"(\w+)"', source)) |
                         {"includes", "folders"})


class Allowed(unittest.TestCase):
    """What looks like a finding and is none."""

    def assert_silent(self, **changes):
        files = {path.replace("__", "/", 1).replace("_dot_", "."): text
                 for path, text in changes.items()}
        self.assertEqual(findings_of({**SOUND, **files}), [])

    def test_words_in_comments_and_strings(self):
        self.assert_silent(base__a_dot_cc='// never sleep_for\nauto s = "rand()";\n')

    def test_a_test_that_skips_may_look_outside(self):
        self.assert_silent(tests__tool_dot_py='P = "/wo' + 'rk/x"\n# skipped without it\n')

    def test_coroutines_without_captures_and_captures_without_coroutines(self):
        self.assert_silent(base__a_dot_cc=COROUTINE % "" +
                           "auto g(int a) { return [a] { return a; }; }\n"
                           "auto h(int a) { return [a] { return [](int b) -> Task "
                           "{ co_return b; }(a); }; }\n")

    def test_getters_of_others(self):
        self.assert_silent(base__a_dot_cc="auto f() { return std::get_if<int>(&v) + x.get(); }\n"
                           "Task get_return_object() { return {}; }\n")


class Text(unittest.TestCase):
    def test_functions_know_namespaces_and_types(self):
        code = ("namespace a {\nstruct S : T<int> {\n  int f() const {\n    return 1;\n  }\n"
                "  int g = 0;\n};\nvoid S::h(int x) : m_(x) {\n  if (x) { y(); }\n}\n"
                "constexpr int kTable[size()] = {1,\n2};\n}\n")
        found = cpp_text.functions(cpp_text.code_only(code))
        self.assertEqual([(f.name, f.line, f.lines) for f in found], [("f", 3, 3), ("S::h", 8, 3)])

    def test_literals(self):
        code = 'auto a = "// no comment"; // comment\nauto b = R"(x "y" // z)"; int c = 1\'000;'
        self.assertNotIn("comment", cpp_text.code_only(code))
        self.assertNotIn("z", cpp_text.code_only(code))
        self.assertIn("1'000", cpp_text.code_only(code))
        self.assertIn("no comment", cpp_text.without_comments(code))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Checks what the compiler cannot: the shape of the house. Prints one line per finding.

    tidy.py [--root FOLDER]     exit code 0: nothing found, 1: findings

Each check is a function of the tree that yields findings; tidy_test.py flips every one of them.
"""

import argparse
import ast
import collections
import pathlib
import re
import subprocess
import sys

import cpp_text
import house

Finding = collections.namedtuple("Finding", "path line check text")

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = {".cc": 500, ".h": 200, ".py": 500}
FUNCTION_LINES_MAX = 60
README_LINES_MAX = 40

BANNED_CALLS = [
    (r"\bsleep_(?:for|until)\b|\busleep\s*\(|\bnanosleep\s*\(", "wait with a timer or a barrier"),
    (r"(?<![\w.>:])s?rand\s*\(|\bstd::s?rand\b", "use base/random.h"),
    (r"\bstd::regex\b|#include <regex>", "use base/glob.h, or RE2 where the table allows it"),
    (r"\bdetached\b|\.detach\(\)", "give it an owner that ends it"),
    (r"(?<![\w.>:])get_(?!return_object)\w+\s*\(", "name it by what it gives, without get_"),
]
BANNED_TYPE_WORDS = {
    "Manager": "what does it do?", "Helper": "whom does it help with what?",
    "Util": "name the noun", "Utils": "name the noun", "Impl": "name what makes it this one",
    "Data": "which?", "Info": "which?", "Base": "name the role", "Handler2": "name the difference",
}
# Written in two parts: this file names nothing outside of the repository either.
OUTSIDE = re.compile("/wo" + r"rk/|(?<![\w.])/home/\w|(?<![\w.])/root/")


class Tree:
    """The files of the repository, each read once."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._tracked(root))
        self._texts = {}

    @staticmethod
    def _tracked(root):
        if (root / ".git").exists():
            listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                                    capture_output=True, text=True).stdout.split("\0")
            return [path for path in listed if path and (root / path).is_file()]
        return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(errors="replace")
        return self._texts[path]

    def has(self, path):
        return path in self._set()

    def _set(self):
        if not hasattr(self, "_path_set"):
            self._path_set = set(self.paths)
        return self._path_set

    def ending(self, *suffixes):
        return [path for path in self.paths if path.endswith(suffixes)]

    def house(self):
        text = self.text("ARCHITECTURE.md") if self.has("ARCHITECTURE.md") else ""
        return house.House(text)


def search_lines(pattern, text):
    for match in re.finditer(pattern, text):
        yield cpp_text.line_of(text, match.start()), match[0]


def check_includes(tree):
    """Includes of our own folders and of libraries obey ARCHITECTURE.md."""
    rooms = tree.house()
    for path in tree.ending(".cc", ".h"):
        if rooms.row_of(path) is None:
            yield Finding(path, 1, "includes", "ARCHITECTURE.md has no row for this folder")
            continue
        text = cpp_text.without_comments(tree.text(path))
        for match in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.MULTILINE):
            line, target = cpp_text.line_of(text, match.start(2)), match[2]
            foreign = match[1] == "<" or rooms.library_of(target)
            complaint = (foreign_complaint(rooms, path, target) if foreign
                         else own_complaint(rooms, path, target))
            if complaint:
                yield Finding(path, line, "includes", complaint)


def own_complaint(rooms, path, target):
    if rooms.may_include_ours(path, target):
        return None
    return f"{rooms.row_of(path)[0]} may not include {target} (table in ARCHITECTURE.md)"


def foreign_complaint(rooms, path, target):
    library = rooms.library_of(target)
    if library is None:
        if "/" in target and not re.match(r"(sys|netinet|arpa|net)/", target):
            return f"<{target}> belongs to no library of ARCHITECTURE.md"
        return None
    if rooms.may_use(path, library):
        return None
    return f"{rooms.row_of(path)[0]} may not use {library} (table in ARCHITECTURE.md)"


def check_folder_table(tree):
    """Every folder of the table exists."""
    for folder in tree.house().folders:
        if not any(path.startswith(folder) for path in tree.paths):
            yield Finding("ARCHITECTURE.md", 1, "folders", f"there is no {folder}")


def check_banned(tree):
    """Calls and type names with better alternatives."""
    for path in tree.ending(".cc", ".h"):
        code = cpp_text.code_only(tree.text(path))
        for pattern, instead in BANNED_CALLS:
            for line, what in search_lines(pattern, code):
                yield Finding(path, line, "banned", f"{what.strip()}: {instead}")
        if path.endswith(".h"):
            for line, _ in search_lines(r"\busing\s+namespace\b", code):
                yield Finding(path, line, "banned", "using namespace in a header")
        for match in re.finditer(r"\b(?:class|struct|union)\s+([A-Z]\w*)\s*[:{;f]", code):
            for word in re.findall(r"[A-Z][a-z]*\d*", match[1]):
                if word in BANNED_TYPE_WORDS:
                    yield Finding(path, cpp_text.line_of(code, match.start()), "banned",
                                  f"{word} in {match[1]}: {BANNED_TYPE_WORDS[word]}")


def check_unfinished(tree):
    """Notes to oneself belong into an issue."""
    for path in tree.ending(".cc", ".h", ".py", ".star", ".cmake", "CMakeLists.txt"):
        if path == "tests/tidy/tidy.py":
            continue
        for line, what in search_lines(r"\b(?:TODO|FIXME|XXX)\b", tree.text(path)):
            yield Finding(path, line, "unfinished", f"{what} in the sources")


def check_outside(tree):
    """Nothing outside of the repository is named; a test may, if it skips without it."""
    for path in tree.paths:
        text = tree.text(path)
        if path.startswith("tests/") and re.search(r"skip", text, re.IGNORECASE):
            continue
        for line, what in search_lines(OUTSIDE, text):
            yield Finding(path, line, "outside", f"names {what}")


def check_coroutines(tree):
    """A coroutine's captures die with the lambda, its frame does not."""
    for path in tree.ending(".cc", ".h"):
        for found in cpp_text.lambdas(cpp_text.code_only(tree.text(path))):
            if found.captures and re.search(r"\bco_(?:await|return|yield)\b", found.body):
                yield Finding(path, found.line, "coroutine",
                              f"coroutine lambda captures [{found.captures}]: pass parameters")


def check_sizes(tree):
    """Lines, files, functions, folder READMEs."""
    for path in tree.ending(*FILE_LINES_MAX):
        lines = tree.text(path).splitlines()
        limit = FILE_LINES_MAX[pathlib.Path(path).suffix]
        if len(lines) > limit and not re.search(r"_tables?\.(cc|h)$", path):
            yield Finding(path, limit, "size", f"{len(lines)} lines, at most {limit}")
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS_MAX:
                yield Finding(path, number, "size",
                              f"{len(line)} columns, at most {LINE_COLUMNS_MAX}")
        for name, line, count in functions_of(tree, path):
            if count > FUNCTION_LINES_MAX:
                yield Finding(path, line, "size",
                              f"{name} has {count} lines, at most {FUNCTION_LINES_MAX}")
    for path in tree.ending("/README.md"):
        count = len(tree.text(path).splitlines())
        if count > README_LINES_MAX:
            yield Finding(path, README_LINES_MAX, "size",
                          f"{count} lines, at most {README_LINES_MAX}")


def functions_of(tree, path):
    if not path.endswith(".py"):
        for found in cpp_text.functions(cpp_text.code_only(tree.text(path))):
            yield found.name, found.line, found.lines
        return
    for node in ast.walk(ast.parse(tree.text(path))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_heads(tree):
    """A header says what question it answers, before its first include."""
    for path in tree.ending(".h"):
        head = tree.text(path).split("#include")[0]
        if "#pragma once" not in head:
            yield Finding(path, 1, "head", "no #pragma once")
        if not re.search(r"^//", head, re.MULTILINE):
            yield Finding(path, 1, "head", "no comment at the top that says what the file is for")


def check_mirrors(tree):
    """Each codec has its unit test; each decoder and the parser a fuzz target."""
    fuzz_includes = {target for path in tree.paths if re.search(r"^tests/.*fuzz.*\.cc$", path)
                     for target in re.findall(r'#include "([^"]+)"', tree.text(path))}
    for path in tree.ending(".cc"):
        if path.startswith("codecs/"):
            mirror = "tests/" + path[:-len(".cc")] + "_test.cc"
            if not tree.has(mirror):
                yield Finding(path, 1, "mirror", f"{mirror} is missing")
        if re.match(r"codecs/.*_decoder\.cc$|spec/starlark/.*/parser\.cc$", path):
            if path[:-len("cc")] + "h" not in fuzz_includes:
                yield Finding(path, 1, "fuzz", "no fuzz target includes its header")


def stem(name):
    """`x.{h,cc}`, `x.h` and `x` are one entry; a folder keeps its slash."""
    return re.sub(r"\.(?:\w+|\{[^}]*\})$", "", name)


def check_readme_tables(tree):
    """A folder's README table of files (or folders) lists exactly what is there."""
    for path in tree.ending("/README.md"):
        folder = path[:-len("README.md")]
        inside = [other[len(folder):] for other in tree.paths if other.startswith(folder)]
        files = [name for name in inside if re.fullmatch(r"[^/]+\.(cc|h|py|proto)", name)]
        present = {"file": {stem(name) for name in files},
                   "folder": {name.split("/")[0] + "/" for name in inside if "/" in name}}
        for kind, there in present.items():
            rows = house.table_rows(tree.text(path), kind)
            listed = {stem(word) for cells in rows for word in house.code_words(cells[0])}
            if kind == "file":  # Such a table may name folders, too.
                there = there | (present["folder"] & listed)
            for name in sorted(listed ^ there if rows else ()):
                problem = "listed, but not there" if name in listed else "there, but not listed"
                yield Finding(path, 1, "readme", f"{name}: {problem}")


def check_dead_files(tree):
    """A source that is not built, a header that nobody includes, a script nobody mentions."""
    build_text = "\n".join(tree.text(path) for path in tree.ending("CMakeLists.txt", ".cmake"))
    included = set()
    mentions = "\n".join(tree.text(path) for path in tree.ending(
        "CMakeLists.txt", ".cmake", "Makefile", ".md", ".py", ".star", ".cc", ".sh") +
        [path for path in tree.paths if path.startswith("tools/")])
    for path in tree.ending(".cc", ".h", ".c"):
        folder = path.rpartition("/")[0]
        for target in re.findall(r'#include "([^"]+)"', tree.text(path)):
            included.update((target, f"{folder}/{target}"))
    for path in tree.paths:
        name = path.rsplit("/", 1)[-1]
        built_as = name.removesuffix(".c")  # Small C programs are listed by what they build.
        if path.endswith((".cc", ".c")) and not mentioned(built_as, build_text):
            yield Finding(path, 1, "dead", "no CMakeLists.txt names it")
        if path.endswith(".h") and path not in included:
            yield Finding(path, 1, "dead", "nobody includes it")
        if path.endswith(".py") and not mentioned(name, mentions) and not imported(path, mentions):
            yield Finding(path, 1, "dead", "nobody mentions it")


def mentioned(name, text):
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", text) is not None


def imported(path, text):
    module = re.escape(pathlib.PurePath(path).stem)
    return re.search(rf"^\s*(?:import|from) (?:\w+\.)*{module}\b", text, re.MULTILINE) is not None


CHECKS = [check_includes, check_folder_table, check_banned, check_unfinished, check_outside,
          check_coroutines, check_sizes, check_heads, check_mirrors, check_readme_tables,
          check_dead_files]


def findings(root):
    tree = Tree(root)
    return [finding for check in CHECKS for finding in check(tree)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = pathlib.Path(__file__).resolve().parent.parent.parent
    parser.add_argument("--root", type=pathlib.Path, default=default)
    found = findings(parser.parse_args().root)
    for finding in found:
        print(f"{finding.path}:{finding.line}: [{finding.check}] {finding.text}")
    print(f"tidy: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

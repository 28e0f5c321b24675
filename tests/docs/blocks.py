"""The code blocks of Markdown files, and what executing one of them means.

    ```sh     each command, in a copy of examples/shop; "# exit code N" says what it must answer
    ```star   a spec, through `misrule check` and `misrule test`; it continues the blocks before
              it on its page
    ```toml   the misrule.toml beside the page's spec
    ```json   must be JSON
    ```text   pictures and output: not executed

In commands a port from 18000 to 18099 stands for one that is free, the same on all of a page.

Any other language, or none, is an error: a block that nobody executes must say so by its name.
"""

import dataclasses
import re


@dataclasses.dataclass
class Block:
    path: str
    line: int
    language: str
    text: str


@dataclasses.dataclass
class Command:
    path: str
    line: int
    text: str
    exit_code: int


FENCE = re.compile(r"^( *)(`{3,})(\w*)[^\n]*\n(.*?)^\1\2[ ]*$", re.MULTILINE | re.DOTALL)


def blocks_of(path, text):
    for match in FENCE.finditer(text):
        yield Block(path, text.count("\n", 0, match.start()) + 2, match[3], match[4])


def commands_of(block):
    """The commands of a shell block; a backslash at the end of a line continues it."""
    pending, first = "", 0
    for offset, line in enumerate(block.text.splitlines()):
        first = first if pending else block.line + offset
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        command, _, comment = pending.partition(" #")
        pending = ""
        code = re.search(r"exit code (\d+)", comment)
        if command.strip() and not command.strip().startswith("#"):
            yield Command(block.path, first, command.strip(), int(code[1]) if code else 0)


def specs_of(blocks):
    """(last block, whole spec) for each star block of one page, once there is a test."""
    whole = ""
    for block in blocks:
        if block.language == "star":
            whole += block.text + "\n"
            if "def test_" in whole:
                yield block, whole


def project_of(blocks):
    """What the page says of misrule.toml."""
    return "\n".join(block.text for block in blocks if block.language == "toml")


class Ports:
    """What the ports of the pages are here. `take` gives a free one."""

    def __init__(self, take):
        self.take = take
        self.taken = {}

    def put_into(self, path, text):
        def here(match):
            if (path, match[0]) not in self.taken:
                self.taken[path, match[0]] = str(self.take())
            return self.taken[path, match[0]]
        return re.sub(r"\b180\d\d\b", here, text)


def unknown_languages(blocks):
    known = ("sh", "star", "toml", "json", "text")
    return [block for block in blocks if block.language not in known]

"""C++ as text: without comments and strings, where functions and lambdas begin and end.

No parser: it knows just enough for the checks of tidy.py, and says nothing where it is unsure.
"""

import dataclasses
import re

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def _blanked(text):
    """Spaces of the same length, so that offsets and line numbers stay."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    return _TOKEN.sub(lambda m: _blanked(m[0]) if m[0].startswith("/") else m[0], text)


def code_only(text):
    """Comments gone, strings empty but for their quotes."""
    def replace(match):
        token = match[0]
        if token.startswith("/"):
            return _blanked(token)
        return token[0] + _blanked(token[1:-1]) + token[-1]
    return _TOKEN.sub(replace, text)


def comments_only(text):
    kept, end = [], 0
    for match in _TOKEN.finditer(text):
        kept.append(_blanked(text[end:match.start()]))
        kept.append(match[0] if match[0].startswith("/") else _blanked(match[0]))
        end = match.end()
    kept.append(_blanked(text[end:]))
    return "".join(kept)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matching(code, start):
    """The offset of the bracket that closes the one at `start`; -1 if none does."""
    closers = {"(": ")", "[": "]", "{": "}"}
    stack = []
    for offset in range(start, len(code)):
        char = code[offset]
        if char in closers:
            stack.append(closers[char])
        elif char in ")]}":
            if not stack or stack.pop() != char:
                return -1
            if not stack:
                return offset
    return -1


@dataclasses.dataclass
class Function:
    name: str
    line: int
    lines: int


_TYPE_HEAD = re.compile(r"\b(class|struct|union|enum)\b(?!.*\))", re.DOTALL)
_NAME = re.compile(r"([~\w:]+|operator\s*\S+?)\s*\(")


def functions(code):
    """Function definitions outside of other functions; `code` comes from code_only()."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: _blanked(m[0]), code,
                  flags=re.MULTILINE)
    found, offset, head = [], 0, 0
    while offset < len(code):
        char = code[offset]
        if char in ";}":
            head = offset + 1
        elif char == "{":
            text = code[head:offset]
            end = matching(code, offset)
            initializer = text.rstrip().endswith("=")
            if "(" in text and not initializer and not _TYPE_HEAD.search(text) and end > 0:
                begin = head + len(text) - len(text.lstrip())
                name = _NAME.search(text)
                found.append(Function(name[1] if name else "?", line_of(code, begin),
                                      code.count("\n", begin, end) + 1))
                offset = end
            head = offset + 1
        offset += 1
    return found


@dataclasses.dataclass
class Lambda:
    line: int
    captures: str
    body: str  # Bodies of lambdas inside it are blank.


_INTRODUCER = re.compile(r"(?<![\w\])\[])\s*\[(?!\[)")
_AFTER_CAPTURES = re.compile(r"\s*(?:<[^{}]*?>\s*)?(?:\((?P<parameters>)|(?P<body>\{))")


def _body_start(code, after):
    """Where the body of a lambda begins whose captures end before `after`; -1: no lambda."""
    match = _AFTER_CAPTURES.match(code, after)
    if not match:
        return -1
    if match["body"]:
        return match.start("body")
    close = matching(code, match.end() - 1)
    tail = re.compile(r"[^;{}()\[\]]*\{").match(code, close + 1) if close > 0 else None
    return tail.end() - 1 if tail else -1


def lambdas(code):
    found, bodies = [], []
    for match in _INTRODUCER.finditer(code):
        opening = match.end() - 1
        closing = matching(code, opening)
        start = _body_start(code, closing + 1) if closing > 0 else -1
        end = matching(code, start) if start > 0 else -1
        if end < 0:
            continue
        bodies.append((start, end))
        found.append((line_of(code, opening), code[opening + 1:closing].strip(), start, end))
    for line, captures, start, end in found:
        body = code[start:end]
        for inner_start, inner_end in bodies:
            if start < inner_start and inner_end < end:
                inner = slice(inner_start - start, inner_end - start)
                body = body[:inner.start] + _blanked(body[inner]) + body[inner.stop:]
        yield Lambda(line, captures, body)

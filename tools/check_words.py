"""Report discarded words in code, pages and documentation, with what to write instead.

The list is `discarded_words.toml`. It has two kinds of entries:

- a ``[[phrase]]`` is looked for in text: comments, docstrings, string literals, Markdown, JavaScript, CSS and HTML;
- a ``[[name]]`` is looked for in identifiers, split at underscores and capitals: in code, in string literals that are
  one identifier (keys), in class selectors, and in `code spans` of a text. Names of tests are sentences: text.

``python tools/check_words.py`` checks the repository, ``python tools/check_words.py FILE ...`` only these files.
Exit code 1 if a discarded word was found.
"""

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("discarded_words.toml")
CHECKED = (
    "*.md",
    "*.py",
    *(f"{folder}/**/*" for folder in ("benchmarks", "docs", "examples", "src", "tests", "tools")),
)

_CODE_SPAN = re.compile(r"(?<!`)(?:``[^`\n]+``|`[^`\n]+`)(?!`)")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_JS_TEXT = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.DOTALL)
_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_BETWEEN_STRINGS = {getattr(tokenize, name, tokenize.NL) for name in ("NL", "FSTRING_START", "FSTRING_END")}


@dataclass(frozen=True)
class Rule:
    """One entry of the list: `find` as written there, `pattern` as searched for, `allow` as globs of paths."""

    find: str
    pattern: re.Pattern[str]
    write: str
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class WordList:
    phrases: tuple[Rule, ...]
    names: tuple[Rule, ...]
    skip: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    found: str
    write: str

    def __str__(self) -> str:
        return f'{self.path}:{self.line}: "{self.found}": write "{self.write}"'


# A block is a list of (line number, text of that line); phrases are found across its lines.
Block = list[tuple[int, str]]


def read_list(path: Path = LIST) -> WordList:
    """Read a word list. A ValueError names an entry without `write`, or with `allow` but without `reason`."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return WordList(
        tuple(_rule(entry, _phrase_pattern) for entry in content.get("phrase", [])),
        tuple(_rule(entry, _name_pattern) for entry in content.get("name", [])),
        tuple(content.get("skip", [])),
    )


def _rule(entry: dict[str, Any], pattern: Callable[[str], re.Pattern[str]]) -> Rule:
    if not entry.get("write"):
        raise ValueError(f"discarded word {entry['find']!r}: has no 'write'; add what to write instead")
    if entry.get("allow") and not entry.get("reason"):
        raise ValueError(f"discarded word {entry['find']!r}: has 'allow' but no 'reason'; add why it is allowed there")
    return Rule(entry["find"], pattern(entry["find"]), entry["write"], tuple(entry.get("allow", [])))


def _phrase_pattern(find: str) -> re.Pattern[str]:
    """Match whole words in any case, with any white space between them."""
    return re.compile(r"(?<!\w)(?:" + find.replace(" ", r"\s+") + r")(?!\w)", re.IGNORECASE)


def _name_pattern(find: str) -> re.Pattern[str]:
    """Match whole parts of an identifier that was split and joined by underscores."""
    return re.compile(rf"(?<![a-z0-9])(?:{find})(?![a-z0-9])")


def files_to_check(root: Path, words: WordList) -> list[Path]:
    found = {path for pattern in CHECKED for path in root.glob(pattern) if path.suffix in READERS and path.is_file()}
    return sorted(path for path in found if not _matches(path.relative_to(root).as_posix(), words.skip))


def _matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a glob matches the whole path; ``folder/*`` includes what lies deeper."""
    return any(fnmatchcase(path, glob) for glob in globs)


def check(path: Path, root: Path, words: WordList) -> list[Finding]:
    """Return the discarded words of a file in order of lines, each once per line."""
    name = path.relative_to(root).as_posix()
    phrases = [rule for rule in words.phrases if not _matches(name, rule.allow)]
    names = [rule for rule in words.names if not _matches(name, rule.allow)]
    blocks, identifiers = READERS[path.suffix](path.read_text(encoding="utf-8"))
    found = {Finding(name, *hit) for block in blocks for hit in _in_block(block, phrases)}
    discarded = {identifier: _rules_for(identifier, names) for identifier in {word for _, word in identifiers}}
    found |= {Finding(name, line, word, rule.write) for line, word in identifiers for rule in discarded[word]}
    return sorted(found)


def _in_block(block: Block, phrases: Iterable[Rule]) -> Iterator[tuple[int, str, str]]:
    text = "\n".join(line for _, line in block)
    for rule in phrases:
        for match in rule.pattern.finditer(text):
            line = block[text.count("\n", 0, match.start())][0]
            yield line, " ".join(match[0].split()), rule.write


def _rules_for(identifier: str, names: Iterable[Rule]) -> list[Rule]:
    parts = "_".join(part.lower() for part in _PARTS.findall(identifier))
    return [rule for rule in names if rule.pattern.search(parts)]


def _code_span_identifiers(blocks: Iterable[Block]) -> Iterator[tuple[int, str]]:
    for line, text in (pair for block in blocks for pair in block):
        for span in _CODE_SPAN.findall(text):
            yield from ((line, identifier) for identifier in _IDENTIFIER.findall(span))


def read_python(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Return the comments and strings of a module, neighbouring ones joined, and its identifiers."""
    blocks: list[Block] = []
    identifiers = []
    previous = None  # the type of the block that the next token may continue
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = "string" if token.type in _STRINGS else "comment" if token.type == tokenize.COMMENT else None
        if kind:
            if kind != previous:
                blocks.append([])
            lines = (token.string.lstrip("#") if kind == "comment" else _unquoted(token.string)).split("\n")
            blocks[-1] += [(token.start[0] + index, line) for index, line in enumerate(lines)]
            previous = kind
        elif token.type not in _BETWEEN_STRINGS:
            previous = None
        word = _unquoted(token.string) if token.type == tokenize.STRING else token.string
        if token.type == tokenize.NAME and word.startswith("test_"):
            blocks.append([(token.start[0], word.replace("_", " "))])
        elif token.type in (tokenize.NAME, tokenize.STRING) and word.isidentifier():
            identifiers.append((token.start[0], word))
    return blocks, [*identifiers, *_code_span_identifiers(blocks)]


def _unquoted(string: str) -> str:
    return re.sub(r"\A[A-Za-z]{0,2}(\"\"\"|\'\'\'|[\"\'])(.*)\1\Z", r"\2", string, flags=re.DOTALL)


def read_text(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Return a Markdown or HTML file as one block."""
    blocks = [list(enumerate(text.split("\n"), 1))]
    return blocks, [*_code_span_identifiers(blocks)]


def read_javascript(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Return the whole file without comment marks as one block, and the identifiers outside comments and strings."""
    return [_without_comment_marks(text)], _identifiers(_JS_TEXT.sub(_blank, text), _IDENTIFIER)


def _without_comment_marks(text: str) -> Block:
    return [(number, re.sub(r"^\s*(//|/?\*+)", "", line)) for number, line in enumerate(text.split("\n"), 1)]


def _blank(match: re.Match[str]) -> str:
    """Keep the line breaks of a comment or string, and the expressions of a template."""
    if match[0].startswith("`"):
        return "".join(re.findall(r"\$\{[^}]*\}|\n", match[0]))
    return "\n" * match[0].count("\n")


def read_css(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Return the whole file as one block, and its class and id selectors."""
    code = re.sub(r"/\*.*?\*/", _blank, text, flags=re.DOTALL)
    return [_without_comment_marks(text)], _identifiers(code, re.compile(r"(?<=[.#])[A-Za-z][\w-]*"))


def _identifiers(code: str, pattern: re.Pattern[str]) -> list[tuple[int, str]]:
    return [(number, name) for number, line in enumerate(code.split("\n"), 1) for name in pattern.findall(line)]


READERS = {
    ".py": read_python,
    ".md": read_text,
    ".html": read_text,
    ".js": read_javascript,
    ".css": read_css,
}


def main(arguments: list[str]) -> int:
    words = read_list()
    paths = [Path(argument).resolve() for argument in arguments] or files_to_check(ROOT, words)
    findings = [finding for path in paths for finding in check(path, ROOT, words)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The code fences of the documentation's pages, for the tests that run them and the script that makes the tutorials."""

import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("bash", "python", "toml", "json", "text")
"""What a fence may be; `text` and no language are for what is shown only: output, names of files, formats."""
_FENCE = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^>]*?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"\A# ([\w.-]+\.(?:toml|py))\n")
_COMMAND = re.compile(r"^(?:\.venv/bin/)?(?:convscope|python3?|pip|curl|torchrun)\s", re.MULTILINE)


@dataclass(frozen=True)
class Fence:
    """A code fence: its page, the line it begins at, its language, its text, and why it is not run ("": it is)."""

    page: Path
    line: int
    language: str
    text: str
    reason: str

    @property
    def file(self) -> str:
        """Name of the file that the fence shows: its first line is a comment with nothing else in it ("": none)."""
        found = _FILE.match(self.text)
        return found[1] if found else ""

    @property
    def place(self) -> str:
        """Page and line, as an error message names them."""
        return f"{self.page.name}:{self.line}"

    @property
    def has_commands(self) -> bool:
        """Whether a line begins with a command."""
        return bool(_COMMAND.search(self.text))


def fences_of(page: Path) -> list[Fence]:
    """Return a page's code fences in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("indent")) + 1
        content = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        found.append(Fence(page, line, match["language"], content, (match["reason"] or "").strip()))
    return found

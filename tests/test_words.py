"""The check for discarded words, on planted words; the repository itself is checked by ``start.py check``."""

from pathlib import Path

import pytest

import check_words
from check_words import check, files_to_check, main, read_list

LIST = """
skip = ["docs/old.md"]
[[phrase]]
find = "leave it away"
write = "remove it"
allow = ["docs/*.html"]
reason = "quoted there"
[[name]]
find = "told"
write = "message"
"""
PHRASE, NAME = '"leave it away": write "remove it"', 'write "message"'
FAULTS = {
    "comment": ("a.py", "x = 1\n# please leave it\n# away\n", f"a.py:2: {PHRASE}"),
    "docstring": (
        "a.py",
        'def f():\n    """One.\n\n    Leave it\n    away."""\n',
        f"a.py:4: {PHRASE.replace('l', 'L', 1)}",
    ),
    "string": ("a.py", 'x = ("or "\n     "leave it "\n     "away")\n', f"a.py:2: {PHRASE}"),
    "f-string": ("a.py", 'x = f"{1}: leave it away, {2}"\n', f"a.py:1: {PHRASE}"),
    "variable": ("a.py", "\ntold_us = 1\n", f'a.py:2: "told_us": {NAME}'),
    "class": ("a.py", "class ToldApart: ...\n", f'a.py:1: "ToldApart": {NAME}'),
    "attribute": ("a.py", "x.told\n", f'a.py:1: "told": {NAME}'),
    "key": ("a.py", 'x = {"told": 1}\n', f'a.py:1: "told": {NAME}'),
    "code span": ("a.py", "# see `Task.told(x)`\n", f'a.py:1: "told": {NAME}'),
    "name of a test": ("a.py", "def test_leave_it_away(): ...\n", f"a.py:1: {PHRASE}"),
    "Markdown": ("docs/a.md", "# A\n\nOr leave\nit away.\n", f"docs/a.md:3: {PHRASE}"),
    "Markdown code span": ("docs/a.md", "The key `told`.\n", f'docs/a.md:1: "told": {NAME}'),
    "README": ("README.md", "leave it away\n", f"README.md:1: {PHRASE}"),
    "HTML text": ("src/a.html", "<p>leave it away</p>\n", f"src/a.html:1: {PHRASE}"),
    "HTML comment": ("src/a.html", "<!--\nleave it away -->\n", f"src/a.html:2: {PHRASE}"),
    "CSS comment": ("src/a.css", "/* leave it\n * away */\n", f"src/a.css:1: {PHRASE}"),
    "CSS selector": ("src/a.css", "p { color: red }\n.told-off { color: red }\n", f'src/a.css:2: "told-off": {NAME}'),
    "JavaScript comment": ("src/a.js", "let a\n// leave it\n// away\n", f"src/a.js:2: {PHRASE}"),
    "JavaScript string": ("src/a.js", "f('leave it away')\n", f"src/a.js:1: {PHRASE}"),
    "JavaScript name": ("src/a.js", "/* a\n b */\nconst toldOff = 1\n", f'src/a.js:3: "toldOff": {NAME}'),
    "JavaScript template": ("src/a.js", "f(`a\n${x.told}`)\n", f'src/a.js:2: "told": {NAME}'),
}
SOUND = {
    "part of a word": ("a.py", "untold = mistold = 1  # leave it awayward\n"),
    "a name in the sentence of a test": ("a.py", "def test_all_is_told(): ...\n"),
    "a name in plain text": ("a.py", '"""It is told here."""\nx = "he told me"\n'),
    "a name in a JavaScript text": ("src/a.js", "f('he told', `he told`) // he told\n"),
    "strings of two expressions": ("a.py", 'x = "leave it", "away"\n'),
    "an allowed file": ("docs/a.html", "leave it away\n"),
    "a skipped file": ("docs/old.md", "leave it away\n"),
    "another kind of file": ("docs/a.txt", "leave it away\n"),
}


def write_file(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture
def words(tmp_path):
    (tmp_path / "words.toml").write_text(LIST)
    return read_list(tmp_path / "words.toml")


def findings(root: Path, words) -> list[str]:
    return [str(finding) for path in files_to_check(root, words) for finding in check(path, root, words)]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_planted_word_is_found_in_every_kind_of_text(tmp_path, words, kind):
    name, text, expected = FAULTS[kind]
    write_file(tmp_path, name, text)
    assert findings(tmp_path, words) == [expected]


@pytest.mark.parametrize("kind", SOUND)
def test_nothing_is_found_in_other_text(tmp_path, words, kind):
    write_file(tmp_path, *SOUND[kind])
    assert findings(tmp_path, words) == []


def test_the_command_prints_the_findings_and_exits_with_1(tmp_path, words, capsys, monkeypatch):
    monkeypatch.setattr(check_words, "ROOT", tmp_path)
    monkeypatch.setattr(check_words, "read_list", lambda: words)
    write_file(tmp_path, "a.py", "told = 1\n")
    write_file(tmp_path, "b.py", "x = 1\n")
    assert main([]) == 1
    assert capsys.readouterr().out == 'a.py:1: "told": write "message"\n'
    assert main([str(tmp_path / "b.py")]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('find = "x"', "discarded word 'x': has no 'write'; add what to write instead"),
        (
            'find = "x"\nwrite = "y"\nallow = ["z"]',
            "discarded word 'x': has 'allow' but no 'reason'; add why it is allowed there",
        ),
    ],
)
def test_an_incomplete_entry_is_refused(tmp_path, entry, message):
    (tmp_path / "words.toml").write_text(f"[[phrase]]\n{entry}\n")
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the whole message is compared
        read_list(tmp_path / "words.toml")
    assert str(caught.value) == message


def test_what_the_list_recommends_is_not_discarded_itself():
    words = read_list()
    for rule in (*words.phrases, *words.names):
        assert not [other.find for other in words.phrases if other.pattern.search(rule.write)], rule.write

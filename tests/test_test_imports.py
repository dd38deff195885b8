"""What tests share lies in ``tests/helpers``: no test module and no conftest is imported by another file."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def imported_test_modules(source: str, tests: Path) -> list[str]:
    """Modules below `tests` but outside ``helpers`` that `source` imports."""
    rooms = {path.stem for path in tests.iterdir()} - {"helpers"}
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules.append("." * node.level + (node.module or ""))
    return [module for module in modules if module.startswith(".") or module.partition(".")[0] in rooms]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_file_imports_a_test_module(path: Path) -> None:
    assert imported_test_modules(path.read_text(encoding="utf-8"), TESTS) == []


def test_a_planted_import_of_a_test_module_is_found(tmp_path: Path) -> None:
    for folder in ("helpers", "cli"):
        (tmp_path / folder).mkdir()
    (tmp_path / "test_docs.py").touch()
    source = "import cli.conftest\nfrom helpers import runs\ndef f():\n    from test_docs import x\nfrom . import y\n"
    assert sorted(imported_test_modules(source, tmp_path)) == [".", "cli.conftest", "test_docs"]

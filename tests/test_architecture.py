"""The house's table of who may import whom, read from the source with ``ast``."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "convscope"
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "data": {"errors"},
    "models": {"errors"},
    "train": {"errors"},
    "explain": {"errors"},
    "tasks": {"errors", "models"},
    "diagnose": {"errors", "data", "explain"},
    "tune": {"errors"},
    "deploy": {"errors", "data", "models", "tasks"},
    "run": {"errors", "data", "models", "train", "explain", "tasks", "diagnose", "tune", "deploy"},
    "explorer": {"errors", "run"},
    "cli": {"errors", "run", "explorer"},
    "__init__": {"errors", "run"},
    "__main__": {"cli"},
}


def imported_parts(source: str, inside: tuple[str, ...]) -> set[str]:
    """Parts of convscope that a module imports, anywhere in it; `inside` is its package, e.g. ("run",)."""
    parts = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ("convscope", *inside)[: len(inside) + 2 - node.level] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "convscope" else [module]
        parts |= {name.split(".")[1] for name in names if name.startswith("convscope.")}
    return parts


def wrong_imports(part: str, source: str, inside: tuple[str, ...]) -> set[str]:
    return imported_parts(source, inside) - MAY_IMPORT[part] - {part}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    inside = path.relative_to(PACKAGE).parent.parts
    part = inside[0] if inside else path.stem
    assert not wrong_imports(part, path.read_text(), inside)


def test_a_planted_wrong_import_is_found() -> None:
    planted = "def f():\n    from convscope.run.recipe import Recipe\n"
    assert wrong_imports("data", planted, ("data",)) == {"run"}
    assert wrong_imports("data", "from ..train import loop", ("data",)) == {"train"}
    assert wrong_imports("data", "from convscope import run", ("data",)) == {"run"}
    assert wrong_imports("run", planted, ("run",)) == set()


def test_no_file_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert not {path.stem for path in PACKAGE.rglob("*.py")} & vague

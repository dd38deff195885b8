"""The house's table of who may import whom, read from the source with ``ast``."""

import ast
import re
from pathlib import Path

import pytest

from convscope import datasets

PACKAGE = Path(__file__).parent.parent / "src" / "convscope"
GROUND = {
    "errors",
    "printable",
    "validation",
    "files",
    "durations",
    "devices",
    "progress",
    "modules",
    "charts",
    "tables",
    "extras",
}
NETWORKS_AND_DATA = {"datasets", "models", "predictions", "tasks"}
A_RUN = NETWORKS_AND_DATA | {"training", "bundle", "energy", "runs"}
MAY_IMPORT: dict[str, set[str]] = {
    **{name: {"errors"} for name in GROUND},
    "charts": {"errors", "extras"},
    "tables": {"errors", "printable"},
    **dict.fromkeys(("datasets", "models", "training", "explainers"), GROUND),
    "energy": GROUND,
    "layouts": GROUND | {"datasets"},  # above datasets, which knows no way of lying on disk
    "predictions": GROUND | {"datasets"},  # datasets: reads files and archives
    "exported": GROUND | {"datasets", "predictions"},
    "tasks": GROUND | {"models", "predictions"},
    "bundle": GROUND | NETWORKS_AND_DATA,
    "runs": GROUND | NETWORKS_AND_DATA | {"layouts", "training", "bundle", "energy"},
    "analysis": GROUND | A_RUN | {"explainers"},
    "diagnosis": GROUND | A_RUN | {"explainers"},
    "reports": GROUND | A_RUN | {"explainers", "analysis", "diagnosis"},  # diagnosis: the part "What is wrong"
    "pipeline": GROUND | A_RUN | {"layouts", "explainers", "analysis", "diagnosis", "reports"},
    "lessons": GROUND | A_RUN | {"layouts", "explainers", "analysis"},  # analysis: a run with its images
    "tuning": GROUND | A_RUN | {"reports", "pipeline"},  # trains trials as a run is trained; reports: text of events
    "exporters": GROUND | A_RUN | {"diagnosis", "exported"},  # diagnosis: the model card says what fails
    "installation": GROUND | {"datasets", "models", "training"},  # the caches, and what the processor computes
    "launching": GROUND | {"training", "runs", "pipeline"},  # pipeline: what the processes that it starts compute
    "api": GROUND
    | A_RUN
    | {"layouts", "explainers", "installation", "exporters", "analysis", "diagnosis", "reports", "pipeline"}
    | {"exported", "launching", "lessons", "tuning"},
    "web": GROUND | {"datasets"},  # the HTTP of explorer and server; datasets: checks uploads before they are decoded
    "explorer": GROUND | A_RUN | {"explainers", "analysis", "api", "web"},
    "server": GROUND | NETWORKS_AND_DATA | {"bundle", "exported", "runs", "explainers", "analysis", "web"},
    "cli": GROUND
    | {"analysis", "api", "explorer", "server"}  # analysis: its registry, which declares the options
    | {"exported", "predictions"},  # which need no PyTorch
    "__init__": GROUND | {"api"},
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
    planted = "def f():\n    from convscope.runs.recipe import Recipe\n"
    assert wrong_imports("datasets", planted, ("datasets",)) == {"runs"}
    assert wrong_imports("datasets", "from ..training import loop", ("datasets",)) == {"training"}
    assert wrong_imports("datasets", "from convscope import runs", ("datasets",)) == {"runs"}
    assert wrong_imports("runs", planted, ("runs",)) == set()


def modules_in(root: Path) -> dict[str, Path]:
    """Files by the names that they are imported by; `root` is the folder of the package."""
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imported_files(name: str, modules: dict[str, Path]) -> set[str]:
    """Files that a file imports anywhere in it, also inside functions and for types alone."""
    path, found = modules[name], set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            whole = {f"{source}.{alias.name}" for alias in node.names}
            found |= {one if one in modules else source for one in whole}
    return (found & set(modules)) - {name}


def import_cycles(root: Path) -> list[list[str]]:
    """Files that import each other, directly or through others: what is left when all that lead nowhere are gone."""
    modules = modules_in(root)
    imports = {name: imported_files(name, modules) for name in modules}
    while ends := [name for name, others in imports.items() if not others & set(imports)]:
        for name in ends:
            del imports[name]
    cycles = []
    while imports:
        path = [min(imports)]
        while (following := min(imports[path[-1]] & set(imports))) not in path:
            path.append(following)
        cycles.append(path[path.index(following) :])
        imports = {name: others for name, others in imports.items() if name not in path}
    return cycles


def test_no_file_imports_itself_through_others() -> None:
    assert import_cycles(PACKAGE) == []


def test_a_planted_cycle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "room").mkdir(parents=True)
    for name in ("__init__", "room/__init__"):
        (package / f"{name}.py").write_text("")
    (package / "room" / "first.py").write_text("from package.room import second\n")
    (package / "room" / "second.py").write_text("def f():\n    from package.room.third import g\n")
    (package / "room" / "third.py").write_text("import package.room\n")
    assert import_cycles(package) == []
    (package / "room" / "third.py").write_text("from .first import h\n")
    assert import_cycles(package) == [["package.room.first", "package.room.second", "package.room.third"]]


def lines_by_room() -> dict[str, int]:
    rooms: dict[str, int] = {}
    for path in PACKAGE.rglob("*/*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        rooms[room] = rooms.get(room, 0) + len(path.read_text().splitlines())
    return rooms


def test_no_room_holds_more_than_a_fifth_of_the_lines() -> None:
    lines = lines_by_room()
    assert max(lines.values()) <= sum(lines.values()) / 5, sorted(lines.items(), key=lambda one: -one[1])[:3]


def test_a_public_name_is_not_that_of_a_file_of_its_room_where_names_are_imported_when_they_are_used() -> None:
    files = {path.stem for path in (PACKAGE / "datasets").iterdir()}
    assert not files & set(datasets.__all__)


def test_the_guide_names_every_room() -> None:
    guide = (PACKAGE.parent.parent / "CONTRIBUTING.md").read_text()
    table = guide.split("| room | content |")[1].split("\n\n")[0]
    first_cells = "".join(row.split("|")[1] for row in table.splitlines() if row)
    assert set(re.findall(r"`([a-z]+)/?`", first_cells)) == set(MAY_IMPORT) - {"__init__", "__main__"}


def long_functions(source: str, most: int) -> list[str]:
    """Functions of more than `most` lines, with their docstring."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in nodes if (node.end_lineno or 0) - node.lineno >= most]


def test_no_function_has_more_than_50_lines_and_no_file_more_than_300() -> None:
    sources = {str(path.relative_to(PACKAGE)): path.read_text() for path in PACKAGE.rglob("*.py")}
    assert {name: long_functions(source, 50) for name, source in sources.items() if long_functions(source, 50)} == {}
    assert [name for name, source in sources.items() if len(source.splitlines()) > 300] == []
    assert long_functions("def f():\n    x = 1\n    return x\n", 2) == ["f"]


def test_no_file_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert not {path.stem for path in PACKAGE.rglob("*.py")} & vague

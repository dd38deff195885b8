"""--help: complete, with an example, and without loading PyTorch."""

import subprocess
import sys

import pytest
import typer

from convscope.cli.main import app
from convscope.layouts import LAYOUTS

COMMANDS = {command.callback.__name__: command for command in app.registered_commands}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_every_option(convscope, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = convscope(name, "--help")
    assert code == 0
    assert COMMANDS[name].callback.__doc__.splitlines()[0] in " ".join(out.split())
    command = typer.main.get_command(app).commands[name]
    for option in command.params:
        assert option.name == "help" or option.help, f"{name}: {option.name} is not explained"


def test_the_help_starts_with_the_first_command_to_run(convscope):
    code, out, _ = convscope("--help")
    assert code == 0
    assert "Start with: convscope train digits" in out
    assert all(name in out for name in COMMANDS)
    assert convscope()[1].strip() == out.strip(), "without a command the help is shown"


@pytest.mark.parametrize("name", ["train", "data"])
def test_the_help_names_every_layout(convscope, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    _, out, _ = convscope(name, "--help")
    line = next(line for line in out.splitlines() if "--layout" in line)
    assert all(layout in line.replace(",", " ").replace(".", " ").split() for layout in LAYOUTS)


def test_help_loads_no_torch():
    """Importing it takes seconds."""
    script = f"""
import sys
from convscope.cli.main import main
for name in {[*COMMANDS, ""]!r}:
    sys.argv = ["convscope", *name.split(), "--help"]
    try:
        main()
    except SystemExit as end:
        assert not end.code, name
heavy = {{"torch", "numpy", "sklearn", "matplotlib", "PIL"}} & set(sys.modules)
print("loaded:", *heavy)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded:", done.stderr


def test_the_list_of_commands_loads_no_pydantic():
    """Importing it takes half of the time; Typer itself imports it for the help of a single command."""
    script = (
        "import sys\nfrom convscope.cli.main import main\nsys.argv = ['convscope', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr

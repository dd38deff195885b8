"""The pages: every command to try exists, and every correction has a source."""

import shlex
from itertools import pairwise

import pytest
import typer

from convscope.api import as_overrides, lay, nest, parse_recipe, settings_from_flags
from convscope.cli.main import app
from convscope.lessons import CHAPTERS, TOPICS


def options_of(words):
    """The options of a command, and of a subcommand if the command has some."""
    command = typer.main.get_command(app).commands[words[0]]
    if hasattr(command, "commands"):
        command = command.commands[words[1]]
    return {name for option in command.params for name in option.opts}


@pytest.mark.parametrize("name", TOPICS)
def test_the_command_to_try_exists_with_its_options_and_settings(name):
    what, text = TOPICS[name].attempt
    program, *words = shlex.split(text)
    assert program == "convscope"
    assert what
    assert {word for word in words if word.startswith("--")} <= options_of(words)
    flags = [value for option, value in pairwise(words) if option == "--set"]
    parse_recipe(lay(as_overrides(nest({"data.source": "digits"})), settings_from_flags(flags)))


@pytest.mark.parametrize("name", TOPICS)
def test_a_page_has_a_text_a_formula_and_corrections_with_sources(name):
    topic = TOPICS[name]
    assert topic.chapter in CHAPTERS
    assert topic.text.endswith(".")
    assert topic.formula
    assert 2 <= len(topic.text.split(". ")) <= 6
    for one in topic.corrections:
        assert one.claim.endswith(".")
        assert one.right.endswith(".")
        assert one.source

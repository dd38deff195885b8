"""Saved models, recipes, network files and checkpoints that are damaged or hostile end in one line or are read."""

import copy
import json
import os
import random

import pytest
import torch

from convscope.bundle import bundle, load_bundle
from convscope.errors import RunError
from convscope.models.toml.toml_network import read_spec
from convscope.runs.parse import parse_recipe
from convscope.runs.recipe_file import read_recipe
from helpers.bundles import saved
from helpers.mutations import failures
from helpers.toy_network import go_on, new_state, schedule_for

COUNT = int(os.environ.get("CONVSCOPE_MUTATIONS", "60"))
"""Mutated files of each kind; 2,500 take two minutes."""

RECIPE = b"""
seed = 0
task = "classify"
[data]
source = "digits"
size = [8, 8]
[model]
name = "resnet18"
[model.options]
width = 4
[train]
epochs = 2
budget = "5m"
[augment.changes]
rotate = 5.0
[optimiser]
name = "sgd"
learning_rate = 0.1
"""
NETWORK = b"""
input = [3, 32, 32]
blocks = [
  {conv = 8, size = 3, stride = 2},
  {residual = [{conv = 8}, {act = "relu"}]},
  {pool = "max"},
  {gap = true},
  {linear = "classes"},
]
"""


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_mutated_models_end_in_one_line(tmp_path, name):
    saved(tmp_path)

    def read(content):
        (tmp_path / name).write_bytes(content)
        load_bundle(tmp_path)

    assert list(failures([(tmp_path / name).read_bytes()], COUNT, read)) == []


def test_mutated_configurations_with_a_right_digest_end_in_one_line(tmp_path):
    """Whoever writes a file on purpose can write its digest too."""
    saved(tmp_path)
    file = tmp_path / "config.json"

    def read(content):
        try:
            values = json.loads(content)
            values["digest"] = bundle._digest_of_config(values)
            content = json.dumps(values).encode()
        except (ValueError, TypeError, RecursionError):
            pass
        file.write_bytes(content)
        load_bundle(tmp_path)

    assert list(failures([file.read_bytes()], COUNT, read)) == []


def test_mutated_recipes_end_in_one_line(tmp_path):
    def read(content):
        (tmp_path / "recipe.toml").write_bytes(content)
        parse_recipe(read_recipe(tmp_path / "recipe.toml"))

    assert list(failures([RECIPE], COUNT, read)) == []


def test_mutated_network_files_end_in_one_line(tmp_path):
    def read(content):
        (tmp_path / "net.toml").write_bytes(content)
        read_spec(tmp_path / "net.toml")

    assert list(failures([NETWORK], COUNT, read)) == []


HOSTILE = (None, -1, 10**30, float("nan"), "text", [], {}, [1, "a"], torch.zeros(0), torch.full((3, 3), float("nan")))


def changed(content, source):
    """The content of a checkpoint with one value, at any depth, removed or replaced by a hostile one."""
    content = copy.deepcopy(content)
    place = content
    while True:
        key = source.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inside = place[key]
        if not isinstance(inside, dict | list) or not inside or source.random() < 0.2:
            break
        place = inside
    if isinstance(place, dict) and source.random() < 0.3:
        del place[key]
    else:
        place[key] = source.choice(HOSTILE)
    return content


def test_checkpoints_with_values_that_do_not_belong_there_end_in_one_line():
    state = new_state(name="adam")
    go_on(state, schedule_for(state, "plateau", 5), 1)
    whole, source = copy.deepcopy(state.state_dict()), random.Random(0)
    messages = []
    for _ in range(COUNT):
        try:
            new_state(name="adam").load_state_dict(changed(whole, source))
        except RunError as error:
            messages.append(str(error))
    assert len(messages) > COUNT // 4
    assert [message for message in messages if len(message.splitlines()) != 1] == []

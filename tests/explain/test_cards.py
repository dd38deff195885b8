"""The method cards in docs/explain: each has its parts, and its example runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.explain import PixelSpace

CARDS = sorted((Path(__file__).parents[2] / "docs" / "explain").glob("*.md"))
PARTS = ["What it shows", "How it works", "When it misleads", "Source"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_says_what_how_when_not_and_from_where_and_its_example_runs(card, trained, unseen, tmp_path):
    text = card.read_text(encoding="utf-8")
    headings = [heading for heading in re.findall(r"^## (.+)$", text, re.MULTILINE) if heading in PARTS]
    assert headings == PARTS
    for link in re.findall(r"\]\((\w+\.md)\)", text):
        assert (card.parent / link).exists()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    given = {
        "model": trained, "x": unseen.x[:64], "targets": unseen.targets[:64], "masks": unseen.masks[:64].numpy(),
        "space": PixelSpace((0.3,), (0.2,)), "folder": tmp_path, "torch": torch, "objects": np.array([[7, 7]]),
    }  # fmt: skip
    exec(compile(example, str(card), "exec"), given)


def test_there_is_a_card_for_every_method():
    assert {card.stem for card in CARDS} == {
        "activations", "class_images", "class_maps", "designs", "filters", "gradients", "invert", "maximise",
        "neighbours", "occlusion", "receptive_field", "sanity", "snapshots", "stimuli",
    }  # fmt: skip


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_has_a_picture_that_lies_beside_it_and_is_small(card):
    (link,) = re.findall(r"!\[[^\]]+\]\(([\w.]+)\)", card.read_text(encoding="utf-8"))
    assert link == f"{card.stem}.png"
    assert (card.parent / link).stat().st_size <= 60_000


def test_the_page_s_example_of_a_network_of_one_s_own_runs(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "seeing-inside.md").read_text(encoding="utf-8")
    _, example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    given = {"folder": tmp_path}
    exec(compile(example, "seeing-inside.md", "exec"), given)
    assert given["seen"].pictures == (tmp_path / "where.png",)


def test_the_page_names_every_card():
    page = (Path(__file__).parents[2] / "docs" / "seeing-inside.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(explain/(\w+)\.md\)", page)) == {card.stem for card in CARDS}

"""The method cards in docs/methods have the required sections, and their examples run."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.explainers import PixelSpace

DOCS = Path(__file__).parents[2] / "docs"
CARDS = sorted(card for card in (DOCS / "methods").glob("*.md") if card.name != "README.md")
SECTIONS = ["What it shows", "How it works", "Limitations", "Source"]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_has_its_sections_and_its_example_runs(card, trained, unseen, tmp_path):
    text = card.read_text(encoding="utf-8")
    headings = [heading for heading in re.findall(r"^## (.+)$", text, re.MULTILINE) if heading in SECTIONS]
    assert headings == SECTIONS
    for link in re.findall(r"\]\((\w+\.md)\)", text):
        assert (card.parent / link).exists()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    variables = {
        "model": trained, "x": unseen.x[:64], "targets": unseen.targets[:64], "masks": unseen.masks[:64].numpy(),
        "space": PixelSpace((0.3,), (0.2,)), "folder": tmp_path, "torch": torch, "objects": np.array([[7, 7]]),
    }  # fmt: skip
    exec(compile(example, str(card), "exec"), variables)


def test_there_is_a_card_for_every_method():
    assert {card.stem for card in CARDS} == {
        "activations", "class_images", "class_maps", "filters", "gradients", "invert", "maximise",
        "neighbours", "occlusion", "receptive_field", "sanity", "snapshots", "stimuli", "suggestions",
    }  # fmt: skip


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_has_a_small_picture_in_the_same_folder(card):
    (link,) = re.findall(r"!\[[^\]]+\]\(([\w.]+)\)", card.read_text(encoding="utf-8"))
    assert link == f"{card.stem}.png"
    assert (card.parent / link).stat().st_size <= 60_000


def test_the_example_with_your_own_network_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "how-to" / "explain-a-network.md").read_text(encoding="utf-8")
    _, example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    variables = {}
    exec(compile(example, "explain-a-network.md", "exec"), variables)
    assert variables["result"].pictures == (Path("explained/attribution.png"),)


def test_the_index_of_methods_names_every_card():
    index = (DOCS / "methods" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.md\)", index)) == {card.stem for card in CARDS}

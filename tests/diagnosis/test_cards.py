"""Each check has a card."""

import re
from pathlib import Path

import pytest

from convscope.diagnosis.registry import DATA_CHECKS, LEARNING_CHECKS, MISTAKE_CHECKS, SHORTCUT_CHECKS

GROUPS = {"data": DATA_CHECKS, "learning": LEARNING_CHECKS, "mistakes": {**SHORTCUT_CHECKS, **MISTAKE_CHECKS}}
CARDS = Path(__file__).parents[2] / "docs" / "diagnose"


@pytest.mark.parametrize(("group", "checks"), GROUPS.items())
def test_each_check_has_a_card_and_each_card_a_check(group, checks):
    headings = re.findall(r"^## (\w+)$", (CARDS / f"{group}.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(checks)

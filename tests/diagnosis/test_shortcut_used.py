"""A cue made equal in all images, and a network that relies on one."""

import numpy as np
import pytest
from PIL import Image

import convscope as cs
from convscope.diagnosis.data.cues import PIXEL_CUES
from convscope.diagnosis.data.equalise import EQUALISERS, equalised


@pytest.mark.parametrize("cue", EQUALISERS)
def test_an_equalised_cue_is_equal(cue):
    generator = np.random.default_rng(0)
    scale = generator.uniform(0.5, 1, (20, 3, 1, 1))
    pixels = (60 + 120 * scale * generator.random((20, 3, 32, 32))).astype(np.uint8)
    spreads = [PIXEL_CUES[cue](x / 255).reshape(20, -1).std(0).max() for x in (pixels, equalised(pixels, cue))]
    assert spreads[1] < 0.3 * spreads[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that tells two classes of noise by brightness, which is all that there is."""
    folder = tmp_path_factory.mktemp("shortcut")
    generator = np.random.default_rng(0)
    for name, low in (("day", 90), ("night", 0)):
        (folder / "data" / name).mkdir(parents=True)
        for i in range(120):
            pixels = low + generator.integers(0, 120, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "data" / name / f"{i:03}.png")
    settings = {"model.name": "lenet", "train.epochs": 4, "train.threads": 1}
    return cs.train(folder / "data", out=folder / "run", settings=settings)


def test_a_network_that_uses_a_shortcut_has_two_findings(run):
    found = {one.kind: one for one in cs.diagnose(run.path, checks=["data"]).findings}
    assert {"shortcuts", "shortcut_used"} <= set(found)
    finding = found["shortcut_used"]
    assert finding.where in ("class day", "class night")
    assert finding.figure > 0.3
    assert finding.message.startswith("the network uses brightness to tell ")


def test_data_alone_have_only_the_first(run):
    kinds = [one.kind for one in cs.diagnose(run.path.parent / "data").findings]
    assert "shortcuts" in kinds
    assert "shortcut_used" not in kinds

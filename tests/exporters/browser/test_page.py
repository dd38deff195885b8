"""A page that is opened from the disk answers as the ONNX file of the same network does."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from convscope.bundle import BundleConfig
from convscope.datasets.inputs.image_input import ImagePreprocessing
from convscope.explainers.attribution.grad_cam import grad_cam
from convscope.exported import Exported
from convscope.exporters.examples import image_contents, upright_pixels
from convscope.exporters.network import trace
from convscope.exporters.onnx_file import picture_model
from convscope.exporters.page_html import facts, html
from convscope.exporters.page_proof import proven_graph
from convscope.exporters.proof import expected_answers, network_input
from convscope.exporters.source import Source
from convscope.models import resolve
from helpers.bundles import drawn
from helpers.task_sources import CASES, SIZES, source_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
READ = """() => {
  const { found } = convscope;
  const numbers = Object.entries(found.answers).filter(([name]) => name !== "mask");
  const answers = Object.fromEntries(numbers.map(([name, value]) => [name, [...value.data]]));
  if (found.box) answers.box = found.box;
  if (found.mask) answers.mask = [...found.mask.classes];
  return answers;
}"""


@pytest.fixture(scope="module", autouse=True)
def _traced_once():
    """Tracing takes seconds: do it once for each network, for the page and for the ONNX file."""
    traced = {}

    def once(network, config, task):
        key = config.model_dump_json()
        if key not in traced:
            traced[key] = trace(network, config, task)
        return traced[key]

    with pytest.MonkeyPatch.context() as patch:
        for module in ("onnx_file", "page_proof"):
            patch.setattr(f"convscope.exporters.{module}.trace", once)
        yield


def network(name, options, channels, size, tta_views="1"):
    """A network with random weights, whose statistics are not those of its start."""
    torch.manual_seed(0)
    config = BundleConfig(
        task="classify",
        classes=tuple("abcdefghij"),
        architecture=resolve(name, 10, channels, size, options),
        preprocessing=ImagePreprocessing(size=size, channels=channels, mean=(0.4,) * channels, std=(0.3,) * channels),
        num_parameters=1,
        tta_views=tta_views,
        mirrored=True,
    )
    model = config.build_network()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, channels, *size))
    return Source(model.eval(), config, "", {})


def page_of(source, files, folder):
    """Write the page of a network; the file, and its examples."""
    examples = expected_answers(source, image_contents(files))
    graph, proof = proven_graph(source, examples)
    assert proof.passed
    path = folder / "page.html"
    path.write_text(html(facts(source, graph, proof), graph), encoding="utf-8")
    return path, examples


def opened(page, path):
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready=true]")
    assert float(page.get_attribute("body", "data-self-test")) <= 1e-4
    return page


def answers_for(page, file):
    page.evaluate("() => { delete globalThis.convscope }")
    page.set_input_files("#file", file)
    page.wait_for_function("() => globalThis.convscope")
    return page.evaluate(READ)


def compare_with_onnx(source, page, files):
    exported = Exported.from_bytes(picture_model(source).SerializeToString(), files[0])
    for file in files:
        pixels = upright_pixels(file.read_bytes(), source.config.preprocessing.channels)
        expected, found = exported.run(pixels[None], np.zeros((1, 2), np.int64)), answers_for(page, file)
        assert set(found) == set(expected)
        for name, truth in expected.items():
            value = np.array(found[name], float)
            if name == "mask":
                assert (value == truth.ravel()).mean() >= 0.999
            elif truth.dtype.kind == "f":
                scale = max(1.0, float(np.abs(truth).max()))
                assert np.abs(value - truth.ravel()).max() / scale <= 1e-3, (file, name)
            else:
                assert np.array_equal(value, truth.ravel().astype(float)), (file, name)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return [drawn(folder / f"{number}.png", number, size) for number, size in enumerate(SIZES)]


@pytest.fixture(scope="module")
def lenet(pictures, tmp_path_factory):
    """A LeNet for grey images, and its page."""
    source = network("lenet", {}, 1, (32, 32))
    return source, page_of(source, pictures, tmp_path_factory.mktemp("lenet"))[0]


def test_a_lenet_is_small_fast_and_right(new_page, pictures, lenet):
    source, path = lenet
    assert path.stat().st_size < 300_000
    page = opened(new_page(), path)
    compare_with_onnx(source, page, pictures)
    times = []
    for file in [*pictures, *pictures]:
        answers_for(page, file)
        times.append(float(page.get_attribute("body", "data-milliseconds")))
    assert min(times) < 50  # milliseconds; other programs on the machine lengthen the others


def test_a_mobilenet_of_a_quarter_of_the_width_is_small_and_right(new_page, pictures, tmp_path):
    source = network("mobilenet_v2", {"multiplier": 0.25}, 3, (96, 96))
    path, _ = page_of(source, pictures, tmp_path)
    assert path.stat().st_size < 1_500_000
    compare_with_onnx(source, opened(new_page(), path), pictures)


def test_several_views_of_a_picture_are_averaged(new_page, pictures, tmp_path):
    source = network("resnet18", {"width": 4, "depths": [1, 1]}, 3, (32, 32), "shifts")
    path, _ = page_of(source, pictures, tmp_path)
    compare_with_onnx(source, opened(new_page(), path), pictures)


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[4]], ids=lambda case: f"{case[0]}-{case[1]}-{case[4]}")
def test_every_task_is_answered_in_pixels_of_the_picture(case, new_page, pictures, tmp_path):
    source = source_of(*case)
    path, _ = page_of(source, pictures, tmp_path)
    page = opened(new_page(), path)
    compare_with_onnx(source, page, pictures)
    assert page.locator("#bars .output").count() == 3
    assert page.locator(".stage canvas").count() > 0


def test_the_heat_map_is_grad_cam(new_page, pictures, tmp_path):
    source = network("resnet18", {"width": 4, "depths": [1, 1]}, 3, (32, 32))
    path, examples = page_of(source, pictures, tmp_path)
    page = opened(new_page(), path)
    answers_for(page, pictures[1])
    page.wait_for_selector("body[data-explained=true]")
    found = page.evaluate("() => ({ k: convscope.chosen, map: [...convscope.heat.data], side: convscope.heat.height })")
    x = network_input(source, examples[1].decoded)
    truth = grad_cam(source.model, x, "stages.1", torch.tensor([found["k"]])).maps[0]
    assert np.allclose(np.array(found["map"]).reshape(found["side"], -1), truth / truth.max(), atol=0.02)


def test_a_drawing_is_answered_while_it_is_drawn_and_explained_at_its_end(new_page, lenet):
    page = opened(new_page(has_touch=True, viewport={"width": 390, "height": 844}), lenet[1])
    box = page.locator("#sheet").bounding_box()
    points = [
        (box["x"] + box["width"] * (0.5 + 0.2 * math.cos(a)), box["y"] + box["height"] * (0.5 + 0.3 * math.sin(a)))
        for a in np.linspace(0, 6, 20)
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.wait_for_selector("body.answered")
    page.mouse.up()
    page.wait_for_selector("body[data-explained=true]")
    assert page.locator("#sheet").bounding_box() == box  # nothing moves under the finger
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width == 390
    page.click("#theme")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    page.click("#clear")
    assert page.inner_text("#headline") == "Waiting for a drawing"
    assert page.locator("#bars .output").count() == 0


def test_another_file_is_refused_in_the_page(new_page, lenet, tmp_path):
    page = opened(new_page(), lenet[1])
    (tmp_path / "notes.txt").write_text("no picture")
    page.set_input_files("#file", tmp_path / "notes.txt")
    page.wait_for_selector("#error:not([hidden])")
    expected = "This file is no picture that the browser can open; choose a JPEG, PNG or WebP file."
    assert page.inner_text("#error") == expected


def test_transparent_and_turned_pictures_are_read_as_in_training(new_page, lenet, tmp_path):
    source, path = lenet
    random = np.random.default_rng(5)
    clear = random.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    clear[..., 3] = 255 * (clear[..., 3] > 128)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(random.integers(0, 256, (40, 64, 3), dtype=np.uint8))
    turned.save(tmp_path / "turned.png", exif=exif)
    compare_with_onnx(source, opened(new_page(), path), [tmp_path / "clear.png", tmp_path / "turned.png"])

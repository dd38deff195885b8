"""End-to-end tests of the explorer in a real browser, on a trained network."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def go(page, fragment: str, selector: str) -> None:
    page.evaluate("where => { location.hash = where }", fragment)
    page.wait_for_selector(selector)


def computed(run: Path, image: int, layer: str) -> np.ndarray:
    """Return a layer's output for a validation image, (C, h, w), computed without the explorer."""
    from convscope.analysis.target import open_target
    from convscope.explainers import record

    subject = open_target(run)
    x = subject.input(subject.read("validation").select([image]))
    with record(subject.model, layer) as outputs:
        subject.model(x)
    return outputs[layer][0].numpy()


def test_the_page_opens_on_the_network_with_its_stages_and_prediction(page) -> None:
    names = page.locator(".stage b").all_inner_texts()
    assert names == ["image", "stem", "stage 1", "stage 2", "head · fc1", "head · fc2", "head · fc"]
    page.wait_for_selector(".sidebar .bars li.best")
    assert page.title() == "Feature maps · digits · convscope"
    assert page.locator(".tile").count() == 6


@pytest.mark.parametrize(
    ("layer", "channel"), [("stem", 2), ("stages.0.conv", 5), ("stages.1.pool", 3), ("head.fc", 7)]
)
def test_the_products_shown_for_a_clicked_unit_add_up_to_its_value(page, trained, layer, channel) -> None:
    maps = computed(trained, 4, layer)
    if maps.ndim == 3:
        go(page, f"#/network?image=validation-4&layer={layer}&channel={channel}", ".channel-card .map-surface")
        page.wait_for_selector(f'.channel-card h2:text-is("Channel {channel}")')
        side = maps.shape[-1]
        box = page.locator(".channel-card .map-surface").bounding_box()
        page.mouse.click(box["x"] + (1.5 / side) * box["width"], box["y"] + (2.5 / side) * box["height"])
        expected = float(maps[channel, 2, 1])
    else:
        go(page, f"#/unit?image=validation-4&layer={layer}&channel={channel}", ".unit-terms")
        expected = float(maps[channel])
    page.wait_for_selector(".unit-terms")
    first = page.locator(".unit-terms .step").first
    products = first.evaluate("step => [...step.querySelectorAll('.term')].map((line) => Number(line.dataset.product))")
    values = {name: float(first.get_attribute(f"data-{name}")) for name in ("rest", "bias", "value")}
    assert sum(products) + values["rest"] + values["bias"] == pytest.approx(values["value"], abs=1e-5)
    assert float(page.locator(".unit-terms").get_attribute("data-value")) == pytest.approx(expected, abs=1e-6)


def test_a_product_leads_to_the_unit_that_its_value_came_from(page) -> None:
    go(page, "#/unit?image=validation-2&layer=stages.0.conv.conv&channel=1&row=4&column=4", ".unit-terms .term a")
    line = page.locator(".unit-terms .term").first
    value = float(line.get_attribute("data-term").split()[0])
    line.locator("a").click()
    page.wait_for_function(
        "was => Math.abs(Number(document.querySelector('.unit-terms').dataset.value) - was) < 1e-6", arg=value
    )


def test_a_drawn_digit_is_classified_correctly(page) -> None:
    go(page, "#/input?image=validation-0", ".top-class")
    page.get_by_role("button", name="Clear").click()
    box = page.locator(".drawing-canvas").bounding_box()
    ring = [(0.5 + 0.2 * np.cos(a), 0.5 + 0.36 * np.sin(a)) for a in np.linspace(-1.6, 4.8, 40)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ring]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('.top-class .class-name').textContent === '0'")
    page.wait_for_function("() => location.hash.includes('own-')")
    share = page.locator(".input-layout .bars li.best .value").inner_text()
    assert float(share.replace("%", "").replace(">", "")) > 50


def test_the_canvas_can_be_drawn_on_with_keys_alone(page) -> None:
    go(page, "#/input?image=validation-0", ".top-class")
    page.get_by_role("button", name="Clear").click()
    page.locator(".drawing-canvas").focus()
    for key in [*["ArrowUp"] * 7, " ", *["ArrowDown"] * 14, " "]:
        page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('.top-class .class-name').textContent === '1'")


def test_the_slider_goes_through_the_epochs(page) -> None:
    go(page, "#/training", ".probe-maps .tile")
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    visited = set()
    for key, epoch in (("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3)):
        page.keyboard.press(key)
        page.wait_for_selector(f'.epoch b:text-is("Epoch {epoch}")')
        page.wait_for_selector(f'h2:text-is("Confusion matrix at epoch {epoch}")')
        page.wait_for_selector(f'[aria-label$="at epoch {epoch}"]')
        visited.add(page.evaluate("() => document.querySelector('.probe-maps canvas').toDataURL()"))
    assert len(visited) == 3
    assert "epoch=3" in page.url


def test_a_computation_can_be_cancelled(page) -> None:
    go(page, "#/methods?method=class_images&set.steps=2048&image=validation-0", ".method-card .primary")
    page.locator(".method-card .primary").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled. No result was saved.", exact=True).wait_for()


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("attribution", ".attribution-maps .heatmap"),
        ("stimuli", ".patches a.patch img"),
        ("filters", ".sheet img"),
        ("neighbours", ".sheet img"),
        ("over_time", ".sheet img"),
    ],
)
def test_a_method_is_run_from_the_form_of_its_schema_and_shown(page, method, result) -> None:
    go(page, f"#/methods?method={method}&image=validation-2", ".method-card .primary")
    names = page.locator(".method-form .field > span").all_text_contents()
    assert names[:3] == ["layers", "channels", "images"]
    page.locator(".method-card .primary").click()
    page.wait_for_selector(result)
    assert page.locator(".method-card .summary").count() >= 1


def test_a_file_that_is_not_an_image_shows_an_error(page) -> None:
    go(page, "#/input?image=validation-0", ".top-class")
    name = '<img src=x onerror="document.title=1">.png'
    page.set_input_files(
        "#file", {"name": name, "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"no image" * 99}
    )
    page.wait_for_selector(".editor .error-message p")
    assert page.locator("img[src=x]").count() == 0
    assert page.title() == "Input · digits · convscope"
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => !document.querySelector('.editor .error-message')")


def test_every_view_has_an_address_that_back_and_reload_keep(page) -> None:
    for name, title in (
        ("Unit", "unit"),
        ("Training", "training"),
        ("Embedding", "embedding"),
        ("Errors", "confusion"),
    ):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_selector(f'h1:text-is("{name}")')
        assert f"#/{title}" in page.url
    page.go_back()
    page.wait_for_selector('h1:text-is("Embedding")')
    page.reload()
    page.wait_for_selector('h1:text-is("Embedding")')


def test_arrow_keys_move_the_unit_and_go_from_channel_to_channel(page) -> None:
    go(page, "#/unit?image=validation-0&layer=stem&channel=0&row=3&column=3", ".unit-terms")
    page.locator(".map-surface").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector('.terms-card h2:text-is("Channel 0 at 4, 4")')
    go(page, "#/network?image=validation-0&layer=stem&channel=0&sort=order", '.tile[data-channel="5"]')
    page.locator('.tile[data-channel="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector('.channel-card h2:text-is("Channel 1")')


def test_a_lasso_lists_the_images_inside_it(page) -> None:
    go(page, "#/embedding?image=validation-0", ".embedding .chips button")
    box = page.locator(".scatter").bounding_box()
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99)]
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    for x, y in corners:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.up()
    page.wait_for_selector('.selection h2:text-is("180 images")')
    assert page.locator(".selection .thumbnail").count() == 120


def test_a_correction_is_saved_and_downloaded_as_a_table(page) -> None:
    go(page, "#/confusion?truth=3&predicted=3", ".image-card h2")
    page.get_by_role("button", name="Exclude").click()
    page.wait_for_selector('h2:text-is("1 correction")')
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert len(lines) == 1 + 1796
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector('h2:text-is("Corrections")')


def test_an_image_of_the_view_can_be_saved(page) -> None:
    go(page, "#/unit?image=validation-0&layer=stem", ".unit-terms")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save image").click()
    assert waiting.value.suggested_filename == "digits-unit.png"
    content = Path(waiting.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000


def test_a_correction_in_one_tab_appears_in_the_other(page) -> None:
    go(page, "#/confusion?truth=4&predicted=4", ".image-card h2")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector('h2:text-is("Corrections")')
    page.get_by_role("button", name="Exclude").click()
    other.wait_for_selector('h2:text-is("1 correction")')
    page.get_by_role("button", name="Undo").click()
    other.wait_for_selector('h2:text-is("Corrections")')


def test_the_training_view_follows_a_run_in_progress(new_page, trained, serve, tmp_path) -> None:
    copy = tmp_path / "live"
    shutil.copytree(trained, copy)
    (copy / "report.html").unlink()
    events = copy / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    third = next(
        i for i, line in enumerate(lines) if json.loads(line).get("event") == "epoch" and json.loads(line)["epoch"] == 3
    )
    events.write_text("".join(lines[: third + 1]))
    page = new_page()
    page.goto(f"{serve(copy).link}#/network")
    page.wait_for_selector(".stage[aria-pressed=true]")
    go(page, "#/training", '.epoch b:text-is("Epoch 3")')
    with events.open("a") as more:
        more.write("".join(lines[third + 1 :]))
    page.wait_for_selector('.epoch b:text-is("Epoch 6")')


def test_an_unknown_address_shows_an_error(page) -> None:
    go(page, "#/network?image=validation-99999", ".sidebar .error-message")
    result = page.locator(".sidebar .error-message p").inner_text()
    assert result == "image validation-99999: not in the train or validation split; choose another"


def test_a_deleted_run_and_a_stopped_server_are_reported(new_page, trained, serve, tmp_path) -> None:
    copy = tmp_path / "gone"
    shutil.copytree(trained, copy)
    served = serve(copy)
    page = new_page()
    page.goto(f"{served.link}#/network")
    page.wait_for_selector(".stage[aria-pressed=true]")
    shutil.rmtree(copy)
    page.locator("#notice").get_by_text("deleted or moved").wait_for()
    served.end()
    page.get_by_text("The explorer server does not respond.").wait_for()


@pytest.mark.parametrize("view", ["network", "unit", "input", "training", "methods", "embedding", "confusion"])
def test_every_view_fits_a_phone(new_page, explorer, view) -> None:
    page = new_page(viewport={"width": 360, "height": 780})
    page.goto(explorer.link)
    page.wait_for_selector("#nav a")
    go(page, f"#/{view}", "main h1")
    page.wait_for_timeout(800)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360

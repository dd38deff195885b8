"""Where the page opens, its first steps, the strongest channel at its peak, and words that are explained."""

import re
import shutil

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_run_on_drawings_opens_on_the_canvas_with_four_steps(new_page, explorer):
    page = new_page()
    page.goto(explorer.link)
    page.wait_for_selector(".drawing-canvas")
    assert "#/input" in page.url
    assert page.locator(".guide b").all_inner_texts() == [
        "Draw", "See it flow", "Click a position", "Follow it to the answer",
    ]  # fmt: skip
    assert page.locator('.guide [aria-current="step"] b').inner_text() == "Draw"


def test_the_steps_lead_from_the_image_to_the_terms_of_its_answer(new_page, explorer):
    page = new_page()
    page.goto(explorer.link)
    page.wait_for_selector(".top-class .class-name")
    predicted = page.locator(".top-class .class-name").inner_text()
    page.locator(".guide a").nth(1).click()
    page.wait_for_selector(".channel-card .map-surface")
    page.locator(".guide a").nth(2).click()
    page.wait_for_selector(".unit-terms")
    page.locator(".guide a").nth(3).click()
    page.wait_for_selector(f'.terms-card h2:text-is("Output for class “{predicted}”")')
    assert page.locator('.guide [aria-current="step"] b').inner_text() == "Follow it to the answer"


def test_closed_steps_stay_closed(new_page, explorer):
    page = new_page()
    page.goto(explorer.link)
    page.get_by_role("button", name="Close the first steps").click()
    page.reload()
    page.wait_for_selector(".drawing-canvas")
    assert page.locator(".guide").is_hidden()


def test_the_strongest_channel_is_shown_at_its_peak_and_the_image_is_not_darkened(page, trained):
    from convscope.analysis.target import open_target
    from convscope.explainers import record

    subject = open_target(trained)
    with record(subject.model, "stages.0") as outputs:
        subject.model(subject.input(subject.read("validation").select([7])))
    maps = outputs["stages.0"][0].numpy()
    channel = int(np.abs(maps).mean((1, 2)).argmax())
    row, column = np.unravel_index(np.abs(maps[channel]).argmax(), maps.shape[1:])
    page.evaluate("() => { location.hash = '#/network?image=validation-7&layer=stages.0' }")
    page.wait_for_selector(f'.channel-card h2:text-is("Channel {channel}")')
    assert page.locator(".channel-card .readout span").inner_text().strip() == f"row {row}, column {column}"
    veil = page.locator(".field-overlay .mask")
    assert veil.is_hidden()
    page.get_by_label("darken all but the receptive field").check()
    assert veil.is_visible()


def test_words_of_the_field_are_explained_for_pointer_and_keyboard(page):
    term = page.locator("dfn.term", has_text="feature maps").first
    assert term.get_attribute("title").startswith("The outputs of a layer as small images")
    assert term.get_attribute("tabindex") == "0"


def test_a_norm_is_written_out_so_that_its_value_can_be_recomputed(new_page, serve, finished, tmp_path):
    page = new_page()
    copy = tmp_path / "run"
    shutil.copytree(finished, copy)
    page.goto(f"{serve(copy).link}#/unit?image=validation-3&layer=stem.norm&channel=1&row=2&column=3")
    page.wait_for_selector(".norm-formula")
    text = page.locator(".norm-formula").first.inner_text().replace("−", "-").replace("- mean", "mean")
    numbers = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)
    x, mean, variance, epsilon, weight, bias = (float(number) for number in numbers)
    value = float(page.locator('.step[data-op="norm"]').first.get_attribute("data-value"))
    assert (x - mean) / (variance + epsilon) ** 0.5 * weight + bias == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_the_normalisation_of_the_pixels_is_written_beside_units_that_read_them(page):
    page.evaluate("() => { location.hash = '#/unit?image=validation-3&layer=stem&channel=0&row=2&column=2' }")
    page.get_by_text("Inputs are normalised pixels in [0, 1]: (pixel − ").wait_for()

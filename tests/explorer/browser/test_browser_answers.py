"""The answer of every task over its image, the worst images, and maps of what the task answers, in a real browser."""

import pytest

from helpers.small_runs import train

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TASKS = ("multilabel", "regress", "segment", "localise")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each task on the built-in shapes, without a report."""
    home = tmp_path_factory.mktemp("tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.pipeline.finalize.write_report", lambda folder, *_given: folder.report)
        patch.setattr("convscope.pipeline.finalize.write_first_insights", lambda *_given: None)
        for task in TASKS:
            train(home / task, "shapes", task=task, train__epochs=1, train__batch=64, data__size=32)
    return home


@pytest.fixture(scope="module")
def links(runs, serve):
    """The link of each task's explorer."""
    return {task: serve(runs / task).link for task in TASKS}


@pytest.fixture(params=TASKS)
def task_page(request, links, new_page):
    """The task's name and a page on its worst images."""
    page = new_page()
    page.goto(f"{links[request.param]}#/confusion?all=1")
    page.wait_for_selector(".worst-images .thumbnail")
    page.wait_for_selector(".image-detail .image")
    return request.param, page


def worst(page) -> dict:
    return page.evaluate("async () => (await (await fetch('/api/images?order=worst&count=1')).json()).images[0]")


def test_the_worst_image_is_shown_with_its_answer_and_its_label(task_page):
    task, page = task_page
    first = worst(page)
    assert page.locator(".image-detail h2").inner_text() == first["name"]
    assert page.locator(".error-note").inner_text() == first["note"]
    answer = page.evaluate(f"async () => (await (await fetch('/api/inputs/{first['id']}')).json()).answer")
    if task == "localise":
        corners = page.evaluate(
            "[...document.querySelectorAll('.answer-boxes .target rect.edge')].map((r) => [r.x, r.y, r.width, r.height]"
            ".map((side) => side.baseVal.value))"
        )
        x1, y1, x2, y2 = next(box for box in answer["boxes"] if box["is_target"])["corners"]
        assert corners == [pytest.approx([x1, y1, x2 - x1, y2 - y1], abs=1e-3)]
        assert page.locator(".answer-boxes text").count() == 2
    elif task == "segment":
        assert page.locator(".answer-controls button").all_inner_texts() == [
            "prediction", "label", "errors only", "image only",
        ]  # fmt: skip
    elif task == "regress":
        cells = page.locator(".numbers tbody tr").first.locator("td").all_inner_texts()
        assert len(cells) == 3
    else:
        names = page.locator(".tag").all_inner_texts()
        assert len(names) == len(answer["tags"])


def test_a_mask_is_shown_with_the_chosen_opacity_or_its_errors_only(task_page):
    task, page = task_page
    if task != "segment":
        return
    mask = page.locator(".image-detail .answer-mask")
    assert mask.evaluate("one => one.style.opacity") == "0.55"
    page.get_by_role("button", name="errors only").click()
    page.wait_for_function("document.querySelector('.image-detail .answer-mask').src.includes('show=errors')")
    shown = mask.evaluate("""async (one) => {
        await one.decode();
        const canvas = new OffscreenCanvas(one.naturalWidth, one.naturalHeight).getContext("2d");
        canvas.drawImage(one, 0, 0);
        return [...canvas.getImageData(0, 0, one.naturalWidth, one.naturalHeight).data].filter((_, i) => i % 4 === 3);
    }""")
    assert shown.count(255) > 0
    assert set(shown) <= {0, 255}
    page.get_by_role("button", name="image only").click()
    page.wait_for_selector(".image-detail .answer-mask", state="hidden")


def test_a_run_on_photographs_opens_on_its_worst_mistake(task_page):
    _, page = task_page
    wrong = page.evaluate(
        "async () => (await (await fetch('/api/images?order=worst&mistakes=1&count=1')).json()).images"
    )
    page.goto(page.url.split("#")[0])
    page.wait_for_selector(".stage[aria-pressed=true]")
    assert f"image={wrong[0]['id'] if wrong else 'validation-0'}" in page.url or not wrong
    assert page.locator(".guide b").first.inner_text() == "See a mistake"


def test_the_attribution_of_an_answer_opens_from_its_image(task_page):
    _, page = task_page
    page.get_by_role("link", name="Why? Attribution").click()
    page.wait_for_selector(".attribution-maps figure", timeout=60_000)
    assert page.locator(".attribution-maps figure").count() >= 2


def test_a_click_on_a_pixel_of_a_mask_explains_that_pixel(task_page):
    task, page = task_page
    if task != "segment":
        return
    box = page.locator(".image-detail .image").bounding_box()
    page.mouse.click(box["x"] + (16.5 / 32) * box["width"], box["y"] + (8.5 / 32) * box["height"])
    page.wait_for_selector(".attribution-maps figure", timeout=60_000)
    assert page.url.endswith("set.pixel=8,16")

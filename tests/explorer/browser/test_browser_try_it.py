"""The exercises beside the views: guess a value, move the weights of a kernel, switch an activation off."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def unit_page(page):
    """The page of a unit of the first convolution."""
    layer = page.evaluate("""async () => {
        const network = await (await fetch('/api/network')).json();
        const leaves = (nodes) => nodes.flatMap((node) => (node.children.length ? leaves(node.children) : [node]));
        return leaves(network.sections).find((node) => node.group === 'convolution').name;
    }""")
    page.evaluate(f"() => {{ location.hash = '#/unit?image=validation-7&layer={layer}&channel=0' }}")
    page.wait_for_selector(".try-kernel .answer-change")
    return page


def test_a_value_is_hidden_until_it_is_guessed(unit_page):
    card = unit_page.locator(".try-guess")
    card.get_by_role("button", name="Ask me").click()
    card.locator("form").wait_for()
    hidden = ".try-guess .input-window > .sum"
    visibility = f"[...document.querySelectorAll('{hidden}')].map((one) => getComputedStyle(one).visibility)"
    assert set(unit_page.evaluate(visibility)) == {"hidden"}
    card.get_by_label("Your guess").fill("100")
    card.get_by_role("button", name="Show the value").click()
    message = card.locator("[aria-live]").inner_text()
    assert re.match(r"It is −?[\d.e−]+\. ", message)
    assert "of the map's range" in message
    assert card.locator(".space-between .small").inner_text() == "0 of 1 close"
    assert set(unit_page.evaluate(visibility)) == {"visible"}
    link = card.get_by_role("link", name="See how it is computed")
    value = message.split()[2].rstrip(".")
    link.click()
    unit_page.wait_for_function(f"() => document.querySelector('.unit-terms .total output').textContent === '{value}'")


def test_a_guess_is_judged_by_its_distance_and_its_sign(page):
    judged = page.evaluate("""async () => {
        const { judge } = await import('/static/widgets/try_guess.js');
        const map = { low: 0, high: 4 };
        return [judge(2.2, 2, map, 2), judge(-1, 2, map, 2), judge(3, 2, map, 2), judge(1, 0, map, -0.5)];
    }""")
    assert [one["close"] for one in judged] == [True, False, False, False]
    assert judged[0]["text"] == "Close: off by 0.200, 5.0\u00a0% of the map's range."
    assert judged[1]["text"].startswith("The other sign: warm values times warm weights add")
    assert judged[2]["text"] == "Too large: off by 1.000, 25.0\u00a0% of the map's range."
    assert judged[3]["text"].startswith("The sum is negative, −0.500, and the activation makes it 0")


def test_zero_weights_give_a_map_of_one_value_and_the_trained_weights_bring_it_back(unit_page):
    card = unit_page.locator(".try-kernel")
    colours = """() => [...document.querySelectorAll('.two-maps canvas')].map((canvas) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    })"""
    assert min(unit_page.evaluate(colours)) > 1
    card.get_by_role("button", name="All zero").click()
    unit_page.wait_for_function(f"() => ({colours})()[1] === 1")
    card.get_by_label("Weight in row 0, column 0").fill("1")
    unit_page.wait_for_function(f"() => ({colours})()[1] > 1")
    card.get_by_role("button", name="Trained weights").click()
    urls = "[...document.querySelectorAll('.two-maps canvas')].map((canvas) => canvas.toDataURL())"
    unit_page.wait_for_function(f"() => new Set({urls}).size === 1")


def test_a_kernel_is_mirrored_and_turned(page):
    changed = page.evaluate("""async () => {
        const { KERNEL_CHANGES } = await import('/static/widgets/try_kernel.js');
        const names = ['Mirror it', 'Turn it', 'Reverse the signs', 'All zero'];
        return names.map((name) => KERNEL_CHANGES[name]([[1, 2], [3, 0]]));
    }""")
    assert changed == [[[2, 1], [0, 3]], [[3, 1], [0, 2]], [[-1, -2], [-3, 0]], [[0, 0], [0, 0]]]


def test_an_activation_that_is_switched_off_changes_the_answer(page):
    card = page.locator(".try-without")
    card.locator(".answer-change").wait_for()
    text = card.locator("[aria-live]")
    before = text.inner_text()
    assert before.startswith("The answer is ")
    card.get_by_role("button", name="all off").click()
    page.wait_for_function(f"() => document.querySelector('.try-without [aria-live]').textContent !== {before!r}")
    assert set(card.locator("[data-layer]").evaluate_all("all => all.map((one) => one.ariaPressed)")) == {"true"}
    card.get_by_role("button", name="all on").click()
    page.wait_for_function(f"() => document.querySelector('.try-without [aria-live]').textContent === {before!r}")

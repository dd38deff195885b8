"""Tests of the page's pure functions in a real browser."""

import struct

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def evaluate_call(page, module: str, call: str):
    return page.evaluate(f"async () => {{ const m = await import('/static/{module}.js'); return m.{call}; }}")


def test_figures_are_short_and_signed_with_a_true_minus(page) -> None:
    figures = [
        evaluate_call(page, "lib/numbers", f"formatNumber({value})")
        for value in ("0", "-1.23456", "12345.6", "0.00001", "NaN")
    ]
    assert figures == ["0", "−1.235", "12346", "1.00e−5", "–"]
    assert evaluate_call(page, "lib/numbers", "formatPercent(0.0004)") == "< 0.1\u00a0%"
    assert evaluate_call(page, "lib/numbers", "ticks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]


def test_an_address_is_read_as_it_was_written(page) -> None:
    written = evaluate_call(
        page, "lib/router", "formatRoute('unit', {image: 'validation-3', layer: 'stages.0', channel: 0, row: null})"
    )
    assert written == "#/unit?image=validation-3&layer=stages.0&channel=0"
    assert evaluate_call(page, "lib/router", f"parseRoute('{written}')") == {
        "view": "unit",
        "params": {"image": "validation-3", "layer": "stages.0", "channel": "0"},
    }


def test_zero_has_the_background_colour_and_the_largest_value_the_strongest(page) -> None:
    assert [evaluate_call(page, "lib/color_scale", f"colorIndex({value}, 2)") for value in (0, 2, -2, 9)] == [
        255,
        510,
        0,
        510,
    ]
    assert evaluate_call(page, "lib/color_scale", "colorIndex(NaN, 2)") == 255


def test_maps_are_decoded_from_bytes_and_from_floats(page) -> None:
    for values, content in (
        ("bytes", struct.pack("<2f", -1.0, 4.0) + bytes([0, 255])),
        ("float", struct.pack("<2f", -1.0, 4.0)),
    ):
        head = f'{{"layer":"a","channels":[7],"total":9,"shape":[1,2],"full":[1,2],"values":"{values}","kind":"maps"}}'
        head += " " * (-len(head) % 4)
        sent = b"CSM1" + struct.pack("<I", len(head)) + head.encode() + content
        read = "map((one) => [one.channel, ...one.values, one.low, one.high])"
        got = evaluate_call(page, "lib/feature_maps", f"decodeMaps(new Uint8Array({list(sent)}).buffer).maps.{read}")
        assert got == [[7, -1, 4, -1, 4]]


def test_a_lasso_selects_only_the_points_inside_it(page) -> None:
    square = "[[0, 0], [2, 0], [2, 2], [0, 2]]"
    assert evaluate_call(page, "lib/lasso", f"insidePolygon([1, 1], {square})") is True
    assert evaluate_call(page, "lib/lasso", f"insidePolygon([3, 1], {square})") is False
    points = "[{x: 0, y: 0}, {x: 5, y: 1}, {x: 1, y: 5}]"
    assert evaluate_call(page, "lib/lasso", f"nextPoint({points}, 0, 'ArrowRight')") == 1
    assert evaluate_call(page, "lib/lasso", f"nextPoint({points}, 0, 'ArrowDown')") == 2
    assert evaluate_call(page, "lib/lasso", f"nextPoint({points}, 0, 'ArrowLeft')") == 0


def test_an_arrow_key_leads_to_the_neighbour_on_the_screen(page) -> None:
    boxes = "[[0, 0], [10, 0], [20, 0], [0, 10], [10, 10]].map(([left, top]) => ({left, top, width: 9, height: 9}))"
    assert [
        evaluate_call(page, "lib/grid_keys", f"neighborIndex({boxes}, 1, '{key}')")
        for key in ("ArrowDown", "ArrowLeft", "ArrowUp", "End")
    ] == [4, 0, 1, 4]


def test_folded_terms_and_shown_ones_are_all_of_the_sum(page) -> None:
    step = "{count: 10, rest: {count: 6, sum: 0.5}, terms: [4, 3, 2, 1].map((product) => ({product}))}"
    assert evaluate_call(page, "widgets/unit_terms", f"foldTerms({step}, 2)") == {
        "terms": [{"product": 4}, {"product": 3}],
        "folded": [{"product": 2}, {"product": 1}],
        "rest": 8,
        "restSum": 3.5,
    }


def test_window_terms_are_grouped_by_channel_largest_sum_first(page) -> None:
    terms = "[{channel: 0, product: 1}, {channel: 1, product: -3}, {channel: 0, product: 1}]"
    assert evaluate_call(
        page, "widgets/input_windows", f"termsByChannel({{terms: {terms}}}).map((part) => [part.channel, part.sum])"
    ) == [
        [1, -3],
        [0, 2],
    ]


def test_of_many_quick_calls_the_first_and_the_last_are_made(page) -> None:
    assert page.evaluate("""async () => {
        const { runLatest } = await import('/static/lib/latest_request.js');
        const made = [];
        const call = runLatest(async (n) => { await new Promise((done) => setTimeout(done, 20)); made.push(n); });
        [1, 2, 3, 4].forEach(call);
        await new Promise((done) => setTimeout(done, 120));
        return made;
    }""") == [1, 4]


def test_a_field_of_a_unit_lies_a_stride_further_for_its_neighbour(page) -> None:
    known = "{field: [4, 6, 9, 11], row: 3, column: 2}"
    assert evaluate_call(page, "lib/network_tree", f"shiftedField({known}, [2, 2], 4, 5)") == [10, 8, 15, 13]


def test_channels_can_be_named_one_by_one_or_from_to(page) -> None:
    assert evaluate_call(page, "widgets/method_form", "parseNumbers('7, 2-4')") == [7, 2, 3, 4]
    assert evaluate_call(page, "widgets/method_form", "parseNumbers('')") == []


def test_a_form_sends_what_was_chosen_and_follows_the_page(page) -> None:
    schema = """{properties: {
        layers: {type: 'array', items: {type: 'string'}, default: [], widget: 'layer'},
        channels: {type: 'array', items: {type: 'integer'}, default: [], widget: 'channels'},
        images: {type: 'array', items: {type: 'string'}, default: [], widget: 'image'},
        method: {type: 'array', items: {enum: ['a', 'b'], type: 'string'}, default: ['a']},
        probe: {anyOf: [{type: 'integer', minimum: 0}, {type: 'null'}], default: null},
    }}"""
    given = "{layer: 'stem', channel: '3', 'set.method': 'b', 'set.probe': '2'}"
    assert evaluate_call(
        page, "widgets/method_form", f"formSettings(m.schemaFields({schema}), {{params: {given}, image: 'train-1'}})"
    ) == {"layers": ["stem"], "channels": [3], "images": ["train-1"], "method": ["b"], "probe": 2}
    none = "{layer: 'stem', 'set.layers': ' ', 'set.images': ' '}"
    assert (
        evaluate_call(
            page, "widgets/method_form", f"formSettings(m.schemaFields({schema}), {{params: {none}, image: 'train-1'}})"
        )
        == {}
    )


def test_for_many_classes_the_most_frequent_mistakes_are_listed(page) -> None:
    assert evaluate_call(page, "widgets/confusion_matrix", "confusedPairs([[9, 1, 0], [3, 8, 0], [0, 2, 7]])") == [
        [1, 0, 3],
        [2, 1, 2],
        [0, 1, 1],
    ]
    names, counts = [f"c{i}" for i in range(41)], [[4 * (i == 2 and j == 5) for j in range(41)] for i in range(41)]
    assert (
        evaluate_call(page, "widgets/confusion_matrix", f"confusionMatrix({names}, {counts}).textContent")
        == "4c2, predicted c5"
    )

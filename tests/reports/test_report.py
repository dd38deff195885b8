"""The report: one self-contained file that opens offline, with all sections."""

import base64
import html
import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from convscope.api import RunFolder, write_report
from convscope.durations import format_seconds
from convscope.reports.report import confused
from convscope.runs.predictions import load_predictions
from helpers.small_runs import photos, train

VOID = {"meta", "br", "img", "link", "input", "hr", "path", "use", "stop"}


class ReportParser(HTMLParser):
    """Checks that every element is closed; collects addresses, images and text."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.images, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if tag == "img" and ("class", "insight") not in attrs:  # the figures of "Learned features" are not predictions
            self.images.append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, _tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(finished):
    parser = ReportParser()
    parser.feed((finished / "report.html").read_text())
    assert parser.open == []
    return parser


def test_a_report_is_self_contained(finished, page):
    assert "http" not in (finished / "report.html").read_text()
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert "<script" not in (finished / "report.html").read_text()


def test_a_report_has_the_curves_with_the_selected_epoch(finished, page):
    text = (finished / "report.html").read_text()
    assert text.count("<svg") == 3  # and the layers by depth, and the calibration
    for title in ("loss", "accuracy", "learning rate at the end of each epoch", "selected"):
        assert f">{title}</text>" in text
    assert "Epoch 2 of 2 was selected. No sign of overfitting" in page.text


def test_a_report_has_the_confusion_matrix(finished):
    predictions = load_predictions(RunFolder(finished), "validation")
    counts = predictions.task.confusion(predictions.meter)
    table = re.search(r'<table class="matrix">(.*?)</table>', (finished / "report.html").read_text(), re.DOTALL).group(
        1
    )
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table)
    assert [name for name, _ in rows] == list(predictions.task.classes)
    shown = [[int(n or 0) for n in re.findall(r"<td[^>]*>(\d*)</td>", cells)] for _, cells in rows]
    assert shown == counts.tolist()


def test_a_report_has_every_class_with_its_intervals(finished, page):
    text = (finished / "report.html").read_text()
    assert len(re.findall(r'aria-label="[\d.]+ %, 95 % interval [\d.]+ to [\d.]+ %"', text)) > 20
    assert "precisionrecallF1" in page.text.replace("\n", "").replace(" ", "")


def test_a_report_shows_the_most_confident_mistakes_and_the_least_confident_correct_predictions(finished, page):
    run = RunFolder(finished)
    predictions = load_predictions(run, "validation")
    probabilities, truth = predictions.task.decode(predictions.meter.output).numpy(), predictions.meter.target.numpy()
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != truth
    mistakes = [predictions.names[i] for i in np.argsort(-confidence, kind="stable") if wrong[i]][:12]
    unconfident = [predictions.names[i] for i in np.argsort(confidence, kind="stable") if not wrong[i]][:12]
    assert [image["alt"] for image in page.images] == mistakes + unconfident


def test_a_reports_images_equal_those_of_the_dataset(page):
    from convscope.layouts import digits

    data = digits()
    for image in page.images:
        kind, _, content = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        assert (shown == data.images[data.names.index(image["alt"])][..., 0]).all()


def test_a_report_has_the_settings_and_the_machine(finished, page):
    assert (finished / "recipe.toml").read_text() in page.text
    machine = RunFolder(finished).environment()
    for name in ("python", "torch", "processor", "device"):
        assert machine[name] in page.text


def test_a_report_that_is_rewritten_is_identical(finished, tmp_path):
    run = RunFolder(shutil.copytree(finished, tmp_path / finished.name))
    before = run.report.read_text().replace(str(finished), str(run.path))
    assert write_report(run).read_text() == before


def test_class_and_file_names_are_escaped(tmp_path):
    """Names with HTML markup are shown as text."""
    folder = photos(tmp_path / "photos")
    markup = "<b>&'\"[x]</b>"
    (folder / "b").rename(folder / markup.replace("/", "_"))
    train(tmp_path / "run", str(folder), train__epochs=1)
    text = (tmp_path / "run" / "report.html").read_text()
    ReportParser().feed(text)
    assert markup.replace("/", "_") not in text
    assert html.escape(markup.replace("/", "_")).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text


def test_large_photos_are_downscaled_without_cropping(tmp_path):
    folder = photos(tmp_path / "photos", size=(100, 300))
    train(tmp_path / "run", str(folder), train__epochs=1, data__size=16)
    parser = ReportParser()
    parser.feed((tmp_path / "run" / "report.html").read_text())
    for image in parser.images:
        assert image["src"].startswith("data:image/jpeg;base64,")
        shown = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
        assert shown.size == (160, 53)


def test_confused_pairs_are_sorted_by_count():
    counts = np.array([[5, 2, 0], [0, 3, 1], [4, 0, 0]])
    assert confused(counts, ("cat", "dog", "owl")) == [("owl", "cat", 4), ("cat", "dog", 2), ("dog", "owl", 1)]


def test_a_report_is_written_also_if_a_loss_is_nan(finished, tmp_path):
    run = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    events = run.events()
    next(event for event in events if event["event"] == "epoch")["validation"]["loss"] = None
    run.events_file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert "<svg" in write_report(run).read_text()


def test_a_report_says_what_is_wrong_above_the_curves(finished, page, tmp_path):
    assert page.text.index("What is wrong") < page.text.index("Epoch 2 of 2 was selected")
    run = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    for event in (events := run.events()):
        for layer in event.get("layers", ()):
            layer["identical"] = True
    run.events_file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert "initialise at random: --set model.init=auto" in write_report(run).read_text()


def test_a_report_begins_with_a_verdict_and_how_to_use_the_network(finished, page):
    text = page.text
    assert text.index("In short") < text.index("What is wrong")
    for heading in ("What it does", "How well", "Where it fails", "What to do next", "Limits", "How to use it"):
        assert heading in text
    assert f"predictions = cs.predict('{finished}', ['image.jpg'])" in text


def test_every_entry_of_the_contents_leads_to_a_heading(finished):
    text = (finished / "report.html").read_text()
    targets = re.findall(r'<li><a href="#([\w-]+)">', text)
    assert len(targets) >= 9
    assert all(f'<h2 id="{target}">' in text for target in targets)


def test_pictures_are_not_loaded_lazily_which_leaves_frames_empty_in_print(finished):
    text = (finished / "report.html").read_text()
    assert 'loading="lazy"' not in text
    assert "@media print" in text


DURATIONS = {
    0.04: "0.0 s", 4.25: "4.2 s", 59.94: "59.9 s", 59.97: "1 min 00 s", 75: "1 min 15 s", 3599.6: "1 h 00 min",
    7260: "2 h 01 min",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), DURATIONS.items())
def test_durations_are_formatted_with_units(seconds, text):
    assert format_seconds(seconds) == text

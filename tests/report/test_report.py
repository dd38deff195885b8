"""The report: one file that opens offline and holds what was promised."""

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
from convscope.report.report import confused
from convscope.runs.predictions import load_predictions
from helpers.small_runs import photos, train

VOID = {"meta", "br", "img", "link", "input", "hr", "path", "use", "stop"}


class Balanced(HTMLParser):
    """Every element that is opened is closed; addresses and texts are gathered."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.images, self.text = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]
        if tag == "img" and ("class", "look") not in attrs:  # the sheets of "What it has learned" are no answers
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
    parser = Balanced()
    parser.feed((finished / "report.html").read_text())
    assert parser.open == []
    return parser


def test_a_report_needs_nothing_from_anywhere(finished, page):
    assert "http" not in (finished / "report.html").read_text()
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert "<script" not in (finished / "report.html").read_text()


def test_a_report_has_the_curves_with_the_epoch_that_is_kept(finished, page):
    text = (finished / "report.html").read_text()
    assert text.count("<svg") == 1
    for title in ("loss", "accuracy", "learning rate at the end of each epoch", "kept"):
        assert f">{title}</text>" in text
    assert "The network of epoch 2 of 2 is kept. No over-fitting" in page.text


def test_a_report_has_the_confusion_matrix(finished):
    answers = load_predictions(RunFolder(finished), "validation")
    counts = answers.task.confusion(answers.meter)
    table = re.search(r'<table class="matrix">(.*?)</table>', (finished / "report.html").read_text(), re.DOTALL).group(
        1
    )
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table)
    assert [name for name, _ in rows] == list(answers.task.classes)
    shown = [[int(n or 0) for n in re.findall(r"<td[^>]*>(\d*)</td>", cells)] for _, cells in rows]
    assert shown == counts.tolist()


def test_a_report_has_every_class_with_its_intervals(finished, page):
    text = (finished / "report.html").read_text()
    assert len(re.findall(r'aria-label="[\d.]+ %, 95 % interval [\d.]+ to [\d.]+ %"', text)) > 20
    assert "precisionrecallF1" in page.text.replace("\n", "").replace(" ", "")


def test_a_reports_pictures_are_the_surest_mistakes_and_the_least_sure_right_answers(finished, page):
    run = RunFolder(finished)
    answers = load_predictions(run, "validation")
    shares, truth = answers.task.decode(answers.meter.output).numpy(), answers.meter.target.numpy()
    sure, wrong = shares.max(1), shares.argmax(1) != truth
    mistakes = [answers.names[i] for i in np.argsort(-sure, kind="stable") if wrong[i]][:12]
    unsure = [answers.names[i] for i in np.argsort(sure, kind="stable") if not wrong[i]][:12]
    assert [image["alt"] for image in page.images] == mistakes + unsure


def test_a_reports_pictures_are_the_images_themselves(page):
    from convscope.data import digits

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


def test_a_report_is_the_same_when_it_is_written_again(finished, tmp_path):
    run = RunFolder(shutil.copytree(finished, tmp_path / finished.name))
    before = run.report.read_text().replace(str(finished), str(run.path))
    assert write_report(run).read_text() == before


def test_names_cannot_break_a_report(tmp_path):
    """Class and file names are text, whatever they hold."""
    folder = photos(tmp_path / "photos")
    odd = "<b>&'\"[x]</b>"
    (folder / "b").rename(folder / odd.replace("/", "_"))
    train(tmp_path / "run", str(folder), train__epochs=1)
    text = (tmp_path / "run" / "report.html").read_text()
    Balanced().feed(text)
    assert odd.replace("/", "_") not in text
    assert html.escape(odd.replace("/", "_")).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text


def test_large_photos_are_shown_small_and_whole(tmp_path):
    folder = photos(tmp_path / "photos", size=(100, 300))
    train(tmp_path / "run", str(folder), train__epochs=1, data__size=16)
    parser = Balanced()
    parser.feed((tmp_path / "run" / "report.html").read_text())
    for image in parser.images:
        assert image["src"].startswith("data:image/jpeg;base64,")
        shown = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
        assert shown.size == (160, 53)


def test_a_run_of_many_classes_lists_the_most_confused_pairs():
    counts = np.array([[5, 2, 0], [0, 3, 1], [4, 0, 0]])
    assert confused(counts, ("cat", "dog", "owl")) == [("owl", "cat", 4), ("cat", "dog", 2), ("dog", "owl", 1)]


def test_a_loss_that_was_no_number_does_not_break_a_report(finished, tmp_path):
    run = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    events = run.events()
    events[11]["validation"]["loss"] = None
    run.events_file.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert "<svg" in write_report(run).read_text()


SPANS = {
    0.04: "0.0 s", 4.25: "4.2 s", 59.94: "59.9 s", 59.97: "1 min 00 s", 75: "1 min 15 s", 3599.6: "1 h 00 min",
    7260: "2 h 01 min",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), SPANS.items())
def test_spans_of_time_are_told_as_people_say_them(seconds, text):
    assert format_seconds(seconds) == text

"""Every task end to end: train on shapes, evaluate, predict."""

import json

import numpy as np
import pytest
from PIL import Image

from convscope.api import RunFolder, TrainingFinished, augment, compare, evaluate, predict, task_of
from convscope.datasets.targets.boxes import boxes_in_view
from convscope.errors import ConfigError
from convscope.layouts import draw_shapes
from convscope.runs.recipe import AugmentSettings
from convscope.tasks import TASKS
from helpers.small_runs import train

OTHERS = ("multilabel", "regress", "segment", "localise")


@pytest.fixture(scope="module", autouse=True)
def _few_shapes():
    """Two hundred of the drawn shapes: a training of a second."""
    patch = pytest.MonkeyPatch()
    patch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(200, seed))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A function from a task to a run of one epoch on the shapes."""
    made = {}

    def run(name):
        if name not in made:
            path = tmp_path_factory.mktemp(name) / "run"
            events = train(path, "shapes", task=name, train__epochs=1, augment__policy="standard", data__size=32)
            made[name] = RunFolder(path), events
        return made[name]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("start", ["scratch", "pretrained"])
@pytest.mark.parametrize("name", TASKS)
def test_a_budget_ends_with_a_network_for_every_task_from_scratch_and_pretrained(runs, tmp_path, name, start):
    checkpoint = {"transfer__checkpoint": str(runs("classify")[0].path)} if start == "pretrained" else {}
    events = train(tmp_path / "run", "shapes", task=name, train__budget=15.0, data__size=32, **checkpoint)
    assert isinstance(events[-1], TrainingFinished)
    assert TASKS[name].primary in events[-1].scores
    assert (RunFolder(tmp_path / "run").model / "model.safetensors").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_task_trains_and_reports_its_primary_score(runs, name):
    run, events = runs(name)
    assert isinstance(events[-1], TrainingFinished)
    assert run.recipe().task == name
    assert TASKS[name].primary in events[-1].scores
    assert task_of(run.path).classes == tuple(run.data()["classes"])


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_evaluation_equals_the_scores_reported_by_training(runs, name):
    run, events = runs(name)
    found = evaluate(run.path, "validation")
    assert {score: found[score] for score in events[-1].scores} == pytest.approx(events[-1].scores, abs=1e-4)


@pytest.mark.parametrize("name", OTHERS)
def test_the_report_shows_the_tasks_own_sections(runs, name):
    run, _ = runs(name)
    page = run.report.read_text()
    title = {"multilabel": "Scores per label", "regress": "shapes: residuals"}.get(name, "Scores per class")
    assert f">{title}</h2>" in page
    assert f"validation {TASKS[name].score_name(TASKS[name].primary)}" in page
    assert page.count("data:image/") >= 12


@pytest.mark.parametrize("name", OTHERS)
def test_predictions_are_in_pixels_of_the_file_for_any_size(runs, name, tmp_path):
    run, _ = runs(name)
    image = Image.fromarray(draw_shapes(1).images[0])
    image.resize((200, 100)).save(tmp_path / "a.png")
    (answer,) = predict(run.path, tmp_path / "a.png")
    json.dumps(answer.to_dict())
    if name == "segment":
        assert answer.mask.shape == (100, 200)
    if name == "localise":
        x1, y1, x2, y2 = answer.box
        assert 50 <= x1 <= x2 <= 150, "the middle square is what the network sees"
        assert 0 <= y1 <= y2 <= 100


def test_thresholds_chosen_on_validation_are_stored_with_the_network(runs):
    run, _ = runs("multilabel")
    thresholds = task_of(run.path).thresholds
    assert len(thresholds) == 5
    assert thresholds != (0.5,) * 5


def test_boxes_are_evaluated_in_pixels_of_the_network_input():
    targets = np.array([[1, 60, 10, 100, 50], [0, 0, 0, 52, 100]], np.float32)
    found = boxes_in_view(targets, np.array([[100, 200], [100, 200]]), (50, 50))
    assert found[0].tolist() == [1, 5, 5, 25, 25]
    assert found[1][0] == 0
    assert np.isnan(found[1][1:]).all(), "two of its 52 pixels are seen"
    eighths = boxes_in_view(
        targets, np.array([[100, 200], [100, 200]]), (10, 10)
    )  # the cut begins at a multiple of 8, at 48
    assert eighths[0].tolist() == pytest.approx([1, 1.2, 1, 5.2, 5])
    assert np.isnan(eighths[1][1:]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"task": "segment", "augment__mix": "mixup"},
            "augment.mix is 'mixup', which the task segment cannot use; remove it",
        ),
        (
            {"task": "regress", "train__balanced_batches": True},
            "train.balanced_batches needs one class per image, not numbers; remove it",
        ),
        (
            {"task": "detect"},
            "settings: task is 'detect'; no such task; choose one of classify, localise, multilabel, regress, segment",
        ),
        ({"task": "segment", "loss__dise": 1}, "settings: no setting loss.dise; did you mean loss.dice?"),
        (
            {"augment__changes": {"rotat": 5}},
            "settings: augment.changes: no change rotat; did you mean rotate?",
        ),
        (
            {"augment__changes": {"rotate": 500}},
            "augment.changes.rotate is 500.0; it should be less than or equal to 180",
        ),
    ],
)
def test_settings_that_a_task_does_not_support_are_rejected(tmp_path, settings, message):
    with pytest.raises(ConfigError) as caught:
        train(tmp_path / "run", "shapes", **settings)
    assert str(caught.value) == message


def test_views_cannot_be_averaged_for_spatial_predictions(runs):
    with pytest.raises(ConfigError) as caught:
        evaluate(runs("localise")[0].path, "validation", tta_views="5")
    assert str(caught.value) == "views: 5 is not supported for boxes, whose positions change with the view; use 1"


@pytest.mark.slow
def test_classes_can_be_mixed(tmp_path):
    events = train(
        tmp_path / "run", "digits", train__epochs=1, augment__mix="cutmix", augment__changes={"elastic": 0.02}
    )
    assert isinstance(events[-1], TrainingFinished)


def test_runs_of_other_tasks_are_not_compared_by_accuracy(runs):
    path = runs("localise")[0].path
    with pytest.raises(ConfigError) as caught:
        compare([path, path])
    assert (
        str(caught.value)
        == f"compare: the task of {path} is localise, but accuracies are compared; give classification runs"
    )


@pytest.mark.parametrize("name", ["classify", "segment", "localise"])
def test_the_augmentation_preview_shows_original_and_augmented_images(name):
    settings = {"policy": "standard", "changes": {"elastic": 0.05}}
    found = augment("shapes", settings=settings, task=name, images=2, variants=3)
    assert found.settings == AugmentSettings(mirror=True, **settings)
    sheet = np.asarray(found.picture)
    side = (sheet.shape[0] - 4) // 2
    assert sheet.shape == (2 * side + 4, 4 * side + 4, 3)
    first, second = sheet[4:side, 4:side], sheet[4:side, side + 4 : 2 * side]
    assert (first != second).mean() > 0.3


def test_the_augmentation_preview_of_text_is_not_mirrored_by_default():
    assert augment("digits", images=1, variants=1).settings == AugmentSettings(policy="light", mirror=False)
    assert augment("digits", settings={"mirror": True}, images=1, variants=1).settings.mirror

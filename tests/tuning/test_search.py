"""A search from data to report, on sixty small photos."""

import json
import shutil

import pytest
import torch

from convscope.api import Search
from convscope.errors import ConfigError, RunError
from convscope.runs.events import PlanReady
from convscope.tuning.events import SearchFinished, SearchReady, TrainingStarted, TrialEnded, TrialStarted
from convscope.tuning.folder import SearchFolder
from convscope.tuning.optuna_study import export_study
from convscope.tuning.plan import SearchPlan
from convscope.tuning.request import SearchRequest
from convscope.tuning.search import continuing, searching
from convscope.tuning.setup import restore
from convscope.tuning.study import Study
from convscope.tuning.summary import SearchSummary
from convscope.tuning.trial_run import TrialRunner
from helpers.small_runs import same, state, weights

pytestmark = pytest.mark.slow

SETTINGS = {
    "data.size": [16, 16], "model.name": "plain", "model.options.depth": 1, "train.threads": 1, "train.epochs": 1,
    "train.batch": 16, "train.probes": 0, "augment.policy": "none", "train.precision": "float32",
}  # fmt: skip
RANGES = {"model.options.filters": "4:8", "model.options.widths": "4:8"}
REQUEST = SearchRequest(None, 4, 1, RANGES)


@pytest.fixture(scope="module")
def searched(few, tmp_path_factory):
    """The folder of a finished search of four trials, and its events."""
    path = tmp_path_factory.mktemp("search") / "photos-tune-1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convscope.pipeline.finalize.write_first_insights", lambda *_given: None)
        torch.set_num_threads(1)
        return path, list(searching(few, path, SETTINGS, REQUEST))


def records(path):
    return [json.loads(line) for line in (path / "search.jsonl").read_text().splitlines()]


def plan_of(path):
    return SearchPlan.from_json(Study(SearchFolder(path).log().refresh()).header["plan"])


def test_the_events_come_in_order(searched):
    _, events = searched
    assert isinstance(events[0], SearchReady)
    assert isinstance(events[-1], SearchFinished)
    assert [event.number for event in events if isinstance(event, TrialStarted) and event.rung == 0] == [0, 1, 2, 3]
    ended = [event for event in events if isinstance(event, TrialEnded)]
    assert [event.number for event in ended if event.rung == 0] == [0, 1, 2, 3]
    assert [event.epochs for event in ended] == [3**event.rung for event in ended]
    assert [event.what for event in events if isinstance(event, TrainingStarted)] == ["default", "winner"]
    assert sum(isinstance(event, PlanReady) for event in events) == 2, "of the two trainings in full"


def test_the_best_third_went_on(searched):
    study = Study(records(searched[0]))
    assert len(study.reached[0]) == 4
    first_three = list(study.results(0).items())[:3]
    assert study.reached[1][0] == max(first_three, key=lambda pair: (pair[1].rank, -pair[0]))[0]
    assert len(study.reached[1]) <= 2


def test_every_trial_is_a_run_that_other_commands_open(searched):
    from convscope.runs.folder import RunFolder

    for number in range(4):
        folder = RunFolder.open(searched[0] / "trials" / f"{number:04d}")
        assert folder.trained_model().exists()
        assert folder.has_predictions("validation")
        recipe = folder.recipe()
        assert recipe.train.epochs == 9
        assert all(4 <= filters <= 8 for filters in recipe.model.options["filters"])


def test_the_test_images_are_not_evaluated(searched):
    path, _ = searched
    assert not list(path.rglob("test_evaluations.jsonl"))
    assert not list(path.rglob("predictions/test*"))


def test_the_winner_is_the_best_trial_trained_in_full(searched):
    path, _ = searched
    study = Study(records(path))
    assert study.winner == study.best().number
    search = Search(path)
    trial = json.loads((path / "trials" / f"{study.winner:04d}" / "model" / "config.json").read_text())
    winner = json.loads((path / "winner" / "model" / "config.json").read_text())
    assert winner["architecture"] == trial["architecture"]
    assert len(search.winner.history) == 9, "at least the epochs of the last rung"
    assert len(search.default.history) == 1, "the epochs that the user set"


def test_the_table_has_the_columns_of_the_notes(searched):
    search = Search(searched[0])
    assert search.headings[:4] == ("trial", "filters", "units1", "units2")
    assert search.headings[-5:] == ("parameters", "epochs", "validation accuracy", "time", "energy")
    assert len(search.rows()) == 4
    filters = search.rows()[0][1].split("/")
    assert all(4 <= int(number) <= 8 for number in filters)


def test_the_sentences_say_what_was_tried_and_how_far_to_trust_it(searched):
    path, _ = searched
    text = "\n".join(Search(path).sentences)
    longer = len(Study(records(path)).reached[1])
    assert f"4 networks were tried: 4 to epoch 1, {longer} to epoch 3" in text
    assert "The winner is trial" in text
    assert "The default recipe (plain, " in text
    assert "Choosing among 4 trials by" in text
    assert "Keeping only the best network after one epoch would have chosen trial" in text
    assert f"convscope evaluate {path}/winner --split test" in text
    assert "What mattered" not in text, "four trials do not say that"


def test_the_report_is_one_page(searched):
    page = (searched[0] / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "<h2>The best networks</h2>" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_trial_in_parts_equals_one_in_a_piece_to_the_bit(searched, tmp_path):
    plan, fingerprint = plan_of(searched[0]), records(searched[0])[0]["fingerprint"]
    setup = restore(plan, fingerprint, None)
    runner = TrialRunner(setup.trial_data)
    recipe = plan.recipe(plan.space.start(), setup.task)
    for name, parts in (("parts", (1, 3)), ("piece", (3,))):
        runner.create(tmp_path / name, *recipe)
        for epochs in parts:
            list(runner.train(tmp_path / name, epochs))
    assert weights(tmp_path / "parts") == weights(tmp_path / "piece")
    assert same(state(tmp_path / "parts"), state(tmp_path / "piece"))


def test_a_search_that_lost_its_end_goes_on_and_trains_no_trial_again(searched, tmp_path):
    path = tmp_path / "copy"
    shutil.copytree(searched[0], path, ignore=shutil.ignore_patterns("winner", "*.lock"))
    lines = (path / "search.jsonl").read_text().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if '"what": "winner"' in line)
    (path / "search.jsonl").write_text("".join(lines[:cut]) + '{"event": "tra')
    events = list(continuing(path))
    assert not [event for event in events if isinstance(event, TrialStarted)]
    assert events[0].removed == 14
    assert Study(records(path)).finished
    assert weights(path / "winner") == weights(searched[0] / "winner")


def test_a_complete_search_is_not_continued(searched):
    path, _ = searched
    with pytest.raises(RunError) as caught:
        list(continuing(path))
    assert str(caught.value) == (f"{path}: the search is complete; see {path}/report.html, or start another one")


def test_an_existing_folder_is_not_overwritten(searched, few, tmp_path):
    path, _ = searched
    with pytest.raises(RunError) as caught:
        list(searching(few, path, SETTINGS, REQUEST))
    assert str(caught.value) == (
        f"{path}: a search already exists; choose another folder with --out, "
        f"or continue it: convscope tune --resume {path}"
    )
    (tmp_path / "file").touch()
    with pytest.raises(RunError) as caught:
        list(searching(few, tmp_path, SETTINGS, REQUEST))
    assert str(caught.value) == f"{tmp_path}: already exists and is not a search; choose another folder with --out"


def test_a_search_that_cannot_start_leaves_nothing(few, tmp_path):
    with pytest.raises(ConfigError) as caught:
        list(searching(few, tmp_path / "search", SETTINGS, SearchRequest(None, 4, 1, {"train.epoch": "1:3"})))
    assert str(caught.value).startswith("search: no setting train.epoch")
    assert not (tmp_path / "search").exists()


def test_changed_data_are_refused(searched):
    plan = plan_of(searched[0])
    with pytest.raises(ConfigError) as caught:
        restore(plan, "another", None)
    assert str(caught.value) == (
        f"{plan.base.data.source}: the data changed since the search started, so its scores cannot be compared with "
        "new ones; start a new search"
    )


def test_the_summary_is_plain_data(searched):
    found = SearchSummary.read(SearchFolder(searched[0])).to_dict()
    assert json.loads(json.dumps(found))["trainings"].keys() == {"default", "winner"}
    assert len(found["trials"]) == 4


@pytest.mark.parametrize("name", ["study.db", "study.log"])
def test_the_trials_are_exported_as_an_optuna_study(searched, tmp_path, name):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path, file = searched[0], tmp_path / name
    assert export_study(path, file) == 4
    storage = f"sqlite:///{file}" if name.endswith(".db") else JournalStorage(JournalFileBackend(str(file)))
    study = optuna.load_study(study_name=path.name, storage=storage)
    summary = SearchSummary.read(SearchFolder(path))
    for one, trial in zip(study.trials, summary.study.trials.values(), strict=True):
        assert one.params == {name: trial.values[name] for name in one.params}
        assert one.intermediate_values == {each.epochs: each.score for each in trial.results.values()}
    assert study.best_value == max(
        trial.result.score for trial in summary.study.trials.values() if trial.result and not trial.stopped
    )
    with pytest.raises(ConfigError) as refused:
        export_study(path, file)
    assert str(refused.value) == f"--optuna {file}: the file exists; give the name of a new one"


def test_a_complete_search_is_only_exported(searched, tmp_path, convscope):
    file = tmp_path / "study.log"
    assert convscope("tune", "--resume", searched[0], "--optuna", file) == (0, f"4 trials written to {file}\n", "")

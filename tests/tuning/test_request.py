"""The limits of a search."""

import pytest

from convscope.errors import ConfigError
from convscope.runs.overrides import settings_from_flags
from convscope.tuning.request import SearchRequest
from convscope.tuning.search import search_seconds
from convscope.tuning.setup import check_request


def test_without_a_limit_the_budget_is_ten_minutes():
    assert SearchRequest.of(None, None, 1, {}, "--budget").budget == 600
    assert SearchRequest.of(None, 5, 1, {}, "--budget").budget is None
    assert SearchRequest.of("2m", 5, 1, {}, "--budget") == SearchRequest(120.0, 5, 1, {})


def test_trials_get_the_budget_without_the_two_trainings_in_full():
    assert search_seconds(SearchRequest(120.0)) == pytest.approx(69)
    assert search_seconds(SearchRequest(None, 5)) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("soon", None, 1), "--budget: 'soon' is not a duration; write a duration like 90s, 5m or 1h30m"),
        ((0, None, 1), "--budget: 0 leaves no time; give a duration like 10m"),
        ((None, 0, 1), "trials: 0 is too few; give at least 1"),
        ((None, None, 0), "jobs: 0 is too few; give at least 1"),
    ],
)
def test_wrong_limits_are_refused(given, message):
    with pytest.raises(ConfigError) as caught:
        SearchRequest.of(*given, {}, "--budget")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("flags", "ranges", "message"),
    [
        (
            ["transfer.checkpoint=imagenet"], [],
            "--set transfer.checkpoint=imagenet: convscope tune searches networks that are trained from scratch, but "
            "transfer.checkpoint is 'imagenet'; remove it",
        ),
        (["train.budget=5m"], [], "--set train.budget=5m: the trials share the budget; give --budget instead"),
        (
            [], ["data.size"],
            "--search data.size: all trials share this setting; fix it with --set data.size=VALUE",
        ),
        (
            [], ["train.epochs"],
            "--search train.epochs: all trials share this setting; fix it with --set train.epochs=VALUE",
        ),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_searched_are_refused_before_the_data_are_read(flags, ranges, message):
    with pytest.raises(ConfigError) as caught:
        check_request(settings_from_flags(flags), ranges)
    assert str(caught.value) == message

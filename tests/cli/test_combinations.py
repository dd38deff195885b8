"""Every pair of options and circumstances occurs together in a run that ends as it should."""

import re
from contextlib import contextmanager
from functools import cache

import pytest

from convscope.api import RunFolder
from convscope.bundle import load_config
from convscope.errors import ConvscopeError
from convscope.layouts import draw_shapes
from helpers.combined_options import FACTORS, TRIPLES, allowed, is_tried, refused_pairs
from helpers.combined_runs import VERBS, Place, explored, trained
from helpers.layout_writers import COUNT
from helpers.pairwise import covering_array
from helpers.small_runs import leave_out_report

pytestmark = pytest.mark.slow


@cache
def cases():
    return covering_array(FACTORS, allowed, triples=TRIPLES)


@pytest.fixture(autouse=True)
def _little_work(monkeypatch):
    """Few drawn shapes, resampled scores and penalties: how good the answers are does not matter here."""
    monkeypatch.setattr("convscope.layouts.builtin.draw_shapes", lambda _count, seed: draw_shapes(COUNT, seed))
    monkeypatch.setattr("convscope.tasks.resampled.DRAWS", 3)
    monkeypatch.setattr("convscope.training.linear_probe.PENALTIES", (1.0, 0.01))


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Data and weights that several cases use."""
    return tmp_path_factory.mktemp("shared")


def problems_of(place, convscope):
    """What is wrong with the answers to a case; empty if all is as it should be."""
    case = place.case
    for code, _, errors in trained(place, convscope):
        if code:
            return f"train: {errors[-1500:]}"
    model = RunFolder(place.run).model
    if not (model / "model.safetensors").exists():
        return "train: no network"
    views = [] if case["views"] == "chosen" else ["--views", case["views"]]
    code, answer, errors = convscope("evaluate", place.run, *views, "--json")
    if code or load_config(model).build_task().primary not in answer or "NaN" in answer:
        return f"evaluate: {answer}{errors[-1500:]}"
    return wrong_answer(place, case["question"], convscope) or wrong_answer(place, case["form"], convscope)


def wrong_answer(place, verb, convscope):
    """What is wrong with the answer of a verb."""
    if verb == "explore":
        return explored(place)[2]
    command, check = VERBS[verb]
    code, answer, errors = convscope(*command(place))
    if code:
        return f"{verb}: {errors[-1500:]}"
    check(place, answer)
    return ""


@contextmanager
def small_training(case):
    """Without a report, which takes longer than the training, and with bfloat16 also where it would be slow."""
    with pytest.MonkeyPatch.context() as patch:
        if case["form"] != "report":
            leave_out_report(lambda name, value: patch.setattr(f"convscope.pipeline.finalize.{name}", value))
        if case["precision"] == "bfloat16":
            for module in ("training.precision", "pipeline.session"):
                patch.setattr(f"convscope.{module}.computes_bfloat16", lambda _device: True)
        yield


@pytest.mark.parametrize("layout", FACTORS["layout"])
def test_every_pair_of_options_gives_a_run_with_its_results(layout, shared, tmp_path, convscope):
    found = {}
    for number, case in enumerate(cases()):
        if case["layout"] != layout:
            continue
        own = tmp_path / str(number)
        own.mkdir()
        with small_training(case):
            problem = problems_of(Place(case, number, shared, own), convscope)
        if problem:
            found[number, *case.items()] = problem
    assert not found, "\n".join(f"{case}: {why}" for case, why in found.items())


@pytest.mark.parametrize("first", sorted({first for (first, _), _ in refused_pairs()}))
def test_options_that_do_not_go_together_end_in_a_result_or_one_line(first, shared, tmp_path, convscope):
    found = {}
    for number, (one, two) in enumerate(refused_pairs()):
        if one[0] != first:
            continue
        case = next(case | dict([two]) for case in cases() if one in case.items() and is_tried(case | dict([two])))
        own = tmp_path / str(number)
        own.mkdir()
        with small_training(case):
            code, errors = answer_of(Place(case, number, shared, own), convscope)
        if code and not re.fullmatch(r"(warning: .*\n|note: .*\n)*convscope: .+\n", errors):
            found[one, two, *case.items()] = errors[-1500:]
    assert not found, "\n".join(f"{case}: {why}" for case, why in found.items())


def answer_of(place, convscope):
    """Exit code and error output of the first command that is refused, or of the last."""
    try:
        code, _, errors = trained(place, convscope)[-1]
    except ConvscopeError as error:  # of a training that is stopped, or of the weights that it starts with
        return 2, f"convscope: {error}\n"
    views = place.case["views"]
    commands = [] if views == "chosen" else [["evaluate", place.run, "--views", views]]
    commands += [VERBS[verb][0](place) for verb in (place.case["question"], place.case["form"]) if verb in VERBS]
    for command in commands:
        if code:
            break
        code, _, errors = convscope(*command)
    return code, errors

"""The public names of `import convscope as cs`, and its import time."""

import subprocess
import sys
from inspect import signature

import pytest

import convscope as cs

VERBS = (
    "arithmetic", "augment", "baselines", "compare", "convolve", "crop", "data", "diagnose", "doctor", "evaluate",
    "explain", "export", "features", "inspect", "learn", "predict", "report", "resume", "robustness", "train", "tune",
)  # fmt: skip


def test_completion_shows_the_public_names_alone():
    assert dir(cs) == sorted(cs.__all__)
    assert set(VERBS) <= set(dir(cs))
    assert 20 <= len(cs.__all__) <= 30


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_typed_function_of_at_most_six_arguments(verb):
    function = getattr(cs, verb)
    parameters = signature(function).parameters.values()
    assert function.__name__ == verb
    assert function.__doc__
    assert len(parameters) <= 6
    assert all(parameter.annotation is not parameter.empty for parameter in parameters)


@pytest.mark.parametrize(
    "verb",
    ["compare", "diagnose", "evaluate", "explain", "export", "features", "inspect", "predict", "report", "resume"],
)
def test_verbs_that_apply_to_a_run_are_its_methods(verb):
    method = getattr(cs.Run, verb)
    assert method.__doc__.rstrip().endswith(f"see `cs.{verb}`.")


@pytest.mark.slow
def test_a_verb_stays_a_function_after_all_rooms_were_imported():
    script = (
        "import convscope as cs, pkgutil, importlib\n"
        "for room in pkgutil.iter_modules(cs.__path__):\n"
        "    if room.name != '__main__':\n"
        "        importlib.import_module('convscope.' + room.name)\n"
        f"print([name for name in {VERBS!r} if type(getattr(cs, name)).__name__ != 'function'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_result_types_are_what_the_verbs_return():
    for verb in set(VERBS) & {"compare", "data", "evaluate", "features", "predict", "robustness"}:
        returned = signature(getattr(cs, verb)).return_annotation
        assert returned.__name__ in cs.results.__all__
    assert all(isinstance(getattr(cs.results, name), type) for name in cs.results.__all__)


def test_importing_the_library_loads_no_torch():
    done = "import sys, convscope; dir(convscope); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", done]).returncode == 0


def test_an_unknown_name_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="module 'convscope' has no attribute 'trian'"):
        cs.trian  # noqa: B018

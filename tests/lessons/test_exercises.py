"""Exercises: determined by their seed, graded, with a sentence for each misconception."""

import re
from collections import Counter
from pathlib import Path

import pytest

from convscope.lessons import TOPICS
from convscope.lessons.answers import Choice
from convscope.lessons.exercise import exercise, make

GENERATORS = {f"{topic.name}/{one.__name__}": (topic, one) for topic in TOPICS.values() for one in topic.generators}
SENTENCES = Path(__file__).with_name("misconceptions.txt")


def seeds(topic, most):
    """Fewer for networks, which are built and run."""
    return range(most // 15 or 2 if topic.name == "assemble" else most)


def pattern(sentence):
    """A sentence without its numbers."""
    return re.sub(r"\d+", "N", sentence)


def check(name, most):
    topic, generator = GENERATORS[name]
    found = Counter()
    for seed in seeds(topic, most):
        one = make(generator, topic.name, seed)
        assert one.check(one.answer.text()).right, (seed, one)
        assert one.wrong, (seed, one)
        assert len(one.hints) >= 2
        assert one.solution
        assert one.question.rstrip()[-1] in "?.)"
        for wrong in one.wrong:
            grade = one.check(wrong.text)
            assert (grade.right, grade.message, grade.readable) == (False, wrong.sentence, True), (seed, one, wrong)
            found[pattern(wrong.sentence)] += 1
    return found


def test_every_outcome_has_at_least_five_kinds_of_exercise():
    assert len(TOPICS) == 22
    assert all(len(set(topic.kinds)) == len(topic.generators) >= 5 for topic in TOPICS.values())


def listed():
    """The sentences of each kind of exercise in the list."""
    kinds, name = {}, ""
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            kinds[name].add(line.strip())
        elif line:
            kinds[name := line] = set()
    return kinds


@pytest.mark.parametrize("name", GENERATORS)
def test_right_answers_are_accepted_and_each_misconception_gets_its_sentence(name):
    assert set(check(name, 20)) <= listed()[name]


def test_the_list_of_misconceptions_has_every_kind_of_exercise():
    assert set(listed()) == set(GENERATORS)
    for sentence in set().union(*listed().values()):
        assert re.fullmatch(r"[A-Z0-9].{6,}\.", sentence), sentence


def test_the_same_seed_gives_the_same_exercise_on_every_machine():
    topic = TOPICS["output-size"]
    one = make(topic.generators[0], "output-size", 7)
    assert one == make(topic.generators[0], "output-size", 7)
    assert (one.given, one.answer.text()) == ({"length": 15, "size": 5}, "11")
    assert one.to_dict()["seed"] == 7


@pytest.mark.parametrize("name", GENERATORS)
def test_seeds_give_fresh_questions(name):
    topic, generator = GENERATORS[name]
    count = 4 if topic.name == "assemble" else 60
    assert len({make(generator, topic.name, seed).question for seed in range(count)}) >= count // 6


def test_wrong_answers_that_are_right_or_repeated_are_left_out():
    one = exercise("2 + 2?", 4, [(4, "right"), (5, "first"), (5, "second"), (6, "third")], ["a", "b"], "4", {})
    assert [(wrong.text, wrong.sentence) for wrong in one.wrong] == [("5", "first"), ("6", "third")]


def test_a_number_rounded_too_early_is_told_how_to_round():
    one = exercise("1/7?", 1 / 7, [], ["a", "b"], "1/7", {})
    assert one.check("0.143").right
    assert one.check("1/7").right
    assert one.check("0,1429").right
    assert one.check("0.14").message == "Close: compute with all decimals and round at the end, to 3 decimals."
    assert one.check("7").message == "Not right; a hint shows the next step."
    assert one.text == "1/7?\nOne number. Give 3 decimals or a fraction."


def test_small_numbers_ask_for_more_decimals():
    one = exercise("1/1000?", 0.00123, [], ["a", "b"], "", {})
    assert one.answer.form() == "One number. Give 5 decimals or a fraction."
    assert not one.check("0").right


def test_a_grid_says_how_many_numbers_are_right_and_where_the_first_wrong_one_is():
    one = exercise("?", [[1, 2], [3, 4]], [], ["a", "b"], "", {})
    assert one.check("1 2; 0 4").message == "3 of 4 numbers are right; the first wrong one is in row 2, column 1."
    one = exercise("?", [1, 2, 3], [], ["a", "b"], "", {})
    assert one.check("1 0 0").message == "1 of 3 numbers are right; the first wrong one is number 2."
    assert one.answer.form() == "3 numbers with spaces between them."


def test_a_choice_is_answered_by_letter_or_by_its_beginning():
    one = exercise("Which?", "the red one", [("the blue one", "Blue is not."), ("green", "Green is not.")], [], "", {})
    assert isinstance(one.answer, Choice)
    letter = "abc"[one.answer.options.index("the red one")]
    for text in (letter, letter.upper(), f"{letter})", f"({letter})", "the red", "The red one"):
        assert one.check(text).right, text
    assert one.check("green").message == "Green is not."
    assert one.check("the").message == "the: not an option; answer a, b or c"
    assert one.check("").message == ": not an option; answer a, b or c"


def test_answers_are_hidden_from_public_data():
    one = make(TOPICS["pooling"].generators[0], "pooling", 3)
    assert set(one.to_dict()) - set(one.to_dict(answers=False)) == {"answer", "solution", "wrong"}

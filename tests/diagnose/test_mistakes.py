"""The surest mistakes and the least sure right answers."""

import numpy as np

from convscope.diagnose import Verdict, confident_mistakes, unsure_right, verdicts

PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.55, 0.45], [0.2, 0.8]])
TARGETS = np.array([1, 1, 0, 0, 1])
GIVEN = [
    Verdict(0, truth=1, answer=0, confidence=0.9),
    Verdict(1, truth=1, answer=1, confidence=0.6),
    Verdict(2, truth=0, answer=1, confidence=0.7),
    Verdict(3, truth=0, answer=0, confidence=0.55),
    Verdict(4, truth=1, answer=1, confidence=0.8),
]


def test_a_verdict_is_the_likeliest_class_and_its_probability():
    assert verdicts(PROBABILITIES, TARGETS) == GIVEN


def test_mistakes_come_surest_first():
    assert [verdict.row for verdict in confident_mistakes(GIVEN)] == [0, 2]
    assert [verdict.row for verdict in confident_mistakes(GIVEN, most=1)] == [0]


def test_right_answers_come_least_sure_first():
    assert [verdict.row for verdict in unsure_right(GIVEN)] == [3, 1, 4]
    assert [verdict.row for verdict in unsure_right(GIVEN, most=2)] == [3, 1]


def test_equal_confidences_keep_the_order_of_the_images():
    same = [Verdict(row, truth=0, answer=1, confidence=0.5) for row in range(3)]
    assert [verdict.row for verdict in confident_mistakes(same)] == [0, 1, 2]


def test_no_images_have_no_verdicts():
    assert verdicts(np.zeros((0, 2)), np.zeros(0, np.int64)) == []

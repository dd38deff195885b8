"""An exercise: question, right answer, hints, and the wrong answers with the misconception that leads to each."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

from convscope.lessons.answers import DECIMALS, Answer, Choice, Numbers, numbers
from convscope.lessons.number_text import UnreadableAnswerError

Generator = Callable[[Random], "Exercise"]
Wrong = Sequence[tuple[Any, str]]


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer as text that can be typed, and the sentence that names its misconception."""

    text: str
    sentence: str


@dataclass(frozen=True)
class Grade:
    """The result of an answer: `readable` is false if the text could not be read, and then it counts as no attempt."""

    right: bool
    message: str
    readable: bool = True


@dataclass(frozen=True, repr=False)
class Exercise:
    """One exercise with its numbers.

    Attributes:
        question: text, which may have several lines.
        answer: the right answer.
        wrong: wrong answers, none of which is right.
        hints: steps towards the answer, the first says least.
        solution: the calculation with its numbers.
        given: the numbers of the question, as plain data.
        topic: name of its topic.
        kind: name of its generator.
        seed: with `topic` and `kind` determines the exercise.
    """

    question: str
    answer: Answer
    wrong: tuple[WrongAnswer, ...]
    hints: tuple[str, ...]
    solution: str
    given: dict[str, Any] = field(hash=False)
    topic: str = ""
    kind: str = ""
    seed: int = 0

    @property
    def text(self) -> str:
        """The question, its options, and how to write the answer."""
        options = self.answer.options if isinstance(self.answer, Choice) else ()
        listed = [f"  {letter}) {option}" for letter, option in zip("abcdefghij", options, strict=False)]
        return "\n".join([self.question, *listed, self.answer.form()])

    def check(self, text: str) -> Grade:
        """Grade a text.

        >>> from convscope.lessons.topics.pooling import largest
        >>> make(largest, "pooling", 1).check("one").message
        'one: not a number; write numbers like 3, -0.5, 2/3 or 1,5'
        """
        try:
            value = self.answer.read(text)
        except UnreadableAnswerError as error:
            return Grade(False, str(error), readable=False)
        if self.answer.accepts(value):
            return Grade(True, f"Right. {self.solution}")
        for wrong in self.wrong:
            if _same(self.answer, self.answer.read(wrong.text), value):
                return Grade(False, wrong.sentence)
        return Grade(False, self.answer.remark(value) or "Not right; a hint shows the next step.")

    def to_dict(self, answers: bool = True) -> dict[str, Any]:
        """Return plain data, with or without what gives the answer away."""
        options = list(self.answer.options) if isinstance(self.answer, Choice) else []
        public = {
            "topic": self.topic, "kind": self.kind, "seed": self.seed, "question": self.question, "options": options,
            "form": self.answer.form(), "hints": list(self.hints),
        }  # fmt: skip
        if not answers:
            return public
        wrong = [asdict(one) for one in self.wrong]
        return {**public, "answer": self.answer.text(), "solution": self.solution, "wrong": wrong}

    def __repr__(self) -> str:
        return self.text


def exercise(
    question: str, answer: Any, wrong: Wrong, hints: Sequence[str], solution: str, given: dict[str, Any]
) -> Exercise:
    """Return an exercise; wrong answers that happen to be right, or that repeat another, are left out.

    Args:
        question: text.
        answer: numbers (see `numbers`), the text of the right option, or an `Answer`.
        wrong: (value, sentence) of the same form as `answer`; for a choice, the other options.
        hints: steps, the first says least.
        solution: the calculation with its numbers.
        given: the numbers of the question.
    """
    if isinstance(answer, str):
        options = [answer, *(value for value, _ in wrong)]
        Random(question).shuffle(options)
        kept = tuple(WrongAnswer(value, sentence) for value, sentence in wrong)
        return Exercise(question, Choice(tuple(options), answer), kept, tuple(hints), solution, given)
    right = numbers(answer) if isinstance(answer, int | float | list) or hasattr(answer, "denominator") else answer
    found: list[tuple[Any, WrongAnswer]] = []
    for wrong_value, sentence in wrong:
        if isinstance(right, Numbers):
            exact = numbers(wrong_value, right.decimals).values
            digits = DECIMALS if right.decimals is None else right.decimals
            value = tuple(Fraction(round(one, digits)) for one in exact)
            text = Numbers(value, right.shape, right.decimals).text()
        else:
            value, text = right.read(wrong_value), wrong_value
        if not right.accepts(value) and not any(_same(right, other, value) for other, _ in found):
            found.append((value, WrongAnswer(text, sentence)))
    return Exercise(question, right, tuple(one for _, one in found), tuple(hints), solution, given)


def make(generator: Generator, topic: str, seed: int) -> Exercise:
    """Return the exercise of a generator for a seed: the same in every process and on every machine."""
    kind: str = getattr(generator, "__name__", "")
    made = generator(Random(f"{topic}/{kind}/{seed}"))
    return Exercise(
        made.question, made.answer, made.wrong, made.hints, made.solution, made.given, topic, kind, seed
    )  # fmt: skip


def _same(answer: Answer, known: Any, value: Any) -> bool:
    """Whether a value is a known wrong one, to the decimals that are asked for."""
    if not isinstance(answer, Numbers):
        return bool(value == known)
    whole = all(one.denominator == 1 for one in known)
    decimals = answer.decimals if answer.decimals is not None else None if whole else 2
    return Numbers(known, answer.shape, decimals).accepts(value)

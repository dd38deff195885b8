"""Lessons with their pages and exercises: what `cs.learn` returns."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, overload

from convscope.lessons.exercise import Exercise
from convscope.lessons.line_breaks import broken
from convscope.lessons.source import PictureSource
from convscope.lessons.topic import Topic
from convscope.tables import html_table, text_table

HEADINGS = ("topic", "chapter", "you can")


@dataclass(frozen=True, repr=False)
class Lesson:
    """A topic's page and exercises.

    Attributes:
        topic: the topic, with its text, formula and corrections.
        picture: lines of text.
        picture_of: where the picture's image and figures are from; "" for a drawing that is the same for all.
        command: a command to try.
        exercises: with their answers.
    """

    topic: Topic
    picture: str
    picture_of: str
    command: str
    exercises: tuple[Exercise, ...]

    @property
    def page(self) -> str:
        """The page as text."""
        topic = self.topic
        formula = "\n".join(f"    {part}" for part in topic.formula.split("; "))
        parts = [
            f"{topic.title}\n{'=' * len(topic.title)}",
            broken(topic.text),
            formula,
            self.picture + (f"\n({self.picture_of})" if self.picture_of else ""),
            f"Try it. {topic.attempt[0]}:\n\n    {self.command}",
        ]
        parts += [
            broken(f"Often read: {one.claim}\nCorrect: {one.right}\nSource: {one.source}") for one in topic.corrections
        ]
        return "\n\n".join(parts)

    def to_dict(self, answers: bool = True) -> dict[str, Any]:
        """Return plain data, with or without the answers."""
        topic = self.topic
        return {
            "topic": topic.name, "chapter": topic.chapter, "title": topic.title, "outcome": topic.outcome,
            "text": topic.text, "formula": topic.formula, "picture": self.picture, "picture_of": self.picture_of,
            "try": topic.attempt[0], "command": self.command,
            "corrections": [asdict(one) for one in topic.corrections],
            "exercises": [one.to_dict(answers) for one in self.exercises],
        }  # fmt: skip

    def __repr__(self) -> str:
        numbered = [broken(f"{number}. {one.text}") for number, one in enumerate(self.exercises, 1)]
        return "\n\n".join([self.page, *numbered])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


class Course(Sequence[Lesson]):
    """Lessons in order.

    Args:
        lessons: the lessons.
        seed: the number that gives the same exercises again.
    """

    def __init__(self, lessons: Iterable[Lesson], seed: int) -> None:
        self._lessons = tuple(lessons)
        self.seed = seed

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises of all lessons."""
        return tuple(one for lesson in self._lessons for one in lesson.exercises)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return one row per lesson, for a table with the headings topic, chapter and outcome."""
        return [(one.topic.name, one.topic.chapter, one.topic.outcome) for one in self._lessons]

    def to_dict(self, answers: bool = True) -> dict[str, Any]:
        """Return plain data, with or without the answers."""
        return {"seed": self.seed, "lessons": [lesson.to_dict(answers) for lesson in self._lessons]}

    @overload
    def __getitem__(self, index: int) -> Lesson: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Lesson]: ...
    def __getitem__(self, index: int | slice) -> Lesson | Sequence[Lesson]:
        """Return a lesson by its index."""
        return self._lessons[index]

    def __len__(self) -> int:
        return len(self._lessons)

    def __repr__(self) -> str:
        return repr(self._lessons[0]) if len(self) == 1 else text_table(HEADINGS, self.rows())

    def _repr_html_(self) -> str:
        return self._lessons[0]._repr_html_() if len(self) == 1 else html_table(HEADINGS, self.rows())


def lesson_of(
    topic: Topic, source: PictureSource, run: str, seed: int, count: int, first: tuple[str, ...] = ()
) -> Lesson:  # fmt: skip
    """Return a lesson.

    Args:
        topic: its topic.
        source: what the picture shows.
        run: the folder to write into the command to try, or "RUN".
        seed: of the exercises.
        count: how many exercises.
        first: kinds of exercise that come first.
    """
    command = topic.attempt[1].replace("RUN", run)
    exercises = tuple(topic.exercises(seed, count, first))
    return Lesson(topic, topic.picture(source), "" if topic.schematic else source.name, command, exercises)

"""Lessons and exercises on convolutional networks."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from secrets import randbelow

from convscope.errors import ConfigError
from convscope.lessons import (
    CHAPTERS,
    Course,
    DigitsSource,
    Exercise,
    LearnerRecord,
    Lesson,
    PictureSource,
    RunSource,
    SessionResult,
    find_topics,
    lesson_of,
    practise,
    write_sheet,
)

__all__ = [
    "Course",
    "Exercise",
    "LearnerRecord",
    "Lesson",
    "SessionResult",
    "learn",
    "outcomes",
    "practise",
    "write_sheet",
]

MOST_SEEDS = 1_000_000
MOST_EXERCISES = 1000


def learn(
    topics: str | Sequence[str] = (),
    *,
    seed: int | None = None,
    count: int = 5,
    run: str | PathLike[str] | None = None,
    first: LearnerRecord | None = None,
) -> Course:
    """Lessons on convolutional networks: a page each, and exercises with fresh numbers, hints and graded answers.

    Args:
        topics: names of topics such as "pooling", or of chapters such as "layers"; all topics by default.
        seed: the same seed gives the same exercises; by default another one each time.
        count: exercises per topic, 0 to 1,000; they take the topic's kinds of exercise in turn.
        run: the folder of a run whose images and figures the pictures show; by default the built-in digits.
        first: a learner's record; kinds of exercise without a right answer come first.

    Raises:
        ConfigError: there is no such topic, or a number is out of range.
        RunError: `run` is not a run on images, or lacks what a picture shows.

    >>> course = learn("pooling", seed=1)
    >>> course.exercises[0].check("1 2; 3 4").right
    False
    """
    if not 0 <= count <= MOST_EXERCISES:
        raise ConfigError(f"learn: count is {count}; give 0 to {MOST_EXERCISES:,}")
    number = randbelow(MOST_SEEDS) if seed is None else seed
    if number < 0:
        raise ConfigError(f"learn: seed is {number}; give a number from 0")
    chosen = find_topics([topics] if isinstance(topics, str) else topics)
    source: PictureSource = DigitsSource() if run is None else RunSource(Path(run))
    name = "RUN" if run is None else str(Path(run))
    return Course(
        (
            lesson_of(topic, source, name, number, count, () if first is None else first.missing(topic))
            for topic in chosen
        ),
        number,
    )


def outcomes(record: LearnerRecord) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return the chapters, each with (topic, what you can do afterwards, progress)."""
    return [
        (title, [(one.name, one.outcome, record.progress(one)) for one in find_topics([chapter])])
        for chapter, title in CHAPTERS.items()
    ]

"""A topic: one outcome of a course on convolutional networks, its page and its kinds of exercise."""

from collections.abc import Callable
from dataclasses import dataclass

from convscope.lessons.exercise import Exercise, Generator, make
from convscope.lessons.source import PictureSource


@dataclass(frozen=True)
class Correction:
    """A statement that is often read in lecture notes, what is right, and where that is published."""

    claim: str
    right: str
    source: str


@dataclass(frozen=True)
class Topic:
    """One outcome with its page.

    Attributes:
        name: as typed after ``convscope learn``.
        chapter: its chapter, a key of `CHAPTERS`.
        title: a heading.
        outcome: what a learner can do afterwards; completes "You can ...".
        text: two to four sentences.
        formula: one formula.
        attempt: what to try, and the command that does it, in which RUN is the folder of a run.
        picture: function from a source of images and figures to lines of text.
        generators: its kinds of exercise, functions from random numbers to an exercise.
        corrections: what lecture notes often have otherwise.
        schematic: whether the picture is the same for every source.
    """

    name: str
    chapter: str
    title: str
    outcome: str
    text: str
    formula: str
    attempt: tuple[str, str]
    picture: Callable[[PictureSource], str]
    generators: tuple[Generator, ...]
    corrections: tuple[Correction, ...] = ()
    schematic: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of its kinds of exercise."""
        return tuple(generator.__name__ for generator in self.generators)

    def exercises(self, seed: int, count: int, first: tuple[str, ...] = ()) -> list[Exercise]:
        """Return exercises, one of each kind in turn, those named in `first` before the others.

        Args:
            seed: the same seed gives the same exercises.
            count: how many.
            first: names of kinds.
        """
        ordered = sorted(self.generators, key=lambda generator: generator.__name__ not in first)
        rounds = [(ordered[number % len(ordered)], number // len(ordered)) for number in range(count)]
        return [make(generator, self.name, seed * 1000 + turn) for generator, turn in rounds]

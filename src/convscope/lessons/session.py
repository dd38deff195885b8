"""A session of exercises: ask, grade, and give hints step by step."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convscope.lessons.exercise import Exercise
from convscope.lessons.learner_record import LearnerRecord
from convscope.lessons.line_breaks import broken

HELP = "Type an answer, or: hint, skip (shows the answer), quit."
_HINT, _SKIP, _QUIT = {"hint", "h", "?", "help"}, {"skip", "s", "answer"}, {"quit", "q", "exit"}


@dataclass(frozen=True)
class SessionResult:
    """How many exercises were solved of how many asked, in how many seconds."""

    solved: int
    presented: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.solved} of {self.presented} solved in {self.seconds:.0f} s."


def practise(
    exercises: Sequence[Exercise], record: LearnerRecord, read: Callable[[str], str], write: Callable[[str], None]
) -> SessionResult:
    """Ask exercises until all were asked or the learner quits; the record is saved after every attempt.

    Args:
        exercises: in their order.
        record: where attempts are counted.
        read: function from a prompt to a line; raises EOFError at the end of the input, which quits.
        write: shows text.
    """
    started, solved, presented = time.monotonic(), 0, 0
    write(HELP)
    for number, exercise in enumerate(exercises, 1):
        presented = number
        write(f"\nExercise {number} of {len(exercises)}\n\n{broken(exercise.text)}")
        outcome = _ask(exercise, record, read, write)
        solved += outcome == "solved"
        if outcome == "quit":
            presented -= 1
            break
    return SessionResult(solved, presented, time.monotonic() - started)


def _ask(
    exercise: Exercise, record: LearnerRecord, read: Callable[[str], str], write: Callable[[str], None]
) -> str:  # fmt: skip
    """Return "solved", "skipped" or "quit"."""
    hints = list(exercise.hints)
    while True:
        try:
            typed = read("> ")
        except EOFError:
            return "quit"
        word = typed.strip().lower()
        if word in _QUIT:
            return "quit"
        if word in _SKIP:
            write(broken(f"{exercise.answer.text()}\n{exercise.solution}"))
            return "skipped"
        if word in _HINT:
            write(broken(hints.pop(0)) if hints else "No more hints; skip shows the answer.")
            continue
        grade = exercise.check(typed)
        write(broken(grade.message))
        if grade.readable:
            record.add(exercise, grade.right)
        if grade.right:
            return "solved"

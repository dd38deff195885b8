"""``convscope learn``: pages and exercises, in the terminal, as JSON, or as a sheet to print."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convscope.cli.options import with_options

if TYPE_CHECKING:
    from convscope.api import Course, LearnerRecord


@dataclass(frozen=True)
class LearnOptions:
    """What ``convscope learn`` accepts."""

    topics: Annotated[
        list[str] | None,
        typer.Argument(help="Topics such as pooling, or chapters such as layers.", show_default="list all topics"),
    ] = None
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run that the pictures show.", show_default="the built-in digits")
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed gives the same exercises.", show_default="another each time", min=0),
    ] = None
    count: Annotated[int, typer.Option(help="Exercises per topic.", min=0, max=1000)] = 5
    sheet: Annotated[
        Path | None, typer.Option(help="Write the exercises to a .html or .pdf file to print.", show_default=False)
    ] = None
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Add answers and calculations to --sheet, --json or the printed exercises."),
    ] = False
    progress: Annotated[
        Path | None, typer.Option(help="File of what was answered.", show_default="in your data folder")
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False


@with_options(LearnOptions)
def learn(options: LearnOptions) -> None:
    """Learn how convolutional networks work: a short page per topic, then exercises with hints.

    Without a topic, the topics are listed by chapter with what is done. In a terminal the exercises are asked and
    graded; `--sheet` writes them to print, and `--json` prints them for other programs.

    Example: `convscope learn pooling`

    Example: `convscope learn layers softmax --seed 7 --sheet class.pdf --answers`
    """
    from convscope.api import LearnerRecord
    from convscope.api import learn as lessons

    record = LearnerRecord(options.progress)
    if not options.topics and not options.sheet:
        _list(record, options.json)
        return
    first = None if options.seed is not None else record
    course = lessons(options.topics or [], seed=options.seed, count=options.count, run=options.run, first=first)
    if options.sheet:
        from convscope.api import write_sheet

        write_sheet(course, options.sheet, options.answers)
        print(
            f"{options.sheet}: {len(course.exercises)} exercises, seed {course.seed}"
            + (", with answers" if options.answers else "")
        )
    elif options.json:
        from convscope.cli.printing import print_json

        print_json(course.to_dict(options.answers))
    else:
        _teach(course, record, options.answers)


def _list(record: "LearnerRecord", json: bool) -> None:
    from convscope.api import outcomes
    from convscope.cli.printing import print_json

    chapters = outcomes(record)
    if json:
        names = ("topic", "outcome", "progress")
        print_json(
            [
                {"chapter": title, "topics": [dict(zip(names, row, strict=True)) for row in rows]}
                for title, rows in chapters
            ]
        )
        return
    width = max(len(name) for _, rows in chapters for name, _, _ in rows)
    for title, rows in chapters:
        print(f"{title}: you can")
        for name, outcome, state in rows:
            print(f"  {name:<{width}}  {outcome}{f'  [{state}]' if state else ''}")
        print()
    print("Start a topic with: convscope learn convolution")


def _teach(course: "Course", record: "LearnerRecord", answers: bool) -> None:
    """Show the pages; ask the exercises in a terminal, print them elsewhere."""
    from convscope.api import practise

    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not answers
    for lesson in course:
        print(lesson.page)
        if not interactive:
            for number, one in enumerate(lesson.exercises, 1):
                print(f"\n{number}. {one.text}" + (f"\n   {one.answer.text()}\n   {one.solution}" if answers else ""))
            print()
            continue
        if not lesson.exercises:
            continue
        print()
        result = practise(lesson.exercises, record, input, print)
        left = record.missing(lesson.topic)
        print(
            f"\n{result} " + (f"{len(left)} kinds of exercise are left: {', '.join(left)}." if left else "Topic done.")
        )
        if result.presented < len(lesson.exercises):
            break
    print(f"The same exercises again: --seed {course.seed}")

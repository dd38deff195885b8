"""A sheet of exercises to print, as one HTML page or as a PDF, with or without the answers."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from convscope.errors import ConfigError
from convscope.extras import extra
from convscope.files import atomic_write
from convscope.lessons.answers import Choice
from convscope.lessons.course import Course
from convscope.lessons.exercise import Exercise
from convscope.lessons.line_breaks import broken

LINES = 62  # of a PDF page
SPACE = 4  # empty lines below a question
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}pre{font:inherit;white-space:pre-wrap;margin:0}"
    "pre.grid{font:14px/1.3 ui-monospace,monospace;white-space:pre}section{break-inside:avoid;margin:1.4em 0}"
    ".space{border-bottom:1px solid #bbb;height:3em}.answers{break-before:page}small{color:#666}"
)


def write_sheet(course: Course, file: Path, answers: bool = False) -> None:
    """Write the exercises of a course to a file.

    Args:
        course: lessons with exercises.
        file: ends in .html or .pdf; an existing one is replaced.
        answers: whether answers and calculations follow, on a page of their own.

    Raises:
        ConfigError: the ending is another, or a PDF lacks matplotlib.
        RunError: the file cannot be written.
    """
    kind = file.suffix.lower()
    if kind == ".html":
        atomic_write(file, sheet_html(course, answers).encode())
    elif kind == ".pdf":
        atomic_write(file, _pdf(_pages(course, answers), f"Exercises {course.seed}"))
    else:
        raise ConfigError(f"--sheet {file}: not a kind of sheet; name it .html or .pdf")


def sheet_html(course: Course, answers: bool) -> str:
    """Return the sheet as one page without external files."""
    parts, number = [f"<h1>Exercises</h1><p>Name: <small>sheet {course.seed}</small></p>"], 0
    solutions = []
    for lesson in course:
        parts.append(f"<h2>{escape(lesson.topic.title)}</h2>")
        for one in lesson.exercises:
            number += 1
            parts.append(f"<section><b>{number}.</b> {_question_html(one)}<div class=space></div></section>")
            solutions.append(f"<p><b>{number}.</b> {escape(one.answer.text())}<br>{escape(_unless_same(one))}</p>")
    if answers:
        parts.append(f"<div class=answers><h1>Answers</h1>{''.join(solutions)}</div>")
    head = f"<meta charset=utf-8><title>Exercises {course.seed}</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _question_html(exercise: Exercise) -> str:
    """Return the question, grids of numbers in a monospaced font."""
    lines = [
        f"<pre class={'grid' if line.startswith('    ') else 'text'}>{escape(line)}</pre>"
        for line in exercise.text.split("\n")
    ]
    return "".join(lines)


def _unless_same(exercise: Exercise) -> str:
    return "" if exercise.solution == exercise.answer.text() else exercise.solution


def _pages(course: Course, answers: bool) -> list[list[str]]:
    """Return the lines of each page; an exercise is not divided."""
    blocks, solutions, number = [[f"Exercises, sheet {course.seed}          Name:", ""]], [["Answers", ""]], 0
    for lesson in course:
        title = ["", lesson.topic.title, "-" * len(lesson.topic.title), ""]
        for one in lesson.exercises:
            number += 1
            space = [""] * (2 if isinstance(one.answer, Choice) else SPACE)
            blocks.append([*title, *_wrapped(f"{number}. {one.text}"), *space])
            solutions.append(_wrapped(f"{number}. {one.answer.text()}\n{_unless_same(one)}"))
            title = []
    return _paginated(blocks) + (_paginated(solutions) if answers else [])


def _wrapped(text: str) -> list[str]:
    return broken(text).split("\n")


def _paginated(blocks: Sequence[list[str]]) -> list[list[str]]:
    pages: list[list[str]] = [[]]
    for block in blocks:
        if pages[-1] and len(pages[-1]) + len(block) > LINES:
            pages.append([])
        pages[-1] += block
    return pages


def _pdf(pages: list[list[str]], title: str) -> bytes:
    """Return a PDF of A4 pages of monospaced text; the same pages give the same bytes."""
    import io

    with extra("report", "sheet"):
        from matplotlib.backends.backend_pdf import PdfPages
        from matplotlib.figure import Figure
    content = io.BytesIO()
    metadata: dict[str, Any] = {"Title": title, "CreationDate": None}
    with PdfPages(content, metadata=metadata) as file:
        for lines in pages:
            figure = Figure(figsize=(8.27, 11.69))
            text = "\n".join(lines).replace("$", r"\$")
            figure.text(0.07, 0.96, text, family="monospace", fontsize=8.6, va="top", linespacing=1.25)
            file.savefig(figure)
    return content.getvalue()

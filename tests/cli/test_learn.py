"""``convscope learn``: the list, pages, JSON, sheets and the record."""

import json
from itertools import islice

import pytest

import convscope as cs
from convscope.lessons import TOPICS, LearnerRecord, practise


@pytest.fixture(autouse=True)
def record(monkeypatch, tmp_path):
    """A record of its own for every test."""
    monkeypatch.setenv("CONVSCOPE_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def session(typed, count=1):
    """What is written when these lines are typed."""
    course = cs.learn("output-size", seed=1, count=count)
    lines, shown = iter(typed), []

    def read(_prompt):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    held = LearnerRecord()
    return practise(course.exercises, held, read, shown.append), shown, course, held


def test_without_a_topic_all_are_listed_by_chapter(convscope):
    code, out, _ = convscope("learn")
    assert code == 0
    assert out.startswith("Layers and their arithmetic: you can\n  convolution ")
    assert all(f"\n  {name} " in out for name in TOPICS)
    assert out.endswith("Start a topic with: convscope learn convolution\n")


def test_the_same_seed_prints_the_same_exercises(convscope):
    first, second = (convscope("learn", "output-size", "--seed", "7", "--count", "3") for _ in range(2))
    assert first == second
    assert "\n3. " in first[1]
    assert "\n4. " not in first[1]
    assert first[1].endswith("The same exercises again: --seed 7\n")


def test_json_has_answers_only_if_wanted(convscope):
    plain = json.loads(convscope("learn", "softmax", "--seed", "7", "--json")[1])
    full = json.loads(convscope("learn", "softmax", "--seed", "7", "--json", "--answers")[1])
    assert (plain["seed"], len(plain["lessons"][0]["exercises"])) == (7, 5)
    assert "answer" not in plain["lessons"][0]["exercises"][0]
    assert full["lessons"][0]["exercises"][0]["wrong"][0]["sentence"]


def test_a_sheet_has_answers_only_if_wanted(convscope, tmp_path):
    for options, wanted in (([], False), (["--answers"], True)):
        file = tmp_path / "sheet.html"
        code, out, _ = convscope("learn", "dropout", "--seed", "7", "--sheet", file, *options)
        page = file.read_text(encoding="utf-8")
        assert (code, "<h1>Answers</h1>" in page) == (0, wanted)
        assert out == f"{file}: 5 exercises, seed 7{', with answers' if wanted else ''}\n"
        assert "http" not in page


def test_a_pdf_sheet_is_the_same_for_the_same_seed(convscope, tmp_path):
    files = [tmp_path / f"{number}.pdf" for number in range(2)]
    for file in files:
        assert convscope("learn", "pooling", "--seed", "7", "--sheet", file, "--answers")[0] == 0
    assert files[0].read_bytes().startswith(b"%PDF")
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["poling"], "learn: no topic poling; did you mean pooling?"),
        (["pooling", "--sheet", "a.doc"], "--sheet a.doc: not a kind of sheet; name it .html or .pdf"),
    ],
)
def test_mistakes_are_one_line(convscope, arguments, message):
    assert convscope("learn", *arguments) == (2, "", f"convscope: {message}\n")


def test_a_damaged_record_is_named(convscope, record):
    record.write_text('{"format": 9}')
    message = f"{record}: not a record of exercises; delete it, or name another file with --progress"
    assert convscope("learn") == (2, "", f"convscope: {message}\n")


def test_a_session_grades_gives_hints_and_counts():
    right = cs.learn("output-size", seed=1, count=1).exercises[0]
    result, shown, _, held = session(["what", right.wrong[0].text, "hint", "hint", "hint", right.answer.text()])
    assert "what: not a number; write numbers like 3, -0.5, 2/3 or 1,5" in shown
    assert right.wrong[0].sentence in shown
    assert [line for line in shown if line in right.hints] == list(right.hints)
    assert "No more hints; skip shows the answer." in shown
    assert shown[-1] == f"Right. {right.solution}"
    assert (result.solved, result.presented) == (1, 1)
    assert json.loads(held.file.read_text())["topics"]["output-size"][right.kind] == {"attempts": 2, "right": 1}


def test_skip_shows_the_answer_and_the_end_of_input_quits():
    result, shown, course, held = session(["skip", "quit"], count=3)
    assert course.exercises[0].answer.text() in shown[-2]
    assert (result.solved, result.presented) == (0, 1)
    assert not held.file.exists()
    assert session([])[0].presented == 0


def test_a_topic_is_done_when_each_kind_was_right(convscope, record):
    topic, held = TOPICS["stacks"], LearnerRecord(record)
    for kind in topic.kinds[:-1]:
        held.add(next(one for one in topic.exercises(0, 5) if one.kind == kind), right=True)
    assert "what that saves  [4 of 5]\n" in convscope("learn")[1]
    assert cs.learn("stacks", count=1, first=LearnerRecord(record)).exercises[0].kind == topic.kinds[-1]
    held.add(topic.exercises(0, 5)[-1], right=True)
    assert "what that saves  [done]\n" in convscope("learn")[1]


def test_the_library_returns_pages_and_exercises():
    course = cs.learn(["judging"], seed=1, count=2)
    assert isinstance(course, cs.results.Course)
    assert [lesson.topic.name for lesson in course] == ["confusion-matrix", "overfitting"]
    assert len(course.exercises) == 4
    assert "lowest validation loss at epoch" in course[1].page
    assert repr(course).startswith("topic ")
    assert all(len(line) <= 100 for lesson in cs.learn(seed=1, count=0) for line in lesson.page.splitlines() if line)
    with pytest.raises(cs.ConvscopeError, match=r"^learn: count is -1; give 0 to 1,000$"):
        cs.learn("pooling", count=-1)
    with pytest.raises(cs.ConvscopeError, match=r"^learn: seed is -1; give a number from 0$"):
        cs.learn("pooling", seed=-1)


@pytest.mark.slow
def test_pictures_show_a_run(finished):
    course = cs.learn(run=finished, count=0)
    assert len(course) == len(TOPICS)
    assert f"convscope evaluate {finished}" in course[10].page or any(str(finished) in one.page for one in course)
    assert list(islice((one.picture_of for one in course if one.picture_of), 1)) == [f"from the run {finished}"]

"""Exercises on convolutional networks: topics with a page each, graded answers, sheets and a learner's record."""

from convscope.lessons.course import Course, Lesson, lesson_of
from convscope.lessons.exercise import Exercise, Grade, WrongAnswer
from convscope.lessons.learner_record import LearnerRecord
from convscope.lessons.registry import CHAPTERS, TOPICS, find_topics
from convscope.lessons.session import SessionResult, practise
from convscope.lessons.sheet import write_sheet
from convscope.lessons.source import DigitsSource, PictureSource, RunSource
from convscope.lessons.topic import Topic

__all__ = [
    "CHAPTERS",
    "TOPICS",
    "Course",
    "DigitsSource",
    "Exercise",
    "Grade",
    "LearnerRecord",
    "Lesson",
    "PictureSource",
    "RunSource",
    "SessionResult",
    "Topic",
    "WrongAnswer",
    "find_topics",
    "lesson_of",
    "practise",
    "write_sheet",
]

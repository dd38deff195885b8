"""What a learner has answered, in a small JSON file."""

import json
import os
from pathlib import Path
from typing import Any

import platformdirs

from convscope.errors import DataError
from convscope.files import atomic_write
from convscope.lessons.exercise import Exercise
from convscope.lessons.topic import Topic

ENVIRONMENT = "CONVSCOPE_PROGRESS"
FORMAT = 1
COUNTS = ("attempts", "right")


class LearnerRecord:
    """Attempts and right answers by topic and kind of exercise.

    A topic is done when an exercise of each of its kinds was answered right.

    Args:
        file: the file, which need not exist; by default ``$CONVSCOPE_PROGRESS`` or a file in the user's data folder.

    Raises:
        DataError: the file is not such a record.
    """

    def __init__(self, file: Path | None = None) -> None:
        named = os.environ.get(ENVIRONMENT)
        self.file = file or (Path(named) if named else platformdirs.user_data_path("convscope") / "progress.json")
        self._topics = self._read() if self.file.exists() else {}

    def add(self, exercise: Exercise, right: bool) -> None:
        """Count an attempt and save the file.

        Raises:
            RunError: it cannot be written.
        """
        counts = self._topics.setdefault(exercise.topic, {}).setdefault(exercise.kind, {"attempts": 0, "right": 0})
        counts["attempts"] += 1
        counts["right"] += right
        content = json.dumps({"format": FORMAT, "topics": self._topics}, indent=1)
        atomic_write(self.file, content.encode())

    def missing(self, topic: Topic) -> tuple[str, ...]:
        """Return the kinds of exercise of a topic that have no right answer yet."""
        counts = self._topics.get(topic.name, {})
        return tuple(kind for kind in topic.kinds if not counts.get(kind, {}).get("right"))

    def progress(self, topic: Topic) -> str:
        """Return "done", "2 of 5" or "".

        >>> from convscope.lessons.registry import TOPICS
        >>> LearnerRecord(Path("none.json")).progress(TOPICS["pooling"])
        ''
        """
        right = len(topic.kinds) - len(self.missing(topic))
        return "done" if right == len(topic.kinds) else f"{right} of {len(topic.kinds)}" if right else ""

    def _read(self) -> dict[str, dict[str, dict[str, int]]]:
        try:
            content: Any = json.loads(self.file.read_text(encoding="utf-8"))
            if content["format"] == FORMAT:
                return {
                    topic: {kind: {name: int(counts[name]) for name in COUNTS} for kind, counts in kinds.items()}
                    for topic, kinds in content["topics"].items()
                }
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass
        raise DataError(f"{self.file}: not a record of exercises; delete it, or name another file with --progress")

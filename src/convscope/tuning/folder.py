"""The folder of a search: its log, one run folder per trial, and the two networks that are trained in full.

search.jsonl  every decision and result, one line each; the search is rebuilt from it
trials/0000/  a run folder per trial
default/      the run of the recipe that `convscope train` would choose
winner/       the run of the best network, trained in full
workers/      a file per process that works on the search
report.html   the report
"""

from pathlib import Path

from convscope.errors import RunError
from convscope.tuning.log import SearchLog

LOG = "search.jsonl"
DEFAULT, WINNER = "default", "winner"
"""The names of the two trainings in full, and of their folders."""


class SearchFolder:
    """The paths of a search.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_file = path / LOG
        self.trials = path / "trials"
        self.default = path / DEFAULT
        self.winner = path / WINNER
        self.workers = path / "workers"
        self.report = path / "report.html"

    @classmethod
    def create(cls, path: Path) -> "SearchFolder":
        """Create the folder.

        Raises:
            RunError: it exists and is not empty, or cannot be written.
        """
        folder = cls(path)
        if folder.log_file.exists():
            raise RunError(
                f"{path}: a search already exists; choose another folder with --out, "
                f"or continue it: convscope tune --resume {path}"
            )
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path}: already exists and is not a search; choose another folder with --out")
        try:
            folder.trials.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{path}: cannot be written ({error.strerror}); choose another folder with --out") from None
        return folder

    @classmethod
    def open(cls, path: Path) -> "SearchFolder":
        """Open an existing search.

        Raises:
            RunError: it is not a search.
        """
        folder = cls(path)
        if not folder.log_file.exists():
            raise RunError(f"{path}: not a search, because it has no {LOG}; give a folder that convscope tune wrote")
        return folder

    def log(self) -> SearchLog:
        """Return the log, which reads the file anew."""
        return SearchLog(self.log_file)

    def trial(self, number: int) -> Path:
        """Return the run folder of a trial."""
        return self.trials / f"{number:04d}"

    def training(self, what: str) -> Path:
        """Return the run folder of a training in full: `DEFAULT` or `WINNER`."""
        return self.path / what

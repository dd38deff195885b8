"""Further processes that train trials of a search, on the same machine; each ends with the process that started it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from convscope.tuning.folder import SearchFolder
from convscope.tuning.leases import Leases
from convscope.tuning.plan import SearchPlan
from convscope.tuning.request import SearchRequest
from convscope.tuning.setup import restore
from convscope.tuning.state import SearchState
from convscope.tuning.worker import Worker

END = 30.0  # seconds to wait for a process that finishes its trial


@contextmanager
def more_workers(path: Path, count: int) -> Iterator[None]:
    """Let `count` further processes train trials inside the context; what they print is in ``workers/N.log``."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(count):
            with (path / "workers" / f"{number + 1}.log").open("wb") as log:
                command = [sys.executable, "-m", __name__, str(path), str(os.getpid())]
                started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        yield
        for process in started:
            process.wait(END)
    except subprocess.TimeoutExpired:
        pass  # its trial is given back once it is gone
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def work(path: Path, parent: int) -> None:
    """Train trials of a search until it is over, or until the process that started this one is gone."""
    folder = SearchFolder.open(path)
    leases = Leases(folder.workers)
    with leases.held():
        state = SearchState(folder, leases)
        header = state.study.header
        request = SearchRequest(**header["request"])
        setup = restore(SearchPlan.from_json(header["plan"]), header["fingerprint"], None)
        worker = Worker(state, setup.plan, setup.trial_data, setup.task, header["search_seconds"], request.trials)
        with closing(worker.run()) as events:
            for _ in events:
                if os.getppid() != parent:
                    return


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))

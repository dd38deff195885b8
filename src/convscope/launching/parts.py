"""Parts of a work computed in several processes, each exactly once in the result, in their order."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from convscope.launching.child import Parent
from convscope.launching.children import SILENCE, Child, Children, Ended

Part = TypeVar("Part")
AHEAD = 4  # parts per process that are handed out or wait for an earlier one, so that memory is bounded
TRIES = 3  # processes that may end while they compute the same part


class PartError(Exception):
    """Several processes have ended at the same part; whoever knows what it is says so to the user."""

    def __init__(self, part: Any, reason: str) -> None:
        super().__init__(reason)
        self.part, self.reason = part, reason


def compute_parts(parent: Parent, compute: Callable[[Any], Any]) -> None:
    """Compute the parts that the parent sends, until it is gone; a started function ends with this."""
    while True:
        number, part = parent.receive()
        parent.send((number, compute(part)))


def in_order(
    function: Callable[..., None],
    arguments: tuple[Any, ...],
    parts: Iterator[Part],
    count: int,
    silence: float = SILENCE,
) -> Iterator[Any]:
    """Yield the results of parts in their order, computed in `count` processes.

    A part whose process ends is computed by another one, and a new process takes the place of that which ended.

    Args:
        function: called in each process as ``function(parent, *arguments)``; it calls `compute_parts`.
        arguments: see `function`.
        parts: read as they are needed.
        count: of processes.
        silence: seconds without a sign of life after which a process counts as stopped.

    Raises:
        PartError: several processes have ended at the same part.
        ConvscopeError: raised in one of the processes.
    """
    work = _Work(parts, AHEAD * count)
    with Children(function, [arguments] * count, silence=silence) as children:
        while work.hand_out(children.running):
            for child, message in children.wait():
                if not isinstance(message, Ended):
                    work.take(child, *message)
                    continue
                if message.error is not None:
                    raise message.error
                work.give_back(child, message.reason)
                children.start(child.number)
            yield from work.ready()


@dataclass(eq=False)
class _Work(Generic[Part]):
    """Parts that are handed out, that wait to be handed out again, and results that wait for earlier ones."""

    parts: Iterator[Part]
    ahead: int
    known: dict[int, Part] = field(default_factory=dict)
    """The parts without a result, by their numbers."""
    given: dict[Child, int] = field(default_factory=dict)
    again: deque[int] = field(default_factory=deque)
    results: dict[int, Any] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)
    following: int = 0
    """The number of the next part."""
    yielded: int = 0

    def hand_out(self, children: list[Child]) -> bool:
        """Give each process without a part one; return whether any is computed or was."""
        for child in children:
            number = None if child in self.given else self._next()
            if number is not None:
                self.given[child] = number
                child.send((number, self.known[number]))
        return bool(self.given or self.results)

    def _next(self) -> int | None:
        if self.again:
            return self.again.popleft()
        if self.following - self.yielded >= self.ahead:
            return None
        for part in self.parts:
            self.known[self.following] = part
            self.following += 1
            return self.following - 1
        return None

    def take(self, child: Child, number: int, result: Any) -> None:
        """Keep a result."""
        del self.given[child], self.known[number]
        self.results[number] = result

    def give_back(self, child: Child, reason: str) -> None:
        """Let others compute the part of a process that has ended."""
        number = self.given.pop(child, None)
        if number is None:
            return
        self.tries[number] += 1
        if self.tries[number] >= TRIES:
            raise PartError(self.known[number], reason)
        self.again.append(number)

    def ready(self) -> Iterator[Any]:
        """Yield the results up to the first that is missing."""
        while self.yielded in self.results:
            result = self.results.pop(self.yielded)
            self.yielded += 1
            yield result

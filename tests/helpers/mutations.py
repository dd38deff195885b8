"""Seeded mutations of files, and a search for those that a reader answers with a traceback, a hang or too much memory.

The same seed gives the same files, so a failure is found again by its number: ``mutate(samples, number, seed)``.
"""

import random
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from convscope.errors import ConvscopeError

HOSTILE = (
    b"9" * 5_000,
    b"1e400",
    b"-1e400",
    b"1" + b"0" * 400,
    b"nan",
    b"inf",
    b"-0",
    b"0x1F",
    b"1_000",
    b"x" * 131_073,
    b"[" * 5_000,
    b'{"a":' * 3_000,
    b"<a>" * 3_000,
    b"\0",
    b"\0" * 64,
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n\n",
    b'"',
    b"'",
    b"\\",
    b"../../../../etc/passwd",
    b"/dev/zero",
    b"~root",
    b"C:\\a\\b.png",
    b"&x;",
    b"<!DOCTYPE a>",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"%s%n",
    "Ａ１２\u202e\U0001f600".encode(),
    b"a" * 300 + b".png",
)
"""Pieces that break readers: huge numbers, deep nesting, long cells, bytes that are not UTF-8, paths."""

_DELIMITERS = b",;\t|\n\r \"'{}[]<>:/=#"
SECONDS = 5.0
MEMORY = 1 << 30  # bytes above the start


@dataclass(frozen=True)
class Failure:
    """A mutated file that a reader did not read or refuse properly."""

    number: int
    what: str


class Hang(BaseException):
    """The reader took too long; no handler of exceptions in the reader catches it."""


def mutate(samples: Sequence[bytes], number: int, seed: int = 0) -> bytes:
    """The mutated file of this number: one to four mutations of one of the samples."""
    source = random.Random(f"{seed}/{number}")
    content = source.choice(samples)
    for _ in range(source.choice((1, 1, 1, 2, 2, 3, 4))):
        content = source.choice(_MUTATIONS)(content, samples, source)
    return content


def failures(
    samples: Sequence[bytes], count: int, read: Callable[[bytes], object], seed: int = 0, seconds: float = SECONDS
) -> Iterator[Failure]:
    """The mutated files for which `read` raises anything but a ConvscopeError of one line, hangs, or fills the memory.

    Args:
        samples: valid files.
        count: number of mutated files.
        read: reads the content of a file.
        seed: of the mutations.
        seconds: longest time for one file.
    """
    start = _peak_memory()
    for number in range(count):
        content = mutate(samples, number, seed)
        what = attempt(lambda content=content: read(content), seconds)
        if not what and _peak_memory() - start > MEMORY:
            what, start = f"memory: {_peak_memory() - start:,} bytes above the start", _peak_memory()
        if what:
            yield Failure(number, what)


def attempt(act: Callable[[], object], seconds: float = SECONDS) -> str:
    """What is wrong with the answer to one file; empty if there is a result or a ConvscopeError of one line."""
    began = time.monotonic()
    try:
        with _time_limit(2 * seconds):
            act()
    except ConvscopeError as error:
        if len(str(error).splitlines()) != 1:
            return f"a message of several lines: {str(error)[:200]!r}"
    except Hang:
        return f"hang: more than {2 * seconds:g} s"
    except BaseException as error:  # whatever it is, it is reported
        return f"{type(error).__name__}: {str(error)[:200]}"
    took = time.monotonic() - began
    return f"slow: {took:.1f} s" if took > seconds else ""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _flip_bits(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(source.choice((1, 1, 2, 8))) if changed else ():
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def _set_bytes(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(source.choice((1, 1, 4))) if changed else ():
        changed[source.randrange(len(changed))] = source.choice((0, 1, 0x7F, 0x80, 0xFF, source.randrange(256)))
    return bytes(changed)


def _truncate(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    cut = source.randrange(len(content) + 1)
    return content[:cut] if source.random() < 0.8 else content[cut:]


def _drop_piece(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    first, last = _piece(content, source)
    return content[:first] + content[last:]


def _repeat_piece(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    first, last = _piece(content, source)
    times = source.choice((1, 1, 2, 50)) if last - first < 1_000 else 1
    return content[:last] + content[first:last] * times + content[last:]


def _move_piece(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    first, last = _piece(content, source)
    rest = content[:first] + content[last:]
    place = source.randrange(len(rest) + 1)
    return rest[:place] + content[first:last] + rest[place:]


def _insert_hostile(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    place = source.randrange(len(content) + 1)
    return content[:place] + source.choice(HOSTILE) + content[place:]


def _replace_with_hostile(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    """Replace what lies between two delimiters: a cell, a value, a tag."""
    first, last = _between_delimiters(content, source)
    return content[:first] + source.choice(HOSTILE) + content[last:]


def _empty_cell(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    first, last = _between_delimiters(content, source)
    return content[:first] + content[last:]


def _change_delimiter(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    places = [i for i, byte in enumerate(content) if byte in _DELIMITERS]
    if not places:
        return content
    place = source.choice(places)
    return content[:place] + bytes([source.choice(_DELIMITERS)]) + content[place + 1 :]


def _splice(content: bytes, samples: Sequence[bytes], source: random.Random) -> bytes:
    """The beginning of one file and the end of another."""
    other = source.choice(samples)
    return content[: source.randrange(len(content) + 1)] + other[source.randrange(len(other) + 1) :]


def _recode(content: bytes, _samples: Sequence[bytes], source: random.Random) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(source.choice(("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig")), errors="replace")


_MUTATIONS = (
    *(_flip_bits, _set_bytes, _truncate, _drop_piece, _repeat_piece, _move_piece, _insert_hostile),
    *(_replace_with_hostile, _replace_with_hostile, _empty_cell, _change_delimiter, _splice, _recode),
)


def _piece(content: bytes, source: random.Random) -> tuple[int, int]:
    """Start and end of a part, of lines half of the time."""
    if source.random() < 0.5:
        lines = content.splitlines(keepends=True) or [b""]
        first = source.randrange(len(lines))
        last = min(len(lines), first + source.choice((1, 1, 2, 5)))
        return sum(map(len, lines[:first])), sum(map(len, lines[:last]))
    first = source.randrange(len(content) + 1)
    return first, min(len(content), first + source.choice((1, 2, 4, 16, 64, 256)))


def _between_delimiters(content: bytes, source: random.Random) -> tuple[int, int]:
    place = source.randrange(len(content) + 1)
    first = max((content.rfind(bytes([mark]), 0, place) for mark in _DELIMITERS), default=-1) + 1
    ends = [end for end in (content.find(bytes([mark]), place) for mark in _DELIMITERS) if end >= 0]
    return first, max(first, min(ends, default=len(content)))

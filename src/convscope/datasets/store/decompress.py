"""Compressed files read as streams, with a bound on the bytes that come out and on the memory of the decoder."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convscope.errors import DataError

_CHUNK = 1 << 16
_TAIL = 512
_MEMORY = 1 << 28  # bytes that an xz decoder may take for its dictionary
_FREE = 100 * 1_000_000  # bytes below which no ratio counts
_MOST_RATIO = 200  # bytes out per byte in; blank masks in a tar reach about 100

_DECODERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\0": lambda: lzma.LZMADecompressor(memlimit=_MEMORY),
}


class Budget:
    """Counts the bytes that come out of an archive.

    Args:
        path: the archive.
        most: bytes that may come out.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.path, self.most, self.used = path, most, 0
        self.by_ratio = max(_FREE, _MOST_RATIO * path.stat().st_size)

    def take(self, count: int) -> None:
        """Count bytes.

        Raises:
            DataError: there are more than may come out, in all or for the size of the archive.
        """
        self.used += count
        if self.used > self.by_ratio:
            raise DataError(
                f"{self.path}: unpacks to more than {_MOST_RATIO} times its size, as archives made to fill disks do; "
                "if you "
                "trust it, unpack it and give the folder"
            )
        if self.used > self.most:
            raise DataError(
                f"{self.path}: unpacks to more than {self.most / 1e9:.1f} GB, which is what the cache may take; unpack "
                "it and give the folder"
            )


class BoundedStream(io.RawIOBase):
    """The bytes of a file, decompressed if it is a gzip, bzip2 or xz file; also of several such streams in turn.

    Args:
        path: the file.
        budget: what counts them.
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        self._file = path.open("rb")
        self._budget = budget
        start = self._file.read(6)
        self._file.seek(0)
        self._new = next((new for magic, new in _DECODERS.items() if start.startswith(magic)), None)
        self._decoder: Any = self._new() if self._new else None
        self._pending = b""
        self.tail = b""
        """The last bytes that came out, at most 512."""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end."""
        found = self._some(min(len(buffer), _CHUNK))
        self._budget.take(len(found))
        self.tail = (self.tail + found)[-_TAIL:]
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _some(self, most: int) -> bytes:
        if self._new is None:
            return self._file.read(most)
        while True:
            ended = False
            if self._decoder.eof:
                rest = self._decoder.unused_data or self._file.read(_CHUNK)
                if not rest.strip(b"\0"):  # the end, perhaps padded
                    return b""
                self._decoder, self._pending = self._new(), rest
            elif not self._pending:
                self._pending = self._file.read(_CHUNK)
                ended = not self._pending
            found = self._decode(most)
            if found:
                return found
            if ended and not self._decoder.eof:
                raise EOFError

    def _decode(self, most: int) -> bytes:
        decoder = self._decoder
        if hasattr(decoder, "needs_input"):  # it keeps what it has not used, and takes more only when asked
            given, self._pending = (self._pending, b"") if decoder.needs_input else (b"", self._pending)
            return bytes(decoder.decompress(given, most))
        found = bytes(decoder.decompress(self._pending, most))
        self._pending = decoder.unconsumed_tail
        return found

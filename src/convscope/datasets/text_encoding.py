"""The text in the bytes of a file: UTF-8, UTF-16, or what Windows wrote before."""

import codecs
from dataclasses import dataclass

LOST = "\ufffd"
"""The character in place of bytes that are not UTF-8."""
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT = 2_000  # bytes that show whether a file without a mark is UTF-16


@dataclass(frozen=True)
class DecodedText:
    """A text and how its bytes were read."""

    text: str
    fallback: str = ""
    """The encoding, if it is a guess because the bytes are not UTF-8: Windows-1252 or Latin-1."""
    mixed: bool = False
    """Whether some letters are UTF-8 and other bytes are not."""


def decode_text(content: bytes) -> DecodedText:
    r"""The text of bytes in UTF-8, in UTF-16, or else in Windows-1252, and in Latin-1 if that has no such byte.

    >>> decode_text(b"caf\xe9"), decode_text("café".encode() + b" caf\xe9").mixed
    (DecodedText(text='café', fallback='Windows-1252', mixed=False), True)
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return DecodedText(content.removeprefix(codecs.BOM_UTF8).decode(encoding, errors="replace"))
    start = content[:_LOOKED_AT]
    if start.count(b"\0") > len(start) // 4:
        return DecodedText(content.decode("utf-16-be" if start[:1] == b"\0" else "utf-16-le", errors="replace"))
    try:
        return DecodedText(content.decode())
    except UnicodeDecodeError:
        mixed = not content.decode(errors="ignore").isascii()
    try:
        return DecodedText(content.decode("cp1252"), "Windows-1252", mixed)
    except UnicodeDecodeError:
        return DecodedText(content.decode("latin-1"), "Latin-1", mixed)

"""Durations: parsed from settings, and formatted for output."""

import re


def parse_seconds(text: str) -> float:
    """Parse a duration.

    >>> parse_seconds("5m"), parse_seconds("1h30m"), parse_seconds("90")
    (300.0, 5400.0, 90.0)
    """
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not text.strip() or not match:
        raise ValueError("write a duration like 90s, 5m or 1h30m")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + rest


def format_seconds(seconds: float) -> str:
    """Format a duration.

    >>> format_seconds(4.2), format_seconds(75), format_seconds(7260)
    ('4.2 s', '1 min 15 s', '2 h 01 min')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"

"""Maps as bytes: a head of JSON, then the numbers; `docs/reference/explorer-api.md` has the layout."""

import json
import struct
from typing import Any

import numpy as np

from convscope.explorer.backend import SentMaps

MAGIC = b"CSM1"


def encoded(sent: SentMaps, **more: Any) -> bytes:
    """A layer's maps for sending; `more` goes into the head."""
    head = {
        "layer": sent.layer, "channels": sent.channels, "total": sent.total, "shape": sent.values.shape[1:],
        "full": sent.full, "values": "float" if sent.low is None else "bytes", "kind": sent.kind, **more,
    }  # fmt: skip
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    parts = [MAGIC, struct.pack("<I", len(text)), text]
    if sent.low is not None and sent.high is not None:
        parts += [np.ascontiguousarray(one, "<f4").tobytes() for one in (sent.low, sent.high)]
        parts.append(np.ascontiguousarray(sent.values, np.uint8).tobytes())
    else:
        parts.append(np.ascontiguousarray(sent.values, "<f4").tobytes())
    return b"".join(parts)

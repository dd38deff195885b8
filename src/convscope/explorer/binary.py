"""Binary format of maps: a JSON head, then the values; `docs/reference/explorer-api.md` describes the layout."""

import json
import struct
from typing import Any

import numpy as np

from convscope.explorer.backend import SelectedMaps

MAGIC = b"CSM1"


def encoded(maps: SelectedMaps, **extra: Any) -> bytes:
    """Encode a layer's maps; `extra` is added to the head."""
    head = {
        "layer": maps.layer, "channels": maps.channels, "total": maps.total, "shape": maps.values.shape[1:],
        "full": maps.full, "values": "float" if maps.low is None else "bytes", "kind": maps.kind, **extra,
    }  # fmt: skip
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    parts = [MAGIC, struct.pack("<I", len(text)), text]
    if maps.low is not None and maps.high is not None:
        parts += [np.ascontiguousarray(one, "<f4").tobytes() for one in (maps.low, maps.high)]
        parts.append(np.ascontiguousarray(maps.values, np.uint8).tobytes())
    else:
        parts.append(np.ascontiguousarray(maps.values, "<f4").tobytes())
    return b"".join(parts)

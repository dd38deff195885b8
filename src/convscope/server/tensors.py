"""Predictions as tensors, and the requests and responses of the Open Inference Protocol, version 2.

Source: "Open Inference Protocol, HTTP/REST" and its extension "Binary Tensor Data" (KServe, Triton).
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convscope.errors import ConfigError, did_you_mean

DTYPES: dict[str, str] = {
    "BOOL": "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
BYTES = "BYTES"
"""The datatype of strings and files: in binary, each has its length before it, 4 bytes, the lowest first."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A named tensor; `values` has dtype object and elements `bytes` if `datatype` is BYTES."""

    name: str
    datatype: str
    values: NDArray[Any]

    def describe(self) -> dict[str, Any]:
        """Name, datatype and shape; -1 is the number of images."""
        return {"name": self.name, "datatype": self.datatype, "shape": [-1, *self.values.shape[1:]]}


def parse_json(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        ConfigError: it is not one.
    """
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        raise ConfigError("request: its JSON part is not valid; see the Open Inference Protocol") from None
    if not isinstance(parsed, dict):
        raise ConfigError("request: not a JSON object; see the Open Inference Protocol")
    return parsed


def input_tensors(request: Mapping[str, Any], binary: bytes) -> list[Tensor]:
    """Return the inputs of a request, from its JSON part and the binary data after it.

    Raises:
        ConfigError: an input is incomplete, or its data do not match its shape.
    """
    given = request.get("inputs")
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise ConfigError("inputs: missing; give at least one tensor with name, shape, datatype and data")
    found, position = [], 0
    for one in given:
        name, datatype, shape = str(one.get("name", "")), one.get("datatype"), one.get("shape")
        if datatype != BYTES and datatype not in DTYPES:
            raise ConfigError(f"inputs: {name}: datatype {datatype}{did_you_mean(str(datatype), [*DTYPES, BYTES])}")
        if not isinstance(shape, list) or not all(isinstance(side, int) and side >= 0 for side in shape):
            raise ConfigError(f"inputs: {name}: shape {shape}; give a list of whole numbers")
        parameters = one.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            values = _from_json(name, datatype, one.get("data"))
        elif not isinstance(size, int) or not 0 <= size <= len(binary) - position:
            raise ConfigError(f"inputs: {name}: binary_data_size {size}; {len(binary) - position} bytes follow")
        else:
            values = _from_binary(name, datatype, binary[position : position + size])
            position += size
        if values.size != int(np.prod(shape, dtype=object)):
            raise ConfigError(f"inputs: {name}: {values.size} values for shape {shape}; send as many as it has")
        found.append(Tensor(name, datatype, values.reshape(shape)))
    return found


def _from_json(name: str, datatype: str, data: Any) -> NDArray[Any]:
    if datatype == BYTES:
        raise ConfigError(f"inputs: {name}: JSON holds no files; send them as binary data")
    try:
        return np.asarray(data, DTYPES[datatype]).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"inputs: {name}: data are not numbers of {datatype}; send a list of them") from None


def _from_binary(name: str, datatype: str, content: bytes) -> NDArray[Any]:
    if datatype != BYTES:
        dtype = np.dtype(DTYPES[datatype])
        if len(content) % dtype.itemsize:
            raise ConfigError(f"inputs: {name}: {len(content)} bytes are no whole number of {datatype}; send all bytes")
        return np.frombuffer(content, dtype)
    parts, position = [], 0
    while position < len(content):
        (length,) = struct.unpack_from("<I", content.ljust(position + 4, b"\0"), position)
        if position + 4 + length > len(content):
            raise ConfigError(f"inputs: {name}: an element has {length} bytes, fewer follow; send all bytes")
        parts.append(content[position + 4 : position + 4 + length])
        position += 4 + length
    values = np.empty(len(parts), object)
    values[:] = parts
    return values


def output_tensors(records: Sequence[Mapping[str, Any]]) -> list[Tensor]:
    """Return predictions as tensors, one per key of their JSON objects, the first axis being the predictions.

    Numbers, lists of numbers and objects of numbers become FP32, in the order of the object's keys; texts become BYTES;
    anything else, such as a list of labels, becomes its JSON as BYTES.

    >>> tensors = output_tensors([{"label": "cat", "probabilities": {"cat": 0.75, "dog": 0.25}}])
    >>> [(one.name, one.datatype, one.values.tolist()) for one in tensors]
    [('label', 'BYTES', [b'cat']), ('probabilities', 'FP32', [[0.75, 0.25]])]
    """
    return [_column(key, [record[key] for record in records]) for key in records[0] if key != "file"]


def _column(name: str, cells: Sequence[Any]) -> Tensor:
    numbers = [list(cell.values()) if isinstance(cell, dict) else cell for cell in cells]
    rows = [number if isinstance(number, list) else [number] for number in numbers]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for row in rows for value in row)
    if numeric and len({len(row) for row in rows}) == 1 and rows[0]:
        return Tensor(name, "FP32", np.asarray(numbers, "<f4"))
    values = np.empty(len(cells), object)
    values[:] = [(cell if isinstance(cell, str) else json.dumps(cell)).encode() for cell in cells]
    return Tensor(name, BYTES, values)


def response(
    head: Mapping[str, Any], tensors: Sequence[Tensor], binary: Mapping[str, bool]
) -> tuple[bytes, int | None]:
    """Return the body of a response, and the length of its JSON part if binary data follow it.

    Args:
        head: name and version of the model, and the id of the request.
        tensors: the outputs.
        binary: whether an output is sent as binary data, by name.
    """
    outputs, parts = [], []
    for tensor in tensors:
        described = {**tensor.describe(), "shape": list(tensor.values.shape)}
        if binary.get(tensor.name):
            parts.append(_to_binary(tensor))
            outputs.append({**described, "parameters": {"binary_data_size": len(parts[-1])}})
        elif tensor.datatype == BYTES:
            outputs.append({**described, "data": [one.decode() for one in tensor.values.ravel()]})
        else:
            outputs.append({**described, "data": tensor.values.ravel().tolist()})
    content = json.dumps({**head, "outputs": outputs}).encode()
    return content + b"".join(parts), len(content) if parts else None


def _to_binary(tensor: Tensor) -> bytes:
    if tensor.datatype != BYTES:
        return np.ascontiguousarray(tensor.values, DTYPES[tensor.datatype]).tobytes()
    return b"".join(struct.pack("<I", len(one)) + one for one in tensor.values.ravel())

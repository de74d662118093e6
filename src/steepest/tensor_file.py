"""Files of tensors with a JSON header (safetensors): how they are written whole, and read without believing them.

What a file holds, and under which names, is the business of who writes it: traces, models.
"""

import errno
import json
import math
import os
import secrets
import stat
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from steepest.exceptions import FileFormatError
from steepest.typing import Array

MAX_HEADER_BYTES = 16 * 2**20

Tensors = dict[str, Array]


def write_whole(path: str | Path, tensors: Tensors, metadata: dict[str, str]) -> None:
    """Write a file that is either whole or as it was.

    A link stays a link: the file that it leads to is replaced. A file keeps its mode. What exists and is no regular
    file, such as a pipe or a device, is written to as it stands.
    """
    content = safetensors.numpy.save({name: np.asarray(t, order="C") for name, t in tensors.items()}, metadata)
    target = Path(path)
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    target = Path(os.path.realpath(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder to write into", str(target.parent))
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as stream:  # with the mode that the user's umask leaves to new files
            stream.write(content)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def read_header(content: bytes, what: str) -> dict[str, Any]:
    """Return the JSON header: 8 bytes of length (little endian), then as many bytes of text."""
    if len(content) < 8:
        raise FileFormatError(f"not a {what}: {len(content)} bytes are too few for one")
    length = int.from_bytes(content[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise FileFormatError(f"not a {what}: its first 8 bytes announce a header of {length} bytes")
    if length > len(content) - 8:
        raise FileFormatError(f"truncated: {length} bytes of header announced, {len(content) - 8} there")
    header: dict[str, Any] = read_json("header", content[8 : 8 + length], dict, what)
    return header


def read_json(part: str, text: Any, kind: type, what: str) -> Any:
    """Return what a JSON text says if it is one, and of the expected kind."""
    if not isinstance(text, bytes | str):
        raise FileFormatError(f"not a {what}: the {part} must be text, not {type(text).__name__}")
    try:
        found = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # undecodable bytes are a ValueError too
        raise FileFormatError(f"not a {what}: the {part} is not JSON ({error})") from None
    if not isinstance(found, kind):
        raise FileFormatError(f"not a {what}: the {part} is no JSON {'object' if kind is dict else 'list'}")
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def announced_shape(name: str, shape: Any, bytes_each: int, size: int) -> tuple[int, ...]:
    """Return the announced shape of a tensor if the file, of so many bytes, is large enough to hold it."""
    regular = isinstance(shape, list) and all(type(length) is int and length >= 0 for length in shape)
    if not isinstance(shape, list) or not regular:
        raise FileFormatError(f"{name} has shape {shape!r}: must be a list of lengths")
    if math.prod(shape) * bytes_each > size or max(shape, default=0) > size:
        raise FileFormatError(f"{name} has shape {shape}: more than the {size} bytes of this file can hold")
    return tuple(shape)

"""Traces in files: safetensors, with a JSON header that says what was run.

A file holds one tensor a scalar of the trace (float64, one number a step) and, where parameters were kept, ``frames``
and ``parameters``. Its ``__metadata__`` is ``{"format": "steepest trace", "version": "1", "about": JSON object,
"notes": JSON list}``: what was run, and the names of the scalars that only this solver knows.
No code is ever run by reading one, and nothing in a file is believed before it was checked.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from steepest.exceptions import FileFormatError
from steepest.tensor_file import Tensors, announced_shape, read_header, read_json, write_whole

FORMAT, VERSION = "steepest trace", "1"
KEPT = ("frames", "parameters")
BYTES_OF = {"F32": 4, "F64": 8}


def write(path: str | Path, tensors: Tensors, about: dict[str, Any], columns: tuple[str, ...]) -> None:
    """Write a trace whose ``columns`` every trace has; the file is either whole or not there.

    ``about`` is what JSON can hold.
    """
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "about": json.dumps(about, allow_nan=False),
        "notes": json.dumps([name for name in tensors if name not in columns + KEPT]),
    }
    write_whole(path, tensors, metadata)


def read(path: str | Path, columns: tuple[str, ...]) -> tuple[Tensors, dict[str, Any]]:
    """Return the tensors, among them all ``columns``, and what was run.

    Raises
    ------
    FileFormatError
        If the file is not a trace, damaged, or contradicts itself; the text names what is wrong.
    """
    content = Path(path).read_bytes()
    try:
        header = read_header(content, "trace")
        about, notes = _metadata(header.pop("__metadata__", None), columns)
        _check_layout(header, (*columns, *notes), len(content))
        tensors = safetensors.numpy.load(content)
        _check_numbers(tensors)
    except safetensors.SafetensorError as error:
        raise FileFormatError(f"{path}: not a readable trace: {error}") from None
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    return tensors, about


def _metadata(metadata: Any, columns: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """Check format and version; return what was run, and the names of further scalars."""
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise FileFormatError(f"a safetensors file, but no trace: its metadata lack format={FORMAT!r}")
    if metadata.get("version") != VERSION:
        text = f"trace version {metadata.get('version')!r}, this release reads {VERSION!r}"
        raise FileFormatError(f"{text}; read it with the release that wrote it")
    about = read_json("description of the run", metadata.get("about", ""), dict, "trace")
    notes = read_json("list of notes", metadata.get("notes", "[]"), list, "trace")
    if not all(isinstance(name, str) and name not in columns + KEPT for name in notes):
        raise FileFormatError("the notes must be names of further scalars")
    return about, notes


def _check_layout(header: dict[str, Any], columns: tuple[str, ...], size: int) -> None:
    """Check names, types and shapes of the tensors as announced, before any is read."""
    extra = [repr(name) for name in header if name not in columns + KEPT]
    if extra:
        raise FileFormatError(f"unknown tensors {', '.join(extra[:3])}")
    missing = [name for name in columns if name not in header]
    if missing or (KEPT[0] in header) != (KEPT[1] in header):
        raise FileFormatError(f"tensors missing: {', '.join(missing) or 'frames and parameters belong together'}")
    shapes = {name: _shape(name, entry, size) for name, entry in header.items()}
    n_steps = shapes["index"]
    wrong = [name for name in columns if len(n_steps) != 1 or shapes[name] != n_steps]
    if wrong:
        raise FileFormatError(f"{wrong[0]} has shape {list(shapes[wrong[0]])}: every scalar must be (n_steps,)")
    if KEPT[0] in header:
        frames, parameters = shapes["frames"], shapes["parameters"]
        if len(frames) != 1 or len(parameters) != 2 or parameters[0] != frames[0]:
            text = f"frames have shape {list(frames)}, parameters {list(parameters)}"
            raise FileFormatError(f"{text}: must be (n_frames,) and (n_frames, n_parameters)")


def _shape(name: str, entry: Any, size: int) -> tuple[int, ...]:
    """Return the announced shape of a tensor if its type is allowed and the file is large enough to hold it."""
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    if dtype not in BYTES_OF or (dtype != "F64" and name != "parameters"):
        raise FileFormatError(f"{name} has type {dtype!r}: must be F64")
    return announced_shape(name, shape, BYTES_OF[dtype], size)


def _check_numbers(tensors: Tensors) -> None:
    """Check that steps are counted upwards in whole numbers, and frames and seconds upwards."""
    index, seconds = tensors["index"], tensors["seconds"]
    if not (np.all(np.isfinite(index)) and np.all(index >= 0) and np.all(index == np.floor(index))):
        raise FileFormatError("index must hold whole numbers from 0 on")
    if np.any(np.diff(index) <= 0):
        raise FileFormatError("index must increase from step to step")
    if not np.all(np.diff(seconds, prepend=0.0) >= 0):
        raise FileFormatError("seconds must be numbers that never decrease")
    if not np.all(np.diff(tensors.get("frames", np.empty(0)), prepend=-1.0) > 0):
        raise FileFormatError("frames must be step numbers in increasing order")

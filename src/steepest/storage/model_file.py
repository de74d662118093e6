"""Model files: written whole, read without believing them.

A file holds the model's arrays as tensors. Its ``__metadata__`` is ``{"format": "steepest model", "version": "1",
"release": the release that wrote it, "model": JSON}``. The JSON names classes of this library only, from a list; no
code is ever run by reading one.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from steepest import __version__
from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.storage.codec import DTYPES, Decoder, Encoder
from steepest.tensor_file import announced_shape, read_header, read_json, write_whole

FORMAT, VERSION, KIND = "steepest model", "1", "model"
CODES = ("BOOL", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "F32", "F64")
CONTRADICTIONS = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError, MemoryError)
BYTES_OF = {code: np.dtype(name).itemsize for code, name in zip(CODES, DTYPES, strict=True)}


def save(model: Any, path: str | Path) -> None:
    """Write a network, or any estimator of this library, fitted or not, into a file.

    Parameters
    ----------
    model : Network or estimator
        What to keep.
    path : str or Path
        The file; it is either written whole or left as it was.

    Raises
    ------
    InvalidInputError
        If a part of the model is no data, such as a function given as a parameter; the text names it.

    Examples
    --------
    >>> import tempfile, steepest
    >>> from steepest.linear_model import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     steepest.save(model, f"{folder}/line.safetensors")
    ...     steepest.load(f"{folder}/line.safetensors").predict([[2.0]]).round(6)
    array([5.])
    """
    from steepest.neural_network import Network

    if not isinstance(model, Network) and not hasattr(model, "get_params"):
        raise InvalidInputError(f"model is a {type(model).__name__}: must be a Network or an estimator of steepest")
    encoder = Encoder()
    tree = encoder.encode(model, type(model).__name__)
    metadata = {"format": FORMAT, "version": VERSION, "release": __version__}
    write_whole(path, encoder.tensors, {**metadata, "model": json.dumps(tree, allow_nan=False)})


def load(path: str | Path) -> Any:
    """Return the model that ``save`` wrote.

    Raises
    ------
    FileFormatError
        If the file is no model, damaged, or names anything that is not a model of this library.

    Examples
    --------
    >>> import tempfile, steepest
    >>> from steepest.layers import Dense
    >>> from steepest.neural_network import Network
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     steepest.save(Network([Dense(2)], 3), f"{folder}/network.safetensors")
    ...     steepest.load(f"{folder}/network.safetensors").theta.shape
    (8,)
    """
    content = Path(path).read_bytes()
    try:
        header = read_header(content, KIND)
        tree = _metadata(header.pop("__metadata__", None))
        for name, entry in header.items():
            _check_entry(name, entry, len(content))
        return Decoder(safetensors.numpy.load(content)).decode(tree)
    except safetensors.SafetensorError as error:
        raise FileFormatError(f"{path}: not a readable model: {error}") from None
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    except CONTRADICTIONS as error:
        raise FileFormatError(f"{path}: contradicts itself: {type(error).__name__}: {error}") from None


def _metadata(metadata: Any) -> dict[str, Any]:
    """Check format and version; return the model's JSON."""
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise FileFormatError(f"a safetensors file, but no model: its metadata lack format={FORMAT!r}")
    if metadata.get("version") != VERSION:
        text = f"model version {metadata.get('version')!r}, this release reads {VERSION!r}"
        raise FileFormatError(f"{text}; read it with the release that wrote it ({metadata.get('release')!r})")
    tree: dict[str, Any] = read_json("description of the model", metadata.get("model", ""), dict, KIND)
    if "estimator" not in tree and "network" not in tree:
        raise FileFormatError("describes neither a network nor an estimator")
    return tree


def _check_entry(name: str, entry: Any, size: int) -> None:
    """Check type and shape of a tensor as announced, before any is read."""
    dtype, shape = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else (None, None)
    if dtype not in BYTES_OF:
        raise FileFormatError(f"{name} has type {dtype!r}: must be one of {', '.join(BYTES_OF)}")
    announced_shape(name, shape, BYTES_OF[dtype], size)

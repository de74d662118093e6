"""Functions, points and data named on the command line."""

import inspect
import json
import re
import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.validation import did_you_mean

__all__ = ["find_function", "load_names", "read_assignments"]

RANDOM = re.compile(r"(normal|uniform)\(([\d\s,]*)\)")


def load_names(path: str) -> dict[str, Any]:
    """Names that the file defines; its folder can be imported from."""
    file = Path(path)
    if not file.is_file():
        raise InvalidInputError(f"{path}: no such file")
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return runpy.run_path(str(file), run_name=file.stem)
    except (Exception, SystemExit) as error:  # a file may call sys.exit
        raise InvalidInputError(f"{path}: raised {type(error).__name__}: {error}") from error


def find_function(target: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function named as ``FILE.py:NAME``, and all names of its file."""
    path, _, name = target.rpartition(":")
    if not path:
        raise InvalidInputError(f"{target!r}: must be FILE.py:FUNCTION, such as {target}:value")
    names = load_names(path)
    if not callable(names.get(name)):
        functions = [key for key, part in names.items() if inspect.isfunction(part) and not key.startswith("_")]
        hint = did_you_mean(name, functions, otherwise=f"it has {', '.join(functions) or 'none'}")
        raise InvalidInputError(f"{path} has no function {name!r}; {hint}")
    return names[name], names


def read_assignments(option: str, texts: tuple[str, ...], fallback: Any, rng: np.random.Generator) -> dict[str, Any]:
    """``NAME=VALUE`` pairs or .npz files; where there are none, the dict that the file defines."""
    if not texts:
        if fallback is not None and not isinstance(fallback, Mapping):
            raise InvalidInputError(f"the file's own {option} must be a dict of names and arrays")
        return dict(fallback or {})
    found: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign and text.endswith(".npz"):
            found.update(_archive(text))
        elif not sign:
            raise InvalidInputError(f"{option} {text!r}: must be NAME=VALUE or FILE.npz")
        else:
            found[name.strip()] = _value(option, name, value.strip(), rng)
    return found


def _archive(path: str) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path}: cannot be read as .npz ({error})") from None


def _value(option: str, name: str, text: str, rng: np.random.Generator) -> Any:
    """Return the number, JSON list, .npy file, or random array such as ``normal(3,4)``."""
    drawn = RANDOM.fullmatch(text)
    if drawn:
        shape = tuple(int(part) for part in drawn.group(2).split(",") if part.strip())
        return rng.standard_normal(shape) if drawn.group(1) == "normal" else rng.uniform(size=shape)
    if text.endswith(".npy"):
        try:
            return np.load(text, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{text}: cannot be read as .npy ({error})") from None
    try:
        parsed = json.loads(text)
        return np.asarray(parsed, dtype=float) if isinstance(parsed, list) else parsed
    except ValueError:  # no JSON, or a list of something else, or ragged
        raise InvalidInputError(
            f"{option} {name}={text}: must be a number, a list such as [1, 2], FILE.npy, or normal(3,4)"
        ) from None

"""A model as JSON beside its arrays, and back: plain values, arrays, the few kinds of objects models are made of."""

import dataclasses
import math
from enum import Enum
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.layers import Layer, Sequential
from steepest.neural_network import Network
from steepest.solvers.stopping import Reason
from steepest.storage.estimators import check_fitted, check_parameters
from steepest.storage.registry import ESTIMATORS, FUNCTIONS, RECORDS, find, path_of
from steepest.tensor_file import Tensors
from steepest.trace import COLUMNS, Trace

DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
LEFT_OUT = ("_skl_callbacks", "_callback_fit_ctx", "_parent_callback_ctx")  # who watched the fit is no part of it


class Encoder:
    """Turns values into JSON, collecting arrays on the way."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}

    def encode(self, value: Any, where: str) -> Any:
        """Return ``value`` as JSON; ``where`` names it in the error for what cannot be kept."""
        if isinstance(value, np.ndarray | np.generic):  # before the numbers and texts that some of them are too
            return self._array(value, where)
        if value is None or isinstance(value, bool | str) or type(value) is int:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [self.encode(item, f"{where}[{i}]") for i, item in enumerate(value)]}
        if isinstance(value, dict):
            pairs = [[self.encode(k, where), self.encode(v, f"{where}[{k!r}]")] for k, v in value.items()]
            return {"dict": pairs}
        return self._object(value, where)

    def _array(self, value: Any, where: str) -> Any:
        if value.dtype.kind in "OU":
            items = [self.encode(item, where) for item in np.asarray(value).ravel().tolist()]
            dtype = "object" if value.dtype.kind == "O" else "str"
            scalar = isinstance(value, np.generic)
            return {"words": items, "dtype": dtype, "shape": list(value.shape), "scalar": scalar}
        if value.dtype.name not in DTYPES:
            raise InvalidInputError(f"{where} has dtype {value.dtype}: cannot be kept in a file; use numbers or text")
        name = f"t{len(self.tensors)}"
        self.tensors[name] = np.array(value, order="C")
        return {"tensor": name, "scalar": isinstance(value, np.generic)}

    def _object(self, value: Any, where: str) -> Any:
        if isinstance(value, Reason):
            return {"reason": value.name}
        if isinstance(value, Trace):
            tensors = {name: self.encode(t, where) for name, t in value.tensors.items()}
            return {"trace": tensors, "about": self.encode(value.about, f"{where}.about")}
        if isinstance(value, np.random.RandomState):
            return {"random_state": self.encode(list(value.get_state(legacy=True)), where)}
        if sparse.issparse(value):
            parts = {name: self.encode(getattr(value, name), where) for name in ("data", "indices", "indptr")}
            return {
                "sparse": value.format,
                "array": isinstance(value, sparse.sparray),
                "shape": list(value.shape),
                **parts,
            }
        if isinstance(value, Network):
            fields: dict[str, Any] = {
                "layers": value.architecture.layers,
                "input_shape": value.architecture.input_shape,
            }
            fields |= {"loss": value.loss, "theta": value.theta, "state": value.state}
            return {"network": {name: self.encode(item, f"{where}.{name}") for name, item in fields.items()}}
        if isinstance(value, BaseEstimator):
            return self._estimator(value, where)
        if (path := path_of(value, FUNCTIONS)) is not None:
            return {"function": path}
        if (path := path_of(type(value), RECORDS)) is not None:
            return {"record": path, "fields": {k: self.encode(v, f"{where}.{k}") for k, v in _fields(value).items()}}
        raise InvalidInputError(
            f"{where} is a {type(value).__name__}: cannot be kept in a file; set it to None or to a named choice first"
        )

    def _estimator(self, model: Any, where: str) -> Any:
        path = path_of(type(model), ESTIMATORS)
        if path is None:
            raise InvalidInputError(
                f"{where} is a {type(model).__name__}: only models of steepest can be kept in a file"
            )
        parameters = model.get_params(deep=False)
        if (wrong := check_parameters(type(model), parameters)) is not None:
            raise InvalidInputError(f"{where}.{wrong}")
        fitted = {k: v for k, v in vars(model).items() if k not in parameters and k not in LEFT_OUT}
        return {
            "estimator": path,
            "parameters": {k: self.encode(v, f"{where}.{k}") for k, v in parameters.items()},
            "fitted": {k: self.encode(v, f"{where}.{k}") for k, v in fitted.items()},
        }


def _fields(record: Any) -> dict[str, Any]:
    """Return what an object is made of."""
    if dataclasses.is_dataclass(record):
        return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return dict(vars(record))


class Decoder:
    """Makes values from JSON and arrays; whatever does not fit is a FileFormatError."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors

    def decode(self, node: Any) -> Any:
        """Return the value that a piece of JSON stands for."""
        if node is None or isinstance(node, bool | str | int | float):
            return node
        if not isinstance(node, dict):
            raise FileFormatError(f"{str(node)[:40]!r}: no value of a model")
        for kind in ("float", "list", "tuple", "dict", "tensor", "words", "reason", "trace", "random_state", "sparse"):
            if kind in node:
                return getattr(self, f"_{kind}")(node)
        for kind in ("network", "estimator", "function", "record"):
            if kind in node:
                return getattr(self, f"_{kind}")(node)
        raise FileFormatError(f"{str(node)[:40]!r}: no value of a model")

    def _float(self, node: Any) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[node["float"]]

    def _list(self, node: Any) -> list[Any]:
        return [self.decode(item) for item in node["list"]]

    def _tuple(self, node: Any) -> tuple[Any, ...]:
        return tuple(self.decode(item) for item in node["tuple"])

    def _dict(self, node: Any) -> dict[Any, Any]:
        return {self.decode(key): self.decode(value) for key, value in node["dict"]}

    def _tensor(self, node: Any) -> Any:
        tensor = self.tensors[node["tensor"]].copy()
        return tensor.reshape(())[()] if node["scalar"] else tensor

    def _words(self, node: Any) -> Any:
        items = [self.decode(item) for item in node["words"]]
        array = np.empty(len(items), dtype=object)
        array[:] = items
        if node["dtype"] == "str":
            if not all(isinstance(item, str) for item in items):
                raise FileFormatError("an array of text holds something else")
            array = array.astype(str)
        array = array.reshape(node["shape"])
        return array[()] if node.get("scalar") else array

    def _reason(self, node: Any) -> Enum:
        return Reason[node["reason"]]

    def _trace(self, node: Any) -> Trace:
        tensors = {name: self.decode(part) for name, part in node["trace"].items()}
        lengths = {len(tensors[name]) for name in tensors if name not in ("frames", "parameters")}
        if not set(COLUMNS) <= set(tensors) or len(lengths) > 1:
            raise FileFormatError("the trace lacks columns, or they differ in length")
        return Trace.of(tensors, self.decode(node["about"]))

    def _random_state(self, node: Any) -> np.random.RandomState:
        random_state = np.random.RandomState()
        random_state.set_state(tuple(self.decode(node["random_state"])))
        return random_state

    def _sparse(self, node: Any) -> Any:
        kinds = {("csr", True): sparse.csr_array, ("csr", False): sparse.csr_matrix}
        kinds |= {("csc", True): sparse.csc_array, ("csc", False): sparse.csc_matrix}
        parts = tuple(self.decode(node[name]) for name in ("data", "indices", "indptr"))
        matrix = kinds[node["sparse"], node["array"]](parts, shape=tuple(node["shape"]))
        matrix.check_format(full_check=True)
        return matrix

    def _network(self, node: Any) -> Network:
        fields = {name: self.decode(part) for name, part in node["network"].items()}
        theta, state = fields["theta"], fields["state"]
        needed = _n_parameters(fields["layers"], fields["input_shape"])
        if theta.shape != (needed,):  # known before the layers make parameters of their own
            raise FileFormatError(f"the parameters have shape {theta.shape}: the layers need {(needed,)}")
        network = Network(fields["layers"], fields["input_shape"], loss=fields["loss"], dtype=theta.dtype)
        shapes = [{k: v.shape for k, v in named.items()} for named in network.state]
        if [{k: v.shape for k, v in named.items()} for named in state] != shapes:
            raise FileFormatError("the running statistics do not fit the layers")
        network.theta, network.state = theta, state
        return network

    def _estimator(self, node: Any) -> Any:
        cls: Any = find(node["estimator"], ESTIMATORS)
        parameters = {name: self.decode(part) for name, part in node["parameters"].items()}
        if (wrong := check_parameters(cls, parameters)) is not None:
            raise FileFormatError(f"{cls.__name__}.{wrong}")
        model = cls(**parameters)
        for name, part in node["fitted"].items():
            if not name.isidentifier() or name.startswith("__") or callable(getattr(cls, name, None)):
                raise FileFormatError(f"{name!r}: no fitted attribute of {cls.__name__}")
            setattr(model, name, self.decode(part))
        if (wrong := check_fitted(model)) is not None:
            raise FileFormatError(f"{cls.__name__}: {wrong}")
        return model

    def _function(self, node: Any) -> Any:
        return find(node["function"], FUNCTIONS)

    def _record(self, node: Any) -> Any:
        cls: Any = find(node["record"], RECORDS)
        fields = {name: self.decode(part) for name, part in node["fields"].items()}
        if not dataclasses.is_dataclass(cls):
            return cls(**fields)
        make: Any = cls
        known = {field.name: field.init for field in dataclasses.fields(make)}
        record = make(**{name: value for name, value in fields.items() if known[name]})
        for name in fields:
            if not known[name] and not make.__dataclass_params__.frozen:
                setattr(record, name, fields[name])
        return record


def _n_parameters(layers: list[Layer], input_shape: tuple[int, ...]) -> int:
    """Return how many parameters the layers have, without making any; a product of lengths cannot overflow here."""
    return sum(math.prod(map(int, parameter.shape)) for parameter in Sequential(layers, input_shape).parameters)

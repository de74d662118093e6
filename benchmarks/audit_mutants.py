"""The catalogue of wrong gradients: every mistake the audit knows, on every model it can be made in.

A mutant states what it is expected to be called. The mistakes are made in the models' own code, by hand,
not with the audit's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .audit_models import Blocks, Mistake, Model, conv1d, conv2d, correlated, kmeans, linear, network, sigmoid, softmax

__all__ = ["Mutant", "mutants"]

Codes = tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """A wrong gradient and the names of what is wrong with it.

    Attributes
    ----------
    expected : dict
        Block -> the codes that name its mistakes; several tuples where they are the same function.
    constants : dict
        Block -> symbol of the factor.
    """

    name: str
    model: Model
    gradient: Callable[..., Blocks]
    expected: dict[str, tuple[Codes, ...]]
    constants: dict[str, str]


def mutants() -> Iterator[Mutant]:
    """All of them, in a fixed order."""
    for model in linear_models():
        yield from _rearranged(model, ("w",))
        yield from _scaled(model, ("w", "b"))
        yield from _over_samples(model)
        if model.penalty is not None:
            yield from _penalties(model)
        yield from _pairs(model)
    yield from _outputs()
    yield from _networks()
    for mean in (False, True):
        yield from _clusters(kmeans(5, mean))
        yield from _signals(conv1d(6, mean, flipped=mean))
    yield from _images(conv2d(7))


def linear_models() -> list[Model]:
    """Linear models of every loss and penalty."""
    return [
        linear("regression", "squared", "none", 1),
        linear("regression sum", "squared-sum", "none", 2),
        linear("several outputs", "outputs", "none", 3, outputs=4),
        linear("ridge", "squared", "L2", 4),
        linear("lasso", "squared", "L1", 5),
        linear("elastic net", "squared", "elastic", 6),
        linear("norm penalty", "squared", "norm", 7),
        linear("logistic", "logistic", "none", 8),
        linear("logistic L2", "logistic", "L2", 9),
        linear("logistic L1", "logistic", "L1", 10),
        linear("softmax", "softmax", "none", 11, outputs=3),
        linear("softmax L2", "softmax", "L2", 12, outputs=3),
    ]


def _changed(model: Model, block: str, change: Callable[[Any], Any]) -> Callable[..., Blocks]:
    def gradient(p: Blocks, **data: Any) -> Blocks:
        found = dict(model.gradient(p, **data))
        found[block] = change(found[block])
        return found

    return gradient


def _one(
    model: Model, what: str, block: str, gradient: Callable[..., Blocks], *codes: Codes, constant: str = ""
) -> Mutant:
    constants = {block: constant} if constant else {}
    return Mutant(f"{model.name}: {what} in {block}", model, gradient, {block: codes}, constants)


def _scaled(model: Model, blocks: tuple[str, ...]) -> Iterator[Mutant]:
    n = len(next(iter(model.data.values())))
    for block in blocks:
        yield _one(model, "sign", block, _changed(model, block, lambda g: -g), ("sign",))
        yield _one(model, "zero", block, _changed(model, block, lambda g: 0.0 * np.asarray(g)), ("zero",))
    for symbol, factor in (("2", 2.0), ("1/2", 0.5), ("n", n), ("1/n", 1 / n), ("2/n", 2 / n)):
        block = blocks[0]
        scaled = _changed(model, block, lambda g, factor=factor: factor * g)
        yield _one(model, f"factor {symbol}", block, scaled, ("factor",), constant=symbol)
    k = np.shape(model.params[blocks[0]])
    if len(k) == 2 and model.errors is not None and "y" in model.data:
        scaled = _changed(model, blocks[0], lambda g: k[1] * g)
        yield _one(model, "factor k", blocks[0], scaled, ("factor",), constant="k")


def _rearranged(model: Model, blocks: tuple[str, ...]) -> Iterator[Mutant]:
    for block in blocks:
        ndim = np.ndim(model.params[block])
        if ndim == 1:
            yield _one(model, "reversed", block, _changed(model, block, lambda g: g[::-1].copy()), ("reversed",))
            yield _one(model, "shifted", block, _changed(model, block, lambda g: np.roll(g, 1)), ("shifted",))
        if ndim == 2:
            yield _one(model, "transposed", block, _changed(model, block, lambda g: g.T.copy()), ("transposed",))


def _over_samples(model: Model) -> Iterator[Mutant]:
    """Wrong sums over the samples, written with the model's own errors."""
    errors = model.errors
    assert errors is not None, "linear models have errors"

    def with_sum(change: Callable[[Any, Any], Any]) -> Callable[..., Blocks]:
        def gradient(p: Blocks, **data: Any) -> Blocks:
            found = dict(model.gradient(p, **data))
            penalty = model.penalty(p, **data)["w"] if model.penalty else 0.0
            found["w"] = change(data["X"], errors(p, **data)).reshape(np.shape(p["w"])) + penalty
            return found

        return gradient

    def outer(a: Any, e: Any) -> Any:
        return np.outer(a, e)

    yield _one(model, "sum times sum", "w", with_sum(lambda X, e: outer(X.sum(0), e.sum(0))), ("sum-product",))
    yield _one(model, "last sample only", "w", with_sum(lambda X, e: outer(X[-1], e[-1])), ("missing-sum",))
    yield _one(model, "last sample left out", "w", with_sum(lambda X, e: X[:-1].T @ e[:-1]), ("off-by-one-rows",))
    yield _one(model, "residuals one row late", "w", with_sum(lambda X, e: X[1:].T @ e[:-1]), ("off-by-one-rows",))

    def bias(change: Callable[[Any], Any]) -> Callable[..., Blocks]:
        def gradient(p: Blocks, **data: Any) -> Blocks:
            return dict(model.gradient(p, **data)) | {"b": change(errors(p, **data))}

        return gradient

    yield _one(model, "bias not summed", "b", bias(lambda e: e), ("not-summed",))
    yield _one(model, "bias from the last sample", "b", bias(lambda e: e[-1]), ("missing-sum",))


def _penalties(model: Model) -> Iterator[Mutant]:
    penalty = model.penalty
    assert penalty is not None, "called for models with a penalty only"

    def plus(factor: float) -> Callable[..., Blocks]:
        def gradient(p: Blocks, **data: Any) -> Blocks:
            found = dict(model.gradient(p, **data))
            found["w"] = found["w"] + factor * penalty(p, **data)["w"]
            return found

        return gradient

    double = len(model.tags & {"elastic"}) + 1
    yield _one(model, "penalty missing", "w", plus(-1.0), ("penalty-missing",) * double)
    yield _one(model, "penalty doubled", "w", plus(1.0), ("penalty-doubled",) * double)
    yield _one(model, "penalty's sign", "w", plus(-2.0), ("penalty-sign",) * double)
    yield _one(model, "penalty divided by 2", "w", plus(-0.5), ("penalty-scale",) * double)

    def exchanged(p: Blocks, **data: Any) -> Blocks:
        found = dict(model.gradient(p, **data))
        w, alpha = p["w"], data["alpha"]
        other = alpha * w if "L1" in model.tags else alpha * np.sign(w)
        found["w"] = found["w"] - penalty(p, **data)["w"] + other
        return found

    if double == 1:
        yield _one(model, "another penalty", "w", exchanged, ("penalty-kind",))

    def on_bias(p: Blocks, **data: Any) -> Blocks:
        found = dict(model.gradient(p, **data))
        found["b"] = found["b"] + data["alpha"] * np.asarray(p["b"])
        return found

    yield _one(model, "penalty on the bias", "b", on_bias, ("penalty-on-bias",))


def _pairs(model: Model) -> Iterator[Mutant]:
    """Two mistakes at once, in one block or in two."""
    n = len(model.data["X"])
    minus = _changed(model, "w", lambda g: -2.0 * g)
    yield _one(model, "sign and factor 2", "w", minus, ("sign", "factor"), constant="2")

    def two_blocks(p: Blocks, **data: Any) -> Blocks:
        found = model.gradient(p, **data)
        return {"w": -found["w"], "b": n * np.asarray(found["b"])}

    expected: dict[str, tuple[Codes, ...]] = {"w": (("sign",),), "b": (("factor",),)}
    yield Mutant(f"{model.name}: sign in w, factor n in b", model, two_blocks, expected, {"b": "n"})
    if np.ndim(model.params["w"]) == 1:
        turned = _changed(model, "w", lambda g: n * g[::-1])
        yield _one(model, "reversed and factor n", "w", turned, ("reversed", "factor"), constant="n")
    penalty = model.penalty
    if penalty is None or "elastic" in model.tags:
        return

    def mixed(a: float, b: float) -> Callable[..., Blocks]:
        def gradient(p: Blocks, **data: Any) -> Blocks:
            found, part = dict(model.gradient(p, **data)), penalty(p, **data)["w"]
            found["w"] = a * (found["w"] - part) + b * part
            return found

        return gradient

    yield _one(model, "factor n, penalty missing", "w", mixed(n, 0), ("factor", "penalty-missing"), constant="n")
    yield _one(model, "factor 2, penalty's sign", "w", mixed(2, -1), ("factor", "penalty-sign"), constant="2")
    yield _one(model, "data term's sign", "w", mixed(-1, 1), ("sign",))


def _with_errors(model: Model, wrong: Callable[[Any, Any], Any]) -> Callable[..., Blocks]:
    def gradient(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Blocks:
        e = wrong(X @ p["w"] + p["b"], y) / len(y)
        penalty = model.penalty(p, X=X, y=y, alpha=alpha)["w"] if model.penalty else 0.0
        return {"w": X.T @ e + penalty, "b": e.sum(axis=0)}

    return gradient


def _both(model: Model, what: str, gradient: Callable[..., Blocks], code: str) -> Mutant:
    return Mutant(f"{model.name}: {what}", model, gradient, {k: ((code,),) for k in model.params}, {})


def _outputs() -> Iterator[Mutant]:
    """Wrong derivatives of the output in linear models."""
    for penalty in ("none", "L2"):
        many = linear(f"softmax {penalty}", "softmax", penalty, 21, outputs=3)
        diagonal = _with_errors(many, lambda z, y: -y * (1 - softmax(z)))
        missing = _with_errors(many, lambda z, y: -y / softmax(z))
        yield _both(many, "softmax with its diagonal only", diagonal, "softmax-diagonal")
        yield _both(many, "softmax without its Jacobian", missing, "activation-missing")
        yield _both(many, "scores for probabilities", _with_errors(many, lambda z, y: z - y), "link-missing")
        one = linear(f"logistic {penalty}", "logistic", penalty, 22)
        twice = _with_errors(one, lambda z, y: (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z)))
        without = _with_errors(one, lambda z, y: (sigmoid(z) - y) / (sigmoid(z) * (1 - sigmoid(z))))
        yield _both(one, "sigmoid's derivative twice", twice, "activation-twice")
        yield _both(one, "sigmoid's derivative missing", without, "activation-missing")
        yield _both(one, "scores for probabilities", _with_errors(one, lambda z, y: z - y), "link-missing")
    line = linear("regression", "squared", "none", 23)
    yield _both(line, "output for error", _with_errors(line, lambda z, y: z), "output-for-error")


NETWORKS = (
    ("tanh", "squared", (3, 5, 2), 0.0),
    ("sigmoid", "squared", (3, 4, 1), 0.0),
    ("softplus", "softmax", (4, 5, 3), 0.0),
    ("relu", "sigmoid-entropy", (3, 6, 1), 0.0),
    ("tanh", "sigmoid-squared", (3, 4, 2), 0.0),
    ("tanh", "squared", (3, 4, 4, 1), 0.0),
    ("sigmoid", "softmax", (3, 5, 5, 3), 0.0),
    ("relu", "squared", (3, 6, 6, 2), 0.0),
    ("tanh", "squared", (3, 5, 2), 0.2),
)
CODES = {
    "missing": ("activation-missing",),
    "at-output": ("activation-at-output",),
    "at-input": ("activation-at-input",),
    "factor": ("chain-factor-missing",),
    "transposed": ("chain-transposed",),
    "ahead": ("chain-factor-missing",),
}


def _networks() -> Iterator[Mutant]:
    for seed, (activation, head, widths, alpha) in enumerate(NETWORKS, start=30):
        name = f"{len(widths) - 1}-layer {activation} network, {head}{', L2' if alpha else ''}"
        model, backward = network(name, activation, head, widths, seed, alpha=alpha)
        depth = len(widths) - 1
        for layer in range(depth - 1):
            touched = [f"{kind}{k + 1}" for k in range(layer + 1) for kind in "Wb"]
            for kind in _kinds(activation, widths, layer):
                expected = dict.fromkeys(touched, (CODES[kind],))
                wrong = backward(Mistake(kind, layer))
                yield Mutant(f"{name}: {kind} in layer {layer + 1}", model, wrong, expected, {})
        yield from _scaled(model, ("W1", f"b{depth}"))
        yield from _network_extras(model, widths)
        if head == "softmax":
            diagonal = backward(None, lambda z, y: -y * (1 - softmax(z)) / len(y))
            yield Mutant(
                f"{name}: softmax diagonal", model, diagonal, dict.fromkeys(model.params, (("softmax-diagonal",),)), {}
            )
        if head == "sigmoid-squared":
            short = backward(None, lambda z, y: (sigmoid(z) - y) / len(y))
            late = backward(
                None, lambda z, y: (sigmoid(z) - y) * sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z))) / len(y)
            )
            for what, wrong, code in (
                ("missing", short, "activation-missing"),
                ("at its output", late, "activation-at-output"),
            ):
                yield Mutant(
                    f"{name}: output's derivative {what}", model, wrong, dict.fromkeys(model.params, ((code,),)), {}
                )


def _kinds(activation: str, widths: tuple[int, ...], layer: int) -> list[str]:
    """Mistakes that differ from the right pass for this activation and these widths."""
    kinds = ["missing", "ahead"]
    if activation != "relu":
        kinds += ["at-output", "at-input"]
    if widths[layer + 2] in (1, widths[layer + 1]):
        kinds.append("factor")
    if widths[layer + 2] == widths[layer + 1]:
        kinds.append("transposed")
    return kinds


def _network_extras(model: Model, widths: tuple[int, ...]) -> Iterator[Mutant]:
    depth = len(widths) - 1
    if widths[1] == widths[-2] and depth == 3:
        yield _one(model, "transposed", "W2", _changed(model, "W2", lambda g: g.T.copy()), ("transposed",))

        def swapped(p: Blocks, **data: Any) -> Blocks:
            found = dict(model.gradient(p, **data))
            found["b1"], found["b2"] = found["b2"], found["b1"]
            return found

        expected: dict[str, tuple[Codes, ...]] = {"b1": (("swapped",),), "b2": (("swapped",),)}
        yield Mutant(f"{model.name}: b1 and b2 swapped", model, swapped, expected, {})
    if model.penalty is not None:
        penalty = model.penalty

        def lacking(p: Blocks, **data: Any) -> Blocks:
            found, part = dict(model.gradient(p, **data)), penalty(p, **data)
            return {key: found[key] - part[key] for key in found}

        missing = {key: (("penalty-missing",),) for key in model.params if key.startswith("W")}
        yield Mutant(f"{model.name}: penalty missing", model, lacking, missing, {})

    def two(p: Blocks, **data: Any) -> Blocks:
        found = dict(model.gradient(p, **data))
        found["W1"] = -found["W1"]
        found["b2"] = 0.0 * found["b2"]
        return found

    both: dict[str, tuple[Codes, ...]] = {"W1": (("sign",),), "b2": (("zero",),)}
    yield Mutant(f"{model.name}: sign in W1, zero b2", model, two, both, {})


def _clusters(model: Model) -> Iterator[Mutant]:
    yield from _scaled(model, ("C",))
    mean = model.name.endswith("mean")

    def per_cluster(p: Blocks, X: Any) -> Blocks:
        nearest = ((X[:, None] - p["C"][None]) ** 2).sum(2).argmin(1)
        counts = np.bincount(nearest, minlength=3)[:, None]
        return {"C": model.gradient(p, X=X)["C"] / np.maximum(counts, 1)}

    def everyone(p: Blocks, X: Any) -> Blocks:
        dC = np.stack([2 * (c - X).sum(axis=0) for c in p["C"]])
        return {"C": dC / len(X) if mean else dC}

    def short(p: Blocks, X: Any) -> Blocks:
        return {"C": model.gradient(p, X=X[:-1])["C"] * ((len(X) - 1) / len(X) if mean else 1.0)}

    def last(p: Blocks, X: Any) -> Blocks:
        return model.gradient(p, X=X[-1:])

    yield _one(model, "divided by counts", "C", per_cluster, ("per-cluster-mean",))
    yield _one(model, "all points", "C", everyone, ("all-points",))
    yield _one(model, "last sample left out", "C", short, ("off-by-one-rows",))
    yield _one(model, "last sample only", "C", last, ("missing-sum",))
    yield _one(model, "axes exchanged", "C", _changed(model, "C", lambda g: g.T.copy()), ("transposed",))
    yield _one(model, "centres shifted", "C", _changed(model, "C", lambda g: np.roll(g, 1, 0)), ("shifted",))


def _signals(model: Model) -> Iterator[Mutant]:
    yield from _rearranged(model, ("w",))
    yield from _scaled(model, ("w", "b"))
    errors = model.errors
    assert errors is not None, "convolutions have errors"

    def weight(change: Callable[[Any, Any], Any]) -> Callable[..., Blocks]:
        def gradient(p: Blocks, x: Any, y: Any) -> Blocks:
            return dict(model.gradient(p, x=x, y=y)) | {"w": change(x, errors(p, x, y))}

        return gradient

    yield _one(model, "convolved", "w", weight(lambda x, e: np.convolve(x, e, "valid")), ("convolved",))
    yield _one(model, "convolved, reversed", "w", weight(lambda x, e: np.convolve(x, e, "valid")[::-1]), ("convolved",))
    late = weight(lambda x, e: np.convolve(x, e, "full")[: len(x) - len(e) + 1])
    yield _one(
        model, "wrong lags", "w", weight(lambda x, e: np.correlate(x, e, "full")[:4]), ("shifted",), ("reversed",)
    )
    yield _one(model, "convolved at the wrong lags", "w", late, ("convolved",))
    minus = weight(lambda x, e: -2 * np.convolve(x, e, "valid"))
    yield _one(model, "convolved, sign, factor 2", "w", minus, ("convolved", "sign", "factor"), constant="2")


def _images(model: Model) -> Iterator[Mutant]:
    yield from _scaled(model, ("W", "b"))
    errors = model.errors
    assert errors is not None, "convolutions have errors"
    changes: dict[str, tuple[Callable[[Any], Any], str]] = {
        "reversed in both axes": (lambda g: g[..., ::-1, ::-1].copy(), "reversed"),
        "reversed in rows": (lambda g: g[..., ::-1, :].copy(), "reversed"),
        "rows and columns exchanged": (lambda g: np.swapaxes(g, 2, 3).copy(), "transposed"),
        "channels exchanged": (lambda g: np.swapaxes(g, 0, 1).copy(), "transposed"),
        "columns shifted": (lambda g: np.roll(g, 1, 3), "shifted"),
    }
    for what, (change, code) in changes.items():
        yield _one(model, what, "W", _changed(model, "W", change), (code,))

    def convolved(p: Blocks, X: Any, Y: Any) -> Blocks:
        e = errors(p, X, Y)
        return {"W": correlated(X, e[..., ::-1, ::-1]), "b": e.sum(axis=(0, 2, 3))}

    def not_summed(p: Blocks, X: Any, Y: Any) -> Blocks:
        return dict(model.gradient(p, X=X, Y=Y)) | {"b": errors(p, X, Y).sum(axis=(2, 3))}

    def last(p: Blocks, X: Any, Y: Any) -> Blocks:
        return dict(model.gradient(p, X=X, Y=Y)) | {"W": correlated(X[-1:], errors(p, X, Y)[-1:])}

    yield _one(model, "convolved", "W", convolved, ("convolved",))
    yield _one(model, "bias not summed over the batch", "b", not_summed, ("not-summed",))
    yield _one(model, "last image only", "W", last, ("missing-sum",))

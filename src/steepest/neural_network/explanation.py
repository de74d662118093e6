"""The forward and the backward pass as formulas with the numbers in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.layers import Dense, Layer, Sequential
from steepest.layers.activations.elementwise import Elementwise
from steepest.losses import HalfSquaredError, LogisticLoss, SoftmaxCrossEntropy
from steepest.neural_network import typesetting
from steepest.neural_network.typesetting import Name, Operand
from steepest.objectives.network import NetworkObjective
from steepest.typing import Array

LETTERS = {"Dense": "Z", "Conv2D": "Z", "BatchNorm": "N", "LayerNorm": "N", "Flatten": "F", "Dropout": "D"}
LOSS_FORMULAS: dict[type, tuple[str, str]] = {
    HalfSquaredError: ("1/N sum (Y - y)^2 / 2", r"\frac{1}{N} \sum \tfrac{1}{2} (Y - y)^2"),
    LogisticLoss: ("1/N sum (log(1 + e^Y) - y Y)", r"\frac{1}{N} \sum \log(1 + e^{Y}) - y Y"),
    SoftmaxCrossEntropy: ("1/N sum (log sum_k e^Y_k - Y_y)", r"\frac{1}{N} \sum \log \sum_k e^{Y_k} - Y_y"),
}
SLOPE_FORMULAS: dict[type, tuple[str, str]] = {
    HalfSquaredError: ("(Y - y) / N", r"\frac{1}{N} (Y - y)"),
    LogisticLoss: ("(1 / (1 + e^-Y) - y) / N", r"\frac{1}{N} (\sigma(Y) - y)"),
    SoftmaxCrossEntropy: ("(softmax(Y) - onehot(y)) / N", r"\frac{1}{N} (\mathrm{softmax}(Y) - \mathrm{onehot}(y))"),
}


@dataclass(frozen=True)
class Line:
    """One equation: a name, its formula, the same with numbers, and what comes out.

    Attributes
    ----------
    name : str
        ``"Z1"``, ``"dL/dW1"``, ...
    formula, latex : str
        In names, as text and as LaTeX.
    operands : list
        The right-hand side with numbers: arrays, and what stands between them.
    value : array
        The result.
    """

    name: str
    formula: str
    latex: str
    operands: list[Operand]
    value: Array

    def __str__(self) -> str:
        """Return the equation for a terminal."""
        return typesetting.as_text(self.name, self.formula, self.operands, self.value)

    def markdown(self) -> str:
        """Return the equation as Markdown with LaTeX."""
        return typesetting.as_markdown(self.name, self.latex, self.operands, self.value)


class Explanation:
    """A forward and a backward pass, equation by equation.

    ``print`` it for a terminal, ``.markdown()`` for Markdown with LaTeX; iterate to step through it one equation at a
    time; ``explanation["dL/dW1"]`` is an intermediate result by name. Arrays of more than 60 numbers show their shape.

    Attributes
    ----------
    lines : list of Line
        All equations in order.
    forward, backward : list of Line
        The two passes.

    Examples
    --------
    >>> from steepest.layers import Dense
    >>> from steepest.neural_network import Network
    >>> network = Network([Dense(1)], 1)
    >>> network.theta[:] = 2.0, 1.0
    >>> explanation = network.explain([[3.0]], [5.0])
    >>> print(explanation.forward[0])
    Z1 = X W1 + b1
       = [3] [2] + [1]
       = [7]   (1, 1)
    >>> explanation["dL/dW1"], explanation["L"]
    (array([[6.]]), array(2.))
    """

    def __init__(self, given: dict[str, Array], forward: list[Line], backward: list[Line]) -> None:
        self.given, self.forward, self.backward = given, forward, backward
        self.lines = forward + backward

    def __iter__(self) -> Iterator[Line]:
        """Step through the equations."""
        return iter(self.lines)

    def __getitem__(self, name: str) -> Array:
        """Return an intermediate result, a parameter or the data by name."""
        return {**self.given, **{line.name: line.value for line in self.lines}}[name]

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [*self.given, *(line.name for line in self.lines)]

    def __str__(self) -> str:
        """Return everything for a terminal."""
        given = [typesetting.as_text(name, "", [], value) for name, value in self.given.items()]
        parts = ["Given", *given, "Forward", *map(str, self.forward), "Backward", *map(str, self.backward)]
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """Return everything as Markdown with LaTeX."""
        given = [typesetting.as_markdown(name, "", [], value) for name, value in self.given.items()]
        parts = ["## Given", *given, "## Forward", *(line.markdown() for line in self.forward)]
        return "\n\n".join([*parts, "## Backward", *(line.markdown() for line in self.backward)]) + "\n"

    _repr_markdown_ = markdown


def explain(objective: NetworkObjective, theta: Array) -> Explanation:
    """Walk through a network and back, keeping everything by name."""
    network = objective.network
    names = output_names(network)
    given = {"X": objective.X, "y": objective.y}
    given |= {p.key: theta[p.span].reshape(p.shape) for p in network.parameters}
    passes = list(network.forward_passes(objective.X, theta, state=objective.state))
    forward = [
        _forward_line(network, step.layer, step.number, names, given, step.given, step.result) for step in passes
    ]
    Y = passes[-1].result
    z = Y[:, 0] if objective.y.ndim == 1 and objective.loss.target != "class" else Y
    values = objective.loss.value(objective.y, z)
    text, latex = LOSS_FORMULAS.get(
        type(objective.loss), (f"mean of {objective.loss.words}", r"\frac{1}{N} \sum l(y, Y)")
    )
    last = names[-1]
    L = np.asarray(objective.reduction.total(values))
    forward.append(Line("L", text.replace("Y", last), latex.replace("Y", Name(last).latex), ["mean of ", values], L))
    dY = objective.reduction.weigh(objective.loss.gradient(objective.y, z)).reshape(Y.shape)
    text, latex = SLOPE_FORMULAS.get(type(objective.loss), (f"l'(y, {last}) / N", r"\frac{1}{N} l'(y, Y)"))
    slope = Line(f"dL/d{last}", text.replace("Y", last), latex.replace("Y", Name(last).latex), [], dY)
    backward = [slope]
    caches = [step.cache for step in passes]
    for step in network.backward_passes(dY, caches):
        before = names[step.number - 1] if step.number else "X"
        backward += _backward_lines(network, step, names[step.number], before, given, passes[step.number].given)
    return Explanation(given, forward, backward)


def output_names(network: Sequential) -> list[str]:
    """Name what each layer returns: Z1, H1, Z2 ..., counting the layers that have parameters.

    Examples
    --------
    >>> from steepest.layers import Dense, ReLU
    >>> output_names(Sequential([Dense(3), ReLU(), Dense(1)], (2,)))
    ['Z1', 'H1', 'Z2']
    """
    places = {p.layer: p.place for p in network.parameters}
    names: list[str] = []
    place = 0
    for number, layer in enumerate(network.layers):
        place = places.get(number, place)
        letter = LETTERS.get(type(layer).__name__, "H" if isinstance(layer, Elementwise) else "P")
        name = f"{letter}{place}"
        names.append(name + "'" * sum(other.rstrip("'") == name for other in names))
    return names


def _own(network: Sequential, number: int) -> dict[str, str]:
    """Return the keys of a layer's parameters by their names in the layer."""
    return {p.name: p.key for p in network.parameters if p.layer == number}


def _forward_line(
    network: Sequential, layer: Layer, number: int, names: list[str], given: dict[str, Array], X: Array, Y: Array
) -> Line:
    before, name = names[number - 1] if number else "X", names[number]
    if isinstance(layer, Dense):
        W, b = (_own(network, number)[key] for key in ("W", "b"))
        latex = f"{Name(before).latex} {Name(W).latex} + {Name(b).latex}"
        return Line(name, f"{before} {W} + {b}", latex, [X, " ", given[W], " + ", given[b]], Y)
    if isinstance(layer, Elementwise):
        function = type(layer).__name__.lower()
        latex = rf"\mathrm{{{function}}}({Name(before).latex})"
        return Line(name, f"{function}({before})", latex, [f"{function} ", X], Y)
    formula = layer.formula.split(" = ", 1)[-1].replace("X", before)
    latex = layer.latex.split(" = ", 1)[-1].replace("X", Name(before).latex)
    return Line(name, f"{type(layer).__name__}: {formula}", rf"\mathrm{{{type(layer).__name__}}}: {latex}", [], Y)


def _backward_lines(
    network: Sequential, step: Any, name: str, before: str, given: dict[str, Array], X: Array
) -> list[Line]:
    """Return the equations of one layer: its parameters' gradients, then its input's."""
    dY, dX, layer = step.given, step.result, step.layer
    d = Name(f"dL/d{name}").latex
    if isinstance(layer, Dense):
        W, b = (_own(network, step.number)[key] for key in ("W", "b"))
        dW, db = step.gradients["W"], step.gradients["b"]
        lines = [
            Line(f"dL/d{W}", f"{before}^T dL/d{name}", f"{Name(before).latex}^T {d}", [X.T, " ", dY], dW),
            Line(f"dL/d{b}", f"sum over rows of dL/d{name}", rf"\mathbf{{1}}^T {d}", ["column sums of ", dY], db),
        ]
        if step.number:
            operands: list[Operand] = [dY, " ", given[W].T]
            lines.append(Line(f"dL/d{before}", f"dL/d{name} {W}^T", f"{d} {Name(W).latex}^T", operands, dX))
        return lines
    if isinstance(layer, Elementwise):
        function = type(layer).__name__.lower()
        slope = layer.derivative(X, layer.value(X))
        latex = rf"{d} \odot \mathrm{{{function}}}'({Name(before).latex})"
        return [Line(f"dL/d{before}", f"dL/d{name} * {function}'({before})", latex, [dY, " * ", slope], dX)]
    kind = type(layer).__name__
    lines = [
        Line(f"dL/d{key}", f"pulled back through {kind}", rf"\text{{through {kind}}}", [], step.gradients[short])
        for short, key in _own(network, step.number).items()
    ]
    return [*lines, Line(f"dL/d{before}", f"pulled back through {kind}", rf"\text{{through {kind}}}", [], dX)]

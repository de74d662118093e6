"""From fitted constants to named mistakes: what a factor is, and what happened to the penalty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from steepest.checking.constants import Named, name_constant
from steepest.checking.hypotheses import Candidate
from steepest.checking.mistakes import Mistake
from steepest.checking.penalty_kinds import Term

__all__ = ["Explanation", "interpret"]

SIGN = "Change the sign: descent subtracts the gradient, so the minus belongs to the step."
UNCERTAIN = 1.5  # a penalty that the value may or may not hold is weaker than a mistake found in the value's own steps
UNNAMED = 1.6  # an arbitrary constant is a weaker explanation than one with a name


@dataclass(frozen=True)
class Explanation:
    """Mistakes that together explain a claimed block to rounding, and how far-fetched they are."""

    candidate: Candidate
    constant: float
    names: tuple[Named, ...]
    mistakes: tuple[Mistake, ...]
    cost: float
    penalty: Mapping[str, float] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """Names of the mistakes."""
        return tuple(mistake.code for mistake in self.mistakes)


def interpret(
    candidate: Candidate,
    constant: float,
    penalty: Mapping[str, float],
    terms: Sequence[Term] | None,
    sizes: Mapping[str, tuple[float, str]],
    is_bias: bool,
    parameter: str,
    tolerance: float,
    *,
    of_a_value: bool = True,
) -> Explanation:
    """Read a fit ``claim = constant * tensors + sum_k penalty_k * kind_k`` as mistakes.

    Notes
    -----
    The penalty in the value has the coefficients a_k. Its part may be judged on its own (q_k against a_k)
    or after taking the constant for a factor of the whole (q_k against constant * a_k); the reading with
    fewer mistakes is returned. Where the tensor is no gradient of a value, nothing is said of descent.
    """
    readings = []
    scales = [1.0] if candidate.whole or constant in (0.0, 1.0) else [1.0, constant]
    for scale in scales:
        names, mistakes, cost = _factor(
            candidate,
            constant,
            sizes,
            tolerance,
            whole=candidate.whole or scale != 1.0 or not terms,
            remedy_of_sign=SIGN if of_a_value else "Change the sign.",
        )
        found = _penalty(
            {k: q / scale for k, q in penalty.items()}, terms, sizes, is_bias, parameter, tolerance, candidate.whole
        )
        structure = (
            [Mistake(candidate.code, candidate.said, candidate.remedy, candidate.hint)] if candidate.code else []
        )
        all_mistakes = (*structure, *mistakes, *found)
        total = cost + sum(UNCERTAIN if m.code == "penalty-unknown" else 1.0 for m in (*structure, *found))
        readings.append(Explanation(candidate, constant, names, all_mistakes, total, dict(penalty)))
    return min(readings, key=lambda reading: reading.cost)


def _near(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _factor(
    candidate: Candidate,
    constant: float,
    sizes: Mapping[str, tuple[float, str]],
    tolerance: float,
    whole: bool,
    remedy_of_sign: str,
) -> tuple[tuple[Named, ...], list[Mistake], float]:
    names = name_constant(constant, sizes, tolerance)
    if constant == 1.0:
        return names, [], 0.0
    scope = "the derivative" if whole else "the derivative of the data term"
    sign = Mistake(
        "sign",
        "the sign is wrong" if whole else "the sign of the data term is wrong",
        remedy_of_sign,
        "look at the sign",
    )
    mistakes = [sign] if constant < 0 else []
    if _near(abs(constant), 1.0, tolerance):
        return names, mistakes, 1.0
    if any(_near(abs(constant), natural, tolerance) for natural in candidate.natural):
        return names, mistakes, float(len(mistakes))
    text = str(names[0]) if names else f"{abs(constant):.10g}"
    mistakes.append(
        Mistake(
            "factor",
            f"{scope} is off by the factor {text}",
            _undo(names, constant, scope),
            "a constant factor is wrong: compare the constants in front of the value and of the gradient",
        )
    )
    return names, mistakes, (1.0 if names else UNNAMED) + (constant < 0)


def _undo(names: tuple[Named, ...], constant: float, scope: str) -> str:
    symbol = names[0].symbol if names else f"{abs(constant):.10g}"
    if symbol.startswith("1/"):
        return f"Multiply {scope} by {symbol[2:]}."
    if "/" in symbol:
        top, bottom = symbol.split("/", 1)
        return f"Multiply {scope} by {bottom}/{f'({top})' if ' ' in top else top}."
    return f"Divide {scope} by {symbol}."


NAMES = {"L2": "squared L2", "L1": "L1", "norm": "L2 norm"}


def _title(kind: str) -> str:
    base, _, mask = kind.partition(" ")
    return f"{NAMES[base]} penalty{' ' + mask if mask else ''}"


def _formula(kind: str, coefficient: float, w: str) -> str:
    base = kind.split(" ")[0]
    shape = {"L2": w, "L1": f"sign({w})", "norm": f"{w} / |{w}|"}[base]
    return f"{coefficient:.6g} {shape}"


def _penalty(
    found: Mapping[str, float],
    terms: Sequence[Term] | None,
    sizes: Mapping[str, tuple[float, str]],
    is_bias: bool,
    w: str,
    tolerance: float,
    whole: bool,
) -> list[Mistake]:
    """Compare the penalty's coefficients found in the claim with those in the value."""
    if whole:
        return []
    if terms is None:
        return [_unknown(kind, q, w) for kind, q in found.items()]
    true = {term.kind: term.coefficient for term in terms}
    lost = {kind: a for kind, a in true.items() if kind not in found}
    new = {kind: q for kind, q in found.items() if kind not in true}
    mistakes = [
        _scaled(kind, found[kind] / a, a, sizes, w, tolerance)
        for kind, a in true.items()
        if kind in found and not _near(found[kind], a, tolerance)
    ]
    if len(true) == len(found) == len(mistakes) == 2 and not new:
        (one, a), (two, b) = true.items()
        if _near(found[one], b, tolerance) and _near(found[two], a, tolerance):
            return [_strengths_exchanged(one, a, two, b, w)]
    if len(lost) == len(new) == 1:
        (kind, a), (other, q) = next(iter(lost.items())), next(iter(new.items()))
        return [*mistakes, _exchanged(kind, a, other, q, w)]
    mistakes += [
        Mistake(
            "penalty-missing",
            f"the derivative {_formula(kind, a, w)} of the {_title(kind)} is missing",
            f"Add {_formula(kind, a, w)}.",
            "a term of the value has no counterpart in the gradient",
        )
        for kind, a in lost.items()
    ]
    mistakes += [_extra(kind, q, is_bias, w) for kind, q in new.items()]
    return mistakes


def _scaled(
    kind: str, ratio: float, a: float, sizes: Mapping[str, tuple[float, str]], w: str, tolerance: float
) -> Mistake:
    right = _formula(kind, a, w)
    if _near(ratio, -1.0, tolerance):
        code, said = "penalty-sign", f"the {_title(kind)} enters with the wrong sign"
    elif _near(ratio, 2.0, tolerance):
        code, said = "penalty-doubled", f"the {_title(kind)} enters twice"
    else:
        names = name_constant(ratio, sizes, tolerance)
        text = f"{'-' if ratio < 0 else ''}{names[0]}" if names else f"{ratio:.10g}"
        code, said = "penalty-scale", f"the {_title(kind)} enters {text} times as strong as in the value"
    return Mistake(code, said, f"Its derivative is {right}.", "look at the penalty's term")


def _exchanged(kind: str, a: float, other: str, q: float, w: str) -> Mistake:
    same = kind.split(" ")[0] == other.split(" ")[0]
    if same and " without" in kind and " without" not in other:
        return Mistake(
            "penalty-on-bias",
            f"the penalty falls on the bias entry of {w} too, which the value leaves out",
            f"Add the penalty's derivative{kind[kind.index(' ') :]}.",
            "the bias is not penalised in the value",
        )
    return Mistake(
        "penalty-kind",
        f"the value holds a {_title(kind)}, the gradient the derivative {_formula(other, q, w)} of a {_title(other)}",
        f"Use {_formula(kind, a, w)}.",
        "value and gradient hold different penalties",
    )


def _strengths_exchanged(one: str, a: float, two: str, b: float, w: str) -> Mistake:
    return Mistake(
        "penalty-scale",
        f"the strengths of the {_title(one)} and the {_title(two)} are exchanged",
        f"The derivatives are {_formula(one, a, w)} and {_formula(two, b, w)}.",
        "look at the two terms of the penalty",
    )


def _extra(kind: str, q: float, is_bias: bool, w: str) -> Mistake:
    if is_bias:
        return Mistake(
            "penalty-on-bias",
            f"the gradient adds {_formula(kind, q, w)}, but the value does not penalise the bias {w}",
            f"Leave the penalty out of d{w}.",
            "the bias is not penalised in the value",
        )
    return Mistake(
        "penalty-extra",
        f"the gradient adds {_formula(kind, q, w)}, the derivative of a {_title(kind)} that the value does not hold",
        f"Remove it, or add {_value(kind, q, w)} to the value.",
        "the gradient has a term that the value lacks",
    )


def _unknown(kind: str, q: float, w: str) -> Mistake:
    return Mistake(
        "penalty-unknown",
        f"the difference is {_formula(kind, q, w)}, the derivative of a {_title(kind)}: it is missing, of the wrong "
        "strength or sign, or not in the value",
        f"Compare with the term {_value(kind, -q, w)} of the value; hand the data over by data=... to know more.",
        "look at the penalty's term",
    )


def _value(kind: str, q: float, w: str) -> str:
    base = kind.split(" ")[0]
    return {"L2": f"{q / 2:.6g} |{w}|^2", "L1": f"{q:.6g} |{w}|_1", "norm": f"{q:.6g} |{w}|"}[base]

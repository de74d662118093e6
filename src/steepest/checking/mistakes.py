"""The mistakes that the audit names: the code of each, by which a template may give credit, and what it means."""

from dataclasses import dataclass

from steepest.exceptions import InvalidInputError
from steepest.validation import did_you_mean

__all__ = ["MISTAKES", "Mistake", "check_code"]

MISTAKES: dict[str, str] = {
    # constants
    "sign": "the sign is wrong",
    "factor": "a constant factor too many or too few",
    "zero": "zero, where the derivative is not",
    # penalties and terms
    "penalty-missing": "the penalty's derivative is missing",
    "penalty-sign": "the penalty's derivative has the wrong sign",
    "penalty-doubled": "the penalty's derivative enters twice",
    "penalty-scale": "the penalty enters with another strength",
    "penalty-kind": "the derivative of another penalty",
    "penalty-on-bias": "the bias is penalised",
    "penalty-extra": "a penalty that the value does not hold",
    "penalty-unknown": "a penalty whose strength cannot be told",
    "data-missing": "the derivative of the data term is missing",
    # samples
    "missing-sum": "only some samples, or one, take part",
    "not-summed": "the sum over the samples, or over what is repeated, is left out",
    "off-by-one-rows": "rows are paired with their neighbours",
    "sum-product": "the product of sums in place of the sum of products",
    "ignored": "an input of the value is left out",
    # places
    "transposed": "axes are exchanged",
    "reversed": "the order is reversed",
    "shifted": "entries are shifted",
    "swapped": "blocks are exchanged",
    "summed": "summed over an axis that should be kept",
    "convolved": "convolution for correlation, or the reverse, or another lag",
    "wrong-axis": "over the wrong axis",
    "diagonal-only": "only the diagonal of the matrix",
    "other-map": "another map, or the derivative of another",
    # chain rule
    "activation-missing": "a function's derivative is missing",
    "activation-at-output": "a function's derivative at its output",
    "activation-at-input": "a derivative in terms of the output, taken at the input",
    "activation-other": "the derivative of another function",
    "activation-twice": "a function's derivative twice",
    "activation-inverse": "the derivative of the inverse function",
    "chain-factor-missing": "a factor of the chain rule is missing",
    "chain-transposed": "a factor of the chain rule is transposed",
    "slopes-swapped": "the slopes on both sides of a kink are exchanged",
    "weight-for-input": "the weights in place of the inputs",
    "operand-other": "another array in place of a factor",
    "path-missing": "an expression taken for a constant",
    "path-sign": "the part through an expression with the wrong sign",
    "path-factor": "the part through an expression times a constant",
    # single steps
    "factor-missing": "a factor or division is missing",
    "factor-twice": "a factor or division twice",
    "factor-inverse": "a product in place of a division",
    "quotient-rule": "the quotient rule went wrong",
    "power-rule": "the power rule went wrong",
    "extreme-elsewhere": "another entry in place of the maximum or minimum",
    "softmax-diagonal": "only the diagonal of the softmax's Jacobian",
    "softmax-normaliser": "the softmax's normaliser taken for a constant",
    "softmax-sum": "the sum in the softmax's Jacobian went wrong",
    # matrices
    "matrix-transposed": "an inverse that should be transposed",
    "matrix-missing": "the derivative of an inverse, a determinant or a factorisation is missing",
    "matrix-inverse": "a matrix in place of its inverse",
    "matrix-diagonal": "only the diagonal, or the diagonal not halved",
    "matrix-entries": "entry by entry in place of the inverse",
    "matrix-triangle": "the lower triangle was not taken",
    # outputs and losses
    "other-loss": "the derivative of another loss",
    "output-for-error": "the output in place of the error",
    "error-size": "the size of the error without its sign, or the reverse",
    "class-for-probability": "the class in place of its probability",
    "link-missing": "scores in place of probabilities",
    "label-missing": "the label is left out",
    "residual-sign": "the sign of the residual is wrong",
    "margin-sign": "the sign of the margin is wrong",
    "indicator-missing": "a condition such as that of the hinge is missing",
    "indicator-other": "another condition than that of the loss",
    # clusters
    "all-points": "all points in place of the assigned ones",
    "mean-for-gradient": "the mean in place of the derivative",
    "per-cluster-mean": "a mean over the cluster in place of the sum",
}
"""The codes of the mistakes that the audit names, each with what it means."""


@dataclass(frozen=True)
class Mistake:
    """One named mistake."""

    code: str
    said: str
    remedy: str
    hint: str = ""

    def __post_init__(self) -> None:
        """Hold the list to what is said."""
        check_code("code", self.code)


def check_code(name: str, code: str) -> str:
    """Return the code of a mistake; any other word raises InvalidInputError with the nearest."""
    if code not in MISTAKES:
        hint = did_you_mean(code, MISTAKES, otherwise="`steepest grade --mistakes` lists them")
        raise InvalidInputError(f"{name}: there is no mistake {code!r}; {hint}")
    return code

"""Grading: credit for parts, reasons without answers, and submissions that misbehave."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from steepest.checking.grading import Grade, grade
from steepest.checking.grading.codec import decode, encode
from steepest.exceptions import InvalidInputError

TEMPLATE = """
import numpy as np
rng = np.random.default_rng(0)
parameters = {"w": rng.normal(size=3), "b": 0.2}
data = {"X": rng.normal(size=(10, 3)), "y": rng.normal(size=10), "alpha": 0.1}
weights = {"w": 3, "b": 1}
credit = {"sign": 0.5}
seconds = 1.5
def value(w, b, X, y, alpha):
    return np.mean((X @ w + b - y) ** 2) + alpha * w @ w
"""
HEAD = "import numpy as np\ndef gradient(w, b, X, y, alpha):\n    r = X @ w + b - y\n"
RIGHT = HEAD + "    return 2 * X.T @ r / len(y) + 2 * alpha * w, 2 * r.mean()\n"


@pytest.fixture
def graded(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Grade a submission given as text."""
    (tmp_path / "template.py").write_text(TEMPLATE)

    def run(text: str, **options: bool) -> Grade:
        (tmp_path / "submission.py").write_text(text)
        return grade(tmp_path / "template.py", tmp_path / "submission.py", **options)

    return run


def test_full_marks_for_any_right_derivation(graded) -> None:  # type: ignore[no-untyped-def]
    loops = HEAD + (
        "    dw = [sum(2 * r[i] * X[i, j] for i in range(len(y))) / len(y) + 2 * alpha * w[j] for j in range(len(w))]\n"
        "    return np.array(dw), sum(2 * r) / len(y)\n"
    )
    for text in (RIGHT, loops):
        result = graded(text)
        assert result
        assert (result.points, result.out_of) == (4.0, 4.0)
        assert [part.reason for part in result.parts] == ["right", "right"]


def test_partial_credit_and_a_reason_that_does_not_give_the_answer(graded) -> None:  # type: ignore[no-untyped-def]
    text = HEAD + "    return 2 * X.T @ r / len(y), -2 * r.mean()\n"
    result = graded(text)
    assert [part.points for part in result.parts] == [0.0, 0.5]
    assert result.parts[0].reason == "wrong: a term of the value has no counterpart in the gradient"
    assert result.parts[1].reason == "wrong: look at the sign"
    shown = graded(text, show_answers=True)
    assert "Add 0.2 w." in shown.parts[0].reason
    assert "total 0.5 of 4" in str(result)
    assert "<td>0.5 of 1</td>" in result._repr_html_()


def test_one_function_for_each_part(graded) -> None:  # type: ignore[no-untyped-def]
    text = RIGHT.replace("def gradient(", "def gradient_w(").replace(", 2 * r.mean()", "")
    result = graded(text)
    assert [part.points for part in result.parts] == [3.0, 0.0]
    assert result.parts[1].reason == "gradient_b is not defined"
    result = graded(text + "def gradient_b(w, b, X, y, alpha):\n    return 'two'\n")
    assert [part.points for part in result.parts] == [3.0, 0.0]
    assert result.parts[1].reason == "its gradient is a str, must be an array of real numbers"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    while True: pass\n", "gradient took longer than 1.5 s (an endless loop?)"),
        ("    return r / undefined\n", "gradient raised NameError: name 'undefined' is not defined (line 4)"),
        ("    import os; os._exit(0)\n", "gradient ended its process (exit, or too much memory)"),
        ("    raise SystemExit\n", "gradient raised SystemExit"),
        ("    return np.ones((10**6, 10**6)), 0.0\n", "gradient raised "),
        ("    return lambda: 0\n", "gradient raised the result is not an array of numbers"),
        (
            "    kept = []\n    while True: kept.append(np.ones(10**5)); np.sort(kept[-1])\n",
            "gradient took longer than 1.5 s (by then it used ",
        ),
        (
            "    return bytes(10**12)\n",
            "gradient raised MemoryError: more memory is needed than the limit allows (line 4)",
        ),
    ],
)
def test_a_submission_that_misbehaves(graded, body: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    result = graded(HEAD + body)
    assert result.points == 0.0
    assert result.parts[0].reason.startswith(reason)


def test_files_that_cannot_be_run(graded) -> None:  # type: ignore[no-untyped-def]
    reason = graded("def gradient(w b):\n").parts[0].reason
    assert "the file could not be run: it raised SyntaxError" in reason
    assert reason.count("line 1") == 1
    assert "defines neither gradient nor gradient_w, gradient_b" in graded("x = 1\n").parts[0].reason
    assert "for 2 parameters (w, b)" in graded(HEAD + "    return r\n").parts[0].reason


def test_printing_and_changing_arguments_are_noticed_and_do_no_harm(graded) -> None:  # type: ignore[no-untyped-def]
    text = RIGHT.replace("    r = X", "    print('hello')\n    r = X").replace(
        "    return", "    X *= 1.0; w += r.sum() * 0 + 1; w -= 1\n    return"
    )
    result = graded(text.replace("w -= 1\n", "w -= 1; y += 5\n"))
    assert result.points == 4.0
    assert "the submission changes its arguments in place: it must work on copies" in result.notes
    assert any(note.startswith("the submission printed 'hello") for note in result.notes)


def test_a_submission_cannot_write_its_own_verdict(graded) -> None:  # type: ignore[no-untyped-def]
    forged = '{"dict": [["result", 1.0]]}'
    body = f"    import sys; sys.__stdout__.write({forged!r} + chr(10)); sys.__stdout__.flush()\n    return w, b\n"
    text = HEAD + body
    assert graded(text).points == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parameters = {}", "must define value, a function"),
        ("def value(w): return 0", "must define parameters, a dict"),
        ("1 / 0", "raised ZeroDivisionError"),
        (TEMPLATE.replace('"b": 1}', '"c": 1}'), r"weights names \['c'\]"),
        (TEMPLATE + "parameters = {}", "template.py: parameters is empty: name at least one, with its point"),
        (TEMPLATE + "parameters = {1: 2.0}", r"parameters=\{1: 2.0\}: must be a dict whose keys are names"),
        (TEMPLATE + "weights = 3", "template.py: weights=3: must be a dict whose keys are names"),
        (TEMPLATE + "weights = None", "weights=None: must be a dict whose keys are names"),
        (TEMPLATE + "weights = {'w': 'many'}", r"weights\['w'\]='many': must be a finite number not below 0"),
        (TEMPLATE + "weights = {'w': np.nan}", r"weights\['w'\]=nan: must be a finite number not below 0"),
        (TEMPLATE + "weights = {'w': -1}", r"weights\['w'\]=-1: must be a finite number not below 0"),
        (TEMPLATE + "weights = {'w': 0, 'b': 0}", "are all 0; at least one part must be worth points"),
        (TEMPLATE + "data = 3", "data=3: must be a dict whose keys are names"),
        (TEMPLATE + "credit = {'sign': 2}", r"credit\['sign'\]=2: must lie between 0 and 1"),
        (TEMPLATE + "seconds = np.nan", "seconds=nan: must be a finite number above 0"),
        (TEMPLATE + "memory_mb = 'much'", "memory_mb='much': must be an integer of at least 1"),
        (TEMPLATE + "parameters['b'] = 'two'", "template.py: b has dtype <U3: must be real numbers"),
        (TEMPLATE + "parameters['b'] = np.nan", "template.py: b is nan: the point must be finite"),
        (TEMPLATE + "def value(w, b, X, y, alpha): return w.nothing", "template.py: value raised AttributeError"),
        (TEMPLATE + "def value(w, b, X, y, alpha): return np.log(-w @ w)", "value is nan at the given point: choose"),
        (TEMPLATE + "show_answers = 'no'", "show_answers='no': must be True or False"),
    ],
)
def test_a_template_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "template.py").write_text(text)
    (tmp_path / "submission.py").write_text(RIGHT)
    with pytest.raises(InvalidInputError, match=message):
        grade(tmp_path / "template.py", tmp_path / "submission.py")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        grade(tmp_path / "template.py", tmp_path / "submission.py")
    (tmp_path / "template.py").write_text(TEMPLATE)
    with pytest.raises(InvalidInputError, match="no such file"):
        grade(tmp_path / "template.py", tmp_path / "submission.py")


def test_what_is_sent_comes_back_and_nothing_else_is_accepted() -> None:
    sent = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": [1, 2.5, "x", None, True], "c": np.float64(2)}
    back = decode(encode(sent))
    np.testing.assert_array_equal(back["a"], sent["a"])
    assert back["a"].dtype == np.float32
    assert back["b"] == (1, 2.5, "x", None, True)
    assert back["c"] == 2.0
    with pytest.raises(TypeError, match="dtype object cannot be sent"):
        encode(np.array([object()]))
    with pytest.raises(ValueError, match="is not accepted"):
        decode('{"array": "", "dtype": "|O", "shape": [0]}')


def test_a_submission_does_not_outlive_the_grader(tmp_path):
    submission = tmp_path / "endless.py"
    submission.write_text("import time\nwhile True:\n    time.sleep(0.01)\n")
    worker = [sys.executable, "-m", "steepest.checking.grading.worker", str(submission), "1024"]
    grader = f"import subprocess, time\nprint(subprocess.Popen({worker!r}).pid, flush=True)\ntime.sleep(2)\n"
    run = subprocess.run([sys.executable, "-c", grader], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    pid = int(run.stdout.split()[0])
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(pid, 9)
    raise AssertionError("the submission still runs ten seconds after the grader has gone")


def test_a_mistake_that_no_diagnosis_names_gets_no_credit(tmp_path: Path) -> None:
    lesson = "parameters = {'x': 2.0}\ncredit = {'sgin': 0.5}\ndef value(x): return x**2\n"
    (tmp_path / "lesson.py").write_text(lesson)
    (tmp_path / "mine.py").write_text("def gradient(x): return -2 * x")
    with pytest.raises(InvalidInputError, match=r"credit: there is no mistake 'sgin'; did you mean 'sign'\?"):
        grade(tmp_path / "lesson.py", tmp_path / "mine.py")

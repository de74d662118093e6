"""What a run leaves behind."""

from collections.abc import Iterator
from math import isnan
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.exceptions import InvalidInputError
from steepest.json_values import plain
from steepest.step import SCALARS, Step
from steepest.typing import Array
from steepest.validation import check_count, check_flag, did_you_mean

COLUMNS = (*SCALARS, "seconds")
scalars_of = attrgetter(*SCALARS)


class Trace:
    """The record of a run: the scalars of every step and, on request, its parameters.

    Every fit leaves one as ``trace_``. Handed to an estimator's ``set_callbacks``, it also keeps parameters::

        model.set_callbacks(Trace(parameters=True)).fit(X, y).trace_.parameters

    Parameters
    ----------
    parameters : bool, default False
        Keep the parameters of the steps too.
    max_frames : int, default 1000
        How many parameter vectors to keep at most; when there are more, every second one is dropped and from then on
        only every second is taken (the first and the newest are always there).

    Attributes
    ----------
    columns : dict of str to array (n_steps,)
        One array a scalar of :class:`~steepest.step.Step`, ``seconds`` since the run began, and one a note of the
        solver (NaN at steps without it).
    frames : int array (n_frames,)
        The step numbers of the kept parameters; with several updates in an iteration, fractions of it.
    parameters : array (n_frames, n_parameters)
        The kept parameters.
    about : dict
        What was run: model, objective, solver, the reason for stopping; all text, numbers or lists of them.
    """

    def __init__(self, parameters: bool = False, max_frames: int = 1000) -> None:
        self.keep_parameters = check_flag("parameters", parameters)
        self.max_frames = check_count("max_frames", max_frames, minimum=2)
        self.clear()

    def __repr__(self) -> str:
        """Return how much was recorded, of what, and how the run ended."""
        about = [self.about[name] for name in ("estimator", "solver", "message") if name in self.about]
        kept = f", {len(self._kept)} with parameters" if self.keep_parameters else ""
        return f"Trace({', '.join([f'{len(self)} steps{kept}', *map(str, about)])})"

    @classmethod
    def begun(cls, trace: "Trace | None", *, parameters: bool = False) -> "Trace":
        """Return the record that a run is to write: the one given, emptied, or a new one.

        Examples
        --------
        >>> Trace.begun(None, parameters=True)
        Trace(0 steps, 0 with parameters)
        """
        if trace is None:
            return cls(parameters)
        if not isinstance(trace, Trace):
            raise InvalidInputError(f"trace={trace!r}: must be a Trace, such as Trace(parameters=True), or None")
        trace.clear()
        return trace

    def clear(self) -> None:
        """Forget everything recorded."""
        self.about: dict[str, Any] = {}
        self._rows: list[tuple[float, ...]] = []
        self._notes: list[dict[str, float]] = []
        self._frames: list[tuple[float, Array]] = []
        self._newest: tuple[float, Array] | None = None
        self._stride, self._offered = 1, 0
        self._started = perf_counter()

    def record(self, step: Step) -> None:
        """Add a step."""
        reached = perf_counter() if isnan(step.reached) else step.reached
        self._rows.append((*scalars_of(step), reached - self._started))
        self._notes.append(step.notes)
        if not self.keep_parameters:
            return
        if step.updates is None:
            self._offer(step.index, step.theta)
        else:
            n_updates = len(step.updates)
            for i, theta in enumerate(step.updates, start=1):
                self._offer(step.index - 1 + i / n_updates, theta)

    def _offer(self, position: float, theta: Array) -> None:
        frame = (position, theta.copy())
        if self._offered % self._stride == 0:
            self._frames.append(frame)
        self._newest = frame
        self._offered += 1
        if len(self._frames) >= self.max_frames:
            del self._frames[1::2]
            self._stride *= 2

    def __len__(self) -> int:
        """Return how many steps were recorded."""
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a column of this name."""
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        """Return the names of the columns one by one."""
        return iter(self.columns)

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The scalars, one array each."""
        table = np.array(self._rows, dtype=np.float64).reshape(len(self._rows), len(SCALARS) + 1)
        names = dict.fromkeys(name for notes in self._notes for name in notes)  # in order of first appearance
        noted = {name: np.array([notes.get(name, np.nan) for notes in self._notes]) for name in names}
        return dict(zip(COLUMNS, table.T, strict=True)) | noted

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return one column.

        Examples
        --------
        >>> Trace()["vlaue"]
        Traceback (most recent call last):
            ...
        KeyError: "no column 'vlaue'; did you mean 'value'?"
        """
        columns = self.columns
        if name not in columns:
            hint = did_you_mean(str(name), columns, otherwise=f"there are {', '.join(columns)}")
            raise KeyError(f"no column {name!r}; {hint}")
        return columns[name]

    @property
    def _kept(self) -> list[tuple[float, Array]]:
        last = self._newest
        missing = last is not None and (not self._frames or self._frames[-1][0] != last[0])
        return [*self._frames, last] if missing and last is not None else self._frames

    @property
    def frames(self) -> NDArray[np.float64]:
        """The step numbers of the kept parameters."""
        return np.array([position for position, _ in self._kept])

    @property
    def parameters(self) -> Array:
        """The kept parameters, one row a frame."""
        kept = [theta for _, theta in self._kept]
        return np.stack(kept) if kept else np.empty((0, 0))

    def save(self, path: str | Path) -> None:
        """Write the trace into a file (safetensors with a JSON header), whole or not at all.

        Examples
        --------
        >>> import tempfile
        >>> trace = Trace()
        >>> trace.record(Step(0, np.zeros(2), value=1.5))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     trace.save(f"{folder}/run.safetensors")
        ...     print(Trace.load(f"{folder}/run.safetensors")["value"])
        [1.5]
        """
        from steepest import trace_file

        trace_file.write(path, self.tensors, plain(self.about), COLUMNS)

    @property
    def tensors(self) -> dict[str, Array]:
        """Everything recorded as arrays: the columns, and ``frames`` with ``parameters`` if there are any."""
        kept = {"frames": self.frames.astype(np.float64), "parameters": self.parameters} if len(self.frames) else {}
        return {**self.columns, **kept}

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """Return the trace that ``save`` wrote; a damaged or hostile file raises a FileFormatError."""
        from steepest import trace_file

        return cls.of(*trace_file.read(path, COLUMNS))

    @classmethod
    def of(cls, tensors: dict[str, Array], about: dict[str, Any]) -> "Trace":
        """Return the trace with these ``tensors``."""
        trace = cls(parameters="frames" in tensors)
        trace.about = about
        columns = [tensors[name].tolist() for name in COLUMNS]
        trace._rows = list(zip(*columns, strict=True))
        noted = sorted(set(tensors) - {*COLUMNS, "frames", "parameters"})
        trace._notes = [{name: float(tensors[name][i]) for name in noted} for i in range(len(trace._rows))]
        trace._frames = list(
            zip(tensors.get("frames", np.empty(0)).tolist(), tensors.get("parameters", ()), strict=True)
        )
        return trace

    # scikit-learn's callback protocol. What it hands over (data, a fitted estimator) is not the step itself: the loop
    # feeds `record`, and the protocol only tells when a fit begins.

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin a new record."""
        self.clear()

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to do after a fit."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing to do before a step."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Never ask to stop."""
        return False


def check_trace(trace: Any) -> Trace:
    """Return ``trace`` if it is one; a model is not, but has one.

    Examples
    --------
    >>> check_trace([4.0, 1.0])
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: trace=[4.0, 1.0]: must be a Trace, such as model.trace_ or result.trace
    """
    if not isinstance(trace, Trace):
        raise InvalidInputError(f"trace={trace!r}: must be a Trace, such as model.trace_ or result.trace")
    return trace

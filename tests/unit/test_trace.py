"""Traces: what is recorded, thinned, written and read back; which files are refused."""

import json
import re

import numpy as np
import pytest
import safetensors.numpy

from steepest import minimize
from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.step import SCALARS, Step
from steepest.trace import COLUMNS, Trace
from steepest.trace_file import FORMAT, VERSION


def recorded(n_steps=5, parameters=False, dtype=np.float64, **options):
    trace = Trace(parameters=parameters, **options)
    for index in range(n_steps):
        theta = np.array([index, -index, 0.5], dtype=dtype)
        notes = {"momentum": 0.5 * index} if index % 2 else {}
        trace.record(Step(index, theta, value=1.0 / (index + 1), gradient_norm=2.0 * index, notes=notes))
    trace.about = {"estimator": "Lasso", "solver": "fista", "reason": "MAX_ITER"}
    return trace


def test_columns_hold_the_scalars_of_every_step():
    trace = recorded(4)
    assert set(trace.columns) == {*SCALARS, "seconds", "momentum"}
    np.testing.assert_array_equal(trace["momentum"], [np.nan, 0.5, np.nan, 1.5])
    np.testing.assert_array_equal(trace["index"], [0, 1, 2, 3])
    np.testing.assert_array_equal(trace["value"], [1, 1 / 2, 1 / 3, 1 / 4])
    assert np.all(np.isnan(trace["duality_gap"]))
    assert len(trace) == 4


def test_steps_taken_at_once_were_reached_one_after_the_other(monkeypatch):
    monkeypatch.setattr("steepest.trace.perf_counter", lambda: 100.0)
    trace = Trace()
    for index, reached in enumerate((np.nan, 102.0, 103.5)):
        trace.record(Step(index, np.zeros(1), reached=reached))
    np.testing.assert_array_equal(trace["seconds"], [0.0, 2.0, 3.5])


def test_parameters_are_kept_only_on_request():
    assert recorded(4).parameters.shape == (0, 0)
    assert recorded(4, parameters=True).parameters.shape == (4, 3)


@pytest.mark.parametrize("n_steps", [1, 7, 8, 9, 63, 64, 65, 1000])
def test_frames_are_bounded_and_keep_the_first_and_the_newest(n_steps):
    trace = recorded(n_steps, parameters=True, max_frames=8)
    assert len(trace.frames) <= 9
    assert trace.frames[0] == 0
    assert trace.frames[-1] == n_steps - 1
    assert len(set(np.diff(trace.frames)[:-1])) <= 1  # evenly spaced, but for the newest
    np.testing.assert_array_equal(trace.parameters[:, 0], trace.frames)


def test_updates_within_an_iteration_are_frames_at_fractions_of_it():
    trace = Trace(parameters=True)
    trace.record(Step(0, np.zeros(1)))
    trace.record(Step(1, np.ones(1), updates=np.array([[0.25], [1.0]])))
    np.testing.assert_array_equal(trace.frames, [0, 0.5, 1])
    np.testing.assert_array_equal(trace.parameters.ravel(), [0, 0.25, 1])


def test_later_changes_of_theta_do_not_reach_the_trace():
    trace, theta = Trace(parameters=True), np.zeros(2)
    trace.record(Step(0, theta))
    theta += 1
    np.testing.assert_array_equal(trace.parameters, [[0, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("parameters", [False, True])
@pytest.mark.parametrize("n_steps", [0, 1, 30])
def test_a_trace_survives_its_file(tmp_path, n_steps, parameters, dtype):
    trace = recorded(n_steps, parameters, dtype, max_frames=8)
    trace.save(tmp_path / "run.safetensors")
    back = Trace.load(tmp_path / "run.safetensors")
    assert back.about == trace.about
    assert set(back.columns) == set(trace.columns)
    for name, column in trace.columns.items():
        np.testing.assert_array_equal(back[name], column)
    np.testing.assert_array_equal(back.frames, trace.frames)
    np.testing.assert_array_equal(back.parameters, trace.parameters)
    if n_steps and parameters:
        assert back.parameters.dtype == dtype
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_the_description_may_hold_numpy_numbers_and_infinity(tmp_path):
    trace = recorded()
    trace.about = {
        "alpha": np.float64(0.5),
        "alphas": np.arange(2),
        "tol": float("inf"),
        "shape": (3, None),
        "on": True,
    }
    trace.save(tmp_path / "run")
    expected = {"alpha": 0.5, "alphas": [0, 1], "tol": None, "shape": [3, None], "on": True}
    assert Trace.load(tmp_path / "run").about == expected


def test_other_tools_can_read_the_file(tmp_path):
    recorded().save(tmp_path / "run")
    assert set(safetensors.numpy.load_file(tmp_path / "run")) == {*COLUMNS, "momentum"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    trace = recorded()
    trace.save(tmp_path / "run")
    before = (tmp_path / "run").read_bytes()

    def fail(self, target):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        recorded(9).save(tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def tensors_of(n_steps=3):
    tensors = {name: np.zeros(n_steps) for name in COLUMNS}
    return tensors | {"index": np.arange(float(n_steps))}


METADATA = {"format": FORMAT, "version": VERSION, "about": "{}"}


def written(tmp_path, tensors, metadata=METADATA):
    path = tmp_path / "run"
    path.write_bytes(safetensors.numpy.save(tensors, metadata))
    return path


def test_a_description_that_is_no_text_is_refused(tmp_path):
    header = json.dumps({"__metadata__": {**METADATA, "about": 3}}).encode()
    path = tmp_path / "run"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    refused(path, "the description of the run must be text, not int")


def refused(path, text):
    with pytest.raises(FileFormatError, match=f"^{re.escape(str(path))}: .*{re.escape(text)}"):
        Trace.load(path)


def without(name):
    tensors = tensors_of()
    del tensors[name]
    return tensors


HOSTILE_TENSORS = {
    "NaN index": (tensors_of() | {"index": np.array([0, np.nan, 2])}, "index must hold whole numbers from 0 on"),
    "infinite index": (tensors_of() | {"index": np.array([0, 1, np.inf])}, "index must hold whole numbers"),
    "fractional index": (tensors_of() | {"index": np.array([0, 0.5, 2])}, "index must hold whole numbers"),
    "negative index": (tensors_of() | {"index": np.array([-1.0, 0, 1])}, "index must hold whole numbers"),
    "falling index": (tensors_of() | {"index": np.array([0, 2.0, 1])}, "index must increase from step to step"),
    "NaN seconds": (
        tensors_of() | {"seconds": np.array([0, np.nan, 1])},
        "seconds must be numbers that never decrease",
    ),
    "falling seconds": (tensors_of() | {"seconds": np.array([0, 2.0, 1])}, "seconds must be numbers"),
    "extra tensor": (tensors_of() | {"payload": np.zeros(3)}, "unknown tensors 'payload'"),
    "missing tensor": (without("value"), "tensors missing: value"),
    "half of the frames": (tensors_of() | {"frames": np.zeros(1)}, "frames and parameters belong together"),
    "wrong length": (tensors_of() | {"value": np.zeros(4)}, "value has shape [4]: every scalar must be (n_steps,)"),
    "wrong rank": (tensors_of() | {"index": np.zeros((3, 1))}, "index has shape [3, 1]: every scalar must be"),
    "wrong type": (tensors_of() | {"value": np.zeros(3, np.int64)}, "value has type 'I64': must be F64"),
    "text as parameters": (
        tensors_of() | {"frames": np.zeros(1), "parameters": np.zeros((1, 2), np.uint8)},
        "parameters has type 'U8'",
    ),
    "unequal frames": (
        tensors_of() | {"frames": np.arange(2.0), "parameters": np.zeros((3, 2))},
        "frames have shape [2], parameters [3, 2]: must be (n_frames,) and (n_frames, n_parameters)",
    ),
    "NaN frame": (
        tensors_of() | {"frames": np.array([0, np.nan]), "parameters": np.zeros((2, 1))},
        "frames must be step numbers in increasing order",
    ),
}


@pytest.mark.parametrize("case", HOSTILE_TENSORS)
def test_tensors_that_contradict_a_trace_are_refused(tmp_path, case):
    tensors, text = HOSTILE_TENSORS[case]
    refused(written(tmp_path, tensors), text)


HOSTILE_METADATA = {
    "none": (None, "its metadata lack format='steepest trace'"),
    "another format": (METADATA | {"format": "pt"}, "a safetensors file, but no trace"),
    "future version": (METADATA | {"version": "99"}, "trace version '99', this release reads '1'"),
    "about is no JSON": (METADATA | {"about": "{"}, "the description of the run is not JSON"),
    "about is a list": (METADATA | {"about": "[]"}, "the description of the run is no JSON object"),
    "about repeats a key": (METADATA | {"about": '{"a": 1, "a": 2}'}, "a key occurs twice"),
    "notes are an object": (METADATA | {"notes": "{}"}, "the list of notes is no JSON list"),
    "a note shadows a scalar": (METADATA | {"notes": '["value"]'}, "the notes must be names of further scalars"),
    "a note without numbers": (METADATA | {"notes": '["momentum"]'}, "tensors missing: momentum"),
    "about is too deep": (METADATA | {"about": "[" * 100_000}, "the description of the run is not JSON"),
}


@pytest.mark.parametrize("case", HOSTILE_METADATA)
def test_wrong_metadata_are_refused(tmp_path, case):
    metadata, text = HOSTILE_METADATA[case]
    refused(written(tmp_path, tensors_of(), metadata), text)


def with_header(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def announced(name="value", **entry):
    """Return a file of three steps in which one tensor is announced otherwise than it is."""
    layout, offset = {}, 0
    for column in COLUMNS:
        layout[column] = {"dtype": "F64", "shape": [3], "data_offsets": [offset, offset + 24]}
        offset += 24
    layout[name] |= entry
    return with_header({"__metadata__": METADATA, **layout}, np.arange(3.0).tobytes() * len(COLUMNS))


HOSTILE_BYTES = {
    "empty": (b"", "not a trace: 0 bytes are too few for one"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a trace: its first 8 bytes announce a header of"),
    "truncated header": (with_header({"a": 1})[:-3], "truncated: 8 bytes of header announced, 5 there"),
    "no JSON": (with_header(b"{nothing}"), "the header is not JSON"),
    "no UTF-8": (with_header(b'{"\xff": 1}'), "the header is not JSON"),
    "no object": (with_header([1, 2]), "the header is no JSON object"),
    "absurd size": (announced(shape=[10**15]), "value has shape [1000000000000000]: more than the"),
    "absurd empty size": (announced(shape=[0, 10**15]), "more than the"),
    "negative size": (announced(shape=[-3]), "value has shape [-3]: must be a list of lengths"),
    "shape of text": (announced(shape="3"), "value has shape '3': must be a list of lengths"),
    "boolean shape": (announced(shape=[True]), "value has shape [True]: must be a list of lengths"),
    "offsets beyond the file": (announced(data_offsets=[0, 10**9]), "not a readable trace"),
    "overlapping tensors": (announced(data_offsets=[0, 24]), "not a readable trace"),
    "entry is no object": (with_header({"__metadata__": METADATA, **dict.fromkeys(COLUMNS, 1)}), "index has type None"),
}


@pytest.mark.parametrize("case", HOSTILE_BYTES)
def test_damaged_files_are_refused(tmp_path, case):
    content, text = HOSTILE_BYTES[case]
    (tmp_path / "run").write_bytes(content)
    refused(tmp_path / "run", text)


def test_a_truncated_file_is_refused(tmp_path):
    recorded(3, parameters=True).save(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    for length in [*range(0, len(content), 13), len(content) - 1]:
        (tmp_path / "run").write_bytes(content[:length])
        with pytest.raises(FileFormatError):
            Trace.load(tmp_path / "run")


def test_any_changed_byte_of_the_header_is_refused_or_still_gives_a_whole_trace(tmp_path):
    recorded(3, parameters=True).save(tmp_path / "whole")
    content = bytearray((tmp_path / "whole").read_bytes())
    for position in range(0, 8 + int.from_bytes(content[:8], "little"), 3):
        damaged = content.copy()
        damaged[position] ^= 0x15
        (tmp_path / "run").write_bytes(damaged)
        try:
            trace = Trace.load(tmp_path / "run")
        except FileFormatError:
            continue
        assert len(trace.columns["value"]) == 3


def test_it_says_what_it_holds():
    trace = Trace(parameters=True)
    minimize(lambda x: x**2, -1.0, learning_rate=0.25, max_iter=3, trace=trace)
    end = "gradient-descent, stopped: the maximum number of iterations is reached"
    assert repr(trace) == f"Trace(4 steps, 4 with parameters, {end})"
    with pytest.raises(KeyError, match=r"no column 'loss'; there are index, value, gradient_norm"):
        trace["loss"]
    assert "value" in trace
    assert "loss" not in trace
    assert list(trace) == list(trace.columns)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"parameters": "no"}, "parameters='no': must be True or False"),
        ({"max_frames": 0}, "max_frames=0: must be an integer of at least 2"),
    ],
)
def test_options_that_are_none_are_named(options, text):
    with pytest.raises(InvalidInputError, match=text):
        Trace(**options)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no such folder to write into: '.*missing'"):
        Trace().save(tmp_path / "missing" / "run.safetensors")

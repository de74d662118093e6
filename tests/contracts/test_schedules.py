"""Every schedule that is exported gives sound rates; torch's schedulers give the same."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.solvers import schedules
from steepest.solvers.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    ReduceOnPlateau,
    StepDecay,
    WarmUp,
    open_rate,
)

SCHEDULES = {
    "Constant": Constant(0.3),
    "InverseTime": InverseTime(0.3, decay=0.5, power=0.75),
    "Exponential": Exponential(0.3, factor=0.9),
    "StepDecay": StepDecay(0.3, factor=0.5, every=7),
    "Cosine": Cosine(0.3, n_steps=25, final=0.01),
    "WarmUp": WarmUp(Constant(0.3), n_steps=1),
    "ReduceOnPlateau": ReduceOnPlateau(0.3, patience=3),
}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())


def rates(schedule, n_steps=40, values=None):
    """Return the rates of the first steps."""
    values = np.ones(n_steps) if values is None else values
    rate = open_rate(schedule)
    return np.array([rate(t, value) for t, value in enumerate(values, start=1)])


def test_every_exported_schedule_is_tried():
    assert {name for name in schedules.__all__ if name[0].isupper()} == set(SCHEDULES)


@every_schedule
def test_begins_at_its_rate_and_never_rises(schedule):
    seen = rates(schedule)
    assert seen[0] == 0.3
    assert np.all(np.diff(seen) <= 0)
    assert np.all(seen > 0)
    assert np.all([type(rate) is float for rate in seen.tolist()])


@every_schedule
def test_two_runs_do_not_share_memory(schedule):
    np.testing.assert_array_equal(rates(schedule), rates(schedule))


def test_falling_schedules_fall():
    for name in set(SCHEDULES) - {"Constant", "WarmUp"}:
        assert rates(SCHEDULES[name])[-1] < 0.3, name


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        (Exponential(0.3, factor=0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
        (StepDecay(0.3, factor=0.5, every=7), lambda s, o: s.StepLR(o, 7, 0.5)),
        (Cosine(0.3, n_steps=39, final=0.01), lambda s, o: s.CosineAnnealingLR(o, 39, 0.01)),
        (InverseTime(0.3, decay=0.5, power=0.75), lambda s, o: s.LambdaLR(o, lambda e: (1 + 0.5 * e) ** -0.75)),
        (Constant(0.3), lambda s, o: s.LambdaLR(o, lambda e: 1.0)),
    ],
)
def test_same_rates_as_torch(ours, peer):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler, expected = peer(torch.optim.lr_scheduler, optimizer), []
    for _ in range(40):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates(ours), expected, rtol=1e-12)


def test_plateau_as_torch():
    torch = pytest.importorskip("torch")
    values = np.concatenate([np.linspace(5, 1, 10), np.full(12, 1.0), np.linspace(0.9, 0.5, 5), np.full(20, 0.5)])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    # torch reduces when more than `patience` steps are bad, here it is when `patience` are; and not by less than eps
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, threshold=1e-4, eps=0.0)
    expected = []
    for value in values:
        optimizer.step()
        scheduler.step(value)
        expected.append(scheduler.get_last_lr()[0])
    seen = rates(ReduceOnPlateau(0.3, patience=3), values=values)
    np.testing.assert_allclose(seen, expected, rtol=1e-12)
    assert seen[-1] < seen[20] < seen[0]


def test_plateau_stops_at_the_minimum():
    assert rates(ReduceOnPlateau(0.3, patience=1, minimum=0.01))[-1] == 0.01


def test_warm_up_rises_then_follows():
    seen = rates(WarmUp(Exponential(1.0, factor=0.5), n_steps=4), n_steps=7)
    np.testing.assert_allclose(seen, [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Constant(-1.0), "rate=-1.0: must be a finite number above 0"),
        (lambda: Exponential(1.0, factor=1.5), "factor=1.5: must be above 0 and at most 1"),
        (lambda: StepDecay(1.0, every=0), "every=0: must be an integer of at least 1"),
        (lambda: Cosine(1.0, n_steps=2.5), "n_steps=2.5: must be an integer of at least 1"),
        (lambda: InverseTime(1.0, decay=-1), "decay=-1: must be a finite number not below 0"),
        (lambda: ReduceOnPlateau(1.0, patience=0), "patience=0: must be an integer of at least 1"),
        (lambda: WarmUp(0.1, n_steps=3), r"then=0.1: must be a schedule, such as Constant\(0.1\)"),
        (lambda: open_rate(0.0), "learning_rate=0.0: must be a finite number above 0"),
        (lambda: open_rate("fast"), "learning_rate='fast': must be a finite number above 0"),
        (lambda: open_rate(lambda t: float("nan"))(3, 1.0), "learning_rate at step 3=nan: must be a finite number"),
    ],
)
def test_what_is_no_rate_is_refused(make, text):
    with pytest.raises(InvalidInputError, match=text):
        make()

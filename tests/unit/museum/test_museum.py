"""Every exhibit is what it says: named by the audit, its numbers reproduced, its right version right."""

import numpy as np
import pytest

from steepest.checking import Verdict
from steepest.exceptions import InvalidInputError
from steepest.museum import Exhibit, deconvolution, exhibits, find_exhibit, xor

WITH_CASE = [found for found in exhibits() if found.case is not None]


@pytest.mark.parametrize("found", WITH_CASE, ids=lambda found: found.name)
def test_the_audit_names_the_mistake(found: Exhibit) -> None:
    assert found.case is not None
    report = found.case().audit()
    wrong = [block.name for block in report.blocks if block.verdict is Verdict.DISAGREES]
    assert wrong == list(found.codes)
    for block, codes in found.codes.items():
        diagnosis = report.diagnosis_of(block)
        assert diagnosis is not None
        assert diagnosis.codes == codes


@pytest.mark.parametrize("found", WITH_CASE, ids=lambda found: found.name)
def test_the_right_gradient_is_right(found: Exhibit) -> None:
    assert found.case is not None
    assert found.case().audit(published=False).ok


@pytest.mark.parametrize("found", exhibits(), ids=lambda found: found.name)
def test_every_exhibit_tells_its_story(found: Exhibit) -> None:
    for text in (found.title, found.source, found.claim, found.truth, found.lesson):
        assert text
    assert found.case is not None or found.figures is not None
    assert found.case is None or found.codes
    html = found._repr_html_()
    assert "published" in html
    numbers = found.numbers()
    assert not numbers or any(figure.published != figure.right for figure in numbers)
    assert len({e.name for e in exhibits()}) == len(exhibits())


def test_there_are_at_least_eight_patterns_from_public_code() -> None:
    assert sum("public code" in found.source for found in exhibits()) >= 8


def test_the_published_filters_are_reproduced_digit_by_digit() -> None:
    published = (([0.96134719, -0.96935766], 0.05904710), ([-3.04983029, 4.6360835, -1.81663934], 5.82271763))
    right = (([1.0, -1.0], 0.0), ([-0.07263967, 0.44233085, 0.38241651], 1.96865037))
    for (y, k), claimed, true in zip(deconvolution.PROBLEMS, published, right, strict=True):
        w, b = deconvolution.descend(deconvolution.published_gradient, y, k)
        np.testing.assert_allclose(w, claimed[0], atol=5e-9)
        assert b == pytest.approx(claimed[1], abs=5e-9)
        w, b = deconvolution.optimum(y, k)
        np.testing.assert_allclose(w, true[0], atol=5e-9)
        assert b == pytest.approx(true[1], abs=5e-9)
    courses, least = deconvolution.courses()
    assert round(least, 3) == 5.267
    assert round(courses["published: convolution"][-1]) == 448
    assert min(courses["published: convolution"]) == pytest.approx(14.5, abs=0.5)
    assert courses["right: correlation"][-1] == pytest.approx(5.296, abs=1e-3)


def test_the_optimum_is_where_the_right_gradient_vanishes() -> None:
    for y, k in deconvolution.PROBLEMS:
        w, b = deconvolution.optimum(y, k)
        dw, db = deconvolution.right_gradient(w, b, deconvolution.X, y)
        np.testing.assert_allclose([*dw, db], 0.0, atol=1e-9)


def test_the_network_picked_by_hand_gets_two_of_four_points() -> None:
    np.testing.assert_array_equal(xor.predict(xor.PUBLISHED), [0, 0, 1, 1])
    assert xor.correct(xor.PUBLISHED) == 2
    np.testing.assert_array_equal(xor.predict(xor.RIGHT), xor.LABELS)
    np.testing.assert_allclose(xor.predict(xor.train()), xor.LABELS, atol=1e-3)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(InvalidInputError, match="no exhibit 'deconvolusion'; did you mean 'deconvolution'"):
        find_exhibit("deconvolusion")

"""``steepest deconvolve`` and ``steepest conv2d``: what they say, what they write, what they refuse."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from steepest.cli import main

ECHO = Path(__file__).parents[3] / "examples" / "data" / "echo.csv"


def steepest(*arguments: Any) -> Any:
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, list(map(str, arguments)))


def deconvolve(*arguments: Any, length: int = 3) -> Any:
    return steepest("deconvolve", ECHO, "--input", "x", "--output", "y", "--length", length, *arguments)


class TestDeconvolve:
    @pytest.mark.parametrize("solver", ["exact", "gradient-descent"])
    def test_it_prints_the_filter_with_its_errors_and_the_proof(self, solver: str) -> None:
        shown = deconvolve("--solver", solver)
        assert shown.exit_code == 0, shown.output
        for part in ("-0.07263967", "0.44233085", "0.38241651", "1.96865", "0.15246942", "optimal", "Condition  17.1"):
            assert part in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 80

    def test_a_rate_asks_for_gradient_descent(self) -> None:
        assert "gradient descent" in deconvolve("--learning-rate", 0.001).stdout
        refused = deconvolve("--learning-rate", 0.001, "--solver", "exact")
        assert refused.exit_code == 2
        assert "learning_rate=0.001: solver='exact' takes no steps; 'gradient-descent' does" in refused.stderr

    def test_without_bias_there_is_no_standard_error_of_one(self) -> None:
        assert deconvolve("--no-bias").stdout.rstrip().splitlines()[-1].split() == ["b", "0.00000000", "-"]

    def test_a_long_filter_is_shortened(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(0)
        lines = ["x,y", *(f"{rng.standard_normal() if i < 200 else ''},{rng.standard_normal()}" for i in range(259))]
        path = tmp_path / "long.csv"
        path.write_text("\n".join(lines))
        shown = steepest("deconvolve", path, "--input", "x", "--output", "y", "--length", 60)
        assert shown.exit_code == 0, shown.output
        assert "20 more" in shown.stdout

    def test_zeros_that_fill_up_the_input_are_no_samples(self, tmp_path: Path) -> None:
        path = tmp_path / "zeros.csv"
        path.write_text("x,y\n1,1\n2,1\n3,1\n0,-3\n")
        shown = steepest("deconvolve", path, "--input", "x", "--output", "y", "--length", 2)
        assert "3 samples in" in shown.stdout.replace("\n", " ")
        assert "-1.00000000" in shown.stdout

    def test_it_draws(self, tmp_path: Path) -> None:
        path = tmp_path / "picture.png"
        shown = deconvolve("--plot", path)
        assert shown.exit_code == 0, shown.output
        with Image.open(path) as picture:
            assert picture.size[0] > 1000

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("--plot", "x.txt"), "--plot x.txt: the name must end in .png, .svg or .pdf"),
            (("--input", "z"), "--input z: no column of this name"),
            (("--length", 0), "--length 0: must be a positive integer"),
            (("--length", 12), "--length 12: longer than the output, which has 11 samples"),
            (("--length", 2), "filter_length=3 would fit"),
            (("--solver", "exakt"), "did you mean 'exact'?"),
            (("--ridge", -1), "ridge=-1.0: must be a finite number not below 0"),
            (("--solver", "gradient-descent", "--learning-rate", 1), "the largest stable learning rate is about"),
        ],
    )
    def test_it_refuses(self, arguments: Any, text: str) -> None:
        shown = deconvolve(*arguments)
        assert shown.exit_code == 2
        assert text in shown.stderr
        assert len(shown.stderr.splitlines()) == 1

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("x,y\n1,a\n2,b\n", "--output y: holds text"),
            ("x,y\n1,1\n,2\n3,4\n,5\n", "--input x: sample 2 is missing; fill it in"),
            ("x,y\n,1\n,2\n", "--input x: holds no numbers"),
        ],
    )
    def test_it_refuses_columns_that_are_no_signals(self, content: str, text: str, tmp_path: Path) -> None:
        path = tmp_path / "signals.csv"
        path.write_text(content)
        shown = steepest("deconvolve", path, "--input", "x", "--output", "y", "--length", 1)
        assert shown.exit_code == 2
        assert text in shown.stderr


class TestConv2d:
    def test_it_prints_shapes_kernel_and_output(self) -> None:
        shown = steepest("conv2d", "digit", "--kernel", "sobel", "--padding", "same", "--stride", 1)
        assert shown.exit_code == 0, shown.output
        assert "image   digit: 8 x 8, from 0 to 0.9375" in shown.stdout
        assert "kernel  sobel: 3 x 3, stride 1, padding same" in shown.stdout
        assert "output  8 x 8, from -2.938 to 3.438" in shown.stdout

    def test_a_photograph_is_convolved_channel_by_channel(self, tmp_path: Path) -> None:
        path = tmp_path / "small.png"
        shown = steepest("conv2d", "china", "--kernel", "blur", "--stride", 4, "--result", path)
        assert shown.exit_code == 0, shown.output
        assert "image   china: 427 x 640 in 3 channels" in shown.stdout
        with Image.open(path) as picture:
            image = np.asarray(picture)[..., :3]
        assert image.shape == (107, 160, 3)
        assert 100 < image.mean() < 160  # a blur keeps the brightness

    def test_files_of_images_and_kernels_are_read(self, tmp_path: Path) -> None:
        pixels = np.zeros((5, 6), dtype=np.uint8)
        pixels[2, 3] = 255
        Image.fromarray(pixels).save(tmp_path / "dot.png")
        (tmp_path / "kernel.csv").write_text("1, 2\n3, 4\n")
        shown = steepest("conv2d", tmp_path / "dot.png", "--kernel", tmp_path / "kernel.csv")
        assert shown.exit_code == 0, shown.output
        rows = [list(map(float, line.split())) for line in shown.stdout.splitlines()[-4:]]
        expected = np.zeros((4, 5))
        expected[1:3, 2:4] = [[4, 3], [2, 1]]
        np.testing.assert_array_equal(rows, expected)

    @pytest.mark.parametrize("name", ["window.png", "window.svg", "sliding.gif", "sliding.html"])
    def test_it_draws(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        shown = steepest("conv2d", "digit", "--stride", 2, "--plot", path)
        assert shown.exit_code == 0, shown.output
        assert path.stat().st_size > 5_000

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (("nowhere",), "nowhere: no such file, nor one of the samples china, flower, digit"),
            (("digit", "--kernel", "sobl"), "did you mean 'sobel'?"),
            (("digit", "--stride", 0), "stride=0: must be a positive integer"),
            (("digit", "--padding", -1), "padding=-1: must be an integer of at least 0"),
            (("digit", "--padding", "\N{SUPERSCRIPT TWO}"), "must be an integer of at least 0"),
            (("digit", "--place", "\N{SUPERSCRIPT TWO},1", "--plot", "x.png"), "must be ROW,COLUMN"),
            (("digit", "--plot", "x.doc"), "--plot x.doc: the name must end in"),
            (("digit", "--result", "x.jpg"), "--result x.jpg: the name must end in .png"),
            (("digit", "--place", "9", "--plot", "x.png"), "--place 9: must be ROW,COLUMN"),
            (("digit", "--place", "1,1"), "--place 1,1: says what --plot shows; name a file with --plot"),
            (("digit", "--place", "9,9", "--plot", "x.png"), "place=(9, 9): must lie within the output of 6 x 6"),
        ],
    )
    def test_it_refuses(self, arguments: Any, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        shown = steepest("conv2d", *arguments)
        assert shown.exit_code == 2
        assert text in shown.stderr
        assert not list(tmp_path.iterdir())

    def test_damaged_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        assert "not an image that can be read" in steepest("conv2d", tmp_path / "image.png").stderr
        (tmp_path / "kernel.csv").write_text("1,2\n3\n")
        assert "must hold rows of numbers" in steepest("conv2d", "digit", "--kernel", tmp_path / "kernel.csv").stderr


def test_a_kernel_that_is_no_text_is_refused_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "kernel"
    path.write_bytes(b"\x89PNG\xff\xfe")
    shown = steepest("conv2d", "digit", "--kernel", path)
    assert shown.exit_code == 2
    assert shown.stderr == f"steepest: {path}: not a text file; must hold rows of numbers, as many in each row\n"

"""The group of commands: found as files, imported when run, errors in one line."""

import ast
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from steepest.cli import LazyGroup, main


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, list(arguments), prog_name="steepest")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A group whose commands are the files of a folder."""
    monkeypatch.setattr(LazyGroup, "folder", tmp_path)
    return tmp_path


def test_help_lists_every_command_with_the_first_line_of_its_file(run):
    shown = run("--help")
    assert shown.exit_code == 0
    assert re.search(r"^  fit +Fit a model to a CSV or Parquet file and print the proof", shown.output, re.MULTILINE)
    assert re.search(
        r"^  info +Show versions, BLAS and threads, compiled kernels and GPUs\.$", shown.output, re.MULTILINE
    )
    assert "models" not in shown.output  # a helper


def test_no_command_is_a_wish_for_help(run):
    assert run().output == run("--help").output
    assert run().exit_code == 0


def test_every_command_found_is_a_click_command():
    group = main
    context = click.Context(group)
    for name in group.list_commands(context):
        assert isinstance(group.get_command(context, name), click.Command)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""Do it."""\ncommand = print\n', {"do-it": "Do it."}),
        ('"""Do it."""\ncommand: object = print\n', {"do-it": "Do it."}),
        ('"""Do it.\n\nMore."""\ndef command(): ...\n', {"do-it": "Do it."}),
        ('"""No command here."""\ndef helper(): command = 1\n', {}),
        ("x, y = 1, 2  # no command either\n", {}),
    ],
)
def test_a_command_is_a_file_that_defines_one(folder, text, found):
    (folder / "do_it.py").write_text(text)
    (folder / "_private.py").write_text(text)
    ast.parse(text)
    assert main._summaries() == found


def test_listing_the_commands_imports_none(folder, run):
    (folder / "boom.py").write_text('"""Blow up."""\nraise RuntimeError\ncommand = None\n')
    assert "boom  Blow up." in run("--help").output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["fitt"], "steepest: no command 'fitt'; did you mean 'fit'?\n"),
        (["info", "--jsn"], "steepest: No such option '--jsn'"),
        (["fit"], "steepest: Missing argument 'DATA'."),
        (["fit", "x.csv", "--alpha", "much"], "steepest: Invalid value for '--alpha': 'much' is not a valid float."),
        (["fit", "nowhere.csv", "-t", "y"], "steepest: nowhere.csv: no such file"),
    ],
)
def test_errors_of_the_user_are_one_line_and_exit_code_2(run, arguments, text):
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert shown.stderr.startswith(text)
    assert shown.stderr.count("\n") == 1
    assert shown.stdout == ""


def test_an_unknown_command_far_from_all_lists_them(run):
    assert run("zzz").stderr.startswith("steepest: no command 'zzz'; there are ")


def test_an_interrupt_ends_with_its_own_code(folder, run):
    (folder / "info.py").write_text("command = None\n")

    @click.command()
    def interrupted():
        raise KeyboardInterrupt

    import steepest.cli.info as module

    original, module.command = module.command, interrupted
    try:
        assert run("info").exit_code == 130
    finally:
        module.command = original


def test_a_defect_is_not_dressed_as_an_error_of_the_user_nor_as_a_verdict(monkeypatch, run):
    monkeypatch.setattr("steepest.cli.info.collect", lambda gpu: 1 / 0)
    shown = run("info")
    assert shown.exit_code == 2
    assert "Traceback (most recent call last)" in shown.stderr
    assert "steepest: unexpected ZeroDivisionError: division by zero; if no file of yours" in shown.stderr


WRITING = {
    "fit": "fit examples/data/diabetes.csv -t progression --max-iter 1",
    "cluster": "cluster examples/data/iris.csv --k 3",
    "deconvolve": "deconvolve examples/data/echo.csv --input x --output y --length 3",
    "conv2d": "conv2d digit",
    "guess": "guess --tests 100",
    "museum": "museum guessing",
}
OUTPUTS = [(name, "--plot") for name in WRITING] + [("fit", "--save-trace"), ("conv2d", "--result")]


def test_every_option_that_names_a_file_is_known_here():
    context = click.Context(main)
    found = {
        (name, parameter.opts[0])
        for name in main.list_commands(context)
        for parameter in main.get_command(context, name).params
        if isinstance(parameter.type, click.Path)
    }
    assert found == set(OUTPUTS)


@pytest.mark.parametrize(("command", "option"), OUTPUTS)
def test_files_that_cannot_be_written_are_refused_before_the_run(run, tmp_path, monkeypatch, command, option):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: "closed" not in str(path))
    words = {
        "": "'': must be the name of a file",
        "nowhere/x.png": "nowhere/x.png: there is no directory nowhere",
        str(tmp_path / "folder.png"): "folder.png: a directory; name a file in it",
        str(tmp_path / "closed" / "x.png"): "x.png: cannot be written (permission denied)",
    }
    if option != "--save-trace":
        words["x.txt"] = "x.txt: the name must end in .png"
    for path, text in words.items():
        shown = run(*WRITING[command].split(), option, path)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert shown.stderr.startswith(f"steepest: {option} ")
        assert text in shown.stderr
        assert shown.stderr.count("\n") == 1


full_disk = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is always full")


@full_disk
@pytest.mark.parametrize(("command", "option"), OUTPUTS)
def test_a_disk_that_is_full_is_named_with_the_file(run, tmp_path, command, option):
    path = tmp_path / "full.png"
    path.symlink_to("/dev/full")
    shown = run(*WRITING[command].split(), option, str(path))
    assert shown.exit_code == 2
    assert shown.stderr.splitlines()[-1].startswith(f"steepest: {path}: ")
    assert "No space left on device" in shown.stderr


@full_disk
@pytest.mark.parametrize("command", ["info", "info --json", "conv2d digit"])
def test_standard_output_that_is_full_is_named(command):
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "steepest", *command.split()], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (process.returncode, process.stderr) == (2, "steepest: standard output: No space left on device\n")


def test_too_little_memory_is_one_line(run, folder):
    (folder / "eat.py").write_text("import click\ncommand = click.Command('eat', callback=lambda: None)\n")
    LazyGroup.get_command, before = (lambda *_: click.Command("eat", callback=_eat)), LazyGroup.get_command
    try:
        shown = run("eat")
    finally:
        LazyGroup.get_command = before
    assert (shown.exit_code, shown.stderr) == (2, "steepest: this needs more memory than there is\n")


def _eat():
    raise MemoryError


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_verdict(more):
    arguments = ["audit", "examples/audit/ridge.py:value", "examples/audit/answer.py:gradient", *more]
    command = [sys.executable, "-m", "steepest", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    _, complaint = process.communicate()
    assert (process.returncode, complaint) == (141, b"")


def test_a_terminal_of_an_old_encoding_shows_what_it_can():
    command = [sys.executable, "-m", "steepest", "fit", "examples/data/diabetes.csv", "-t", "progression"]
    shown = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert b"R? " in shown.stdout


@pytest.mark.skipif(os.name == "nt", reason="the shell that closes a stream is that of Unix")
@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_with_its_output_closed_a_command_still_does_its_work(closed, tmp_path):
    picture = tmp_path / "guess.png"
    line = f'"{sys.executable}" -m steepest guess --tests 10 --seed 0 --plot "{picture}" {closed}'
    process = subprocess.run(["sh", "-c", line], capture_output=True, check=False)
    assert (process.returncode, process.stderr) == (0, b"")
    assert picture.read_bytes().startswith(b"\x89PNG")

"""The guide to the audit does what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from steepest.cli import main

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "audit.md").read_text()


def test_the_script_prints_what_the_guide_quotes(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", GUIDE, re.S)
    quote = re.search(r"(?m)((?:^> .*\n)+)", GUIDE)
    assert code is not None
    assert quote is not None
    script = tmp_path / "script.py"
    script.write_text(code.group(1))
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, check=True)
    said = " ".join(line.removeprefix("> ") for line in quote.group(1).splitlines())
    assert said in done.stdout


@pytest.mark.parametrize("line", re.findall(r"(?m)^steepest (?:audit|grade) .*$", GUIDE))
def test_the_commands_run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, line.split()[1:])
    assert result.exit_code == 1
    assert "disagrees with the value in w, b" in result.output or "0.5 of 4" in result.output

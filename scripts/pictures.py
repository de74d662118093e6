"""Draw the pictures of the README from a real run: ``python scripts/pictures.py``."""

import io
import re
from pathlib import Path

from rich.text import Text

from steepest.cli import fit, running
from steepest.cli.models import MODELS, build
from steepest.cli.rendering import render
from steepest.cli.terminal import Terminal
from steepest.tables import prepare, read_table

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
DATA, TARGET, MODEL, SEED = "examples/data/diabetes.csv", "progression", "lasso", 0
FONT_FROM_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Fit as the README's command does; save what the terminal shows, and what ``--plot`` draws."""
    classifies = MODELS[MODEL].classifies
    dataset = prepare(read_table(ROOT / DATA), TARGET, classify=classifies)
    train, test = running.split(dataset, 0.2, SEED, by_class=classifies)
    build(MODEL, {}, {}, SEED).fit(train.X, train.y)  # compiles what it needs, so that the time shown is the fit's
    model = build(MODEL, {}, {}, SEED)
    fitted = running.fit(model, train, test, standardize=True, classifies=classifies, watch=True)
    report = running.report(fitted, data=DATA, seed=SEED, standardized=True)
    IMAGES.mkdir(parents=True, exist_ok=True)

    console = Terminal(record=True, width=110, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    command = f"steepest fit {DATA} --target {TARGET} --model {MODEL}"
    console.print(Text("$", "bold green") + Text(f" {command}\n"))
    render(report, fitted.model.trace_, console=console)
    svg = FONT_FROM_ELSEWHERE.sub("", console.export_svg(title="steepest"))
    (IMAGES / "fit.svg").write_text(svg)
    fit.draw(IMAGES / "fit.png", fitted, report)


if __name__ == "__main__":
    main()

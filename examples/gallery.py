"""What the scripts of the gallery share: where their figures go."""

import argparse
from pathlib import Path


def output_folder(description: str | None) -> Path:
    """Return the folder that the command line names with ``--output``, made if it is not there."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path("figures"), metavar="DIR", help="where the figures go")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    return folder

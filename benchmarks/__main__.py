"""``python -m benchmarks NAME [options]`` runs ``benchmarks/NAME.py``; without a name it lists what there is."""

import importlib
import pkgutil
import sys
from pathlib import Path


def names() -> list[str]:
    """Names of the benchmarks: the modules of this folder that define ``main``."""
    folder = Path(__file__).parent
    modules = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    return [name for name in modules if "\ndef main(" in (folder / f"{name}.py").read_text()]


def run(argv: list[str]) -> int:
    """Run the benchmark that ``argv`` names; the exit code is its own."""
    known = names()
    if not argv or argv[0] not in known:
        given = f"{argv[0]}: no such benchmark. " if argv and not argv[0].startswith("-") else ""
        print(f"{given}usage: python -m benchmarks NAME [options], with NAME one of: {', '.join(known)}")
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    return int(importlib.import_module(f"benchmarks.{argv[0]}").main(argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

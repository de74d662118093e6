"""Show versions, BLAS and threads, compiled kernels and GPUs."""

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from steepest import __version__
from steepest.cli.outputs import json_option, print_json

LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "matplotlib", "narwhals", "safetensors")
OPTIONAL = ("polars", "pandas", "pyarrow", "mpmath", "torch", "cupy")


def versions(names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the installed version of each distribution, None where it is not installed; nothing is imported."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def blas() -> list[dict[str, Any]]:
    """Return the BLAS libraries that NumPy and SciPy brought along, with their threads."""
    import_module("numpy")
    import_module("scipy.linalg")
    pools = import_module("threadpoolctl").threadpool_info()
    libraries = [pool for pool in pools if pool["user_api"] == "blas"]
    return [
        {
            "library": pool["internal_api"],
            "version": pool["version"],
            "architecture": pool.get("architecture"),
            "threads": pool["num_threads"],
            "file": Path(pool["filepath"]).name,
        }
        for pool in libraries
    ]


def kernels() -> dict[str, Any]:
    """Return whether kernels can be compiled, and how many compiled ones the disk cache holds."""
    from steepest.kernels.threads import n_threads

    folder = Path(import_module("steepest.kernels").__file__ or "").parent
    cached = list(folder.rglob("__pycache__/*.nbc"))
    return {"available": find_spec("numba") is not None, "threads": n_threads(), "cached": len(cached)}


def gpus() -> list[str]:
    """Return the names of the GPUs that torch or CuPy see; importing those takes seconds, so only when asked."""
    names: list[str] = []
    if find_spec("torch") is not None:
        torch = import_module("torch")
        names += [f"cuda:{i} {torch.cuda.get_device_name(i)} (torch)" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            names.append("mps (torch)")
    if find_spec("cupy") is not None:
        runtime = import_module("cupy").cuda.runtime
        try:
            count = runtime.getDeviceCount()
        except runtime.CUDARuntimeError:  # CuPy is installed, but there is no driver
            count = 0
        names += [f"cuda:{i} {runtime.getDeviceProperties(i)['name'].decode()} (CuPy)" for i in range(count)]
    return names


def collect(ask_gpus: bool) -> dict[str, Any]:
    """Return everything that ``steepest info`` says."""
    return {
        "steepest": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "libraries": versions(LIBRARIES),
        "optional": versions(OPTIONAL),
        "blas": blas(),
        "kernels": kernels(),
        "gpu_libraries": [name for name in ("torch", "cupy") if find_spec(name) is not None],
        "gpus": gpus() if ask_gpus else None,
    }


def lines(info: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the same as pairs of a label and a text."""
    pairs = [
        ("steepest", info["steepest"]),
        ("Python", f"{info['python']} on {info['platform']}"),
        *((name, number or "not installed") for name, number in info["libraries"].items()),
        *((name, number or "not installed (optional)") for name, number in info["optional"].items()),
    ]
    for library in info["blas"]:
        text = f"{library['library']} {library['version']}, {library['threads']} threads ({library['file']})"
        pairs.append(("BLAS", text))
    state = info["kernels"]
    available = "available" if state["available"] else "not available: numba is missing"
    pairs.append(("kernels", f"{available}, {state['threads']} threads, {state['cached']} compiled on disk"))
    pairs.append(("GPUs", _gpu_line(info)))
    return pairs


def _gpu_line(info: dict[str, Any]) -> str:
    if not info["gpu_libraries"]:
        return "not looked for: neither torch nor cupy is installed"
    if info["gpus"] is None:
        return f"not looked for: 'steepest info --gpu' asks {' and '.join(info['gpu_libraries'])}"
    return "; ".join(info["gpus"]) or f"none seen by {' or '.join(info['gpu_libraries'])}"


@click.command()
@click.option("--gpu", is_flag=True, help="Ask torch and CuPy for GPUs (importing them takes seconds).")
@json_option
def command(gpu: bool, as_json: bool) -> None:
    """Show versions, BLAS and threads, compiled kernels and GPUs."""
    from steepest.cli.terminal import facts, terminal

    info = collect(gpu)
    if as_json:
        print_json(info)
        return
    terminal().print(facts(lines(info)))
